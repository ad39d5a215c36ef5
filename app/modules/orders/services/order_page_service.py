"""What an order's page is made of: the way it goes, its lines, parcels, money, people, and what can be done next."""

from collections import defaultdict
from typing import Any

from babel import Locale

from app.core import clock
from app.core.i18n import format_date, format_datetime, format_money, has_message, ntranslate
from app.core.ids import to_public
from app.modules.customers.contracts import Address
from app.modules.orders.enums import (
    Decision,
    ExceptionKind,
    ExceptionStatus,
    HeldFor,
    LineKind,
    OrderStatus,
    ProposalStatus,
    ShipmentStatus,
)
from app.modules.orders.services.order_list_service import STATUS_TONES
from app.modules.orders.services.order_reads import PROPOSAL_PREFIX, SHIPMENT_PREFIX, OrderView
from app.modules.pagekit.details import Action, Block, Fact
from app.modules.pages import PageContext

LINE_PREFIX = "oln"
EDIT, SHIP, REFUND = "orders.orders.edit", "orders.orders.ship", "orders.orders.refund"
_F = "orders.fields"
_SENDABLE = (OrderStatus.PROCESSING, OrderStatus.PARTIALLY_SHIPPED)
_REFUNDABLE = (
    OrderStatus.SHIPPED,
    OrderStatus.PARTIALLY_SHIPPED,
    OrderStatus.DELIVERED,
    OrderStatus.CANCELLED,
)
_TEMPLATES = "orders/vendor"


def order_badges(ctx: PageContext, view: OrderView) -> list[tuple[str, str]]:
    """Status, channel, and whether it is paid."""
    order = view.order
    badges = [
        (STATUS_TONES[OrderStatus(order.status)], ctx.t(f"orders.status.{order.status}")),
        ("neutral", order.channel),
    ]
    if order.refunded_cents:
        badges.append(("info", ctx.t("orders.page.refunded_part")))
    if order.status != OrderStatus.CANCELLED:
        is_paid = order.paid_at is not None
        badges.append(
            ("success" if is_paid else "warning", ctx.t(f"orders.page.{'paid' if is_paid else 'unpaid'}"))
        )
    return badges


def order_notice(ctx: PageContext, view: OrderView) -> tuple[str, str] | None:
    """What bars the next step, or what it is and until when."""
    order = view.order
    if order.held_for:
        return "warning", ctx.t(
            "orders.page.held" if order.held_for == HeldFor.PLAN else "orders.page.held_buyer"
        )
    if order.pending_exceptions:
        return "warning", ntranslate(ctx.language, "orders.page.open_exceptions", order.pending_exceptions)
    if order.status == OrderStatus.PENDING:
        if order.confirm_before is None:
            return "info", ctx.t("orders.page.next.confirm")
        tone = "danger" if order.confirm_before < clock.now() else "warning"
        until = format_datetime(ctx.language, order.confirm_before, timezone=ctx.time_zone)
        return tone, ctx.t("orders.page.next.confirm_before", date=until)
    if order.status in _SENDABLE:
        left = sum(view.remaining.values())
        return "info", ntranslate(ctx.language, "orders.page.next.ship", left)
    return None


