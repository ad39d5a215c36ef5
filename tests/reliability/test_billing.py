"""A year of subscriptions in small, and that each kind of difference would be noticed."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.testing.billing import compare as comparing
from app.testing.billing.compare import Ends, compare, digest
from app.testing.billing.plan import kills, lives
from app.testing.billing.proof import Plan, is_proved, prove_billing

NOW = datetime(2040, 3, 1, tzinfo=UTC)
START, END = datetime(2040, 2, 10, tzinfo=UTC), datetime(2040, 3, 10, tzinfo=UTC)
_GOOD = {
    "differences": 0,
    "jobs_failed": 0,
    "webhooks_unprocessed": 0,
    "kills_missed": 0,
    "invoices": 9,
    "lost": 4,
}


@pytest.mark.long(40)
@pytest.mark.reliability
@pytest.mark.timeout(400)
def test_what_gets_lost_is_found_and_repaired(tmp_path: Path) -> None:
    figures = prove_billing(tmp_path, Plan(subscriptions=30, months=3, seed=7, kills=1))
    assert is_proved(figures), json.dumps(figures, default=str)
    assert figures["differences_before"] > 0, "nothing was broken, so nothing was shown"
    assert sum(figures["kills"].values()) == 1
    assert {"active", "expired"} <= figures["statuses"].keys()


@pytest.mark.parametrize(
    "change",
    [*({name: 1} for name, value in _GOOD.items() if value == 0), {"invoices": 0}, {"lost": 0}],
    ids=str,
)
def test_each_figure_can_fail_the_proof(change: dict[str, int]) -> None:
    assert is_proved(_GOOD)
    assert not is_proved(_GOOD | change)


def test_a_plan_depends_on_its_seed_only() -> None:
    assert lives(3, 20, 12) == lives(3, 20, 12) != lives(4, 20, 12)
    assert kills(3, 5, 60) == kills(3, 5, 60)
    kinds = {act.kind for life in lives(3, 200, 12) for act in life.acts.values()}
    assert kinds == {"subscribe", "change", "card", "addon", "cancel", "reactivate", "pay"}


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _subscription() -> dict[str, Any]:
    """As it is kept here."""
    return {
        "code": "PROOF00001",
        "status": "active",
        "tier": "essential",
        "interval": "month",
        "next_tier": None,
        "next_interval": None,
        "period_start": START,
        "period_end": END,
        "trial_ends_at": None,
        "anchor_at": START,
        "past_due_since": None,
        "cancel_at_period_end": False,
        "cancel_reason": None,
        "has_payment_method": True,
        "stripe_customer_id": "cus_1",
        "stripe_subscription_id": "sub_1",
    }


def _invoice() -> dict[str, Any]:
    """As it is kept here."""
    return {
        "code": "PROOF00001",
        "kind": "cycle",
        "status": "paid",
        "currency": "EUR",
        "total_cents": 4900,
        "paid_cents": 4900,
        "number": "AB-0001",
        "period_start": START,
        "period_end": END,
        "issued_at": START,
        "paid_at": START,
        "stripe_invoice_id": "in_1",
    }


def _there() -> dict[str, list[dict[str, Any]]]:
    """What the stand-in has."""
    line = {
        "amount": 4900,
        "parent": {"subscription_item_details": {"proration": False, "subscription": "sub_1"}},
        "pricing": {"price_details": {"product": "prod_e"}},
        "period": {"start": _seconds(START), "end": _seconds(END)},
    }
    item = {
        "price": {"product": "prod_e", "recurring": {"interval": "month"}},
        "current_period_start": _seconds(START),
        "current_period_end": _seconds(END),
    }
    return {
        "customer": [{"id": "cus_1", "balance": 0}],
        "subscription": [
            {
                "id": "sub_1",
                "customer": "cus_1",
                "status": "active",
                "items": {"data": [item]},
                "cancel_at": None,
                "default_payment_method": "pm_1",
                "metadata": {},
            }
        ],
        "invoice": [
            {
                "id": "in_1",
                "customer": "cus_1",
                "status": "paid",
                "total": 4900,
                "amount_remaining": 0,
                "number": "AB-0001",
                "lines": {"data": [line]},
            }
        ],
        "charge": [{"customer": "cus_1", "paid": True, "amount_captured": 4900, "amount_refunded": 0}],
    }


def _ends() -> Ends:
    """One vendor with one paid invoice, the same on both sides."""
    tiers = {"prod_e": "essential", "prod_b": "business", str(UUID(int=1)): "essential"}
    return Ends([_subscription()], {"PROOF00001": [_invoice()]}, tiers, _there(), NOW)


def _double_invoice(ends: Ends) -> None:
    second = deepcopy(ends.invoices["PROOF00001"][0])
    ends.invoices["PROOF00001"].append(second | {"stripe_invoice_id": "in_2", "number": "AB-0002"})  # type: ignore[attr-defined]


def _second_subscription(ends: Ends) -> None:
    other = deepcopy(ends.objects["subscription"][0]) | {"id": "sub_2"}
    ends.objects["subscription"].append(other)  # type: ignore[attr-defined]


def _billed_twice(ends: Ends) -> None:
    other = deepcopy(ends.objects["invoice"][0]) | {"id": "in_2", "number": "AB-0002"}
    ends.objects["invoice"].append(other)  # type: ignore[attr-defined]


CHANGES: dict[str, Callable[[Ends], Any]] = {
    "status": lambda ends: ends.subscriptions[0].update(status="past_due"),  # type: ignore[attr-defined]
    "tier": lambda ends: ends.subscriptions[0].update(tier="business"),  # type: ignore[attr-defined]
    "interval": lambda ends: ends.subscriptions[0].update(interval="year"),  # type: ignore[attr-defined]
    "period": lambda ends: ends.subscriptions[0].update(period_end=END + timedelta(1)),  # type: ignore[attr-defined]
    "next_tier": lambda ends: ends.subscriptions[0].update(next_tier="business"),  # type: ignore[attr-defined]
    "cancel_at_period_end": lambda ends: ends.subscriptions[0].update(cancel_at_period_end=True),  # type: ignore[attr-defined]
    "payment_method": lambda ends: ends.subscriptions[0].update(has_payment_method=False),  # type: ignore[attr-defined]
    "subscriptions": lambda ends: ends.subscriptions[0].update(stripe_subscription_id=None),  # type: ignore[attr-defined]
    "running_twice": _second_subscription,
    "invoices": lambda ends: ends.invoices["PROOF00001"][0].update(status="open"),  # type: ignore[attr-defined]
    "invoices_paid_cents": lambda ends: ends.invoices["PROOF00001"][0].update(paid_cents=4899),  # type: ignore[attr-defined]
    "invoices_missing": lambda ends: ends.invoices["PROOF00001"].clear(),  # type: ignore[attr-defined]
    "invoices_too_many": lambda ends: ends.objects["invoice"].clear(),  # type: ignore[attr-defined]
    "periods_billed_twice": _double_invoice,
    "billed_twice": _billed_twice,
    "cents": lambda ends: ends.objects["charge"][0].update(amount_captured=4901),
}


def test_equal_ends_are_equal_and_give_the_same_digest() -> None:
    assert not any(compare(_ends()).counts.values())
    assert digest(_ends()) == digest(_ends())


@pytest.mark.parametrize("about", CHANGES)
def test_each_difference_is_noticed(about: str) -> None:
    ends = _ends()
    CHANGES[about](ends)
    found = compare(ends)
    assert found.counts[about] > 0, found
    assert found.examples


def test_the_grace_may_end_before_stripe_gives_up() -> None:
    ends = _ends()
    ends.objects["subscription"][0]["status"] = "past_due"
    since = NOW - comparing.GRACE
    ends.subscriptions[0].update(status="expired", past_due_since=since)  # type: ignore[attr-defined]
    assert not compare(ends).counts["status"]
    ends.subscriptions[0].update(past_due_since=since + timedelta(days=1))  # type: ignore[attr-defined]
    assert compare(ends).counts["status"]
