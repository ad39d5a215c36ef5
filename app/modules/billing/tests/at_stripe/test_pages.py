"""The vendor's pages where Stripe bills: they ask, wait, and lead on."""

import re
from typing import Any

import httpx2
import pytest

from app.modules import state
from app.modules.billing.tests.at_stripe.conftest import DECLINED, Desk
from app.testing.browsing import sign_in, token_of
from app.testing.working import work

PLAN = "/vendor/GUTLAND/plan"
_SCRIPT = {"hx-request": "true"}


@pytest.fixture
def owner(desk: Desk) -> Desk:
    desk.web.cookies.set("wm_lang", "en")
    sign_in(desk.web, "vendor", "owner@moselle.example")
    return desk


def send(desk: Desk, path: str, **fields: Any) -> str:
    """Send a form; where that leads."""
    token = token_of(desk.web.get(PLAN))
    answer = desk.web.post(path, data={"csrf_token": token, **fields})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def wait(desk: Desk, asked: str) -> httpx2.Response:
    """The waiting page, before and after the work."""
    before = desk.web.get(asked)
    assert before.status_code == 200
    assert "goes on by itself" in before.text
    assert '<meta http-equiv="refresh" content="2">' in before.text
    work()
    return desk.web.get(asked)


def forwarded(page: httpx2.Response) -> str:
    """Where the waiting page leads browsers without scripts to."""
    found = re.search(r'content="0; url=([^"]+)"', page.text)
    assert found, page.text
    return found[1].replace("&amp;", "&")


def test_a_plan_is_paid_at_stripe_and_read_on_the_way_back(owner: Desk) -> None:
    owner.shop.start_trial()
    asked = send(owner, f"{PLAN}/change", plan="professional", interval="month", pay="now")
    url = forwarded(wait(owner, asked))
    assert url.startswith(owner.box.url)
    assert owner.web.get(asked, headers=_SCRIPT).headers["hx-redirect"] == url
    assert owner.pay(url) == 303
    owner.lose()  # no message comes: the way back is enough
    reading = owner.web.get(f"{PLAN}?at=stripe")
    if reading.headers["location"] == PLAN:  # not linked yet: the hourly comparison finds it
        pytest.fail("the way back does not read the state")
    page = owner.web.get(reading.headers["location"])
    assert "is being read" in page.text
    work()
    assert owner.web.get(reading.headers["location"], headers=_SCRIPT).headers["hx-redirect"] == PLAN
    page = owner.web.get(PLAN)
    for words in ("Professional", "A card is on file", "Change the payment method"):
        assert words in page.text


def test_a_larger_plan_costs_what_the_page_said(owner: Desk) -> None:
    owner.subscribe("essential")
    asked = send(owner, f"{PLAN}/change", plan="professional", interval="month")
    shown = wait(owner, asked)
    assert shown.status_code == 303
    confirm = shown.headers["location"]
    page = owner.web.get(confirm).text
    due = re.search(r"To pay today</dt><dd>€([\d.]+)<", page)
    assert due, page
    preview = re.search(r"preview=(brq_\w+)", confirm)
    assert preview
    fields = {"plan": "professional", "interval": "month", "preview": preview[1]}
    changed = send(owner, f"{PLAN}/change/confirm", **fields)
    assert wait(owner, changed).headers["location"] == PLAN
    owner.bring()
    assert [cents for kind, cents, _ in owner.invoices() if kind == "proration"] == [
        int(due[1].replace(".", ""))
    ]
    assert owner.shop.look().tier_id == owner.shop.tier_id("professional")


def test_a_smaller_plan_waits_and_is_dropped(owner: Desk) -> None:
    owner.subscribe("business")
    asked = send(owner, f"{PLAN}/change", plan="essential", interval="month")
    confirm = wait(owner, asked).headers["location"]
    assert "€0.00" in owner.web.get(confirm).text
    fields = dict(re.findall(r"(plan|interval|preview)=(\w+)", confirm))
    wait(owner, send(owner, f"{PLAN}/change/confirm", **fields))
    owner.bring()
    assert "From the next period on" in owner.web.get(PLAN).text
    assert send(owner, f"{PLAN}/change", plan="enterprise", interval="month") == PLAN  # first drop what waits
    assert "Keep the present plan first" in owner.web.get(PLAN).text
    wait(owner, send(owner, f"{PLAN}/keep"))
    owner.bring()
    assert owner.shop.look().next_tier_id is None


def test_a_card_that_fails_is_replaced_and_the_banner_goes(owner: Desk) -> None:
    owner.subscribe("essential", number=DECLINED)
    page = owner.web.get(PLAN).text
    assert "A payment failed" in page
    invoice = re.search(rf'action="({PLAN}/invoices/bin_\w+/pay)"', page)
    assert invoice
    failed = wait(owner, send(owner, invoice[1]))
    assert failed.status_code == 200
    assert "The bank refused the card" in failed.text
    url = forwarded(wait(owner, send(owner, f"{PLAN}/card")))
    assert owner.pay(url) == 303
    while owner.bring():  # the card, then what is charged to it
        pass
    state.forget_snapshot()  # banners are kept for a second
    page = owner.web.get(PLAN).text
    assert "A payment failed. Your shop" not in page
    assert owner.shop.look().status == "active"
    listed = owner.web.get(f"{PLAN}/invoices").text
    link = re.search(rf'href="({PLAN}/invoices/bin_\w+)', listed)
    assert link
    assert "PDF" in owner.web.get(link[1]).text


def test_cancelled_and_taken_back(owner: Desk) -> None:
    owner.subscribe("essential")
    form = owner.web.get(f"{PLAN}/cancel").text
    token = re.search(r'name="form_token" value="([^"]+)"', form)
    assert token
    wait(owner, send(owner, f"{PLAN}/cancel", reason="Too quiet", form_token=token[1]))
    owner.bring()
    assert owner.shop.look().status == "cancelled"
    assert "You can use everything until" in owner.web.get(PLAN).text
    done = wait(owner, send(owner, f"{PLAN}/reactivate"))
    assert done.headers["location"] == PLAN
    owner.bring()
    assert owner.shop.look().status == "active"


def test_the_portal_and_add_ons(owner: Desk) -> None:
    owner.subscribe("professional")
    assert "/stripe/pages/portal/" in forwarded(wait(owner, send(owner, f"{PLAN}/portal")))
    key = re.search(r'value="(add_\w+)"', owner.web.get(f"{PLAN}/addons").text)
    assert key
    assert wait(owner, send(owner, f"{PLAN}/addons", addon_id=key[1], quantity="1")).status_code == 303
    owner.bring()
    assert "1 ×" in owner.web.get(PLAN).text
