"""Payments: the list, one payment with its refunds, and what the payee does with it."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from fastapi import Response

from app.core.i18n import format_money
from app.core.ids import new_id
from app.modules.base import Area
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, ListSpec
from app.modules.pages import PageContext
from app.modules.payments.adapters.stripe_gateway import PAYMENT_PREFIX
from app.modules.payments.contracts import RefundRequest
from app.modules.payments.enums import Payee, PaymentState, Provider
from app.modules.payments.models.payment import Payment
from app.modules.payments.services import (
    job_state_service,
    payment_list_service,
    payment_service,
    refund_service,
)
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("admin", "vendor")

_MANAGE = "payments.{area}_payments.manage"
_TONES = {
    "created": "neutral",
    "pending": "info",
    "authorised": "info",
    "captured": "success",
    "failed": "danger",
    "cancelled": "neutral",
}
_REFUND_TONES = {"pending": "info", "succeeded": "success", "failed": "danger"}


def _payment_list(area: Area) -> ListSpec:
    """The payments of an area."""
    columns = [
        Column("reference", "payments.fields.reference", "code", sort=Payment.reference),
        Column("description", "payments.fields.description", is_wide=True),
        Column("provider", "payments.fields.provider", text_prefix="payments.provider"),
        Column("amount", "payments.fields.amount", "money", lambda row: row.amount_cents, sort=Payment.amount_cents),
        Column(
            "state", "payments.fields.state", "badge", text_prefix="payments.state", tones=_TONES, sort=Payment.state
        ),
        Column("refunded", "payments.fields.refunded", "money", lambda row: row.refunded_cents, is_default=False),
        Column("payee", "payments.fields.payee", text_prefix="payments.payee", is_default=area == "admin"),
        Column("customer_email", "payments.fields.customer", is_default=False),
        Column("created_at", "payments.fields.created_at", "datetime", sort=Payment.created_at),
    ]  # fmt: skip
    if area == "admin":
        columns.insert(1, Column("vendor", "payments.fields.vendor", "code", lambda row: row.vendor_code))
    return ListSpec(
        f"payments.{area}.payments",
        "payments.list",
        lambda _session, _language: (
            payment_list_service.select_with_vendors()
            if area == "admin"
            else payment_list_service.select_payments()
        ),
        Payment.id,
        columns=columns,
        default_sort="-created_at",
        search=payment_list_service.matching,
        filters=(
            _choice("state", Payment.state, PaymentState, "payments.state"),
            _choice("provider", Payment.provider, Provider, "payments.provider"),
            _choice("payee", Payment.payee, Payee, "payments.payee"),
            Filter("since", "payments.fields.since", payment_list_service.since, kind="date_from"),
            Filter("until", "payments.fields.until", payment_list_service.until, kind="date_to"),
        ),
        row_page=f"payments.{area}.payment",
        row_id="payment_id",
        prefix=PAYMENT_PREFIX,
        icon="credit-card",
        is_in_palette=True,
    )


def _choice(name: str, column: Any, words: Any, texts: str) -> Filter:
    options = [(word.value, f"{texts}.{word}") for word in words]
    return Filter(name, f"payments.fields.{name}", lambda chosen: column.in_(chosen), options=options)


def _payment(ctx: PageContext) -> Payment:
    return payment_service.get_row(ctx.session, public_id(PAYMENT_PREFIX, ctx.path["payment_id"]))


def _act_form(
    name: str,
    fields: tuple[Field, ...],
    load: Callable[[Payment], Mapping[str, Any]],
    act: Callable[[PageContext, Payment, Mapping[str, Any]], object],
    *,
    in_read_only: bool = False,
) -> Callable[[Area], FormSpec]:
    """A form that does something with the money of a payment."""

    def spec(area: Area) -> FormSpec:
        def back(ctx: PageContext) -> tuple[str, str]:
            url = ctx.url(f"payments.{area}.payment", payment_id=ctx.path["payment_id"])
            return url, ctx.t("payments.pages.payment")

        def save(ctx: PageContext, values: Mapping[str, Any]) -> str:
            payment = _payment(ctx)
            payment_list_service.require_payee(payment, area)
            act(ctx, payment, values)
            return back(ctx)[0]

        return FormSpec(
            f"payments.{area}.payment_{name}",
            f"payments.payment_{name}",
            fields,
            save,
            load=lambda ctx: load(_payment(ctx)),
            back=back,
            has_intro=True,
            in_read_only=in_read_only,
        )

    return spec


def _refund(ctx: PageContext, payment: Payment, values: Mapping[str, Any]) -> None:
    wanted = RefundRequest(values["amount_cents"], str(new_id()), values["reason"])
    refund_service.refund_payment(ctx.session, payment.id, wanted, by=ctx.who.user_id)


def _capture(ctx: PageContext, payment: Payment, values: Mapping[str, Any]) -> None:
    payment_service.capture_payment(
        ctx.session, payment.id, amount_cents=values["amount_cents"], by=ctx.who.user_id
    )


def _confirm(ctx: PageContext, payment: Payment, values: Mapping[str, Any]) -> None:
    payment_service.confirm_payment(
        ctx.session, payment.id, amount_cents=values["amount_cents"], by=ctx.who.user_id
    )


_AMOUNT = Field("amount_cents", "payments.fields.amount", "money")
_REASON = Field("reason", "payments.refunds.reason", is_required=False, max_length=300)

mount_list(router, _payment_list)
mount_form(
    router,
    _act_form(
        "refund",
        (_AMOUNT, _REASON),
        lambda one: {"amount_cents": one.captured_cents - one.refunded_cents, "version": one.version},
        _refund,
        in_read_only=True,
    ),
)
mount_form(
    router,
    _act_form(
        "capture",
        (_AMOUNT,),
        lambda one: {"amount_cents": one.amount_cents, "version": one.version},
        _capture,
    ),
)
mount_form(router, _act_form("confirm", (_AMOUNT,), lambda one: {"version": one.version}, _confirm))


@router.page("payments.{area}.payment")
def payment(ctx: PageContext, payment_id: str) -> Response:
    """One payment: what it is for, how it stands, and its refunds."""
    row = _payment(ctx)
    here = ctx.url(f"payments.{ctx.area}.payment", payment_id=payment_id)
    refunds = refund_service.list_rows(ctx.session, row.id)
    is_working = any(
        job_state_service.is_unfinished(ctx.session, one)
        for one in (row.job_id, *(refund.job_id for refund in refunds))
    )
    may_act = _MANAGE.format(area=ctx.area) in ctx.who.permissions and payment_list_service.is_payee(
        row, ctx.area
    )
    blocks = [_facts(ctx, row), _money(ctx, row)]
    if refunds:
        blocks.append(_refunds(ctx, row, refunds))
    if row.instructions:
        facts = [
            Fact(ctx.t(f"payments.instructions.{name}"), text) for name, text in row.instructions.items()
        ]
        blocks.append(Block("instructions", ctx.t("payments.instructions.title"), facts, order=20))
    detail = Detail(
        row.id,
        row.description,
        blocks,
        subtitle=row.reference,
        back=(ctx.url(f"payments.{ctx.area}.payments"), ctx.t("payments.pages.payments")),
        badges=[(_TONES[row.state], ctx.t(f"payments.state.{row.state}"))],
        actions=_actions(ctx, row, here) if may_act else (),
        target=payment_id,
        notice=_notice(ctx, row, is_working=is_working),
        refresh=is_working,
    )
    return show_detail(ctx, detail)


def _notice(ctx: PageContext, row: Payment, *, is_working: bool) -> tuple[str, str] | None:
    if is_working:
        return ("info", ctx.t("payments.working"))
    if row.failure_code:
        return ("danger", ctx.t("payments.failure", code=row.failure_code))
    return None


def _facts(ctx: PageContext, row: Payment) -> Block:
    facts = [
        Fact(ctx.t("payments.fields.provider"), ctx.t(f"payments.provider.{row.provider}")),
        Fact(ctx.t("payments.fields.payee"), ctx.t(f"payments.payee.{row.payee}")),
        Fact(ctx.t("payments.fields.customer"), row.customer_email),
        Fact(ctx.t("payments.fields.provider_ref"), row.intent_ref or row.provider_ref, "code"),
        Fact(ctx.t("payments.fields.created_at"), row.created_at, "datetime"),
        Fact(ctx.t("payments.fields.captured_at"), row.captured_at, "datetime"),
    ]
    return Block("facts", ctx.t("payments.facts"), facts, column="side", order=10)


def _money(ctx: PageContext, row: Payment) -> Block:
    amounts = {
        "amount": row.amount_cents,
        "captured": row.captured_cents,
        "refunded": row.refunded_cents,
    }
    facts = [
        Fact(ctx.t(f"payments.fields.{name}"), format_money(ctx.language, cents, row.currency))
        for name, cents in amounts.items()
    ]
    return Block("money", ctx.t("payments.money"), facts, order=10)


def _refunds(ctx: PageContext, row: Payment, refunds: Any) -> Block:
    rows = [
        SimpleNamespace(
            at=one.created_at,
            amount=format_money(ctx.language, one.amount_cents, row.currency),
            state=ctx.t(f"payments.refund_state.{one.state}"),
            tone=_REFUND_TONES[one.state],
            reason=one.reason,
            failure=one.failure_code,
        )
        for one in refunds
    ]
    title = ctx.t("payments.refunds.title")
    return Block(
        "refunds", title, template="payments/refunds.html", context={"rows": rows}, is_flush=True, order=30
    )


def _actions(ctx: PageContext, row: Payment, here: str) -> list[Action]:
    actions = []
    if row.state == PaymentState.PENDING and row.provider != Provider.STRIPE:
        actions.append(_form(ctx, "confirm", here, "check", "primary"))
    if row.state in (PaymentState.PENDING, PaymentState.AUTHORISED) and row.provider == Provider.STRIPE:
        actions.append(Action(ctx.t("payments.act.ask"), f"{here}/ask", "refresh-cw"))
    if row.state == PaymentState.AUTHORISED:
        actions.append(_form(ctx, "capture", here, "check", "primary"))
    if row.captured_cents > row.refunded_cents:
        actions.append(_form(ctx, "refund", here, "undo-2"))
    if row.state in (PaymentState.CREATED, PaymentState.PENDING, PaymentState.AUTHORISED):
        confirm = ctx.t("payments.cancel_confirm")
        actions.append(
            Action(ctx.t("payments.act.cancel"), f"{here}/cancel", "ban", "danger", confirm=confirm)
        )
    return actions


def _form(ctx: PageContext, name: str, here: str, icon: str, variant: Any = "secondary") -> Action:
    return Action(ctx.t(f"payments.act.{name}"), f"{here}/{name}", icon, variant, is_post=False)


@router.action("/payments/{payment_id}/cancel", permission=_MANAGE, in_read_only=True)
def cancel(ctx: PageContext, payment_id: str) -> Response:
    """Let go of a payment that was not captured."""
    key = payment_list_service.require_payee(_payment(ctx), ctx.area)
    payment_service.cancel_payment(ctx.session, key, by=ctx.who.user_id)
    return ctx.redirect(f"payments.{ctx.area}.payment", payment_id=payment_id)


@router.action("/payments/{payment_id}/ask", permission=_MANAGE)
def ask(ctx: PageContext, payment_id: str) -> Response:
    """Ask the provider how a payment stands."""
    row = _payment(ctx)
    payment_list_service.require_payee(row, ctx.area)
    if row.provider == Provider.STRIPE:  # elsewhere somebody has to count the money
        payment_service.confirm_payment(ctx.session, row.id, by=ctx.who.user_id)
    return ctx.redirect(f"payments.{ctx.area}.payment", payment_id=payment_id)
