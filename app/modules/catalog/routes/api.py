"""Products in the API."""

from typing import Annotated

from fastapi import Query

from app.modules.api import ApiContext, ApiRouter, Page, key_of
from app.modules.api.reads import QuickRead
from app.modules.catalog.enums import Availability
from app.modules.catalog.schemas.products import (
    ProductChange,
    ProductDetails,
    ProductItem,
    ProductQuery,
    ProductState,
)
from app.modules.catalog.services import product_reads
from app.modules.catalog.services.product_edit_service import change_product, get_for_change

router = ApiRouter()

_VIEW, _EDIT = "catalog.products.view", "catalog.products.edit"


@router.quick("/products", permission=_VIEW, gives=Page[ProductItem])
def products_list(language: str, query: Annotated[ProductQuery, Query()]) -> QuickRead:
    """List products.

    Archived products are left out. Titles are in the language of Accept-Language where there is one.
    """
    return product_reads.read_products(language, query)


@router.quick("/products/{product_id}", permission=_VIEW, gives=ProductDetails)
def products_get(language: str, product_id: str) -> QuickRead:
    """Get a product with its texts in all languages."""
    return product_reads.read_product(language, key_of(product_reads.PREFIX, product_id))


@router.vendor("PATCH", "/products/{product_id}", permission=_EDIT, needs_version=True)
def products_update(ctx: ApiContext, product_id: str, change: ProductChange) -> ProductState:
    """Change a product by hand.

    What is left out of the body stays. A changed field no longer follows the feed.
    """
    product = get_for_change(ctx.session, key_of(product_reads.PREFIX, product_id))
    ctx.check_version(product.version)
    change_product(ctx.session, product, change.model_dump(exclude_unset=True))
    return ProductState(
        id=product_id,
        version=product.version,
        is_active=product.is_active,
        availability=Availability(product.availability) if product.availability else None,
        price_cents=product.price_cents,
        sale_price_cents=product.sale_price_cents,
        currency=product.currency,
        edited_fields=product.edited_fields,
        updated_at=product.updated_at,
    )
