"""An event as a module publishes it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from app.modules.events import Event


@dataclass(frozen=True, slots=True)
class ParcelSent(Event):
    name: ClassVar[str] = "shop.parcel_sent"

    order_id: UUID
    number: int
    sent_at: datetime
    carrier: str | None = None
    is_express: bool = False
