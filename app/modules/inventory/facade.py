"""What other modules may ask of the stock, in the vendor's scope."""

from app.modules.inventory.enums import Reason
from app.modules.inventory.services.check_service import list_differences
from app.modules.inventory.services.level_service import adjust, get_figures, set_level, transfer
from app.modules.inventory.services.rule_service import available_for
from app.modules.inventory.services.stock_service import Stock
from app.modules.inventory.services.warehouse_service import create_warehouse, default_warehouse

__all__ = [
    "Reason",
    "Stock",
    "adjust",
    "available_for",
    "create_warehouse",
    "default_warehouse",
    "get_figures",
    "list_differences",
    "set_level",
    "transfer",
]