def order_actions(ctx: PageContext, view: OrderView) -> list[Action]:
    """What this person may do now, the next step first."""
    order, may = view.order, ctx.who.permissions
    key = view.public_id
    here = ctx.url("orders.vendor.order", order_id=key)
    actions = []
    is_free = not order.pending_exceptions and not order.held_for
    if order.status == OrderStatus.PENDING and is_free and EDIT in may:
        actions.append(Action(ctx.t("orders.act.confirm"), f"{here}/confirm", "check", "primary"))
    if order.held_for == HeldFor.BUYER and EDIT in may:
        actions.append(Action(ctx.t("orders.act.let_pass"), f"{here}/let-pass", "check"))
    if order.status in _SENDABLE and SHIP in may and is_free:
        ship = ctx.url("orders.vendor.ship", order_id=key)
        actions.append(Action(ctx.t("orders.act.ship"), ship, "truck", "primary", is_post=False))
    for kind in ("slip", "pick"):
        url = ctx.url("orders.vendor.print", kind=kind, order=key)
        actions.append(Action(ctx.t(f"orders.act.print_{kind}"), url, "file-text", is_post=False))
    if order.paid_at is None and order.status != OrderStatus.CANCELLED and EDIT in may:
        actions.append(Action(ctx.t("orders.act.mark_paid"), f"{here}/paid", "credit-card"))
    if order.status in (OrderStatus.PENDING, *_SENDABLE) and EDIT in may:
        cancel = ctx.url("orders.vendor.cancel_order", order_id=key)
        actions.append(Action(ctx.t("orders.act.cancel"), cancel, "ban", is_post=False))
    charged = order.total_cents - order.cancelled_cents
    if order.status in _REFUNDABLE and order.refunded_cents < charged and REFUND in may:
        refund = ctx.url("orders.vendor.refund", order_id=key)
        actions.append(Action(ctx.t("orders.act.refund"), refund, "undo-2", is_post=False))
    if any(line.shipped_quantity > line.returned_quantity for line in view.lines) and EDIT in may:
        back = ctx.url("orders.vendor.receive_return", order_id=key)
        actions.append(Action(ctx.t("orders.act.receive_return"), back, "rotate-cw", is_post=False))
        notice = ctx.url("orders.vendor.new_withdrawal", order_id=key)
        actions.append(Action(ctx.t("orders.act.note_withdrawal"), notice, "undo-2", is_post=False))
    return actions


def order_blocks(ctx: PageContext, view: OrderView) -> list[Block]:
    """The page's parts; other modules add theirs."""
    blocks = [
        _block(ctx, "rail", {"steps": _steps(ctx, view)}, "full", 5),
        _block(ctx, "lines", _lines(ctx, view), "full", 10),
        Block("money", ctx.t("orders.page.money"), _money(ctx, view), column="side", order=10),
        Block("buyer", ctx.t("orders.page.buyer"), _buyer(ctx, view), column="side", order=20),
        Block("addresses", ctx.t("orders.page.addresses"), _addresses(ctx, view), column="side", order=30),
        Block("channel", ctx.t("orders.page.channel"), _channel(ctx, view), column="side", order=40),
    ]
    if any(one.status == ProposalStatus.PENDING for one in view.proposals):
        blocks.append(_block(ctx, "proposals", {"proposals": _proposals(ctx, view)}, "full", 8))
    if view.shipments:
        blocks.append(_block(ctx, "shipments", {"shipments": _shipments(ctx, view)}, "main", 20))
    if view.refunds:
        facts = [
            Fact(
                f"{one.refund.number} · {format_date(ctx.language, one.refund.at, timezone=ctx.time_zone)}",
                f"{_cents(ctx, view, one.refund.gross_cents)} · {one.refund.reason}",
            )
            for one in view.refunds
        ]
        blocks.append(Block("refunds", ctx.t("orders.page.refunds"), facts, order=30))
    if view.order.customer_note:
        blocks.append(
            Block("note", ctx.t("orders.fields.customer_note"), text=view.order.customer_note, order=15)
        )
    return blocks


def _block(ctx: PageContext, name: str, context: dict[str, Any], column: Any, order: int) -> Block:
    return Block(
        name,
        ctx.t(f"orders.page.{name}"),
        template=f"{_TEMPLATES}/{name}.html",
        context=context,
        column=column,
        order=order,
    )


def _steps(ctx: PageContext, view: OrderView) -> list[dict[str, Any]]:
    """The way of an order, each step with its time once it is done."""
    order = view.order
    packed = min((one.shipment.created_at for one in view.shipments), default=None)
    times = [
        ("placed", order.placed_at),
        ("confirmed", order.confirmed_at),
        ("packed", packed),
        ("shipped", order.shipped_at),
        ("delivered", order.delivered_at),
    ]
    if order.cancelled_at:
        times = [*(step for step in times if step[1]), ("cancelled", order.cancelled_at)]
    following = next((index for index, (_, at) in enumerate(times) if at is None), len(times))
    return [
        {"text": ctx.t(f"orders.steps.{name}"), "at": at, "is_next": index == following}
        for index, (name, at) in enumerate(times)
    ]


