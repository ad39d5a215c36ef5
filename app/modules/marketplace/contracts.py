"""What other modules may know of the marketplace."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of an import: the state of its job, when it ran (UTC), its rows, and the code of what stopped it."""

    state: str
    started_at: datetime | None
    finished_at: datetime | None
    rows: int
    created: int
    updated: int
    unchanged: int
    excluded: int
    failed: int
    problem: str | None
