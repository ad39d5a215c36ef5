"""What people ask of Stripe: written down in their transaction, done by a job, looked at until it is done."""

from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import new_id, to_public
from app.modules.billing.contracts import BY_TASK, By, RequestInfo
from app.modules.billing.enums import CancelFeedback, Interval, InvoiceStatus, RequestKind, SubscriptionStatus
from app.modules.billing.exceptions import (
    AddonNotFoundError,
    BillingInputError,
    ChangeWaitsError,
    InvoiceStateError,
    NotBilledByStripeError,
    PreviewStaleError,
)
from app.modules.billing.models.remote import BillingRequest
from app.modules.billing.models.subscription import Subscription
from app.modules.billing.services import (
    addon_service,
    invoice_service,
    subscription_service,
    tier_service,
)
from app.modules.billing.services.lock_service import locked_subscription
from app.modules.billing.services.stripe_service import read_preview
from app.modules.tenancy.facade import record_audit
from app.tasks.dispatcher import dispatch
from app.tasks.models import Job, JobState

REQUEST_PREFIX = "brq"
_TASKS = "app.modules.billing.tasks.stripe"
_KINDS = {
    "subscribe": RequestKind.CHECKOUT,
    "card": RequestKind.CHECKOUT,
    "portal": RequestKind.PORTAL,
    "preview": RequestKind.CHANGE,
    "change": RequestKind.CHANGE,
    "trial": RequestKind.CHANGE,
    "cancel": RequestKind.CANCEL,
    "reactivate": RequestKind.REACTIVATE,
    "addon": RequestKind.ADDON,
    "pay": RequestKind.PAY,
}
_PREVIEW_HOLDS = timedelta(hours=1)
_MOST_ADDONS, _MOST_DAYS, _MOST_REASON = 100, 365, 500


def is_billed_by_stripe(subscription: Subscription) -> bool:
    """Whether a change has to be asked of Stripe."""
    return subscription.stripe_subscription_id is not None


def ask_checkout(
    session: Session, vendor_id: UUID, by: By, tier_code: str, interval: str, return_url: str
) -> UUID:
    """Ask for Stripe's page that sells a plan. What is left of a trial stays free.

    Raises SubscriptionError, TierNotFoundError, TierArchivedError.
    """
    with locked_subscription(session, vendor_id) as subscription:
        if is_billed_by_stripe(subscription) and subscription.status != SubscriptionStatus.EXPIRED:
            raise subscription_service.refused(subscription, "activate")
        subscription_service.require(subscription, "activate", BY_TASK)
        tier_service.get_sold_tier(session, subscription.platform_id, tier_code)
        return _ask(
            session,
            subscription,
            "subscribe",
            by,
            tier_code=tier_code,
            interval=Interval(interval).value,
            return_url=return_url,
        )


def ask_card(session: Session, vendor_id: UUID, by: By, return_url: str) -> UUID:
    """Ask for Stripe's page that takes another payment method. Raises NotBilledByStripeError."""
    with locked_subscription(session, vendor_id) as subscription:
        _require_stripe(subscription)
        return _ask(session, subscription, "card", by, return_url=return_url)


def ask_portal(
    session: Session,
    vendor_id: UUID,
    by: By,
    return_url: str,
    *,
    flow: Literal["", "payment_method_update"] = "",
) -> UUID:
    """Ask for Stripe's customer portal. Raises NotBilledByStripeError."""
    with locked_subscription(session, vendor_id) as subscription:
        if subscription.stripe_customer_id is None:
            raise NotBilledByStripeError
        return _ask(session, subscription, "portal", by, return_url=return_url, flow=flow)


def ask_preview(session: Session, vendor_id: UUID, by: By, tier_code: str, interval: str) -> UUID | None:
    """Ask what a change of the plan costs; None where Stripe does not bill. Raises as ``ask_change`` does."""
    with locked_subscription(session, vendor_id) as subscription:
        if not is_billed_by_stripe(subscription):
            return None
        change = _change(session, subscription, tier_code, interval)
        return _ask(session, subscription, "preview", by, **change)


def ask_change(
    session: Session,
    vendor_id: UUID,
    by: By,
    tier_code: str,
    interval: str,
    *,
    preview_id: UUID | None = None,
) -> UUID | None:
    """Change the plan: a larger one or another interval at once, a smaller one from the next period on; the present
    one drops a change that waits. None: it was done at once, without Stripe.

    With ``preview_id`` the difference is what was shown. Raises SubscriptionError, ChangeWaitsError,
    PreviewStaleError, TierNotFoundError, TierArchivedError.
    """
    with locked_subscription(session, vendor_id) as subscription:
        if not is_billed_by_stripe(subscription):
            subscription_service.change_tier(session, vendor_id, tier_code, by, interval)
            return None
        change = _change(session, subscription, tier_code, interval)
        if preview_id is not None:
            change["at"] = _shown_moment(session, vendor_id, preview_id, change)
        return _ask(session, subscription, "change", by, **change)


