"""Products in the API."""

from dataclasses import replace
from typing import Annotated

from fastapi import Query

from app.core.errors import FieldError, ValidationFailedError
from app.modules.api import ApiContext, ApiRouter, Page, key_of
from app.modules.api.answers import shown
from app.modules.api.reads import QuickRead
from app.modules.catalog.contracts import GtinError, display_gtin, parse_gtin
from app.modules.catalog.models.product import Product
from app.modules.catalog.schemas.products import (
    ProductChange,
    ProductDetails,
    ProductItem,
    ProductQuery,
    ProductState,
    ProductText,
)
from app.modules.catalog.services import product_reads
from app.modules.catalog.services.product_edit_service import (
    TEXTS,
    change_product,
    get_for_change,
    list_texts,
)

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

    What is left out of the body stays, null empties a field; so it is with texts in each language. A changed field no
    longer follows the feed.
    """
    product = get_for_change(ctx.session, key_of(product_reads.PREFIX, product_id))
    ctx.check_version(product.version)
    given = change.model_dump(exclude_unset=True)
    texts = given.pop("texts", {})
    if given.get("gtin") is not None:
        given["gtin"] = _gtin(given["gtin"])
    try:
        change_product(ctx.session, product, given, texts)
    except ValidationFailedError as error:
        raise ValidationFailedError(errors=[_in_body(one) for one in error.errors]) from None
    return _state(ctx, product)


def _gtin(typed: str) -> str:
    try:
        return parse_gtin(typed)
    except GtinError as error:
        refused = FieldError("gtin", error.fault, f"catalog.gtin_faults.{error.fault}", {})
        raise ValidationFailedError(errors=[refused]) from None


def _in_body(error: FieldError) -> FieldError:
    """An error at a field of the form, ``title_fr``, at its place in the body."""
    name, _, language = error.pointer.partition("_")
    return replace(error, pointer=f"texts/{language}/{name}") if name in TEXTS else error


def _state(ctx: ApiContext, product: Product) -> ProductState:
    texts = [
        ProductText(**{name: getattr(text, name) for name in ProductText.model_fields})
        for text in list_texts(ctx.session, product.id)
    ]
    gtin = display_gtin(product.gtin) if product.gtin else None
    return shown(ProductState, product, product_reads.PREFIX, gtin=gtin, texts=texts)
