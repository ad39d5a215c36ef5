"""What billing does by the clock. Every run may be repeated: what was done is not done again."""

from collections.abc import Callable, Sequence
from uuid import UUID

import structlog
from celery import shared_task
from sqlalchemy.orm import Session

from app.core import clock
from app.modules.billing.config import BillingConfig
from app.modules.billing.services import (
    invoice_service,
    round_service,
    settlement_service,
    stripe_sync_service,
    trial_service,
)
from app.modules.payments.facade import delete_processed_webhooks
from app.modules.task_base import ModuleTask
from app.tasks.errors import JobCancelledError, StaleRunError, TimeLimitError

log = structlog.get_logger(__name__)

_HOUR_SECONDS = 3600.0
_NOT_A_ROW = (JobCancelledError, StaleRunError, TimeLimitError)


@shared_task(base=ModuleTask, bind=True, scope="platform", time_limit_seconds=_HOUR_SECONDS)
def reset_period_counters(self: ModuleTask) -> dict[str, int]:
    """Move periods that have ended on, with their invoices and counters; begin the grace of those who owe.

    Returns ``rolled``, ``past_due`` and ``failed`` vendors.
    """
    with self.get_db() as session:
        now = clock.now()
        ended = round_service.list_ended_periods(session, now)
        rolled, failed = _each(self, "periods", ended, lambda s, key: round_service.roll_period(s, key) > 0)
        overdue = invoice_service.list_overdue_vendors(session, now)
        past_due, unmarked = _each(self, "overdue", overdue, settlement_service.mark_overdue)
    return {"rolled": rolled, "past_due": past_due, "failed": failed + unmarked}


@shared_task(base=ModuleTask, bind=True, scope="platform", time_limit_seconds=_HOUR_SECONDS)
def check_trial_expirations(self: ModuleTask) -> dict[str, int]:
    """End trials that are over, remind of those that will be, start those that are missing.

    Returns ``ended``, ``reminded``, ``started`` and ``failed``.
    """
    with self.get_db() as session:
        now = clock.now()
        over = trial_service.list_trials(session, now)
        ended, failed = _each(
            self, "trials", over, lambda s, key: trial_service.end_trial(s, key) is not None
        )
        near = trial_service.list_trials(session, now + trial_service.LONGEST_REMINDER)
        reminded, unreminded = _each(self, "reminders", near, trial_service.remind)
        started = trial_service.start_missing(session)
    return {"ended": ended, "reminded": reminded, "started": started, "failed": failed + unreminded}


@shared_task(base=ModuleTask, bind=True, scope="platform")
def start_trials(self: ModuleTask) -> dict[str, int]:
    """Start the trials of vendors that have no subscription; returns ``{"started": n}``."""
    with self.get_db() as session:
        return {"started": trial_service.start_missing(session)}


@shared_task(base=ModuleTask, bind=True, scope="platform", time_limit_seconds=_HOUR_SECONDS)
def sync_stripe_status(self: ModuleTask) -> dict[str, int]:
    """Compare every subscription that Stripe bills with Stripe; returns how many were read, differed and failed."""
    return stripe_sync_service.sync_all(self)


@shared_task(base=ModuleTask, bind=True, scope="platform", time_limit_seconds=_HOUR_SECONDS)
def cleanup_stale_subscriptions(self: ModuleTask) -> dict[str, int]:
    """Expire what was cancelled or unpaid for too long, and forget old messages of payment providers.

    Returns ``expired``, ``failed`` and ``webhooks``. Subscriptions, invoices and their history are kept.
    """
    with self.get_db() as session:
        ended = round_service.list_ended(session, clock.now())
        expired, failed = _each(self, "subscriptions", ended, round_service.expire_ended)
        removed = 0
        while batch := delete_processed_webhooks(session, BillingConfig().webhook_days):
            removed += batch
            self.checkpoint(None, removed, phase="webhooks")
    return {"expired": expired, "failed": failed, "webhooks": removed}


def _each(
    task: ModuleTask, phase: str, vendor_ids: Sequence[UUID], work: Callable[[Session, UUID], bool]
) -> tuple[int, int]:
    """Do the work of each vendor in a transaction of its own: (how many had something to do, how many failed)."""
    done = failed = 0
    with task.get_db() as session:
        for number, vendor_id in enumerate(vendor_ids, start=1):
            try:
                done += work(session, vendor_id)
            except _NOT_A_ROW:
                raise
            except Exception:
                log.exception("billing_round_failed", phase=phase, vendor_id=str(vendor_id))
                task.discard()
                failed += 1
            task.checkpoint(None, number, len(vendor_ids), phase=phase)
    return done, failed