def _lines(ctx: PageContext, view: OrderView) -> dict[str, Any]:
    order = view.order
    is_open = order.status == OrderStatus.PENDING and not order.held_for and EDIT in ctx.who.permissions
    pending = [one for one in view.exceptions if one.status == ExceptionStatus.PENDING]
    waiting = {one.line_id for one in pending}
    rows = [
        {
            "line": line,
            "key": to_public(LINE_PREFIX, line.id),
            "url": _product_url(ctx, line),
            "is_goods": line.kind == LineKind.PRODUCT,
            "title": line.title if line.kind == LineKind.PRODUCT else ctx.t("orders.page.shipping"),
            "left": view.remaining.get(line.id, 0),
            "open": line.quantity - line.cancelled_quantity,
            "is_waiting": line.id in waiting,
            "is_decided": line.decision != Decision.PENDING or order.status == OrderStatus.PENDING,
            "can_decide": is_open and line.kind == LineKind.PRODUCT and line.decision == Decision.PENDING,
        }
        for line in view.lines
    ]
    return {
        "rows": rows,
        "currency": order.currency,
        "can_decide": any(row["can_decide"] for row in rows),
        # Of what is short, fewer may be there.
        "can_confirm": all(one.kind == ExceptionKind.OUT_OF_STOCK for one in pending),
        "here": ctx.url(f"orders.{ctx.area}.order", order_id=view.public_id),
        "exceptions_url": ctx.url(f"orders.{ctx.area}.exceptions", q=order.number),
    }


def _product_url(ctx: PageContext, line: Any) -> str | None:
    if line.product_id is None or ctx.area != "vendor" or "catalog.products.view" not in ctx.who.permissions:
        return None
    return ctx.url("catalog.vendor.product", product_id=to_public("prd", line.product_id))


def _money(ctx: PageContext, view: OrderView) -> list[Fact]:
    order = view.order
    vat: dict[int, int] = defaultdict(int)
    for line in view.lines:
        vat[line.tax_rate_bp] += line.vat_cents
    amounts = [("goods", order.goods_cents)]
    if order.discount_cents:
        amounts.append(("discount", -order.discount_cents))
    amounts += [("shipping", order.shipping_cents), ("total", order.total_cents)]
    if order.cancelled_cents:
        amounts.append(("cancelled", -order.cancelled_cents))
    if order.refunded_cents:
        amounts.append(("refunded", -order.refunded_cents))
    facts = [Fact(ctx.t(f"orders.money.{name}"), _cents(ctx, view, cents)) for name, cents in amounts]
    facts += [
        Fact(ctx.t("orders.money.vat_at", rate=percent(ctx, rate)), _cents(ctx, view, cents))
        for rate, cents in sorted(vat.items())
    ]
    return [
        *facts,
        Fact(ctx.t("orders.money.regime"), ctx.t(f"orders.regimes.{order.regime}")),
        Fact(ctx.t(f"{_F}.paid_at"), order.paid_at, "datetime"),
        Fact(ctx.t(f"{_F}.payment_method"), _payment(ctx, order.payment_method)),
    ]


def _payment(ctx: PageContext, method: str | None) -> str | None:
    """How it was paid, in words where the method is one of ours; a channel may have others."""
    key = f"orders.payment.{method}"
    return ctx.t(key) if method and has_message("en", key) else method


def percent(ctx: PageContext, rate_bp: int) -> str:
    """A rate in basis points as people write it: 17, 2.1 or 2,1."""
    text = f"{rate_bp / 100:.2f}".rstrip("0").rstrip(".")
    return text if ctx.language == "en" else text.replace(".", ",")


def _cents(ctx: PageContext, view: OrderView, cents: int) -> str:
    return format_money(ctx.language, cents, view.order.currency)


