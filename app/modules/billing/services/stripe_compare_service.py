"""Comparing subscriptions with what was read of them: what differs is taken over, and kept for the operator to see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.modules.billing.models.remote import SyncDifference
from app.modules.billing.models.subscription import Subscription
from app.modules.billing.services import (
    stripe_addon_service,
    stripe_apply_service,
    stripe_invoice_service,
    sync_service,
)
from app.modules.billing.services.lock_service import as_vendor, locked_subscription
from app.modules.billing.services.stripe_addon_service import Billed
from app.modules.billing.services.stripe_apply_service import Applied, Tiers
from app.modules.billing.services.stripe_remote_service import RemoteInvoice, RemoteSubscription


class Compared(StrEnum):
    """What a comparison showed."""

    SAME = "same"
    DIFFERED = "differed"
    FOREIGN = "foreign"  # not ours


@dataclass(frozen=True, slots=True)
class Page:
    """What is known of the subscriptions of a page, read at once; those with a difference still open are left out."""

    by_remote_id: Mapping[str, Subscription]
    tiers: Tiers
    billed: Mapping[UUID, Billed]


def open_page(session: Session, remotes: Sequence[RemoteSubscription]) -> Page:
    """Read what is known of a page by a few statements."""
    is_open = select(SyncDifference.id).where(
        SyncDifference.subscription_id == Subscription.id, SyncDifference.resolved_at.is_(None)
    )
    rows = select(Subscription).where(
        Subscription.stripe_subscription_id.in_([one.id for one in remotes]), ~is_open.exists()
    )
    found = session.scalars(rows.execution_options(populate_existing=True)).all()
    return Page(
        {str(row.stripe_subscription_id): row for row in found},
        stripe_apply_service.tiers_of(session, remotes),
        stripe_addon_service.billed(session, [row.vendor_id for row in found]),
    )


def compare_in(session: Session, page: Page, remote: RemoteSubscription, account: UUID | None) -> Compared:
    """Compare one of a page. Where nothing differs, only the time of reading is written, without a lock.

    ``account``: the platform whose own account it was read of, else None.
    """
    local = page.by_remote_id.get(remote.id)
    if local is not None and account in (None, local.platform_id):
        billed = page.billed.get(local.vendor_id, {})
        if stripe_apply_service.is_same(local, remote, page.tiers, billed):
            with as_vendor(session, local.vendor_id):
                if sync_service.note_read(session, local, remote.read_at):
                    return Compared.SAME
    return compare(session, remote, account)


def compare(session: Session, remote: RemoteSubscription, account: UUID | None = None) -> Compared:
    """Take a subscription over under its lock, and keep what differed."""
    vendor_id = stripe_apply_service.find_owner(session, remote)
    if vendor_id is None:
        return Compared.FOREIGN
    with locked_subscription(session, vendor_id) as local:
        is_linked = local.stripe_subscription_id == remote.id
        tiers = stripe_apply_service.tiers_of(session, [remote])
        found, lasting = stripe_apply_service.differences(session, local, remote, tiers)
        applied = stripe_apply_service.apply_to(session, local, remote, account)
        if applied is not Applied.DONE:
            return Compared.SAME if applied is Applied.OLDER else Compared.FOREIGN
        if is_linked:
            sync_service.note_differences(session, local, {**found, **lasting})
        sync_service.note_differences(session, local, lasting)
    return Compared.DIFFERED if found or lasting else Compared.SAME


def apply_customer(
    session: Session, found: tuple[Sequence[RemoteSubscription], Sequence[RemoteInvoice]]
) -> dict[str, int]:
    """Take over what was read of a customer; how many of each were written."""
    subscriptions, invoices = found
    applied = sum(compare(session, remote) is not Compared.FOREIGN for remote in reversed(subscriptions))
    written = sum(stripe_invoice_service.apply_invoice(session, invoice) for invoice in reversed(invoices))
    return {"subscriptions": applied, "invoices": written}
