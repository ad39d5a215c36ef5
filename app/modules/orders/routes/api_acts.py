"""What is done with orders, in the API: decide, cancel, pay, refund; and their exceptions."""

from typing import Annotated

from fastapi import Query

from app.core.ids import to_public
from app.modules.api import ApiContext, ApiRouter, Page, key_of
from app.modules.api.answers import shown
from app.modules.api.pages import read_spec
from app.modules.orders.contracts import RefundOf, RefundTerms
from app.modules.orders.models.exception import OrderException
from app.modules.orders.schemas.acts import (
    CancelGiven,
    ConfirmGiven,
    DeclineGiven,
    ExceptionQuery,
    FreedShown,
    PaymentGiven,
    RefundGiven,
    RefundShown,
    ResolveGiven,
    ReturnGiven,
)
from app.modules.orders.schemas.orders import ExceptionShown, OrderDetails
from app.modules.orders.services import (
    cancel_service,
    decide_service,
    exception_service,
    hold_service,
    order_reads,
    payment_service,
    refund_service,
    undo_service,
)
from app.modules.orders.services.api_answers import by_key, quantities, show_exception, show_order
from app.modules.orders.services.order_reads import EXCEPTION_PREFIX, LINE_PREFIX, PREFIX, REFUND_PREFIX
from app.modules.pagekit.lists import Column, Filter, ListSpec

router = ApiRouter()
_EDIT, _REFUND = "orders.orders.edit", "orders.orders.refund"

_EXCEPTIONS = ListSpec(
    "orders.api.exceptions",
    "orders.exceptions",
    lambda _session, _language: order_reads.select_exceptions(),
    OrderException.id,
    columns=(Column("id", "orders.fields.exception", sort=OrderException.id),),
    default_sort="-id",
    filters=(
        Filter("kind", "orders.fields.exception", lambda chosen: OrderException.kind.in_(chosen)),
        Filter("status", "orders.fields.status", lambda chosen: OrderException.status.in_(chosen)),
    ),
)


@router.vendor("POST", "/orders/{order_id}/confirm", permission=_EDIT)
def orders_confirm(ctx: ApiContext, order_id: str, given: ConfirmGiven) -> OrderDetails:
    """Say yes to lines of an order. With the last one it is confirmed."""
    key = key_of(PREFIX, order_id)
    lines = None if given.line_ids is None else [key_of(LINE_PREFIX, one) for one in given.line_ids]
    decide_service.confirm_lines(ctx.session, key, lines, by_key(ctx))
    return show_order(ctx, key)


@router.vendor("POST", "/orders/{order_id}/let-pass", permission=_EDIT)
def orders_let_pass(ctx: ApiContext, order_id: str) -> OrderDetails:
    """Work on an order that is held as its buyer is blocked."""
    key = key_of(PREFIX, order_id)
    hold_service.let_pass(ctx.session, key, by_key(ctx))
    return show_order(ctx, key)


@router.vendor("POST", "/orders/{order_id}/decline", permission=_EDIT)
def orders_decline(ctx: ApiContext, order_id: str, given: DeclineGiven) -> OrderDetails:
    """Say no to lines of an order, and why. Their stock is given back."""
    key = key_of(PREFIX, order_id)
    lines = None if given.line_ids is None else [key_of(LINE_PREFIX, one) for one in given.line_ids]
    decide_service.decline_lines(ctx.session, key, lines, given.reason, by_key(ctx))
    return show_order(ctx, key)


@router.vendor("POST", "/orders/{order_id}/cancel", permission=_EDIT)
def orders_cancel(ctx: ApiContext, order_id: str, given: CancelGiven) -> OrderDetails:
    """Cancel what is not sent yet of an order, or a part of it. Money goes back by a refund."""
    key = key_of(PREFIX, order_id)
    cancel_service.cancel(ctx.session, key, given.reason, by_key(ctx), quantities(given.lines))
    return show_order(ctx, key)


@router.vendor("POST", "/orders/{order_id}/payments", permission=_EDIT)
def orders_pay(ctx: ApiContext, order_id: str, given: PaymentGiven) -> OrderDetails:
    """Note that an order was paid."""
    key = key_of(PREFIX, order_id)
    payment_service.mark_paid(ctx.session, key, given.method, by_key(ctx))
    return show_order(ctx, key)


@router.vendor("POST", "/orders/{order_id}/refunds", permission=_REFUND, status=201)
def refunds_create(ctx: ApiContext, order_id: str, given: RefundGiven) -> RefundShown:
    """Give money back for lines of an order. Nothing is cancelled by that."""
    lines = [RefundOf(key_of(LINE_PREFIX, one.line_id), one.quantity, one.gross_cents) for one in given.lines]
    terms = RefundTerms(given.reason, given.method, given.is_restocked)
    row = refund_service.refund(ctx.session, key_of(PREFIX, order_id), lines, terms, by_key(ctx))
    return shown(RefundShown, row, REFUND_PREFIX, order_id=to_public(PREFIX, row.order_id))


@router.vendor("POST", "/orders/{order_id}/returns", permission=_REFUND)
def orders_return(ctx: ApiContext, order_id: str, given: ReturnGiven) -> OrderDetails:
    """Put goods that came back into stock."""
    key = key_of(PREFIX, order_id)
    refund_service.receive_return(ctx.session, key, quantities(given.lines) or [], by_key(ctx))
    return show_order(ctx, key)


@router.both(
    "GET",
    "/order-exceptions",
    permission="orders.orders.view",
    admin_permission="orders.exceptions.manage",
)
def exceptions_list(ctx: ApiContext, query: Annotated[ExceptionQuery, Query()]) -> Page[ExceptionShown]:
    """List lines of orders that cannot be sent as they are, the newest first."""
    return read_spec(ctx, _EXCEPTIONS, query, show_exception)


@router.vendor("POST", "/order-exceptions/{exception_id}/resolve", permission=_EDIT)
def exceptions_resolve(ctx: ApiContext, exception_id: str, given: ResolveGiven) -> FreedShown:
    """Say which product a line means."""
    freed = exception_service.resolve_exception(
        ctx.session,
        key_of(EXCEPTION_PREFIX, exception_id),
        key_of("prd", given.product_id),
        by_key(ctx),
        is_remembered=given.is_remembered,
    )
    return FreedShown(freed=freed)


@router.vendor("POST", "/order-exceptions/{exception_id}/ignore", permission=_EDIT)
def exceptions_ignore(ctx: ApiContext, exception_id: str) -> FreedShown:
    """Let a line be sent without a movement of stock."""
    exception_service.ignore_exception(ctx.session, key_of(EXCEPTION_PREFIX, exception_id), by_key(ctx))
    return FreedShown(freed=1)


@router.vendor("POST", "/order-exceptions/{exception_id}/retry", permission=_EDIT)
def exceptions_retry(ctx: ApiContext, exception_id: str) -> FreedShown:
    """Look again whether there is a product, and enough of it."""
    key = key_of(EXCEPTION_PREFIX, exception_id)
    return FreedShown(freed=exception_service.retry_exception(ctx.session, key, by_key(ctx)))


@router.vendor("POST", "/order-exceptions/{exception_id}/undo", permission=_EDIT)
def exceptions_undo(ctx: ApiContext, exception_id: str) -> OrderDetails:
    """Take the answer to an exception back, while nothing of the line was sent or billed."""
    order = undo_service.undo_answer(ctx.session, key_of(EXCEPTION_PREFIX, exception_id), by_key(ctx))
    return show_order(ctx, order.id)
