"""What other modules may ask of customers."""

from app.modules.customers.services.customer_edit_service import list_addresses, save_address
from app.modules.customers.services.customer_service import (
    ensure_customer,
    find_customer,
    get_customer,
    record_order,
    search_customers,
)

__all__ = [
    "ensure_customer",
    "find_customer",
    "get_customer",
    "list_addresses",
    "record_order",
    "save_address",
    "search_customers",
]