def ask_cancel(
    session: Session, vendor_id: UUID, by: By, reason: str = "", feedback: CancelFeedback | None = None
) -> UUID | None:
    """End the subscription with its period. None: done. Raises SubscriptionError."""
    with locked_subscription(session, vendor_id) as subscription:
        if not is_billed_by_stripe(subscription):
            subscription_service.cancel(session, vendor_id, by, reason, feedback)
            return None
        subscription_service.require(subscription, "cancel", BY_TASK)
        why = {"reason": reason.strip()[:_MOST_REASON], "feedback": feedback}
        return _ask(session, subscription, "cancel", by, **why)


def ask_reactivate(session: Session, vendor_id: UUID, by: By) -> UUID | None:
    """Take a cancellation back before the end. None: done. Raises SubscriptionError."""
    with locked_subscription(session, vendor_id) as subscription:
        if not is_billed_by_stripe(subscription):
            subscription_service.reactivate(session, vendor_id, by)
            return None
        subscription_service.require(subscription, "reactivate", BY_TASK)
        return _ask(session, subscription, "reactivate", by)


def ask_addon(session: Session, vendor_id: UUID, by: By, addon_id: UUID, quantity: int) -> UUID | None:
    """Have so many of an add-on; 0: until its period ends. None: done.

    Raises SubscriptionError, AddonNotFoundError, BillingInputError.
    """
    with locked_subscription(session, vendor_id) as subscription:
        if not is_billed_by_stripe(subscription):
            addon_service.book(session, vendor_id, addon_id, quantity, by)
            return None
        subscription_service.require(subscription, "book", BY_TASK)
        addon = addon_service.get_addon(session, addon_id)
        if addon.platform_id != subscription.platform_id or (addon.archived_at and quantity):
            raise AddonNotFoundError
        if not 0 <= quantity <= _MOST_ADDONS:
            raise BillingInputError("quantity", "quantity", limit=_MOST_ADDONS)
        return _ask(session, subscription, "addon", by, addon_id=str(addon_id), quantity=quantity)


def ask_trial_extension(
    session: Session, vendor_id: UUID, by: By, days: int, reason: str = ""
) -> UUID | None:
    """Let a trial last so many days longer. None: done. Raises SubscriptionError, BillingInputError."""
    with locked_subscription(session, vendor_id) as subscription:
        if not is_billed_by_stripe(subscription):
            subscription_service.extend_trial(session, vendor_id, days, by, reason)
            return None
        subscription_service.require(subscription, "extend_trial", BY_TASK)
        if not 1 <= days <= _MOST_DAYS:
            raise BillingInputError("days", "days")
        former = subscription.trial_ends_at
        assert former is not None
        end = max(former, clock.now()) + timedelta(days=days)
        return _ask(session, subscription, "trial", by, until=int(end.timestamp()), reason=reason)


def ask_payment(session: Session, vendor_id: UUID, by: By, invoice_id: UUID) -> UUID:
    """Charge an open invoice to the card on file. Raises InvoiceNotFoundError, InvoiceStateError,
    NotBilledByStripeError."""
    with locked_subscription(session, vendor_id) as subscription:
        invoice = invoice_service.get_invoice(session, invoice_id)
        if invoice.stripe_invoice_id is None:
            raise NotBilledByStripeError
        if invoice.status != InvoiceStatus.OPEN:
            raise InvoiceStateError(f"The invoice is {invoice.status}.", status=invoice.status)
        return _ask(session, subscription, "pay", by, invoice=invoice.stripe_invoice_id)


def ask_sync(session: Session, vendor_id: UUID, by: By) -> UUID:
    """Have all of a vendor's state and invoices read again; the job. Raises NotBilledByStripeError."""
    with locked_subscription(session, vendor_id) as subscription:
        if subscription.stripe_customer_id is None:
            raise NotBilledByStripeError
        key = f"billing:read:{vendor_id}"
        job = dispatch(
            session, f"{_TASKS}.read_again", vendor_id=vendor_id, unique_key=key, created_by=by.user_id
        )
        return job.id


def ask_tier_sync(session: Session, tier_id: UUID, by: By) -> UUID:
    """Have product and prices of a plan made at Stripe; the job. Raises TierNotFoundError."""
    tier = tier_service.get_tier(session, tier_id)
    return _ask_prices(session, "tier", tier.id, by)


