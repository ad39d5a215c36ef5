"""Lines that cannot be sent as they are, and what was decided about such lines."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Response
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.core.i18n import ntranslate
from app.core.ids import from_public, to_public
from app.modules.catalog.facade import find_ordered, sku_of
from app.modules.orders.contracts import By
from app.modules.orders.enums import MatchKind, Source
from app.modules.orders.models.exception import ProductMatch
from app.modules.orders.services import exception_list_service, exception_service, undo_service
from app.modules.orders.services.exception_list_service import Group
from app.modules.orders.services.order_reads import EXCEPTION_PREFIX, MATCH_PREFIX, PREFIX
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import BulkAction, BulkOutcome, Column, Filter, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")
_EDIT = "orders.orders.edit"
_PRODUCT = "prd"


@router.page("orders.vendor.exceptions")
def exceptions(ctx: PageContext, q: str = "") -> Response:
    """What waits, the most urgent first; one answer puts a whole group right."""
    groups = exception_list_service.list_groups(ctx.session, q)
    return ctx.render(
        "orders/vendor/exceptions.html",
        groups=[_shown(ctx, group) for group in groups],
        query=q,
        can_edit=_EDIT in ctx.who.permissions,
        is_full=len(groups) >= exception_list_service.MOST_GROUPS,
        answered=[
            (
                one,
                ctx.url("orders.vendor.order", order_id=to_public(PREFIX, one.order_id)),
                f"{ctx.url('orders.vendor.exceptions')}/{to_public(EXCEPTION_PREFIX, one.exception.id)}/undo",
            )
            for one in undo_service.list_answered(ctx.session, q)
        ],
    )


def _shown(ctx: PageContext, group: Group) -> dict[str, Any]:
    key = to_public(EXCEPTION_PREFIX, group.first.id)
    return {
        "group": group,
        "key": key,
        "here": f"{ctx.url('orders.vendor.exceptions')}/{key}",
        "orders": [
            (one, ctx.url("orders.vendor.order", order_id=to_public(PREFIX, one.order_id)))
            for one in group.orders
        ],
        "candidates": [
            (
                to_public(_PRODUCT, UUID(one["product_id"])),
                one,
                ctx.t(f"orders.exceptions.reasons.{one['reason']}"),
            )
            for one in group.candidates
        ],
        "is_match": group.first.match_value is not None,
    }


@router.action("/orders/exceptions/{exception_id}/resolve", permission=_EDIT)
def resolve(
    ctx: PageContext,
    exception_id: str,
    product: Annotated[str, Form()] = "",
    sku: Annotated[str, Form()] = "",
    remember: Annotated[bool, Form()] = False,
) -> Response:
    """Say which product is meant: one of those shown, or another by its SKU."""
    key = exception_service.get_open(ctx.session, public_id(EXCEPTION_PREFIX, exception_id)).id
    product_id = from_public(_PRODUCT, product)
    if sku.strip():
        found = find_ordered(ctx.session, language=ctx.language, skus=[sku.strip()])
        product_id = found[0].id if found else None
    if product_id is None:
        ctx.flash(
            "danger", "orders.exceptions.no_such_product" if sku.strip() else "orders.exceptions.choose"
        )
        return ctx.redirect("orders.vendor.exceptions")
    freed = exception_service.resolve_exception(
        ctx.session,
        key,
        product_id,
        By(Source.USER, ctx.who.user_id),
        is_remembered=remember,
    )
    ctx.flash_text("success", ntranslate(ctx.language, "orders.exceptions.freed", freed))
    return ctx.redirect("orders.vendor.exceptions")


@router.action("/orders/exceptions/{exception_id}/ignore", permission=_EDIT)
def ignore(ctx: PageContext, exception_id: str) -> Response:
    """Send these lines as they are: no stock moves for them."""
    ids = exception_list_service.same_answer(ctx.session, public_id(EXCEPTION_PREFIX, exception_id))
    for key in ids:
        exception_service.ignore_exception(ctx.session, key, By(Source.USER, ctx.who.user_id))
    ctx.flash_text("success", ntranslate(ctx.language, "orders.exceptions.ignored", len(ids)))
    return ctx.redirect("orders.vendor.exceptions")


@router.action("/orders/exceptions/{exception_id}/retry", permission=_EDIT)
def retry(ctx: PageContext, exception_id: str) -> Response:
    """Look again: the product may be in the catalogue by now, or the stock has come."""
    by, freed = By(Source.USER, ctx.who.user_id), 0
    for key in exception_list_service.same_answer(ctx.session, public_id(EXCEPTION_PREFIX, exception_id)):
        freed += exception_service.retry_exception(ctx.session, key, by)
    ctx.flash_text("success" if freed else "info", ntranslate(ctx.language, "orders.exceptions.freed", freed))
    return ctx.redirect("orders.vendor.exceptions")


@router.action("/orders/exceptions/{exception_id}/undo", permission=_EDIT)
def undo(ctx: PageContext, exception_id: str) -> Response:
    """Take an answer back."""
    key = public_id(EXCEPTION_PREFIX, exception_id)
    undo_service.undo_answer(ctx.session, key, By(Source.USER, ctx.who.user_id))
    ctx.flash("success", "orders.exceptions.undone")
    return ctx.redirect("orders.vendor.exceptions")


def _matches(_session: Session, _language: str) -> Select[Any]:
    columns: Sequence[Any] = (
        ProductMatch.id,
        ProductMatch.kind,
        ProductMatch.value,
        ProductMatch.created_at,
        sku_of(ProductMatch.product_id).label("sku"),
    )
    return select(*columns)


def _forget(session: Session, ids: Sequence[UUID]) -> BulkOutcome:
    for key in ids:
        exception_service.forget_match(session, key)
    return BulkOutcome(len(ids), {})


mount_list(
    router,
    ListSpec(
        page_id="orders.vendor.matches",
        texts="orders.matches",
        select=_matches,
        key=ProductMatch.id,
        columns=(
            Column("value", "orders.matches.value", "code", sort=ProductMatch.value, is_wide=True),
            Column("kind", "orders.matches.kind", text_prefix="orders.match_kinds"),
            Column("sku", "orders.matches.sku", "code"),
            Column("created_at", "orders.matches.since", "datetime", sort=ProductMatch.created_at),
        ),
        default_sort="-created_at",
        search=lambda words: ProductMatch.value.icontains(words, autoescape=True),
        filters=(
            Filter(
                "kind",
                "orders.matches.kind",
                lambda values: ProductMatch.kind.in_(values),
                options=[(one.value, f"orders.match_kinds.{one}") for one in MatchKind],
            ),
        ),
        bulk=(BulkAction("forget", "orders.matches.forget", _EDIT, _forget, icon="trash-2", is_danger=True),),
        prefix=MATCH_PREFIX,
        icon="link",
        has_intro=True,
    ),
)
