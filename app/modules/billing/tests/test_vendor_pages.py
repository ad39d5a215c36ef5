"""The vendor's pages where Stripe does not bill: plan, change, cancel, add-ons, invoices, and the end."""

import re
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from app.core.database import SYSTEM, unit_of_work
from app.core.ids import to_public
from app.modules.billing.services import subscription_service
from app.modules.billing.tests.conftest import Shop, move_clock
from app.testing.browsing import sign_in, token_of
from app.testing.working import work

HOME = "/vendor/GUTLAND"
PLAN = f"{HOME}/plan"


def send(client: TestClient, path: str, page: str | None = None, **fields: Any) -> httpx2.Response:
    shown = client.get(page or PLAN)
    token = re.search(r'name="form_token" value="([^"]+)"', shown.text)
    return client.post(
        path, data={"csrf_token": token_of(shown), "form_token": token[1] if token else "", **fields}
    )


@pytest.fixture
def web(client: TestClient, shop: Shop) -> TestClient:
    """The owner's browser."""
    client.cookies.set("wm_lang", "en")
    sign_in(client, "vendor", "owner@moselle.example")
    return client


def test_without_a_subscription_there_is_something_to_read(web: TestClient) -> None:
    for path in ("", "/change", "/addons", "/cancel", "/request", "/invoices"):
        assert web.get(PLAN + path).status_code == 200, path
    assert "No plan yet" in web.get(PLAN).text


def test_a_trial_says_when_it_ends_and_what_is_used(web: TestClient, shop: Shop) -> None:
    shop.start_trial()
    page = web.get(PLAN).text
    for words in ("Trial", "14 days left", "60 of 200", "€49.00 a month", "Choose a plan and pay"):
        assert words in page
    assert "not included in this plan" in page
    move_clock(days=13.9)
    assert "1 day left" in web.get(PLAN).text or "0 days left" in web.get(PLAN).text


def test_near_and_at_the_limit_there_are_words(web: TestClient, shop: Shop) -> None:
    shop.start_trial()
    for limit, words in ((70, "nearly full"), (60, "nothing more can be added"), (50, "can only be read")):
        shop.rows(
            "UPDATE tier_limits SET limit_value = :limit WHERE feature_code = 'catalog.products'", limit=limit
        )
        assert words in web.get(PLAN).text


def test_a_trial_is_changed_at_once(web: TestClient, shop: Shop) -> None:
    shop.start_trial()
    choose = send(web, f"{PLAN}/change", plan="business", interval="year")
    shown = web.get(choose.headers["location"]).text
    for words in ("Change to Business", "at once", "€0.00", "€1,990.00"):
        assert words in shown
    done = send(web, f"{PLAN}/change/confirm", choose.headers["location"], plan="business", interval="year")
    assert done.headers["location"] == PLAN
    assert "The plan is changed." in web.get(PLAN).text
    assert (shop.look().tier_id, shop.look().interval) == (shop.tier_id("business"), "year")


def test_a_smaller_plan_waits_says_what_is_too_much_and_can_be_dropped(web: TestClient, shop: Shop) -> None:
    shop.subscribe("business")
    shop.rows("UPDATE tier_limits SET limit_value = 40 WHERE feature_code = 'catalog.products'")
    cards = web.get(f"{PLAN}/change").text
    assert "Products: you have 60, the plan allows 40" in cards
    assert "Pay for" not in cards
    choose = send(web, f"{PLAN}/change", plan="essential", interval="month")
    send(web, f"{PLAN}/change/confirm", choose.headers["location"], plan="essential", interval="month")
    assert shop.look().next_tier_id == shop.tier_id("essential")
    page = web.get(PLAN).text
    assert "Essential, €49.00 a month, from" in page
    send(web, f"{PLAN}/keep")
    assert shop.look().next_tier_id is None


def test_cancelled_it_can_be_taken_back(web: TestClient, shop: Shop) -> None:
    shop.subscribe()
    form = web.get(f"{PLAN}/cancel").text
    assert "Then the shop becomes read-only" in form
    sent = send(web, f"{PLAN}/cancel", f"{PLAN}/cancel", reason="Too quiet", feedback="unused")
    assert sent.headers["location"] == PLAN
    assert (shop.look().status, shop.look().cancel_reason) == ("cancelled", "Too quiet")
    assert shop.look().cancel_feedback == "unused"
    page = web.get(PLAN).text
    assert "You can use everything until" in page
    assert "cannot be changed at the moment" in web.get(f"{PLAN}/change").text
    send(web, f"{PLAN}/reactivate")
    assert (shop.look().status, shop.look().cancel_feedback) == ("active", None)


