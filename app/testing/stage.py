"""A platform of a proof's own: servers, web process, workers, a beat, and the stand-ins, each a real process."""

import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psutil  # type: ignore[import-untyped]
from sqlalchemy import Engine, text

from app.core.config import changed_environment, get_settings
from app.core.database import SYSTEM, make_engine, unit_of_work
from app.core.embedded import running_servers
from app.core.errors import UnavailableError
from app.modules import setup
from app.modules.platform import embedded_environment, prepare_embedded
from app.tasks import schedules
from app.tasks.ports import framework
from app.testing.delivery.processes import Processes
from app.testing.delivery.proof import QUEUES, connected
from sandbox.testing import Sandbox

_START_SECONDS, _SETTLE_SECONDS = 90.0, 1200.0
_POLL_SECONDS = 0.1
_CHILDREN = 2
_BUSY = text(
    "SELECT EXISTS (SELECT FROM jobs WHERE state = 'running') OR EXISTS (SELECT FROM jobs WHERE state = 'queued' "
    "AND run_after <= now() + (SELECT clock_offset_seconds FROM system_state) * interval '1 s')"
)
_RUNNING = text("SELECT DISTINCT worker FROM job_runs WHERE ended_at IS NULL ORDER BY 1")


@dataclass(slots=True)
class Stage:
    """What runs, the stand-in's control door, and the owner's engine to look behind the scenes; ``web``: the platform.

    ``doomed``: whom to kill at the next work, a ``child`` of a worker or the ``worker``; ``wounds`` counts them.
    """

    owner: Engine
    processes: Processes
    box: Sandbox
    web: str
    browser: httpx2.Client
    doomed: list[str] = field(default_factory=list)
    wounds: dict[str, int] = field(default_factory=dict)

    def settle(self) -> None:
        """Until all messages are delivered and all work is done. Who is doomed dies at work meanwhile, one each time.

        Raises UnavailableError with the ends of the logs.
        """
        is_calm = not self.doomed
        deadline = time.monotonic() + _SETTLE_SECONDS
        while time.monotonic() < deadline:
            self.processes.look_after()
            if not is_calm and self._kill(self.doomed[0]):
                del self.doomed[0]
                is_calm = True
            if not self._is_sending() and not self._is_busy():
                return
            time.sleep(_POLL_SECONDS)
        raise UnavailableError(f"The work does not come to an end.\n{self.processes.tails()}")

    def _is_sending(self) -> bool:
        asked = {"timeout_seconds": _POLL_SECONDS}
        answer = self.browser.post(f"{self.box.url}/_control/deliveries/drain", json=asked)
        return bool(answer.json()["left"])

    def _is_busy(self) -> bool:
        with self.owner.connect() as connection:
            return bool(connection.execute(_BUSY).scalar_one())

    def _kill(self, whom: str) -> bool:
        """Kill a child that is at work, or its worker; False while nobody is."""
        with self.owner.connect() as connection:
            busy = [int(name.rpartition(":")[2]) for name in connection.execute(_RUNNING).scalars()]
        for worker in self.processes.named("worker"):
            children = [pid for pid in worker.children() if pid in busy]
            if children:
                self.processes.kill(children[0] if whom == "child" else worker.process.pid)
                self.wounds[whom] = self.wounds.get(whom, 0) + 1
                return True
        return False

    def cpu_seconds(self) -> dict[str, float]:
        """What each program has used until now, with its children."""
        found = {}
        for name, running in self.processes.running.items():
            family = [psutil.Process(running.process.pid)]
            family += family[0].children(recursive=True)
            times = [one.cpu_times() for one in family]
            spent = sum(one.user + one.system for one in times)
            found[name] = round(spent + times[0].children_user + times[0].children_system, 1)
        return found


@contextmanager
def stage(folder: Path, seed: int, more: Mapping[str, str]) -> Iterator[Stage]:
    """All of it, with the demo's data and no schedule running but by hand; ``more``: environment variables.

    A crash of the machine is not part of this proof: the database trades that for speed.
    """
    logs = folder / "logs"
    logs.mkdir()
    web, box = _free_port(), _free_port()
    environment = {
        "WIZAMART_LOG_LEVEL": "WARNING",
        "WIZAMART_BASE_URL": f"http://127.0.0.1:{web}",
        "WIZAMART_SANDBOX_URL": f"http://127.0.0.1:{box}",
        **more,
    }
    with running_servers(folder / "data", durable=False) as servers:
        environment = embedded_environment(servers, folder / "data", get_settings()) | environment
        with changed_environment(environment), connected(environment["WIZAMART_BROKER_URL"]):
            prepare_embedded(servers)
            setup.seed_demo()
            _pause_schedules()
            owner = make_engine(environment["WIZAMART_DATABASE_OWNER_URL"], pool_size=1)
            processes = Processes(logs, {"PYTHONPATH": os.environ.get("PYTHONPATH", "")})
            browser = httpx2.Client(timeout=30.0, trust_env=False, follow_redirects=False)
            try:
                here = Stage(
                    owner, processes, Sandbox(f"http://127.0.0.1:{box}"), f"http://127.0.0.1:{web}", browser
                )
                _start(here, web, box, seed)
                yield here
            finally:
                processes.end_all()
                browser.close()
                owner.dispose()


def _start(here: Stage, web: int, box: int, seed: int) -> None:
    words = ("--queues", QUEUES, "--concurrency", str(_CHILDREN), "--name", "proof")
    here.processes.start("sandbox", "sandbox", "--port", str(box), "--seed", str(seed))
    here.processes.start("web", "serve", "--port", str(web))
    here.processes.start("worker", "worker", *words)
    here.processes.start("beat", "beat")
    _wait(here, f"{here.box.url}/_control/health")
    _wait(here, f"http://127.0.0.1:{web}/health/live")
    deadline = time.monotonic() + _START_SECONDS
    while not here.processes.named("worker")[0].children():
        if time.monotonic() > deadline:
            raise UnavailableError(f"No worker started.\n{here.processes.tails()}")
        time.sleep(_POLL_SECONDS)


def _wait(here: Stage, url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if any(one.process.poll() is not None for one in here.processes.running.values()):
            break
        try:
            if here.browser.get(url, timeout=2.0).status_code == 200:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(_POLL_SECONDS)
    raise UnavailableError(f"{url} does not answer.\n{here.processes.tails()}")


def _pause_schedules() -> None:
    with unit_of_work(SYSTEM) as session:
        for schedule in framework().schedules():
            schedules.pause(session, schedule.name, by="proof")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
