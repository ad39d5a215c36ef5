"""A job as people see it: state, phase, how far, how fast, how long still."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from app.core import clock

ACTIVE = frozenset({"queued", "running"})
_TRUSTED_AFTER_SECONDS = 2.0  # before, a rate says little


class JobRecord(Protocol):
    """What is read of a job's row."""

    state: str
    progress_done: int | None
    progress_total: int | None
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested_at: datetime | None


@dataclass(frozen=True, slots=True)
class JobView:
    """For ``ui/pages/parts.html``. ``label`` says the state in words where they are finer than the state's own.

    ``rate``: done per second; ``seconds_left``: from the rate, None while it is unknown.
    """

    state: str
    phase: str
    done: int
    total: int | None
    rate: float | None
    seconds_left: float | None
    label: str | None = None
    is_cancelling: bool = False

    @property
    def is_active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ACTIVE

    @classmethod
    def of(cls, job: JobRecord, phase: str, *, scale: int = 1, label: str | None = None) -> Self:
        """A job's row; its counts are divided by ``scale``."""
        done = (job.progress_done or 0) // scale
        total = job.progress_total // scale if job.progress_total else None
        seconds = (clock.system_now() - job.started_at).total_seconds() if job.started_at else 0.0
        is_known = job.state == "running" and done > 0 and seconds > _TRUSTED_AFTER_SECONDS
        rate = done / seconds if is_known else None
        left = (total - done) / rate if rate and total else None
        is_cancelling = job.state == "running" and job.cancel_requested_at is not None
        return cls(job.state, phase, done, total, rate, left, label, is_cancelling)