def ask_addon_sync(session: Session, addon_id: UUID, by: By) -> UUID:
    """Have product and price of an add-on made at Stripe; the job. Raises AddonNotFoundError."""
    addon = addon_service.get_addon(session, addon_id)
    return _ask_prices(session, "addon", addon.id, by)


def find_request(session: Session, vendor_id: UUID, request_id: UUID) -> RequestInfo | None:
    """What became of a request of a vendor's."""
    found = session.execute(
        select(BillingRequest, Job.state)
        .outerjoin(Job, Job.id == BillingRequest.job_id)
        .where(BillingRequest.id == request_id, BillingRequest.vendor_id == vendor_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        return None
    row, job_state = found
    state: Literal["waiting", "done", "failed"] = "waiting"
    error = row.error
    if row.finished_at is not None:
        state = "failed" if error else "done"
    elif job_state not in (JobState.QUEUED, JobState.RUNNING):
        state, error = "failed", "unavailable"
    shown = row.arguments.get("preview")
    return RequestInfo(
        id=row.id,
        kind=row.kind,
        act=str(row.arguments.get("act", "")),
        state=state,
        result_url=row.result_url,
        error=error,
        preview=read_preview(shown) if shown else None,
        created_at=row.created_at,
    )


def _ask_prices(session: Session, kind: str, key: UUID, by: By) -> UUID:
    job = dispatch(
        session,
        f"{_TASKS}.sync_prices",
        kwargs={"kind": kind, "sold_id": key},
        unique_key=f"billing:prices:{key}",
        ordering_key=f"billing:prices:{key}",
        created_by=by.user_id,
    )
    return job.id


def _ask(session: Session, subscription: Subscription, act: str, by: By, **asked: Any) -> UUID:
    """In the vendor's scope. Requests of a vendor are done one after the other."""
    vendor_id = subscription.vendor_id
    row = BillingRequest(
        id=new_id(),
        vendor_id=vendor_id,
        kind=_KINDS[act],
        arguments={"act": act, **asked},
        created_by=by.user_id,
    )
    session.add(row)
    session.flush()
    job = dispatch(
        session,
        f"{_TASKS}.carry_out",
        kwargs={"request_id": row.id},
        vendor_id=vendor_id,
        unique_key=f"billing:request:{row.id}",
        ordering_key=f"billing:{vendor_id}",
        created_by=by.user_id,
    )
    row.job_id = job.id
    session.flush()
    shown = {name: value for name, value in asked.items() if name != "return_url"}
    target = to_public(REQUEST_PREFIX, row.id)
    record_audit(
        session, f"billing.{act}_asked", vendor_id=vendor_id, actor_id=by.user_id, target=target, **shown
    )
    return row.id


def _require_stripe(subscription: Subscription) -> None:
    if not is_billed_by_stripe(subscription):
        raise NotBilledByStripeError


def _change(session: Session, subscription: Subscription, tier_code: str, interval: str) -> dict[str, Any]:
    """A change as it is asked for; what depends on the present moment is fixed now."""
    subscription_service.require(subscription, "change_tier", BY_TASK)
    interval = Interval(interval).value
    former = tier_service.get_tier(session, subscription.tier_id)
    is_same = (tier_code, interval) == (former.code, subscription.interval)
    # Who has an archived plan may keep it.
    tier = former if is_same else tier_service.get_sold_tier(session, subscription.platform_id, tier_code)
    is_later = interval == subscription.interval and tier.order_index < former.order_index
    if subscription.status == SubscriptionStatus.TRIAL:
        is_later = False
    waits = subscription.next_tier_id is not None
    if waits and not is_same and not is_later:
        raise ChangeWaitsError
    at = int(max(clock.now(), subscription.period_start).timestamp())
    return {
        "tier_code": tier_code,
        "interval": interval,
        "is_now": not is_later,
        "is_dropped": is_same,
        "at": at,
    }


def _shown_moment(session: Session, vendor_id: UUID, preview_id: UUID, change: dict[str, Any]) -> int:
    row = session.scalar(
        select(BillingRequest).where(BillingRequest.id == preview_id, BillingRequest.vendor_id == vendor_id)
    )
    fixed = ("tier_code", "interval", "is_now")
    if (
        row is None
        or "preview" not in row.arguments
        or any(row.arguments.get(name) != change[name] for name in fixed)
        or not _is_fresh(row.arguments["at"])
    ):
        raise PreviewStaleError
    return int(row.arguments["at"])


def _is_fresh(at: int) -> bool:
    return clock.now() - datetime.fromtimestamp(at, clock.now().tzinfo) <= _PREVIEW_HOLDS
