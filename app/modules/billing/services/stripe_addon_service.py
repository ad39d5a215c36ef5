"""Add-ons as the items of a subscription at Stripe say."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import new_id
from app.modules.billing.contracts import BY_STRIPE
from app.modules.billing.enums import ChangeKind
from app.modules.billing.models.subscription import Subscription, SubscriptionAddon
from app.modules.billing.models.subscription_tier import Addon, SubscriptionTier
from app.modules.billing.services import addon_service, history_service, period_service
from app.modules.billing.services.stripe_remote_service import ENDED, RemoteItem, RemoteSubscription

Billed = dict[str, tuple[int, str | None]]  # by product: how many, and the item's id


def apply_addons(session: Session, local: Subscription, remote: RemoteSubscription, *, is_link: bool) -> None:
    """Book what Stripe bills, and end what it does not, in the vendor's scope and with the subscription locked.

    What is no longer billed was paid until its own period ends. ``is_link``: the subscription is new, so that what was
    booked before and is no part of it ends now.
    """
    items = (
        {} if remote.status in ENDED else {item.product_id: item for item in remote.items if item.quantity}
    )
    booked = {
        row.addon_id: (row, addon)
        for row, addon in addon_service.list_booked(session, local.vendor_id)
        if row.stripe_item_id is not None or is_link or addon.stripe_product_id in items
    }
    sold = session.scalars(select(Addon).where(Addon.stripe_product_id.in_(items)))
    for addon in sold.all():
        row = booked.pop(addon.id, (None, addon))[0]
        _book(session, local, addon, row, items[str(addon.stripe_product_id)])
    for row, addon in booked.values():
        if row.ends_at is None:
            _end(session, local, addon, row, _paid_until(local, addon, remote, is_link=is_link))


def items_of(remote: RemoteSubscription, tiers: Mapping[str, SubscriptionTier]) -> Billed:
    """What Stripe bills besides plans, by product."""
    return {
        item.product_id: (item.quantity, item.id)
        for item in remote.items
        if item.quantity and item.product_id not in tiers
    }


def billed(session: Session, vendor_ids: Collection[UUID]) -> Mapping[UUID, Billed]:
    """By vendor the add-ons that Stripe bills as far as is known, as ``items_of`` says it."""
    row = SubscriptionAddon
    rows = (
        select(row.vendor_id, Addon.stripe_product_id, row.quantity, row.stripe_item_id)
        .join(Addon, Addon.id == row.addon_id)
        .where(row.vendor_id.in_(vendor_ids), row.stripe_item_id.is_not(None), row.ends_at.is_(None))
    )
    found: dict[UUID, Billed] = defaultdict(dict)
    for vendor_id, product, quantity, item_id in session.execute(rows):
        found[vendor_id][product or ""] = (quantity, item_id)
    return found


def _book(
    session: Session, local: Subscription, addon: Addon, row: SubscriptionAddon | None, item: RemoteItem
) -> None:
    now = clock.now()
    is_gone = row is None or (row.ends_at is not None and row.ends_at <= now)
    present = 0 if row is None or is_gone or row.ends_at is not None else row.quantity
    if row is None:
        row = SubscriptionAddon(id=new_id(), vendor_id=local.vendor_id, addon_id=addon.id, started_at=now)
        session.add(row)
    if is_gone:
        row.started_at = now
    row.quantity, row.ends_at, row.stripe_item_id = item.quantity, None, item.id
    session.flush()
    if present != item.quantity:
        kind = ChangeKind.ADDON_ADDED if item.quantity > present else ChangeKind.ADDON_REMOVED
        change = (str(present), str(item.quantity))
        history_service.note(session, local, kind, BY_STRIPE, change, addon=addon.code)


def _end(
    session: Session, local: Subscription, addon: Addon, row: SubscriptionAddon, moment: datetime
) -> None:
    row.ends_at, row.stripe_item_id = moment, None
    session.flush()
    change = (str(row.quantity), "0")
    history_service.note(session, local, ChangeKind.ADDON_REMOVED, BY_STRIPE, change, addon=addon.code)


def _paid_until(local: Subscription, addon: Addon, remote: RemoteSubscription, *, is_link: bool) -> datetime:
    now = clock.now()
    if is_link or remote.status == "trialing" or remote.status in ENDED:
        return now
    return period_service.period_at(local.anchor_at, addon.interval, now).end
