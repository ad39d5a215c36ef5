"""Named points at which a process of the proof kills or stops itself when it finds that it was told to.

The driver puts a file ``<point>.<action>`` into the folder; the process that first takes it away obeys. So the moment
is exact and one process only is hit. Without the folder's name in the environment nothing is changed at all.
"""

import os
import signal
from functools import wraps
from pathlib import Path
from typing import Any, Literal

from app.modules import task_base
from app.tasks import runner, wakeups, watchdog
from app.tasks.ports import ClaimedJob

FOLDER = "WIZAMART_PROOF_POINTS"
OUTCOMES = "outcomes"
POINTS = (
    "before_claim",
    "after_claim",
    "before_effect",
    "after_effect",
    "before_commit",
    "after_commit",
    "before_send",
    "after_send",
    "before_wake_up",
    "after_wake_up",
)
Action = Literal["kill", "stop"]
_SIGNALS: dict[Action, signal.Signals] = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


def reach(point: str) -> None:
    """The process is at a point: obey if it was told to."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return
    for action, number in _SIGNALS.items():
        try:
            Path(folder, f"{point}.{action}").rename(Path(folder, f"{point}.{action}.{os.getpid()}.hit"))
        except FileNotFoundError:
            continue
        os.kill(os.getpid(), number)


def install() -> None:
    """Put the points that lie in the ledger into this process: around claim, commit and wake-up."""
    if FOLDER not in os.environ:
        return
    for owner, attribute, name in (
        (runner, "claim", "claim"),
        (wakeups, "send", "wake_up"),
        (task_base._Run, "commit", "commit"),
    ):
        setattr(owner, attribute, _around(getattr(owner, attribute), name))
    runner._outcome = _watched(runner._outcome)
    # Who was stopped shall wake up and try to commit; as a rule the watchdog would end it before.
    watchdog.LOOK_SECONDS = 60.0


def _around(function: Any, name: str) -> Any:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        reach(f"before_{name}")
        result = function(*args, **kwargs)
        reach(f"after_{name}")
        return result

    return wrapper


def _watched(outcome: Any) -> Any:
    """Notes what came of each run, in the eyes of the process that ran it."""

    def wrapper(job: ClaimedJob) -> str:
        state = str(outcome(job))
        with Path(os.environ[FOLDER], OUTCOMES).open("a", encoding="ascii") as file:
            file.write(f"{job.id}:{job.token} {state}\n")
        return state

    return wrapper
