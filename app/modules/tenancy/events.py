"""Events of tenancy."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.modules.events import Event


@dataclass(frozen=True, slots=True)
class VendorCreated(Event):
    """A vendor exists and can be worked with."""

    name: ClassVar[str] = "tenancy.vendor_created"

    vendor_id: UUID
    vendor_code: str
    default_language: str
