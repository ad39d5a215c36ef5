"""The vendor's products: the lists."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy.orm import Session

from app.modules.catalog.contracts import display_gtin
from app.modules.catalog.enums import Availability
from app.modules.catalog.models.product import Product
from app.modules.catalog.services import limit_service, product_edit_service, product_service
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import BulkAction, BulkOutcome, Column, Filter, Link, ListSpec, RowLink, View
from app.modules.routing import AreaRouter

router = AreaRouter("vendor")

AVAILABILITY_TONES = {
    "in_stock": "success",
    "out_of_stock": "warning",
    "preorder": "info",
    "backorder": "info",
}
_EDIT = "catalog.products.edit"


def _activate(session: Session, ids: Sequence[UUID]) -> BulkOutcome:
    return _switch(session, ids, is_active=True)


def _deactivate(session: Session, ids: Sequence[UUID]) -> BulkOutcome:
    return _switch(session, ids, is_active=False)


def _switch(session: Session, ids: Sequence[UUID], *, is_active: bool) -> BulkOutcome:
    surplus = limit_service.find_surplus(session, ids)
    done = product_edit_service.set_active(session, [one for one in ids if one not in surplus], is_active)
    return BulkOutcome(done, dict.fromkeys(surplus, limit_service.SURPLUS))


def _archive(session: Session, ids: Sequence[UUID]) -> BulkOutcome:
    return BulkOutcome(product_edit_service.set_archived(session, ids, True), {})


def _restore(session: Session, ids: Sequence[UUID]) -> BulkOutcome:
    fit, left = limit_service.split_restorable(session, ids)
    done = product_edit_service.set_archived(session, fit, False)
    return BulkOutcome(done, dict.fromkeys(left, limit_service.FULL))


PRODUCTS = ListSpec(
    page_id="catalog.vendor.products",
    texts="catalog.products",
    select=lambda _session, language: product_service.select_products(language),
    key=Product.id,
    columns=(
        Column("title", "catalog.fields.title", is_wide=True),
        Column("sku", "catalog.fields.sku", "code", sort=Product.sku),
        Column("brand", "catalog.fields.brand", sort=Product.brand),
        Column(
            "gtin",
            "catalog.fields.gtin",
            "code",
            value=lambda row: display_gtin(row.gtin) if row.gtin else None,
        ),
        Column(
            "availability",
            "catalog.fields.availability",
            "badge",
            text_prefix="catalog.availability",
            tones=AVAILABILITY_TONES,
        ),
        Column("price_cents", "catalog.fields.price_cents", "money", sort=Product.price_cents),
        Column("sale_price_cents", "catalog.fields.sale_price_cents", "money", is_default=False),
        Column("is_active", "catalog.fields.is_active", "flag", is_default=False),
        Column(
            "updated_at", "catalog.fields.updated_at", "datetime", sort=Product.updated_at, is_default=False
        ),
    ),
    default_sort="sku",
    search=product_service.matching,
    filters=(
        Filter(
            "availability",
            "catalog.fields.availability",
            lambda values: Product.availability.in_(values),
            options=[(value.value, f"catalog.availability.{value}") for value in Availability],
        ),
        Filter(
            "active",
            "catalog.fields.is_active",
            lambda values: Product.is_active.in_([value == "yes" for value in values]),
            options=(("yes", "ui.yes"), ("no", "ui.no")),
        ),
        Filter("brand", "catalog.fields.brand", lambda values: Product.brand == values[0], kind="text"),
        Filter(
            "missing",
            "catalog.products.missing",
            product_service.lacking,
            options=[(name, f"catalog.fields.{name}") for name in product_service.LACKING],
        ),
    ),
    bulk=(
        BulkAction("activate", "catalog.actions.activate", _EDIT, _activate, icon="circle-play"),
        BulkAction("deactivate", "catalog.actions.deactivate", _EDIT, _deactivate, icon="circle-pause"),
        BulkAction("archive", "catalog.actions.archive", _EDIT, _archive, icon="archive", is_danger=True),
    ),
    views=(
        View("out_of_stock", "catalog.products.views.out_of_stock", "availability=out_of_stock"),
        View("no_gtin", "catalog.products.views.no_gtin", "missing=gtin"),
    ),
    actions=(
        Link("catalog.archived.title", "catalog.vendor.archived", "catalog.products.view", "archive"),
        Link("catalog.new_product.title", "catalog.vendor.new_product", _EDIT, "plus"),
    ),
    row_page="catalog.vendor.product",
    row_id="product_id",
    row_links=(
        RowLink("catalog.actions.edit", "catalog.vendor.edit_product", "product_id", _EDIT, "pencil"),
    ),
    prefix=product_edit_service.PREFIX,
    icon="package",
    has_intro=True,
    is_in_palette=True,
)
mount_list(router, PRODUCTS)
mount_list(
    router,
    replace(
        PRODUCTS,
        page_id="catalog.vendor.archived",
        texts="catalog.archived",
        select=lambda _session, language: product_service.select_archived(language),
        bulk=(BulkAction("restore", "catalog.actions.restore", _EDIT, _restore, icon="archive-restore"),),
        views=(),
        actions=(
            Link("catalog.products.title", "catalog.vendor.products", "catalog.products.view", "package"),
        ),
        icon="archive",
        is_in_palette=False,
    ),
)
