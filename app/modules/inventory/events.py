"""Events of the stock."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.modules.events import Event


@dataclass(frozen=True, slots=True)
class LevelChanged(Event):
    """The stock of a product is another: once per product and transaction, over all places."""

    name: ClassVar[str] = "inventory.level_changed"

    product_id: UUID
    sku: str
    on_hand: int
    available: int


@dataclass(frozen=True, slots=True)
class StockLow(Event):
    """So few of a product are left that people want to know: once, until there are more again."""

    name: ClassVar[str] = "inventory.stock_low"

    product_id: UUID
    sku: str
    available: int
    low_stock_level: int