def test_a_reason_need_not_be_chosen_and_is_one_of_the_list(web: TestClient, shop: Shop) -> None:
    shop.subscribe()
    assert send(web, f"{PLAN}/cancel", f"{PLAN}/cancel", feedback="made_up").status_code == 422
    assert shop.look().status == "active"
    assert send(web, f"{PLAN}/cancel", f"{PLAN}/cancel").status_code == 303
    assert (shop.look().status, shop.look().cancel_feedback) == ("cancelled", None)


def test_the_history_names_plans_in_words(web: TestClient, shop: Shop) -> None:
    shop.subscribe("essential", "year")
    page = web.get(PLAN).text
    assert "Essential (Yearly)" in page
    assert "essential/year" not in page


def test_add_ons_are_booked_and_given_up(web: TestClient, shop: Shop) -> None:
    shop.subscribe()
    page = web.get(f"{PLAN}/addons").text
    key = re.search(r'value="(add_\w+)"', page)
    assert key
    for wrong in ("", "many", "-1", "101", "1000000"):
        refused = send(web, f"{PLAN}/addons", addon_id=key[1], quantity=wrong)
        assert refused.status_code == 422, wrong
        assert "0 to 100." in refused.text
    assert send(web, f"{PLAN}/addons", addon_id=key[1], quantity="2").headers["location"] == PLAN
    assert "2 ×" in web.get(PLAN).text
    send(web, f"{PLAN}/addons", addon_id=key[1], quantity="0")
    assert "until" in web.get(f"{PLAN}/addons").text
    assert send(web, f"{PLAN}/addons", addon_id="add_nothing", quantity="1").status_code == 404


def test_invoices_say_how_to_pay_them(web: TestClient, shop: Shop) -> None:
    shop.subscribe()
    listed = web.get(f"{PLAN}/invoices").text
    assert "GUTLAND-00001" in listed
    assert "€49.00" in listed
    link = re.search(rf'href="({PLAN}/invoices/bin_\w+)', listed)
    assert link
    page = web.get(link[1]).text
    assert "by bank transfer with the reference GUTLAND-00001" in page
    assert f"{link[1]}/pay" not in page
    assert send(web, f"{link[1]}/pay").status_code == 409
    foreign = link[1].replace("GUTLAND", "MOSELLE")
    assert web.get(foreign).status_code == 404


def test_at_its_end_everything_but_the_plan_is_read_only(web: TestClient, shop: Shop) -> None:
    shop.start_trial()
    with unit_of_work(SYSTEM) as session:
        subscription_service.expire(session, shop.vendor_id)
    page = web.get(HOME).text
    assert "Your shop is read-only until you choose a plan" in page
    assert PLAN in page
    refused = send(web, f"{HOME}/products/new", PLAN, title="x")
    assert refused.status_code == 403
    assert PLAN in refused.text
    cards = web.get(f"{PLAN}/change").text
    assert "Pay for Essential" in cards
    asked = send(web, f"{PLAN}/change", plan="essential", interval="month")
    assert asked.headers["location"].startswith(f"{PLAN}/request?asked=brq_")
    assert "goes on by itself" in web.get(asked.headers["location"]).text


def test_nobody_sees_what_others_asked(web: TestClient, shop: Shop) -> None:
    shop.start_trial()
    asked = send(web, f"{PLAN}/change", plan="essential", interval="month", pay="now").headers["location"]
    assert web.get(asked.replace("GUTLAND", "MOSELLE")).status_code == 404
    assert web.get(f"{PLAN}/request?asked={to_public('brq', shop.vendor_id)}").status_code == 404
    assert web.get(f"{PLAN}/change?plan=essential&preview=brq_x").status_code == 404


def test_where_stripe_cannot_be_reached_the_page_says_what_to_do(web: TestClient, shop: Shop) -> None:
    shop.start_trial()
    asked = send(web, f"{PLAN}/change", plan="essential", interval="month", pay="now").headers["location"]
    shop.rows(
        "UPDATE billing_requests SET error = 'card_declined', finished_at = now() WHERE vendor_id = :vendor"
    )
    shown = web.get(asked).text
    assert "The bank refused the card" in shown
    shop.rows("UPDATE billing_requests SET error = 'nobody_knows' WHERE vendor_id = :vendor")
    assert "Stripe refused it" in web.get(asked).text
    work()
