"""What is said to Stripe for each thing that can be asked for, decided once everything is known that it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from stripe import StripeClient

from app.core import clock
from app.core.ids import to_public
from app.modules.billing.enums import SubscriptionStatus
from app.modules.billing.services import stripe_service, tier_service
from app.modules.billing.services.stripe_remote_service import (
    ENDED,
    RemoteInvoice,
    RemoteItem,
    RemoteSubscription,
    main_item,
)
from app.modules.billing.services.stripe_service import Change, Payer, Sold
from app.modules.payments.exceptions import GatewayRefusedError

# Stripe refuses a trial that ends earlier; a page may stay open for a day of it.
_SHORTEST_TRIAL = timedelta(hours=49)


@dataclass(frozen=True, slots=True)
class Work:
    """A request with all that is needed to talk about it.

    ``said``: what was fixed before, if it was. ``plans``: the products that are plans.
    """

    request_id: UUID
    act: str
    asked: Mapping[str, Any]
    said: Mapping[str, Any] | None
    client: StripeClient
    payer: Payer
    customer_id: str | None
    subscription_id: str | None
    status: str
    trial_ends_at: datetime | None
    sold: Mapping[UUID, Sold]
    tier_id: UUID | None
    addons: Mapping[UUID, int]
    plans: Mapping[str, UUID]

    @property
    def key(self) -> str:
        """The idempotency key of the act."""
        return str(self.request_id)


@dataclass(frozen=True, slots=True)
class Ready:
    """What has to be known before anything can be said: prices, the customer, how the subscription is now."""

    prices: Mapping[UUID, Mapping[str, str]]
    customer_id: str | None
    remote: RemoteSubscription | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it. ``error``: Stripe's code, or one of ours. ``page_id``: the page that takes another card."""

    result_url: str | None = None
    preview: Mapping[str, Any] | None = None
    error: str | None = None
    subscriptions: tuple[RemoteSubscription, ...] = ()
    invoices: tuple[RemoteInvoice, ...] = ()
    page_id: str | None = None


class NothingToSayError(Exception):
    """There is nothing to ask Stripe for; ``error``: why not, or None when it is so already."""

    def __init__(self, error: str | None = None) -> None:
        super().__init__(error)
        self.error = error


def preview(work: Work, ready: Ready) -> Answer:
    """Ask what a change would cost. Nothing is changed, so it needs no key."""
    try:
        remote, item, change = _change(work, ready)
        invoice = stripe_service.preview_change(work.client, remote, item, change)
    except NothingToSayError as error:
        return Answer(error=error.error or "same")
    except GatewayRefusedError as error:
        return Answer(error=str(error.params.get("reason") or "other"))
    now = clock.now()
    starts_at = now if change.is_now or item.period_end is None else item.period_end
    assert work.tier_id is not None
    shown = stripe_service.shown_preview(
        invoice,
        str(work.asked["tier_code"]),
        str(work.asked["interval"]),
        starts_at=starts_at,
        is_now=change.is_now,
        cents=work.sold[work.tier_id].cents[str(work.asked["interval"])],
    )
    return Answer(preview=shown)


def decide(work: Work, ready: Ready) -> dict[str, Any]:
    """What is said for a request, as JSON. Raises NothingToSayError."""
    return _SAYINGS[work.act](work, ready)


def _change(work: Work, ready: Ready) -> tuple[RemoteSubscription, RemoteItem, Change]:
    """The subscription, its plan's item, and what it becomes."""
    remote = _running(ready)
    item = main_item(remote.items, work.plans)
    if item is None or work.tier_id is None:
        raise NothingToSayError("unknown")
    interval, is_dropped = str(work.asked["interval"]), bool(work.asked["is_dropped"])
    price_id = ready.prices[work.tier_id][interval]
    waits = bool(remote.metadata.get(stripe_service.PLANNED_KEY))
    if (is_dropped and not waits) or (item.price_id == price_id and not is_dropped and not waits):
        raise NothingToSayError
    is_now = bool(work.asked["is_now"]) and not is_dropped
    planned = ""
    if not is_now and not is_dropped and item.period_end is not None:
        plan = to_public(tier_service.TIER_PREFIX, work.tier_id)
        planned = f"{plan}/{interval}@{int(item.period_end.timestamp())}"
    return remote, item, Change(price_id, is_now, int(work.asked["at"]), planned)


def _running(ready: Ready) -> RemoteSubscription:
    if ready.remote is None or ready.remote.status in ENDED:
        raise NothingToSayError("ended")
    return ready.remote


def _say_subscribe(work: Work, ready: Ready) -> dict[str, Any]:
    if ready.remote is not None and ready.remote.status not in ENDED:
        raise NothingToSayError("running")
    if ready.customer_id is None or work.tier_id is None:
        raise NothingToSayError("unknown")
    prices = [(ready.prices[work.tier_id][str(work.asked["interval"])], 1)]
    prices += [(next(iter(ready.prices[key].values())), count) for key, count in work.addons.items()]
    end, now = work.trial_ends_at, clock.now()
    if work.status != SubscriptionStatus.TRIAL or end is None or end <= now:
        end = None
    elif end < now + _SHORTEST_TRIAL:
        end = now + _SHORTEST_TRIAL
    page = stripe_service.checkout_params(
        work.payer, ready.customer_id, prices, work.asked["return_url"], end
    )
    return {"checkout": page}


def _say_card(work: Work, ready: Ready) -> dict[str, Any]:
    remote = _running(ready)
    page = stripe_service.card_params(
        work.payer, remote.customer_id, remote.id, "EUR", work.asked["return_url"]
    )
    return {"checkout": page}


def _say_portal(work: Work, _ready: Ready) -> dict[str, Any]:
    params: dict[str, Any] = {"customer": work.customer_id, "return_url": work.asked["return_url"]}
    if work.asked["flow"]:
        params["flow_data"] = {"type": work.asked["flow"]}
    return {"portal": params}


def _say_change(work: Work, ready: Ready) -> dict[str, Any]:
    remote, item, change = _change(work, ready)
    return {"subscription": remote.id, "update": stripe_service.change_params(remote, item, change)}


def _say_trial(work: Work, ready: Ready) -> dict[str, Any]:
    remote = _running(ready)
    return {"subscription": remote.id, "update": stripe_service.trial_params(work.asked["until"])}


def _say_cancel(work: Work, ready: Ready) -> dict[str, Any]:
    remote = _running(ready)
    item = main_item(remote.items, work.plans)
    return {
        "subscription": remote.id,
        "update": stripe_service.cancel_params(remote, item, work.asked),
    }


def _say_reactivate(_work: Work, ready: Ready) -> dict[str, Any]:
    remote = _running(ready)
    return {"subscription": remote.id, "update": stripe_service.keep_params(remote)}


def _say_addon(work: Work, ready: Ready) -> dict[str, Any]:
    remote = _running(ready)
    ((key, quantity),) = work.addons.items()
    price_id = next(iter(ready.prices[key].values()))
    params = stripe_service.addon_params(remote, [work.sold[key].product_id], price_id, quantity)
    if params is None:
        raise NothingToSayError
    return {"subscription": remote.id, "update": params}


def _say_pay(work: Work, _ready: Ready) -> dict[str, Any]:
    return {"pay": work.asked["invoice"]}


_SAYINGS = {
    "subscribe": _say_subscribe,
    "card": _say_card,
    "portal": _say_portal,
    "change": _say_change,
    "trial": _say_trial,
    "cancel": _say_cancel,
    "reactivate": _say_reactivate,
    "addon": _say_addon,
    "pay": _say_pay,
}
