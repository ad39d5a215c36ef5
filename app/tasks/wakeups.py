"""Wake-ups: the only messages we send. "Take work from this queue": no job, no time, nothing to lose.

A wake-up that does not get through is logged and counted; the relay sends another within a second or two.
"""

import time
from dataclasses import dataclass

import structlog
from celery import current_app
from kombu.connection import Connection
from prometheus_client import Counter
from sqlalchemy.orm import Session

from app.core.config import get_settings
from app.core.database import ScopedSession, after_commit

log = structlog.get_logger(__name__)

TAKE = "wizamart.take"
# While the broker is down, commits do not wait for it one after the other.
_QUIET_SECONDS = 5.0
_quiet_until = 0.0
_SENT = Counter("wizamart_tasks_wakeups", "Wake-ups sent to workers.", ["queue", "outcome"])


@dataclass(frozen=True, slots=True)
class WakeUp:
    """A call that wakes a worker of one queue."""

    queue: str

    def __call__(self) -> None:
        if time.monotonic() >= _quiet_until:
            send(self.queue)


def send(queue: str, connection: Connection | None = None) -> bool:
    """Send one wake-up; False when the broker could not be reached in its short time."""
    global _quiet_until
    if get_settings().broker_url is None:
        return False  # work is done in this process, by `run_until_idle`
    try:
        current_app.send_task(
            TAKE, kwargs={"queue": queue}, queue=queue, retry=False, ignore_result=True, connection=connection
        )
    except Exception as error:
        _quiet_until = time.monotonic() + _QUIET_SECONDS
        _SENT.labels(queue, "failed").inc()
        log.warning("wake_up_failed", queue=queue, error=str(error))
        return False
    _quiet_until = 0.0
    _SENT.labels(queue, "sent").inc()
    return True


def wake_after_commit(session: Session, queue: str) -> None:
    """Wake one worker once the session's transaction is committed, however many jobs it has for the queue."""
    assert isinstance(session, ScopedSession)
    wake_up = WakeUp(queue)
    if wake_up not in session.after_commit_calls:
        after_commit(session, wake_up)


def outstanding(connection: Connection, queue: str) -> int:
    """How many wake-ups wait in the broker for a queue."""
    with connection.channel() as channel:  # type: ignore[no-untyped-call]
        try:
            return int(channel.queue_declare(queue=queue, passive=True).message_count)
        except connection.channel_errors:
            return 0  # nobody has used the queue yet
