"""What happens on the host of the web process besides it: work is dispatched, and pages are asked for.

Runs there as a process of its own until SIGTERM: ``python -m app.testing.delivery.web_host FOLDER SEED``.
"""

import http.client
import json
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from app.core.celery_config import celery_app
from app.testing.delivery.work import Producer

PORT = 8000
LIVE, READY, HEALTH, PAGE = "/health/live", "/health/ready", "/health", "/vendor"
# Someone is signed in, says the cookie; the page asks the database. Several visitors at once.
_VISITORS = (LIVE, READY, HEALTH, PAGE, PAGE, PAGE, PAGE)
_COOKIE = {"Cookie": "wm_vendor=nobody-knows-this-session-0123456789"}
_PAUSE_SECONDS = 0.5
_PATIENCE_SECONDS = 60.0
_ANSWERS, _WORK = "answers", "work.json"


@dataclass(frozen=True, slots=True)
class Answer:
    """``at``: when it was asked for, in seconds of the epoch. Status 0: none came, ``seconds`` then says how long."""

    at: float
    path: str
    status: int
    seconds: float


def read_answers(folder: Path) -> list[Answer]:
    """All answers that there were until now."""
    file = folder / _ANSWERS
    lines = file.read_text(encoding="ascii").splitlines() if file.exists() else []
    return [Answer(**json.loads(line)) for line in lines]


def read_work(folder: Path) -> dict[str, int]:
    """How many jobs were made and transactions rolled back; there after the process has ended."""
    found: dict[str, int] = json.loads((folder / _WORK).read_text(encoding="ascii"))
    return found


def main(folder: Path, seed: int) -> None:
    """Dispatch and ask until SIGTERM."""
    assert celery_app  # its import connects this process with the ledger
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    producer = Producer(seed, 0)  # a steady trickle
    producer.start()
    for path in _VISITORS:
        threading.Thread(target=_visit, args=(folder, path), daemon=True).start()
    ended.wait()
    producer.stop()
    producer.check()
    work = {"rolled_back": producer.rolled_back, "transactions_failed": producer.errors}
    (folder / _WORK).write_text(json.dumps(work), encoding="ascii")


def _visit(folder: Path, path: str) -> None:
    with (folder / _ANSWERS).open("a", buffering=1, encoding="ascii") as file:
        while True:
            at, started = time.time(), time.monotonic()
            status = _ask(path)
            file.write(json.dumps(asdict(Answer(at, path, status, time.monotonic() - started))) + "\n")
            time.sleep(_PAUSE_SECONDS)


def _ask(path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=_PATIENCE_SECONDS)
    try:
        connection.request("GET", path, headers=_COOKIE)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
