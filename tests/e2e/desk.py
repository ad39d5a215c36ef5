"""A platform with the stand-ins beside it, whose clock may move."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from app.testing.commands import run_command
from app.testing.database import Templates
from app.testing.plugin import SETTINGS, copy_done
from tests.e2e.platform import Processes, free_port, is_ready

_CLOCK_SECONDS = 200


@dataclass(frozen=True)
class Desk:
    """The platform with the stand-ins at ``sandbox``."""

    url: str
    sandbox: str
    data: Path
    environment: dict[str, str]
    processes: Processes

    def advance(self, span: str) -> None:
        """``wizamart clock advance``."""
        done = run_command("clock", "advance", span, limit_seconds=_CLOCK_SECONDS, **self.environment)
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def running_desk(templates: Templates, worker_id: str, folder: Path) -> Iterator[Desk]:
    """Web, worker, beat and the stand-in, on a clone of the demo world."""
    number = 8 + (0 if worker_id == "master" else int(worker_id.removeprefix("gw")) + 1)
    broker = os.environ["WIZAMART_TEST_BROKER_URL"]
    redis.Redis.from_url(broker.replace("redis+socket://", "unix://"), db=number).flushdb()
    port, box = free_port(), free_port()
    copy_done(folder / "data")
    with templates.clone("done") as database, ExitStack() as stack:
        url = f"http://127.0.0.1:{port}"
        environment = {
            **SETTINGS,
            "WIZAMART_DATA_DIR": str(folder / "data"),
            "WIZAMART_DATABASE_URL": database.url,
            "WIZAMART_DATABASE_OWNER_URL": database.owner_url,
            "WIZAMART_BROKER_URL": f"{broker}?virtual_host={number}",
            "WIZAMART_BASE_URL": url,
            "WIZAMART_SANDBOX_URL": f"http://127.0.0.1:{box}",
            "WIZAMART_CLOCK_MAY_MOVE": "true",
        }
        processes = Processes(folder, environment)
        stack.callback(processes.stop)
        processes.start("sandbox", "--port", str(box), "--webhook", f"{url}/webhooks/payments/stripe/default")
        processes.start("serve", "--port", str(port))
        processes.start("worker", "--name", f"desk{number}-{os.getpid()}")
        processes.start("beat")
        processes.wait_until(lambda: is_ready(url))
        yield Desk(url, f"http://127.0.0.1:{box}", folder / "data", environment, processes)
