"""Billing taken off a platform: its pages, schedules and gates go, everything else works; and what the plan fixes."""

import re
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from app.core.database import SYSTEM, unit_of_work
from app.modules import gates, lifecycle, state
from app.modules.billing.tasks import subscription
from app.modules.billing.tests.conftest import Shop
from app.modules.entitlements import find_limit
from app.modules.tasks import build_beat_schedule
from app.testing.browsing import sign_in, token_of

HOME = "/vendor/GUTLAND"
_TASKS = "app.modules.billing.tasks.subscription"
_TIMES = {
    "reset_period_counters": ({0}, {5}, set(range(7))),
    "check_trial_expirations": ({1}, {0}, set(range(7))),
    "sync_stripe_status": (set(range(24)), {30}, set(range(7))),
    "cleanup_stale_subscriptions": ({3}, {0}, {0}),
}


@pytest.fixture
def owner(client: TestClient, shop: Shop) -> TestClient:
    """The owner of a shop whose trial has ended, in English."""
    client.cookies.set("wm_lang", "en")
    shop.start_trial("essential")
    sign_in(client, "vendor", "owner@moselle.example")
    shop.rows(
        "UPDATE subscriptions SET status = 'expired', trial_ends_at = :past WHERE vendor_id = :vendor",
        past=shop.look().trial_ends_at - timedelta(days=20),
    )
    return client


def _add_product(owner: TestClient, sku: str) -> int:
    page = f"{HOME}/products/new"
    shown = owner.get(page)
    fields = {"sku": sku, "title_fr": "Vase", "price_cents": "12.00", "is_active": "on"}
    fields |= {"tax_class": "standard", "kind": "physical"}
    fields |= dict(re.findall(r'name="(form_token)" value="([^"]+)"', shown.text))
    return owner.post(page, data={"csrf_token": token_of(shown), **fields}).status_code


def test_off_it_leaves_nothing_closed_and_comes_back_as_it_was(owner: TestClient, shop: Shop) -> None:
    assert owner.get(f"{HOME}/plan").status_code == 200
    assert _add_product(owner, "CLOSED-1") == 403
    with unit_of_work(SYSTEM) as session:
        lifecycle.disable(session, shop.platform_id, "billing")
    state.forget_snapshot()
    for path in (f"{HOME}/plan", f"{HOME}/plan/invoices", "/pricing", "/sign-up"):
        assert owner.get(path).status_code == 404, path
    home = owner.get(HOME)
    assert home.status_code == 200
    assert f"{HOME}/plan" not in home.text
    assert _add_product(owner, "OPEN-1") == 303
    with shop.session() as session:
        assert gates.find_closed(session, shop.vendor_id) is None
        assert find_limit(session, shop.vendor_id, "catalog.products") is None
    for path in ("/products", "/imports", "/payments", "/team"):
        assert owner.get(HOME + path).status_code == 200, path
    with unit_of_work(SYSTEM) as session:
        lifecycle.enable(session, shop.platform_id, "billing")
    state.forget_snapshot()
    assert owner.get(f"{HOME}/plan").status_code == 200
    assert _add_product(owner, "CLOSED-2") == 403


@pytest.mark.parametrize("name", _TIMES)
def test_the_schedule_has_the_plans_times_and_queue(name: str) -> None:
    entry = build_beat_schedule()[f"billing.{name}"]
    when = entry["schedule"]
    assert entry["task"] == f"{_TASKS}.{name}"
    assert entry["options"]["queue"] == "scheduled"
    assert (when.hour, when.minute, when.day_of_week) == _TIMES[name]
    assert getattr(subscription, name).name == f"{_TASKS}.{name}"
