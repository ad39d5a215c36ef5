"""Invoices of the subscription."""

from collections.abc import Sequence
from typing import Any

from fastapi import Response
from sqlalchemy import select

from app.core.i18n import format_date, format_money
from app.modules.billing.enums import InvoiceKind, InvoiceStatus
from app.modules.billing.models.invoice import BillingInvoice
from app.modules.billing.services import invoice_service, stripe_request_service
from app.modules.billing.services.asking_service import asker, wait_for
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_MANAGE = "billing.manage_plan"
_TONES = {
    "draft": "neutral",
    "open": "warning",
    "paid": "success",
    "void": "neutral",
    "uncollectible": "danger",
}


def _choice(name: str, column: Any, words: Any, texts: str) -> Filter:
    options = [(word.value, f"{texts}.{word}") for word in words]
    return Filter(name, f"billing.fields.{name}", lambda chosen: column.in_(chosen), options=options)


_COLUMNS: Sequence[Any] = (
    BillingInvoice.id,
    BillingInvoice.number,
    BillingInvoice.kind,
    BillingInvoice.status,
    BillingInvoice.total_cents,
    BillingInvoice.currency,
    BillingInvoice.period_start,
    BillingInvoice.period_end,
    BillingInvoice.issued_at,
    BillingInvoice.due_at,
    BillingInvoice.paid_at,
)

mount_list(
    router,
    ListSpec(
        "billing.vendor.invoices",
        "billing.invoices",
        lambda _session, _language: select(*_COLUMNS),
        BillingInvoice.id,
        columns=(
            Column("number", "billing.fields.number", "code", sort=BillingInvoice.number),
            Column("kind", "billing.fields.kind", text_prefix="billing.invoice_kinds"),
            Column(
                "total", "billing.fields.total", "money", lambda row: row.total_cents, BillingInvoice.total_cents
            ),
            Column("status", "billing.fields.status", "badge", text_prefix="billing.invoice_status", tones=_TONES),
            Column("issued_at", "billing.fields.issued_at", "date", sort=BillingInvoice.issued_at),
            Column("due_at", "billing.fields.due_at", "date", sort=BillingInvoice.due_at),
            Column("paid_at", "billing.fields.paid_at", "date", is_default=False),
            Column("period_start", "billing.fields.period_start", "date", is_default=False),
            Column("period_end", "billing.fields.period_end", "date", is_default=False),
        ),
        default_sort="-issued_at",
        search=lambda words: BillingInvoice.number.icontains(words, autoescape=True),
        filters=(
            _choice("status", BillingInvoice.status, InvoiceStatus, "billing.invoice_status"),
            _choice("kind", BillingInvoice.kind, InvoiceKind, "billing.invoice_kinds"),
        ),
        row_page="billing.vendor.invoice",
        row_id="invoice_id",
        prefix=invoice_service.INVOICE_PREFIX,
        icon="receipt",
    ),
)  # fmt: skip


@router.page("billing.vendor.invoice")
def invoice(ctx: PageContext, invoice_id: str) -> Response:
    """One invoice: what for, how much, until when, and how to pay it."""
    found = invoice_service.get_invoice(ctx.session, public_id(invoice_service.INVOICE_PREFIX, invoice_id))
    is_open = found.status == InvoiceStatus.OPEN
    actions = []
    if found.pdf_url:
        actions.append(Action(ctx.t("billing.actions.pdf"), found.pdf_url, "file-down", is_post=False))
    if is_open and found.stripe_invoice_id and _MANAGE in ctx.who.permissions:
        pay = f"{ctx.url('billing.vendor.invoice', invoice_id=invoice_id)}/pay"
        actions.append(Action(ctx.t("billing.actions.pay"), pay, "credit-card", "primary"))
    notice = None
    if is_open and not found.stripe_invoice_id:
        notice = "info", ctx.t("billing.invoice.transfer", number=found.number or "–")
    return show_detail(
        ctx,
        Detail(
            found.id,
            found.number or ctx.t(f"billing.invoice_kinds.{found.kind}"),
            [Block("facts", ctx.t("billing.invoice.about"), _facts(ctx, found))],
            subtitle=ctx.t(f"billing.invoice_kinds.{found.kind}"),
            back=(ctx.url("billing.vendor.invoices"), ctx.t("billing.pages.invoices")),
            badges=[(_TONES[found.status], ctx.t(f"billing.invoice_status.{found.status}"))],
            actions=actions,
            target=invoice_id,
            notice=notice,
            raw=found,
        ),
    )


def _facts(ctx: PageContext, found: BillingInvoice) -> list[Fact]:
    def money(cents: int) -> str:
        return format_money(ctx.language, cents, found.currency)

    start, end = (
        format_date(ctx.language, moment, timezone=ctx.time_zone)
        for moment in (found.period_start, found.period_end)
    )
    return [
        Fact(ctx.t("billing.fields.period"), f"{start} – {end}"),
        Fact(ctx.t("billing.fields.total"), money(found.total_cents)),
        Fact(ctx.t("billing.fields.tax"), money(found.tax_cents)),
        Fact(ctx.t("billing.fields.paid"), money(found.paid_cents)),
        Fact(ctx.t("billing.fields.issued_at"), found.issued_at, "date"),
        Fact(ctx.t("billing.fields.due_at"), found.due_at, "date"),
        Fact(ctx.t("billing.fields.paid_at"), found.paid_at, "date"),
        *(
            [Fact(ctx.t("billing.fields.hosted"), ctx.t("billing.invoice.hosted"), "link", found.hosted_url)]
            if found.hosted_url
            else []
        ),
    ]


@router.action("/plan/invoices/{invoice_id}/pay", permission=_MANAGE, in_read_only=True)
def pay(ctx: PageContext, invoice_id: str) -> Response:
    """Charge the card on file."""
    key = public_id(invoice_service.INVOICE_PREFIX, invoice_id)
    ask = stripe_request_service.ask_payment
    return wait_for(ctx, ask(ctx.session, ctx.vendor.id, asker(ctx), key))
