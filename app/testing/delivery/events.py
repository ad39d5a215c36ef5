"""The event of the proof."""

from dataclasses import dataclass
from typing import ClassVar

from app.modules.events import Event


@dataclass(frozen=True, slots=True)
class ParcelMoved(Event):
    """A parcel came to its next place; ``number`` counts the places of one parcel from 1."""

    name: ClassVar[str] = "delivery.parcel_moved"

    parcel: str
    number: int
