"""The proof on four hosts: web, two with workers and beat, database and broker. Two of them are cut off in turn.

Run by ``tests/reliability/four_hosts.sh``, as root.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text

from app.core.console import print_json
from app.core.database import SYSTEM, unit_of_work
from app.core.embedded import Servers
from app.core.errors import UnavailableError
from app.tasks.dispatcher import dispatch
from app.testing.delivery.brokers import Program
from app.testing.delivery.database_host import DatabaseHost, database_host
from app.testing.delivery.definition import TASKS
from app.testing.delivery.effects import expect
from app.testing.delivery.figures import RECOVERY_SECONDS, collect, considered_until, is_delivered
from app.testing.delivery.network import Host, Network, network
from app.testing.delivery.processes import Processes
from app.testing.delivery.proof import QUEUES, Stage, is_quiet, stage
from app.testing.delivery.web_host import LIVE, PAGE, PORT, READY, Answer, read_answers, read_work

WEB, DATABASE, WORKERS = "web", "database", ("worker-1", "worker-2")
WORKER_CUT_SECONDS, WEB_CUT_SECONDS = 40.0, 30.0
SLOWEST_ANSWER_SECONDS = 20.0  # silence is noticed after 10, and connecting anew may take 5
_SESSIONS_GONE_SECONDS = 30.0
_START_SECONDS, _BACK_SECONDS, _SETTLE_SECONDS = 60.0, 60.0, 120.0
_LINGERERS, _LINGER_SECONDS = 4, 60.0
_WARM_SECONDS, _POLL_SECONDS = 5.0, 0.1

_OPEN_RUNS = text("SELECT count(*) FROM job_runs WHERE ended_at IS NULL AND worker LIKE :host || ':%'")
_LINGERING = text(
    f"""
    SELECT split_part(worker, ':', 1) AS host, count(*) FROM job_runs JOIN jobs ON jobs.id = job_id
    WHERE task = '{TASKS}.linger' AND ended_at IS NULL GROUP BY 1 ORDER BY 2 DESC
    """
)
_RECOVERED = text(
    """
    SELECT extract(epoch FROM next.started_at) - :cut_at AS seconds
    FROM job_runs lost CROSS JOIN LATERAL (
        SELECT started_at FROM job_runs WHERE job_id = lost.job_id AND token > lost.token ORDER BY token LIMIT 1
    ) next
    WHERE lost.outcome = 'lost' AND lost.worker LIKE :host || ':%'
    AND lost.started_at < to_timestamp(:cut_at) AND lost.ended_at > to_timestamp(:cut_at) ORDER BY 1
    """
)
_WORKED_AGAIN = text(
    """
    SELECT extract(epoch FROM min(started_at)) - :since FROM job_runs
    WHERE worker LIKE :host || ':%' AND started_at > to_timestamp(:since)
    """
)


@dataclass(frozen=True, slots=True)
class Hosts:
    """All that runs."""

    network: Network
    servers: DatabaseHost
    here: Stage
    processes: dict[str, Processes]
    folder: Path

    def ask(self, query: Any, **values: Any) -> Any:
        """One value, as the owner sees it."""
        with self.here.owner.connect() as connection:
            return connection.execute(query, values).scalar_one()

    def wait_until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Look after the processes until it holds. Raises UnavailableError when it does not come to hold in time."""
        if not self._wait(condition, seconds):
            raise UnavailableError(f"{what}: not in {seconds:.0f} s.\n{self.here.processes.tails()}")

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        self._wait(lambda: False, seconds)

    def _wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for processes in self.processes.values():
                processes.look_after()
            if condition():
                return True
            time.sleep(_POLL_SECONDS)
        return False


def prove_hosts(folder: Path, program: Program, seed: int) -> dict[str, Any]:
    """Cut off a host with workers while it works, then the web host; returns the figures."""
    started = time.monotonic()
    with _running(folder, program) as hosts:
        since = _start(hosts, seed)
        of_worker = _cut_off_workers(hosts)
        of_web = _cut_off_web(hosts)
        hosts.processes[WEB].end("visitors")
        hosts.wait_until(lambda: is_quiet(hosts.here.owner), _SETTLE_SECONDS, "The end of all work")
        for processes in hosts.processes.values():
            processes.end_all()
        figures = collect(hosts.here.owner, hosts.here.points, since)
    return {
        "broker": program.value,
        **figures,
        **read_work(folder),
        "workers_cut_off": of_worker,
        "web_cut_off": of_web,
        "seconds": round(time.monotonic() - started, 1),
    }


def is_proved(figures: dict[str, Any]) -> bool:
    """All work was delivered, and each host went on by itself within bounds."""
    worker, web = figures["workers_cut_off"], figures["web_cut_off"]
    return (
        is_delivered(figures)
        and worker["runs_taken_over"] == worker["runs_at_the_cut"] > 0
        and worker["recovery_max_seconds"] < RECOVERY_SECONDS
        and worker["sessions_at_the_cut"] > 0 == worker["sessions_left"]
        and worker["answers_of_web"].keys() <= {"200", "303"}
        and web["ready"].keys() <= {"200", "503"}
        and web["ready"].get("503", 0) > 0
        and web["live"].keys() == {"200"}
        and web["page"].keys() <= {"303", "503"}
        and web["slowest_seconds"] < SLOWEST_ANSWER_SECONDS
    )


@contextmanager
def _running(folder: Path, program: Program) -> Iterator[Hosts]:
    with (
        network(WEB, *WORKERS, DATABASE) as net,
        database_host(folder / "data", net.hosts[DATABASE], program) as servers,
        # This process reaches the database by its socket, and no broker.
        stage(folder, Servers(servers.admin_url, "", "")) as here,
    ):
        servers.admit()
        processes = {name: _on(host, here, servers) for name, host in net.hosts.items() if name != DATABASE}
        try:
            yield Hosts(net, servers, here, processes, folder)
        finally:
            for each in processes.values():
                each.end_all()


