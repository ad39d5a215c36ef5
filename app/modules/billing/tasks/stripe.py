"""Talking to Stripe. No transaction is open while it is asked; a run that dies is done again with the same keys."""

from typing import Any
from uuid import UUID

from celery import shared_task

from app.modules.billing.services import (
    addon_service,
    stripe_card_service,
    stripe_compare_service,
    stripe_saying_service,
    stripe_service,
    stripe_sync_service,
    stripe_work_service,
    tier_service,
)
from app.modules.billing.services.stripe_saying_service import Answer, NothingToSayError
from app.modules.billing.services.subscription_service import get_subscription
from app.modules.payments.facade import stripe_client
from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="vendor", max_attempts=8, time_limit_seconds=300.0)
def carry_out(self: ModuleTask, vendor_id: str, request_id: str) -> dict[str, Any]:
    """Say to Stripe what one request asks for; returns its error, if there is one."""
    vendor, key = UUID(vendor_id), UUID(request_id)
    with self.get_db() as session:
        work = stripe_work_service.prepare(session, vendor, key)
        if work is None:
            return {"called": False}
        said = work.said
        answer = None
        if said is None:
            self.checkpoint(None, 0, 3)
            ready = stripe_work_service.make_ready(work)
            stripe_work_service.keep_ready(session, vendor, work, ready)
            self.checkpoint(None, 1, 3)
            if work.act == "preview":
                answer = stripe_saying_service.preview(work, ready)
            else:
                try:
                    said = stripe_work_service.fix(session, work, ready)
                except NothingToSayError as nothing:
                    found = (ready.remote,) if ready.remote else ()
                    answer = Answer(error=nothing.error, subscriptions=found)
        if answer is None:
            assert said is not None
            self.checkpoint(None, 2, 3)
            answer = stripe_work_service.say(work, said)
        stripe_work_service.record(session, vendor, work, answer)
    return {"called": True, "error": answer.error}


@shared_task(base=ModuleTask, bind=True, scope="vendor", max_attempts=5, time_limit_seconds=300.0)
def read_again(self: ModuleTask, vendor_id: str) -> dict[str, int]:
    """Read all of a vendor's state and invoices at Stripe again; returns how many of each."""
    vendor = UUID(vendor_id)
    with self.get_db() as session:
        local = get_subscription(session, vendor)
        if local.stripe_customer_id is None:
            return {"subscriptions": 0, "invoices": 0}
        client, customer_id = stripe_client(session, local.platform_id), local.stripe_customer_id
        pages = stripe_card_service.list_waiting(session, vendor_id=vendor)
        self.checkpoint(None, 0, 1)
        over, _ = stripe_card_service.look(client, pages)
        found = stripe_sync_service.read_customer(client, customer_id)
        stripe_card_service.close(session, over)
        return stripe_compare_service.apply_customer(session, found)


@shared_task(base=ModuleTask, bind=True, scope="vendor", max_attempts=8, time_limit_seconds=120.0)
def end_duplicate(self: ModuleTask, vendor_id: str, duplicate: str) -> None:
    """End a subscription that was begun beside the vendor's own, and give the money back as balance.

    ``duplicate``: its id at Stripe.
    """
    with self.get_db() as session:
        local = get_subscription(session, UUID(vendor_id))
        client = stripe_client(session, local.platform_id)
        is_own = local.stripe_subscription_id == duplicate
        self.checkpoint(None, 0, 1)
    if not is_own:
        stripe_service.cancel_now(client, duplicate)


@shared_task(base=ModuleTask, bind=True, scope="platform", max_attempts=5, time_limit_seconds=120.0)
def sync_prices(self: ModuleTask, kind: str, sold_id: str) -> dict[str, str]:
    """Make product and prices of a plan or an add-on at Stripe; returns the prices by interval."""
    key = UUID(sold_id)
    with self.get_db() as session:
        if kind == "tier":
            tier = tier_service.get_tier(session, key)
            sold, platform_id = stripe_service.sold_tier(tier), tier.platform_id
        else:
            addon = addon_service.get_addon(session, key)
            sold, platform_id = stripe_service.sold_addon(addon), addon.platform_id
        client = stripe_client(session, platform_id)
        self.checkpoint(None, 0, 1)
        prices = stripe_service.sync_tier(client, sold)
        stripe_work_service.keep_prices(session, key, sold, prices)
    return prices
