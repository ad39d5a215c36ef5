"""The ledger's own transactions: short ones, which a process that freezes inside cannot keep open."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.database import SYSTEM, unit_of_work

# PostgreSQL ends the session of a process that was stopped between two statements; its locks go with it.
END_WHEN_FROZEN = "set_config('idle_in_transaction_session_timeout', '5s', true)"
_LIMITS = text(f"SELECT {END_WHEN_FROZEN}, set_config('lock_timeout', '2s', true)")


@contextmanager
def brief_work() -> Iterator[Session]:
    """A unit of work over all platforms that waits 2 s for a lock at most, and holds none for more than 5 s idle."""
    with unit_of_work(SYSTEM) as session:
        session.execute(_LIMITS)
        yield session