def _on(host: Host, here: Stage, servers: DatabaseHost) -> Processes:
    environment = {**here.processes.environment, **servers.environment}
    return Processes(here.processes.logs, environment, host.inside)


def _start(hosts: Hosts, seed: int) -> Any:
    for name in WORKERS:
        hosts.processes[name].start(name, "worker", "--queues", QUEUES, "--concurrency", "3")
        hosts.processes[name].start(f"beat-of-{name}", "beat")
    web = hosts.processes[WEB]
    web.start("web", "serve", "--port", str(PORT))
    web.start("visitors", str(hosts.folder), str(seed), module="app.testing.delivery.web_host")
    hosts.wait_until(lambda: _is_ready(hosts, 0.0), _START_SECONDS, "The web process")
    hosts.wait_until(
        lambda: all(hosts.ask(_WORKED_AGAIN, host=name, since=0.0) for name in WORKERS),
        _START_SECONDS,
        "Work on both hosts",
    )
    since = considered_until(hosts.here.owner)
    hosts.pause(_WARM_SECONDS)
    return since


def _cut_off_workers(hosts: Hosts) -> dict[str, Any]:
    """The host with more of the jobs that take long; they want to commit after it is back."""
    host = hosts.network.hosts[_lingering_host(hosts)]
    cut_at = time.time()
    hosts.network.cut_off(host)
    runs, sessions = hosts.ask(_OPEN_RUNS, host=host.name), hosts.servers.sessions_of(host)
    hosts.pause(_SESSIONS_GONE_SECONDS)
    sessions_left = hosts.servers.sessions_of(host)
    hosts.pause(WORKER_CUT_SECONDS - _SESSIONS_GONE_SECONDS)
    back_at = time.time()
    hosts.network.join(host)
    worked = {"host": host.name, "since": back_at}
    hosts.wait_until(
        lambda: hosts.ask(_WORKED_AGAIN, **worked) is not None, _BACK_SECONDS, "Work on its return"
    )
    with hosts.here.owner.connect() as connection:
        recovered = connection.execute(_RECOVERED, {"host": host.name, "cut_at": cut_at}).scalars().all()
    return {
        "seconds": WORKER_CUT_SECONDS,
        "runs_at_the_cut": runs,
        "runs_taken_over": len(recovered),
        "recovery_max_seconds": round(float(max(recovered, default=0)), 1),
        "sessions_at_the_cut": sessions,
        "sessions_left": sessions_left,
        "works_again_after_seconds": round(float(hosts.ask(_WORKED_AGAIN, **worked)), 1),
        "answers_of_web": _statuses(hosts, "", cut_at, back_at),
    }


def _lingering_host(hosts: Hosts) -> str:
    with unit_of_work(SYSTEM) as session:
        for number in range(_LINGERERS):
            key = f"linger:{number}"
            arguments: dict[str, str | float] = {"key": key, "seconds": _LINGER_SECONDS}
            dispatch(session, f"{TASKS}.linger", kwargs=arguments, queue="long_running")
            expect(session, key)

    def by_host() -> list[Any]:
        with hosts.here.owner.connect() as connection:
            return list(connection.execute(_LINGERING).all())

    hosts.wait_until(lambda: sum(row.count for row in by_host()) == _LINGERERS, 15.0, "Jobs that take long")
    return str(by_host()[0].host)


def _cut_off_web(hosts: Hosts) -> dict[str, Any]:
    cut_at = time.time()
    hosts.network.cut_off(hosts.network.hosts[WEB])
    hosts.pause(WEB_CUT_SECONDS)
    back_at = time.time()
    hosts.network.join(hosts.network.hosts[WEB])
    hosts.wait_until(lambda: _is_ready(hosts, back_at), _BACK_SECONDS, "The web process on its return")
    ready_at = min(a.at + a.seconds for a in read_answers(hosts.folder) if _says_ready(a, back_at))
    hosts.pause(SLOWEST_ANSWER_SECONDS)
    asked = [answer for answer in read_answers(hosts.folder) if answer.at >= cut_at]
    return {
        "seconds": WEB_CUT_SECONDS,
        "live": _statuses(hosts, LIVE, cut_at, back_at),
        "ready": _statuses(hosts, READY, cut_at, back_at),
        "page": _statuses(hosts, PAGE, cut_at, back_at),
        "slowest_ready_seconds": round(max(a.seconds for a in asked if a.path == READY), 1),
        "slowest_seconds": round(max(a.seconds for a in asked), 1),
        "ready_again_after_seconds": round(ready_at - back_at, 1),
    }


def _is_ready(hosts: Hosts, since: float) -> bool:
    return any(_says_ready(answer, since) for answer in read_answers(hosts.folder))


def _says_ready(answer: Answer, since: float) -> bool:
    return answer.path == READY and answer.status == 200 and answer.at + answer.seconds >= since


def _statuses(hosts: Hosts, path: str, since: float, until: float) -> dict[str, int]:
    """How often each status was the answer to what was asked in this time; an empty path means all."""
    asked = (a for a in read_answers(hosts.folder) if since <= a.at < until and path in (a.path, ""))
    return dict(Counter(str(answer.status) for answer in asked))


def main() -> int:
    """Run the proof; returns 0 when all holds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--broker", type=Program, choices=list(Program), default=Program.VALKEY)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="wizamart-hosts-"))
    try:
        figures = prove_hosts(folder, chosen.broker, chosen.seed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print_json(figures)
    return 0 if is_proved(figures) else 1


if __name__ == "__main__":
    sys.exit(main())
