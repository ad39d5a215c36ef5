"""Add-ons: what a platform sells on top of plans, and what a vendor has booked."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import ConflictError
from app.core.ids import new_id, to_public
from app.modules.billing.contracts import AddonInput, By, Period
from app.modules.billing.enums import ChangeKind, Interval, InvoiceKind, SubscriptionStatus
from app.modules.billing.exceptions import AddonNotFoundError, BillingInputError
from app.modules.billing.models.subscription import Subscription, SubscriptionAddon
from app.modules.billing.models.subscription_tier import Addon
from app.modules.billing.services import history_service, invoice_service, period_service, tier_service
from app.modules.billing.services.lock_service import locked_subscription
from app.modules.billing.services.subscription_service import require
from app.modules.tenancy.facade import record_audit

ADDON_PREFIX = "add"
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{1,31}")
_MAX_QUANTITY = 100


def create_addon(session: Session, platform_id: UUID, code: str, values: AddonInput) -> Addon:
    """A new add-on of a platform; its code stays for ever. Needs the system scope. Raises BillingInputError."""
    code = code.strip().lower()
    if not _CODE.fullmatch(code):
        raise BillingInputError("code", "code_form")
    taken = select(Addon.id).where(Addon.platform_id == platform_id, Addon.code == code)
    if session.scalar(taken) is not None:
        raise BillingInputError("code", "code_taken", code=code)
    addon = Addon(id=new_id(), platform_id=platform_id, code=code)
    _set(addon, values)
    session.add(addon)
    session.flush()
    _record(session, "billing.addon_created", addon)
    return addon


def update_addon(
    session: Session, addon_id: UUID, values: AddonInput, *, version: int | None = None
) -> Addon:
    """Change an add-on. Needs the system scope. Raises AddonNotFoundError, BillingInputError, ConflictError."""
    addon = get_addon(session, addon_id)
    if version is not None and addon.version != version:
        raise ConflictError("Somebody else changed this in the meantime. Open it again.")
    _set(addon, values)
    session.flush()
    _record(session, "billing.addon_updated", addon)
    return addon


def archive_addon(session: Session, addon_id: UUID) -> None:
    """Sell it no more; who has it keeps it. Needs the system scope."""
    addon = get_addon(session, addon_id)
    if addon.archived_at is None:
        addon.archived_at = clock.now()
        session.flush()
        _record(session, "billing.addon_archived", addon)


def restore_addon(session: Session, addon_id: UUID) -> None:
    """Sell an archived add-on again. Needs the system scope."""
    addon = get_addon(session, addon_id)
    if addon.archived_at is not None:
        addon.archived_at = None
        session.flush()
        _record(session, "billing.addon_restored", addon)


def get_addon(session: Session, addon_id: UUID) -> Addon:
    """An add-on by id; AddonNotFoundError."""
    with tier_service.reading_plans(session):
        addon = session.get(Addon, addon_id)
    if addon is None:
        raise AddonNotFoundError
    return addon


def list_addons(
    session: Session, platform_id: UUID | None = None, *, is_sold: bool = True
) -> Sequence[Addon]:
    """The add-ons of a platform or of all, by code; ``is_sold``: not archived."""
    statement = select(Addon).order_by(Addon.platform_id, Addon.code)
    if platform_id is not None:
        statement = statement.where(Addon.platform_id == platform_id)
    if is_sold:
        statement = statement.where(Addon.archived_at.is_(None))
    return session.scalars(statement).all()


def list_booked(session: Session, vendor_id: UUID) -> Sequence[Row[SubscriptionAddon, Addon]]:
    """What a vendor has booked and what that is, by code."""
    statement = (
        select(SubscriptionAddon, Addon)
        .join(Addon, Addon.id == SubscriptionAddon.addon_id)
        .where(SubscriptionAddon.vendor_id == vendor_id)
        .order_by(Addon.code)
    )
    with tier_service.reading_plans(session):
        return session.execute(statement).all()


def book(session: Session, vendor_id: UUID, addon_id: UUID, quantity: int, by: By) -> None:
    """Have so many of an add-on from now on; 0: have it until its own period ends.

    More of it is invoiced at once, in a trial with the first period. Raises SubscriptionError, AddonNotFoundError,
    BillingInputError, BilledByStripeError.
    """
    if not 0 <= quantity <= _MAX_QUANTITY:
        raise BillingInputError("quantity", "quantity", limit=_MAX_QUANTITY)
    with locked_subscription(session, vendor_id) as subscription:
        addon = get_addon(session, addon_id)
        if addon.platform_id != subscription.platform_id:
            raise AddonNotFoundError
        row = session.scalar(
            select(SubscriptionAddon).where(
                SubscriptionAddon.vendor_id == vendor_id, SubscriptionAddon.addon_id == addon_id
            )
        )
        present = row.quantity if row is not None and row.ends_at is None else 0
        require(subscription, "book" if quantity > present else "give_up", by)
        if quantity == present:
            return
        if quantity > present and addon.archived_at is not None:
            raise AddonNotFoundError
        _set_quantity(session, subscription, addon, row, quantity)
        kind = ChangeKind.ADDON_ADDED if quantity > present else ChangeKind.ADDON_REMOVED
        change = (str(present), str(quantity))
        history_service.note(session, subscription, kind, by, change, addon=addon.code)


def _set_quantity(
    session: Session, subscription: Subscription, addon: Addon, row: SubscriptionAddon | None, quantity: int
) -> None:
    now = clock.now()
    if quantity == 0:
        assert row is not None
        row.ends_at = now if row.started_at > now else _period(row, addon, now).end
        return
    is_new = row is None or (row.ends_at is not None and row.ends_at <= now)
    if row is None:
        row = SubscriptionAddon(id=new_id(), vendor_id=subscription.vendor_id, addon_id=addon.id, quantity=0)
        session.add(row)
    more = quantity - (0 if is_new else row.quantity)
    if is_new:
        is_trial = subscription.status == SubscriptionStatus.TRIAL
        row.started_at = subscription.anchor_at if is_trial else now
    row.quantity, row.ends_at = quantity, None
    session.flush()
    if more > 0 and row.started_at <= now:
        cents = more * addon.price_cents
        period = _period(row, addon, now)
        invoice_service.issue(session, subscription, InvoiceKind.ADDON, period, cents)


def _period(row: SubscriptionAddon, addon: Addon, moment: Any) -> Period:
    return period_service.period_at(row.started_at, addon.interval, moment)


def _set(addon: Addon, values: AddonInput) -> None:
    tier_service.check_names(values.names)
    for field in ("price_cents", "amount"):
        if getattr(values, field) < 0:
            raise BillingInputError(field, "negative")
    if values.interval not in set(Interval):
        raise BillingInputError("interval", "interval")
    addon.names = {language: name.strip() for language, name in values.names.items() if name.strip()}
    addon.price_cents, addon.currency, addon.interval = values.price_cents, values.currency, values.interval
    addon.feature_code, addon.amount = values.feature_code or None, values.amount


def _record(session: Session, action: str, addon: Addon) -> None:
    target = to_public(ADDON_PREFIX, addon.id)
    record_audit(session, action, target=target, code=addon.code, cents=addon.price_cents)
