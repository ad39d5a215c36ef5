"""What other modules may ask of the catalogue."""

from app.modules.catalog.services.export_service import open_export
from app.modules.catalog.services.intake_service import merge_intake, open_intake
from app.modules.catalog.services.product_service import count_products, get_product, list_products

__all__ = ["count_products", "get_product", "list_products", "merge_intake", "open_export", "open_intake"]
