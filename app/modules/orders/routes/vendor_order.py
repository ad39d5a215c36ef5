"""An order's page: where it stands, what is in it, and what is done next."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Form, Response

from app.modules.orders.contracts import By
from app.modules.orders.enums import Source
from app.modules.orders.exceptions import PendingExceptionsError, QuantityError
from app.modules.orders.services import (
    again_service,
    decide_service,
    hold_service,
    order_reads,
    part_service,
    payment_service,
    shipment_service,
)
from app.modules.orders.services.order_page_service import (
    LINE_PREFIX,
    order_actions,
    order_badges,
    order_blocks,
    order_notice,
)
from app.modules.orders.services.order_reads import PREFIX, PROPOSAL_PREFIX, SHIPMENT_PREFIX
from app.modules.pagekit.details import Detail, show_detail
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")
_EDIT, _SHIP = "orders.orders.edit", "orders.orders.ship"


@router.page("orders.vendor.order")
def order(ctx: PageContext, order_id: str) -> Response:
    """One order of any channel."""
    view = order_reads.get_order_view(ctx.session, public_id(PREFIX, order_id))
    actions = order_actions(ctx, view)
    return show_detail(
        ctx,
        Detail(
            view.order.id,
            ctx.t("orders.page.title", number=view.order.number),
            order_blocks(ctx, view),
            back=(ctx.url("orders.vendor.orders"), ctx.t("orders.pages.orders")),
            badges=order_badges(ctx, view),
            actions=actions[:1],
            more=actions[1:],
            target=order_id,
            notice=order_notice(ctx, view),
            raw=view.order,
        ),
    )


@router.action("/orders/{order_id}/confirm", permission=_EDIT)
def confirm(
    ctx: PageContext,
    order_id: str,
    line: Annotated[Sequence[str], Form()] = (),
    part: Annotated[Sequence[str], Form()] = (),
    quantity: Annotated[Sequence[str], Form()] = (),
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Say yes to the lines that were ticked, to all of them where none was; of each to so many as its ``part`` says."""
    key, chosen = public_id(PREFIX, order_id), _keys(line)
    typed = {
        one: text for one, text in zip(_keys(part), quantity, strict=False) if one in chosen or not chosen
    }
    if not all(text.isdigit() for text in typed.values()):
        ctx.flash("danger", "orders.page.quantity_wrong")
        return ctx.redirect("orders.vendor.order", order_id=order_id)
    wanted = {one: int(typed[one]) if one in typed else None for one in chosen or typed}
    try:
        with ctx.session.begin_nested():
            if wanted:
                said = reason.strip()[:500] or ctx.t("orders.page.not_all")
                part_service.confirm_parts(ctx.session, key, wanted, said, _by(ctx))
            else:
                decide_service.confirm_lines(ctx.session, key, chosen or None, _by(ctx))
    except (PendingExceptionsError, QuantityError) as error:
        ctx.flash_text("danger", ctx.t(error.message_key, **error.params))
        return ctx.redirect("orders.vendor.order", order_id=order_id)
    return _done(ctx, order_id, "confirmed")


@router.action("/orders/{order_id}/decline", permission=_EDIT)
def decline(
    ctx: PageContext,
    order_id: str,
    line: Annotated[Sequence[str], Form()] = (),
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Say no to the lines that were ticked, with the reason."""
    key = order_reads.get_order(ctx.session, public_id(PREFIX, order_id)).id
    missing = "line" if not line else "reason" if not reason.strip() else None
    if missing:
        ctx.flash("danger", f"orders.page.decline_needs_{missing}")
        return ctx.redirect("orders.vendor.order", order_id=order_id)
    decide_service.decline_lines(ctx.session, key, _keys(line), reason.strip()[:500], _by(ctx))
    return _done(ctx, order_id, "declined")


@router.action("/orders/{order_id}/let-pass", permission=_EDIT)
def let_pass(ctx: PageContext, order_id: str) -> Response:
    """Serve a blocked buyer this once."""
    hold_service.let_pass(ctx.session, public_id(PREFIX, order_id), _by(ctx))
    return _done(ctx, order_id, "passed")


@router.action("/orders/{order_id}/paid", permission=_EDIT)
def mark_paid(ctx: PageContext, order_id: str) -> Response:
    """Somebody saw the money arrive."""
    payment_service.mark_paid(ctx.session, public_id(PREFIX, order_id), "bank_transfer", _by(ctx))
    return _done(ctx, order_id, "paid")


@router.action("/orders/{order_id}/shipments/{shipment_id}/delivered", permission=_SHIP)
def mark_delivered(ctx: PageContext, order_id: str, shipment_id: str) -> Response:
    """The buyer has the parcels."""
    shipment_service.mark_delivered(ctx.session, public_id(SHIPMENT_PREFIX, shipment_id), _by(ctx))
    return _done(ctx, order_id, "delivered")


@router.action("/orders/{order_id}/shipments/{shipment_id}/shipped", permission=_SHIP)
def mark_shipped(ctx: PageContext, order_id: str, shipment_id: str) -> Response:
    """The parcels have left the house; that cannot be undone."""
    shipment_service.mark_shipped(ctx.session, public_id(SHIPMENT_PREFIX, shipment_id), _by(ctx))
    return _done(ctx, order_id, "shipped")


@router.action("/orders/{order_id}/shipments/{shipment_id}/cancel", permission=_SHIP)
def cancel_shipment(ctx: PageContext, order_id: str, shipment_id: str) -> Response:
    """Unpack what was not sent yet."""
    shipment_service.cancel_shipment(ctx.session, public_id(SHIPMENT_PREFIX, shipment_id), _by(ctx))
    return _done(ctx, order_id, "shipment_cancelled")


@router.action("/orders/{order_id}/proposals/{proposal_id}", permission=_EDIT)
def decide_proposal(
    ctx: PageContext, order_id: str, proposal_id: str, to: Annotated[str, Form()] = ""
) -> Response:
    """Take over what the channel changed after the order was confirmed, or leave the order as it is."""
    decide = again_service.accept_proposal if to == "accept" else again_service.reject_proposal
    decide(ctx.session, public_id(PROPOSAL_PREFIX, proposal_id), _by(ctx))
    return _done(ctx, order_id, "decided")


def _keys(texts: Sequence[str]) -> list[UUID]:
    return [public_id(LINE_PREFIX, text) for text in texts]


def _by(ctx: PageContext) -> By:
    return By(Source.USER, ctx.who.user_id)


def _done(ctx: PageContext, order_id: str, what: str) -> Response:
    ctx.flash("success", f"orders.done.{what}")
    return ctx.redirect("orders.vendor.order", order_id=order_id)
