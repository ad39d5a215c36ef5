"""What a vendor may have: plan, exception, add-ons, and the gate."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from app.core import clock
from app.core.database import SYSTEM, unit_of_work
from app.modules.billing.contracts import BY_TASK, OverrideInput
from app.modules.billing.exceptions import BillingInputError, OverrideNotFoundError
from app.modules.billing.services import (
    addon_service,
    gate_service,
    limit_service,
    subscription_service,
    usage_service,
)
from app.modules.billing.tests.conftest import BY_PERSON, Shop, move_clock
from app.modules.entitlements import LimitReachedError, consume, is_allowed
from app.testing.browsing import sign_in, token_of

_PRODUCTS, _DOMAINS, _TEAM = "catalog.products", "tenancy.custom_domains", "tenancy.team_members"


def _limit(shop: Shop, code: str) -> int | None:
    with shop.session() as session:
        return limit_service.effective_limit(session, shop.vendor_id, code)


def test_the_plan_says_how_much_and_the_feature_where_the_plan_says_nothing(shop: Shop) -> None:
    assert (_limit(shop, _PRODUCTS), _limit(shop, _DOMAINS)) == (None, 0)  # the features' defaults
    shop.start_trial("essential")
    assert (_limit(shop, _PRODUCTS), _limit(shop, _TEAM)) == (200, 1)
    with shop.session() as session:
        subscription_service.change_tier(session, shop.vendor_id, "professional", BY_PERSON)
    assert (_limit(shop, _PRODUCTS), _limit(shop, _TEAM)) == (None, 3)


def test_an_exception_holds_until_it_expires_and_add_ons_come_on_top(shop: Shop) -> None:
    shop.subscribe("essential")
    with shop.session() as session:
        exception = OverrideInput(2, "agreed", clock.now() + timedelta(days=10))
        limit_service.add_override(session, shop.vendor_id, _DOMAINS, exception, BY_PERSON)
    assert _limit(shop, _DOMAINS) == 2
    with unit_of_work(SYSTEM) as session:
        addon = next(
            one for one in addon_service.list_addons(session, shop.platform_id) if one.code == "custom-domain"
        )
        addon_service.book(session, shop.vendor_id, addon.id, 3, BY_PERSON)
    assert _limit(shop, _DOMAINS) == 5
    move_clock(days=11)
    assert _limit(shop, _DOMAINS) == 3
    with unit_of_work(SYSTEM) as session:
        addon_service.book(session, shop.vendor_id, addon.id, 0, BY_PERSON)
    assert _limit(shop, _DOMAINS) == 3  # paid for until the year is over
    move_clock(days=366)
    assert _limit(shop, _DOMAINS) == 0
    assert shop.changes()[-3:] == ["override_set", "addon_added", "addon_removed"]


def test_an_exception_needs_a_reason_and_can_be_taken_back(shop: Shop) -> None:
    shop.start_trial()
    for code, values in (
        (_PRODUCTS, OverrideInput(5, " ")),
        (_PRODUCTS, OverrideInput(-1, "why")),
        (_PRODUCTS, OverrideInput(5, "why", clock.now())),
        ("catalog.unknown", OverrideInput(5, "why")),
    ):
        with pytest.raises(BillingInputError), shop.session() as session:
            limit_service.add_override(session, shop.vendor_id, code, values, BY_PERSON)
    with shop.session() as session:
        limit_service.add_override(session, shop.vendor_id, _PRODUCTS, OverrideInput(None, "why"), BY_PERSON)
        assert limit_service.effective_limit(session, shop.vendor_id, _PRODUCTS) is None
        limit_service.remove_override(session, shop.vendor_id, _PRODUCTS, BY_PERSON)
        with pytest.raises(OverrideNotFoundError):
            limit_service.remove_override(session, shop.vendor_id, _PRODUCTS, BY_PERSON)
    assert _limit(shop, _PRODUCTS) == 200


def test_what_is_over_the_limit_is_refused_and_nothing_is_taken(shop: Shop) -> None:
    shop.start_trial("essential")
    with shop.session() as session:
        limit_service.add_override(session, shop.vendor_id, _PRODUCTS, OverrideInput(0, "full"), BY_TASK)
        with pytest.raises(LimitReachedError):
            consume(session, shop.vendor_id, _PRODUCTS)
        assert not is_allowed(session, shop.vendor_id, _DOMAINS)


@pytest.mark.parametrize(
    ("used", "limit", "state", "percent"),
    [
        (0, None, "unlimited", None),
        (79, 100, "ok", 79),
        (80, 100, "near", 80),
        (100, 100, "full", 100),
        (101, 100, "over", 101),
        (0, 0, "full", 100),
        (1, 0, "over", 100),
    ],
)
def test_bars_say_how_full_it_is(used: int, limit: int | None, state: str, percent: int | None) -> None:
    bar = usage_service.make_bar("catalog.products", "x", used, limit)
    assert (bar.state, bar.percent) == (state, percent)


def test_bars_of_a_vendor(shop: Shop) -> None:
    shop.start_trial("essential")
    with shop.session() as session:
        bars = {bar.feature_code: bar for bar in usage_service.list_usage(session, shop.vendor_id)}
    assert bars[_PRODUCTS].limit == 200
    assert bars[_TEAM].limit == 1


def test_the_gate_closes_by_the_clock_and_only_then(shop: Shop) -> None:
    def is_closed() -> bool:
        with shop.session() as session:
            return gate_service.find_closed(session, shop.vendor_id) is not None

    assert not is_closed()  # no subscription yet
    shop.subscribe()
    with shop.session() as session:
        subscription_service.cancel(session, shop.vendor_id, BY_PERSON)
    move_clock(days=27)
    assert not is_closed()
    move_clock(days=5)
    assert is_closed()
    assert shop.look().status == "cancelled"  # no task came by yet


def test_an_ended_subscription_lets_people_read_and_not_write(shop: Shop, client: TestClient) -> None:
    shop.start_trial()
    with shop.session() as session:
        subscription_service.expire(session, shop.vendor_id, BY_TASK)
    sign_in(client, "vendor", "owner@moselle.example")
    client.cookies.set("wm_lang", "en")
    page = client.get("/vendor/GUTLAND/products")
    assert page.status_code == 200
    assert "Your shop is read-only until you choose a plan" in page.text
    form = client.get("/vendor/GUTLAND/products/new")
    values = {"csrf_token": token_of(form), "sku": "X-1", "title_de": "Stuhl", "price_cents": "1.00"}
    answer = client.post("/vendor/GUTLAND/products/new", data=values)
    assert answer.status_code == 403
    assert "The subscription has ended" in answer.text
    assert not shop.rows("SELECT id FROM products WHERE vendor_id = :vendor AND sku = 'X-1'")


def test_the_home_page_says_what_is_nearly_used_up_and_how_long_the_trial_lasts(
    shop: Shop, client: TestClient
) -> None:
    shop.start_trial("essential")
    sign_in(client, "vendor", "owner@moselle.example")
    client.cookies.set("wm_lang", "en")
    home = client.get("/vendor/GUTLAND").text
    assert "Days of the trial left" in home
    assert "At the limit of the plan: " not in home
    shop.rows("UPDATE tier_limits SET limit_value = 60 WHERE feature_code = 'catalog.products'")
    assert "At the limit of the plan: Products" in client.get("/vendor/GUTLAND").text