def _buyer(ctx: PageContext, view: OrderView) -> list[Fact]:
    buyer, order, url = view.buyer, view.order, None
    if order.customer_id and ctx.area == "vendor" and "customers.customers.view" in ctx.who.permissions:
        url = ctx.url("customers.vendor.customer", customer_id=to_public("cus", order.customer_id))
    facts = [Fact(ctx.t(f"{_F}.buyer"), buyer.name, url=url)]
    further = {name: getattr(buyer, name) for name in ("company_name", "email", "phone", "vat_number")}
    return [*facts, *(Fact(ctx.t(f"{_F}.{name}"), value) for name, value in further.items() if value)]


def _addresses(ctx: PageContext, view: OrderView) -> list[Fact]:
    facts = []
    for name in ("shipping_address", "billing_address"):
        given = getattr(view, name)
        facts.append(Fact(ctx.t(f"{_F}.{name}"), postal_text(ctx, given) if given else None))
    return facts


def postal_text(ctx: PageContext, address: Address) -> str:
    """An address in one line, the country in the reader's language."""
    return ", ".join(filter(None, (*address.lines(), country_name(ctx, address.country))))


def country_name(ctx: PageContext, code: str | None) -> str:
    """A country in the reader's language; its code where it has no name there."""
    return Locale.parse(ctx.language).territories.get(code, code) if code else ""


def _channel(ctx: PageContext, view: OrderView) -> list[Fact]:
    order = view.order
    facts = [
        Fact(ctx.t(f"{_F}.channel"), order.channel),
        Fact(ctx.t(f"{_F}.external_number"), order.external_number, "code"),
        Fact(ctx.t(f"{_F}.external_id"), order.external_id, "code"),
    ]
    if view.payloads:
        facts.append(Fact(ctx.t("orders.page.received"), view.payloads[-1].received_at, "datetime"))
        facts.append(Fact(ctx.t("orders.page.versions"), len(view.payloads), "number"))
    return facts


def _proposals(ctx: PageContext, view: OrderView) -> list[dict[str, Any]]:
    here = ctx.url(f"orders.{ctx.area}.order", order_id=view.public_id)
    return [
        {
            "url": f"{here}/proposals/{to_public(PROPOSAL_PREFIX, one.id)}",
            "changes": [
                (ctx.t(f"orders.proposal.fields.{name}"), _said(was), _said(would))
                for name, (was, would) in one.changes.items()
            ],
            "can_decide": EDIT in ctx.who.permissions,
        }
        for one in view.proposals
        if one.status == ProposalStatus.PENDING
    ]


def _said(value: Any) -> str:
    """What a channel said, in words: an address, the lines as quantity and SKU, or a text."""
    if isinstance(value, dict):
        return ", ".join(str(part) for part in value.values() if part)
    if isinstance(value, list):
        return ", ".join(f"{quantity} × {sku or gtin}" for sku, gtin, quantity, _ in value)
    return "–" if value is None else str(value)


def _shipments(ctx: PageContext, view: OrderView) -> list[dict[str, Any]]:
    titles = {line.id: line.title for line in view.lines}
    here = ctx.url(f"orders.{ctx.area}.order", order_id=view.public_id)
    may_ship = SHIP in ctx.who.permissions
    found = []
    for one in view.shipments:
        key = to_public(SHIPMENT_PREFIX, one.shipment.id)
        found.append(
            {
                "shipment": one.shipment,
                "page": ctx.url("orders.vendor.shipment", shipment_id=key) if ctx.area == "vendor" else None,
                "url": f"{here}/shipments/{key}",
                "tone": "success" if one.shipment.shipped_at else "neutral",
                "parcels": one.parcels,
                "lines": [(quantity, titles.get(line, "")) for line, quantity in one.quantities.items()],
                "is_prepared": one.shipment.status == ShipmentStatus.PREPARED and may_ship,
                "is_on_its_way": one.shipment.status == ShipmentStatus.SHIPPED and may_ship,
            }
        )
    return found
