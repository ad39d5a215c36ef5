"""The same order from its channel again: placed once, and what changed is applied or proposed."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.core import clock
from app.modules.orders.contracts import BY_CHANNEL, By, NewOrder, PlacedOrder
from app.modules.orders.enums import HeldFor, OrderStatus, ProposalStatus
from app.modules.orders.exceptions import ProposalNotFoundError
from app.modules.orders.models.order import Order
from app.modules.orders.models.trail import OrderPayload, OrderProposal
from app.modules.orders.services.match_service import normal_gtin
from app.modules.orders.services.state_service import goods_of, lines_of, lock_order, note

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
_APPLIED = ("buyer", "shipping_address", "billing_address", "customer_note")


def find_by_external(session: Session, channel: str, external_id: str) -> UUID | None:
    """The vendor's order that a channel knows by this id."""
    return session.scalar(select(Order.id).where(Order.channel == channel, Order.external_id == external_id))


def is_erased(session: Session, order_id: UUID) -> bool:
    """Whether what the channel said of an order was erased with its buyer."""
    empty = select(OrderPayload.id).where(OrderPayload.order_id == order_id, OrderPayload.payload == {})
    return session.scalar(empty.limit(1)) is not None


def find_again(session: Session, vendor_id: UUID, new: NewOrder) -> PlacedOrder | None:
    """The order that was placed before for the same channel and external id, with what changed taken note of.

    Holds off others who place the same order until the transaction ends.
    """
    if new.external_id is None:
        return None
    session.execute(_LOCK, {"key": f"orders:{vendor_id}:{new.channel}:{new.external_id}"})
    order_id = find_by_external(session, new.channel, new.external_id)
    if order_id is None:
        return None
    order = lock_order(session, order_id)
    if new.raw is not None:
        _take_note(session, order, new, dict(new.raw))
    return PlacedOrder(
        order.id,
        order.number,
        OrderStatus(order.status),
        is_new=False,
        total_cents=order.total_cents,
        pending_exceptions=order.pending_exceptions,
        held_for=HeldFor(order.held_for) if order.held_for else None,
    )


def _take_note(session: Session, order: Order, new: NewOrder, raw: dict[str, Any]) -> None:
    last = session.scalars(
        select(OrderPayload)
        .where(OrderPayload.order_id == order.id)
        .order_by(OrderPayload.revision.desc())
        .limit(1)
    ).one_or_none()
    if last is not None and last.payload in (raw, {}):  # an empty one was erased, and nothing is said anew
        return
    revision = last.revision + 1 if last else 1
    payload = OrderPayload(vendor_id=order.vendor_id, order_id=order.id, revision=revision, payload=raw)
    session.add(payload)
    session.flush()
    changes = _changes(session, order, new)
    if not changes:
        return
    if order.status == OrderStatus.PENDING and "lines" not in changes:
        _apply(order, changes)
        note(session, order, "changed_by_channel", BY_CHANNEL, fields=sorted(changes))
        return
    _propose(session, order, payload.id, changes)


def _changes(session: Session, order: Order, new: NewOrder) -> dict[str, Any]:
    """By field: what it is, and what the channel says now."""
    shipping, billing = new.shipping_address, new.billing_address
    said: dict[str, Any] = {
        "buyer": new.buyer.to_json(),
        "shipping_address": shipping.to_json() if shipping else None,
        "billing_address": billing.to_json() if billing else None,
        "customer_note": new.customer_note,
    }
    found = {
        name: [getattr(order, name), value] for name, value in said.items() if getattr(order, name) != value
    }
    present = [
        [line.sku, line.gtin, line.quantity, line.unit_price_cents]
        for line in goods_of(lines_of(session, order.id))
    ]
    wanted = [[one.sku, normal_gtin(one.gtin), one.quantity, one.unit_price_cents] for one in new.lines]
    # A line keeps the SKU and GTIN of its product where the channel named none.
    if [one[2:] for one in present] != [one[2:] for one in wanted] or any(
        theirs is not None and ours != theirs
        for mine, other in zip(present, wanted, strict=True)
        for ours, theirs in zip(mine[:2], other[:2], strict=True)
    ):
        found["lines"] = [present, wanted]
    return found


def _apply(order: Order, changes: Mapping[str, Any]) -> None:
    """The order's country stays: its VAT was worked out for that one."""
    for name in _APPLIED:
        if name in changes:
            setattr(order, name, changes[name][1])
    order.email_norm = (order.buyer.get("email") or "").strip().casefold() or None


def _propose(session: Session, order: Order, payload_id: UUID, changes: dict[str, Any]) -> None:
    """A newer change takes the place of one that nobody decided on."""
    proposal = session.scalars(
        select(OrderProposal).where(
            OrderProposal.order_id == order.id, OrderProposal.status == ProposalStatus.PENDING
        )
    ).one_or_none()
    if proposal is None:
        proposal = OrderProposal(vendor_id=order.vendor_id, order_id=order.id)
        session.add(proposal)
    proposal.payload_id, proposal.changes = payload_id, changes
    note(session, order, "change_proposed", BY_CHANNEL, fields=sorted(changes))


def accept_proposal(session: Session, proposal_id: UUID, by: By) -> Order:
    """Take the channel's buyer, addresses and note over. Lines stay: they are cancelled or declined one by one."""
    order, proposal = _open(session, proposal_id)
    _apply(order, proposal.changes)
    _decide(session, order, proposal, ProposalStatus.ACCEPTED, by)
    return order


def reject_proposal(session: Session, proposal_id: UUID, by: By) -> Order:
    """Leave the order as it is."""
    order, proposal = _open(session, proposal_id)
    _decide(session, order, proposal, ProposalStatus.REJECTED, by)
    return order


def _open(session: Session, proposal_id: UUID) -> tuple[Order, OrderProposal]:
    proposal = session.get(OrderProposal, proposal_id)
    if proposal is None:
        raise ProposalNotFoundError
    order = lock_order(session, proposal.order_id)
    session.refresh(proposal)
    if proposal.status != ProposalStatus.PENDING:
        raise ProposalNotFoundError
    return order, proposal


def _decide(session: Session, order: Order, proposal: OrderProposal, status: ProposalStatus, by: By) -> None:
    proposal.status, proposal.decided_at, proposal.user_id = status, clock.now(), by.user_id
    note(session, order, f"proposal_{status}", by, fields=sorted(proposal.changes))
