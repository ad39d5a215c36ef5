"""The event whose way is timed."""

from dataclasses import dataclass
from typing import ClassVar

from app.modules.events import Event


@dataclass(frozen=True)
class ProbeSent(Event):
    """``sent_ns``: when it was published, by the machine's monotonic clock."""

    name: ClassVar[str] = "bench.probe_sent"

    sent_ns: int
