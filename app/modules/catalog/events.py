"""Events of the catalogue."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.modules.events import Event


@dataclass(frozen=True, slots=True)
class ProductUpdated(Event):
    """A person changed a product, or a program of theirs did. Imports tell nobody of each product."""

    name: ClassVar[str] = "catalog.product_updated"

    product_id: UUID
    sku: str
    version: int
