"""Payments in the API: a vendor's, and those of all vendors for the operator."""

from typing import Annotated, Any

from fastapi import Query

from app.core.ids import new_id, to_public
from app.modules.api import ApiContext, ApiRouter, Page, key_of
from app.modules.api.answers import shown
from app.modules.api.pages import read_spec
from app.modules.pagekit.lists import Column, Filter, ListSpec
from app.modules.payments.adapters.stripe_gateway import PAYMENT_PREFIX, REFUND_PREFIX
from app.modules.payments.contracts import RefundRequest
from app.modules.payments.models.payment import Payment, Refund
from app.modules.payments.schemas.payments import (
    NewRefund,
    PaymentDetails,
    PaymentQuery,
    RefundDetails,
    RefundList,
)
from app.modules.payments.services import payment_list_service, payment_service, refund_service

router = ApiRouter()

_VIEW, _MANAGE = "payments.{area}_payments.view", "payments.{area}_payments.manage"
# Keys are made in the order of time, and have an index.
_PAYMENTS = ListSpec(
    "payments.vendor.payments",
    "payments.list",
    lambda _session, _language: payment_list_service.select_payments(),
    Payment.id,
    columns=(Column("created_at", "payments.fields.created_at", "datetime", sort=Payment.id),),
    default_sort="-created_at",
    filters=(
        Filter("state", "payments.fields.state", lambda chosen: Payment.state.in_(chosen)),
        Filter("provider", "payments.fields.provider", lambda chosen: Payment.provider.in_(chosen)),
    ),
)


@router.both("GET", "/payments", permission=_VIEW)
def payments_list(ctx: ApiContext, query: Annotated[PaymentQuery, Query()]) -> Page[PaymentDetails]:
    """List payments."""
    return read_spec(ctx, _PAYMENTS, query, _shown)


@router.both("GET", "/payments/{payment_id}", permission=_VIEW)
def payments_get(ctx: ApiContext, payment_id: str) -> PaymentDetails:
    """Get a payment."""
    return _shown(payment_service.get_row(ctx.session, key_of(PAYMENT_PREFIX, payment_id)))


@router.both("GET", "/payments/{payment_id}/refunds", permission=_VIEW)
def refunds_list(ctx: ApiContext, payment_id: str) -> RefundList:
    """List the refunds of a payment."""
    row = payment_service.get_row(ctx.session, key_of(PAYMENT_PREFIX, payment_id))
    return RefundList(data=[_shown_refund(one) for one in refund_service.list_rows(ctx.session, row.id)])


@router.both(
    "POST",
    "/payments/{payment_id}/refunds",
    permission=_MANAGE,
    status=201,
    needs_key=True,
    in_read_only=True,
)
def refunds_create(ctx: ApiContext, payment_id: str, wanted: NewRefund) -> RefundDetails:
    """Give money back.

    Only the payee can. While the provider has not answered, the refund is pending; with cash and bank transfer it says
    that somebody has given the money back.
    """
    row = payment_service.get_row(ctx.session, key_of(PAYMENT_PREFIX, payment_id))
    key = payment_list_service.require_payee(row, ctx.area)
    request = RefundRequest(wanted.amount_cents, str(new_id()), wanted.reason)
    made = refund_service.refund_payment(ctx.session, key, request, by=ctx.principal.user_id)
    ctx.location(f"/{ctx.area}/payments/{payment_id}/refunds")
    return _shown_refund(ctx.session.get_one(Refund, made.id))


def _shown(row: Any) -> PaymentDetails:
    return shown(PaymentDetails, row, PAYMENT_PREFIX, vendor_id=to_public("vnd", row.vendor_id))


def _shown_refund(row: Refund) -> RefundDetails:
    return shown(RefundDetails, row, REFUND_PREFIX, payment_id=to_public(PAYMENT_PREFIX, row.payment_id))
