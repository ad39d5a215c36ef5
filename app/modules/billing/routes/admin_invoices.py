"""Invoices of subscriptions, for the operator: list, page, and what was paid outside of Stripe."""

from collections.abc import Callable, Sequence
from uuid import UUID

from fastapi import Response
from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import ConflictError
from app.core.i18n import format_money, ntranslate
from app.core.ids import to_public
from app.modules.billing.contracts import By
from app.modules.billing.enums import ChangeSource, InvoiceKind, InvoiceStatus
from app.modules.billing.models.invoice import BillingInvoice
from app.modules.billing.services import invoice_mail_service, invoice_service, settlement_service
from app.modules.billing.services import operator_list_service as lists
from app.modules.billing.services.history_service import SUBSCRIPTION_PREFIX
from app.modules.billing.services.invoice_service import INVOICE_PREFIX
from app.modules.billing.services.operator_view_service import INVOICE_TONES
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import BulkAction, BulkOutcome, Column, Filter, ListSpec, View
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.facade import find_vendor

router = AreaRouter("admin")
_MANAGE = "billing.manage_subscriptions"
_F = "billing.admin.fields"
_SENT = (InvoiceStatus.OPEN, InvoiceStatus.PAID, InvoiceStatus.UNCOLLECTIBLE)


def _mark_paid(session: Session, ids: Sequence[UUID]) -> BulkOutcome:
    """Somebody saw the money of each of them arrive."""
    failed = {}
    for key in ids:
        try:
            with session.begin_nested():
                settlement_service.mark_invoice_paid(session, key, By(ChangeSource.USER))
        except ConflictError as error:
            failed[key] = error.message_key
    return BulkOutcome(len(ids) - len(failed), failed)


mount_list(
    router,
    ListSpec(
        "billing.admin.invoices",
        "billing.admin.invoices",
        lists.select_invoices,
        BillingInvoice.id,
        columns=(
            Column("number", f"{_F}.number", "code", sort=BillingInvoice.number),
            Column("vendor_name", f"{_F}.vendor", sort=lists.VENDORS.c.name, is_wide=True),
            Column("vendor_code", f"{_F}.code", "code", sort=lists.VENDORS.c.code, is_default=False),
            Column("kind", f"{_F}.kind", text_prefix="billing.invoice_kinds"),
            Column(
                "total", f"{_F}.total", "money", lambda row: row.total_cents, sort=BillingInvoice.total_cents
            ),
            Column("tax", f"{_F}.tax", "money", lambda row: row.tax_cents, is_default=False),
            Column("paid", f"{_F}.paid", "money", lambda row: row.paid_cents),
            Column("currency", f"{_F}.currency", is_default=False),
            Column(
                "status", f"{_F}.state", "badge", text_prefix="billing.invoice_status", tones=INVOICE_TONES
            ),
            Column("issued_at", f"{_F}.issued_at", "date", sort=BillingInvoice.issued_at),
            Column("due_at", f"{_F}.due_at", "date", sort=BillingInvoice.due_at),
            Column("paid_at", f"{_F}.paid_at", "date", sort=BillingInvoice.paid_at, is_default=False),
            Column("period_start", f"{_F}.period_start", "date", is_default=False),
            Column("period_end", f"{_F}.period_end", "date", is_default=False),
            Column("stripe_invoice_id", f"{_F}.remote", "code", is_default=False),
        ),
        default_sort="-issued_at",
        search=lists.matching_invoices,
        filters=(
            Filter(
                "status",
                f"{_F}.state",
                lambda chosen: BillingInvoice.status.in_(chosen),
                options=[(one.value, f"billing.invoice_status.{one}") for one in InvoiceStatus],
            ),
            Filter(
                "kind",
                f"{_F}.kind",
                lambda chosen: BillingInvoice.kind.in_(chosen),
                options=[(one.value, f"billing.invoice_kinds.{one}") for one in InvoiceKind],
            ),
            Filter("due", f"{_F}.due", lists.is_overdue, options=[("over", "billing.admin.overdue")]),
            Filter("since", f"{_F}.issued_since", lists.issued_since, kind="date_from"),
            Filter("until", f"{_F}.issued_until", lists.issued_until, kind="date_to"),
        ),
        bulk=(BulkAction("mark_paid", "billing.admin.act.mark_paid", _MANAGE, _mark_paid),),
        views=(
            View("open", "billing.invoice_status.open", "status=open"),
            View("overdue", "billing.admin.overdue", "due=over"),
            View("paid", "billing.invoice_status.paid", "status=paid"),
        ),
        row_page="billing.admin.invoice",
        row_id="invoice_id",
        prefix=INVOICE_PREFIX,
        icon="receipt",
        is_in_palette=True,
    ),
)


