"""The hosted pages in a real browser: accessible in both colour schemes, narrow, and on to the shop afterwards."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from app.testing.browsing import chromium
from sandbox.tests.kit import Shop, receiving

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=chromium(), args=options)
        yield browser
        browser.close()


def check(page: Page) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        results = Axe().run(page, options={"runOnly": RULES})
        assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_person_subscribes_and_changes_the_card(shop: Shop, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 700}, bypass_csp=False)
    with receiving() as merchant:
        back = merchant.url.removesuffix("/hook")
        asked: Any = {
            "mode": "subscription",
            "line_items": [{"price": shop.small, "quantity": 1}],
            "success_url": f"{back}/done",
        }
        session = shop.client.v1.checkout.sessions.create(asked)
        page.goto(str(session.url))
        page.get_by_label("E-mail").fill("anna@example.lu")
        page.get_by_label("Name on the card").fill("Anna")
        _type_card(page, "4000000000000002")
        page.get_by_role("button", name="Subscribe").click()
        assert page.get_by_role("alert").inner_text() == "Your card was declined."
        check(page)
        _type_card(page, "4000002500003155")
        page.get_by_role("button", name="Subscribe").click()
        check(page)
        page.get_by_role("button", name="Confirm").click()
        page.wait_for_url(f"{back}/done")
    customer = shop.client.v1.subscriptions.list().data[0].customer
    portal = shop.client.v1.billing_portal.sessions.create({"customer": str(customer), "return_url": back})
    page.goto(portal.url)
    check(page)
    _type_card(page, "5555555555554444")
    page.get_by_role("button", name="Save the card").click()
    assert page.get_by_text("mastercard ending in 4444").is_visible()
    page.get_by_role("button", name="Cancel at the end of the period").click()
    assert page.get_by_text("ends on").is_visible()
    page.get_by_role("link", name="-0001").click()
    check(page)
    page.close()


def _type_card(page: Page, number: str) -> None:
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expiry").fill("12/34")
    page.get_by_label("Security code").fill("123")
