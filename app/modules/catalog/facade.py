"""What other modules may ask of the catalogue."""

from app.modules.catalog.services.export_service import open_export, open_preview
from app.modules.catalog.services.intake_service import merge_intake, open_intake
from app.modules.catalog.services.limit_service import find_surplus, is_full
from app.modules.catalog.services.lookup_service import find_ordered, skus_by_id
from app.modules.catalog.services.product_check_service import (
    PRODUCT_KEY,
    count_lacking,
    lacks,
    select_checked,
)
from app.modules.catalog.services.product_edit_service import follow_feed
from app.modules.catalog.services.product_service import (
    count_products,
    find_product_id,
    get_product,
    is_found,
    is_product,
    list_products,
    product_id_of,
    sku_of,
    skus_of,
    taxes_of,
    title_of,
)
from app.modules.catalog.services.restore_service import restore_products, sell_out

__all__ = [
    "PRODUCT_KEY",
    "count_lacking",
    "count_products",
    "find_ordered",
    "find_product_id",
    "find_surplus",
    "follow_feed",
    "get_product",
    "is_found",
    "is_full",
    "is_product",
    "lacks",
    "list_products",
    "merge_intake",
    "open_export",
    "open_intake",
    "open_preview",
    "product_id_of",
    "restore_products",
    "select_checked",
    "sell_out",
    "sku_of",
    "skus_by_id",
    "skus_of",
    "taxes_of",
    "title_of",
]