@router.page("billing.admin.invoice")
def invoice(ctx: PageContext, invoice_id: str) -> Response:
    """One invoice: amounts, days, and where its document is."""
    found = invoice_service.get_invoice(ctx.session, public_id(INVOICE_PREFIX, invoice_id))
    here = ctx.url("billing.admin.invoice", invoice_id=invoice_id)
    vendor = find_vendor(vendor_id=found.vendor_id)
    is_overdue = (
        found.status == InvoiceStatus.OPEN and found.due_at is not None and found.due_at < clock.now()
    )
    return show_detail(
        ctx,
        Detail(
            found.id,
            found.number or ctx.t("billing.admin_pages.invoice"),
            (
                Block("amounts", ctx.t("billing.admin.blocks.amounts"), _amounts(ctx, found), order=10),
                Block(
                    "facts", ctx.t("billing.admin.blocks.facts"), _facts(ctx, found), column="side", order=10
                ),
            ),
            subtitle=vendor.name if vendor else None,
            back=(ctx.url("billing.admin.invoices"), ctx.t("billing.admin_pages.invoices")),
            badges=((INVOICE_TONES[found.status], ctx.t(f"billing.invoice_status.{found.status}")),),
            actions=_actions(ctx, found, here),
            target=invoice_id,
            notice=("warning", ctx.t("billing.admin.is_overdue")) if is_overdue else None,
            raw=found,
        ),
    )


def _amounts(ctx: PageContext, found: BillingInvoice) -> list[Fact]:
    amounts = {"total": found.total_cents, "tax": found.tax_cents, "paid": found.paid_cents}
    facts = [
        Fact(ctx.t(f"{_F}.{name}"), format_money(ctx.language, cents, found.currency))
        for name, cents in amounts.items()
    ]
    days = ("period_start", "period_end", "issued_at", "due_at", "paid_at")
    return [*facts, *(Fact(ctx.t(f"{_F}.{name}"), getattr(found, name), "date") for name in days)]


def _facts(ctx: PageContext, found: BillingInvoice) -> list[Fact]:
    vendor = find_vendor(vendor_id=found.vendor_id)
    url = None
    if "billing.view_subscriptions" in ctx.who.permissions:
        public = to_public(SUBSCRIPTION_PREFIX, found.subscription_id)
        url = ctx.url("billing.admin.subscription", subscription_id=public)
    return [
        Fact(ctx.t(f"{_F}.vendor"), vendor.name if vendor else None, url=url),
        Fact(ctx.t(f"{_F}.kind"), ctx.t(f"billing.invoice_kinds.{found.kind}")),
        Fact(ctx.t(f"{_F}.remote"), found.stripe_invoice_id, "code"),
    ]


def _actions(ctx: PageContext, found: BillingInvoice, here: str) -> list[Action]:
    actions = []
    if found.pdf_url:
        actions.append(Action(ctx.t("billing.admin.act.pdf"), found.pdf_url, "file-down", is_post=False))
    if found.hosted_url:
        actions.append(
            Action(ctx.t("billing.admin.act.hosted"), found.hosted_url, "external-link", is_post=False)
        )
    may_manage = _MANAGE in ctx.who.permissions
    if may_manage and found.status in _SENT:
        actions.append(Action(ctx.t("billing.admin.act.resend"), f"{here}/resend", "mail"))
    is_open = found.status == InvoiceStatus.OPEN and found.stripe_invoice_id is None
    if is_open and may_manage:
        for name, icon, variant in (("mark_paid", "check", "primary"), ("void", "ban", "danger")):
            label, confirm = ctx.t(f"billing.admin.act.{name}"), ctx.t(f"billing.admin.confirm.{name}")
            path = f"{here}/{name.replace('_', '-')}"
            actions.append(Action(label, path, icon, variant, confirm=confirm))  # type: ignore[arg-type]
    return actions


@router.action("/billing/invoices/{invoice_id}/resend", permission=_MANAGE)
def resend(ctx: PageContext, invoice_id: str) -> Response:
    """Mail an invoice once more to those who pay for the vendor."""
    by = By(ChangeSource.USER, ctx.who.user_id)
    count = invoice_mail_service.send_again(ctx.session, public_id(INVOICE_PREFIX, invoice_id), by)
    words = ntranslate(ctx.language, "billing.admin.resent", count)
    ctx.flash_text("success" if count else "warning", words)
    return ctx.redirect("billing.admin.invoice", invoice_id=invoice_id)


@router.action("/billing/invoices/{invoice_id}/mark-paid", permission=_MANAGE)
def mark_paid(ctx: PageContext, invoice_id: str) -> Response:
    """Somebody saw the money arrive outside of Stripe."""
    return _settle(ctx, invoice_id, settlement_service.mark_invoice_paid)


@router.action("/billing/invoices/{invoice_id}/void", permission=_MANAGE)
def void(ctx: PageContext, invoice_id: str) -> Response:
    """The invoice need not be paid."""
    return _settle(ctx, invoice_id, settlement_service.void_invoice)


def _settle(
    ctx: PageContext, invoice_id: str, act: Callable[[Session, UUID, By], BillingInvoice]
) -> Response:
    act(ctx.session, public_id(INVOICE_PREFIX, invoice_id), By(ChangeSource.USER, ctx.who.user_id))
    ctx.flash("success", "billing.admin.done")
    return ctx.redirect("billing.admin.invoice", invoice_id=invoice_id)
