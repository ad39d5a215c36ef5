"""A shop at Letzshop, as a browser sees both sides: connect, the past, orders, a product nobody knows, yes and no, a
parcel."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from app.modules.pages import LANGUAGE_COOKIE
from app.modules.tenancy.contracts import DEMO_PASSWORD
from tests.e2e.desk import Desk
from tests.e2e.test_order_desk import send

# Before the test that moves the clock of the platform: its shop still has a plan.
pytestmark = [pytest.mark.browser, pytest.mark.long(91), pytest.mark.timeout(300)]
GUTLAND = "/vendor/GUTLAND"
_LOOKS = 40  # each of a second, for what a worker does


@pytest.fixture
def page(browser: Browser, desk: Desk) -> Iterator[Page]:
    """A window of the owner of GUTLAND."""
    with browser.new_context(base_url=desk.url, locale="en-GB") as context:
        context.set_default_timeout(20_000)
        context.add_cookies([{"name": LANGUAGE_COOKIE, "value": "en", "url": desk.url}])
        window = context.new_page()
        window.goto("/vendor/sign-in")
        window.get_by_label("E-mail").fill("owner@moselle.example")
        window.get_by_label("Password", exact=True).fill(DEMO_PASSWORD)
        window.get_by_role("button", name="Sign in").click()
        yield window


def look_until(page: Page, path: str, text: str) -> None:
    """Open a page again and again until a worker has done what it is to show."""
    for _ in range(_LOOKS):
        page.goto(path)
        if text in page.get_by_role("main").inner_text():
            return
        page.wait_for_timeout(1000)
    expect(page.get_by_role("main")).to_contain_text(text)


def buy(page: Page, desk: Desk, *skus: str) -> str:
    """On Letzshop's page a buyer orders one of each; the number of the shipment."""
    page.goto(f"{desk.sandbox}/letzshop/shops/GUTLAND")
    for place, sku in enumerate(skus, 1):
        box = page.locator(f"#sku{place}")
        box.select_option(box.locator("option", has_text=sku).first.get_attribute("value"))
    page.get_by_role("button", name="Place this order").click()
    return page.get_by_role("heading", level=1).inner_text().removeprefix("Shipment ")


def number_of(page: Page, shipment: str) -> str:
    """The address of the order that came of a shipment."""
    page.goto(f"{GUTLAND}/connections/orders?q={shipment}")
    page.locator("main tbody th a").first.click()
    link = page.locator("main a[href*='/orders/ord_']").first
    return (link.get_attribute("href") or "").partition("?")[0]


def test_a_shop_at_letzshop(page: Page, desk: Desk) -> None:
    page.goto(f"{GUTLAND}/connections/new")
    page.locator("[name=key]").fill("lz_test_gutland_manager")
    page.locator(".save-bar").get_by_role("button").first.click()
    connection = page.url
    look_until(page, connection, "Works")
    page.locator("#history").get_by_role("button").first.click()
    look_until(page, connection, "Read to the end")

    known = buy(page, desk, "GUT-011", "GUT-012", "GUT-022")
    unknown = [buy(page, desk, "X-100") for _ in range(2)]
    page.goto(connection)
    page.get_by_role("button", name="Fetch orders now").click()
    look_until(page, f"{GUTLAND}/orders/exceptions", "Lines that wait: 2")

    card = page.locator("section, article", has_text="Surligneur jaune").last
    card.get_by_label("Another product, by its SKU").fill("GUT-013")
    card.get_by_role("button", name="This is the product").click()
    expect(page.get_by_role("main")).not_to_contain_text("Surligneur jaune: 2")
    for shipment in unknown:
        page.goto(number_of(page, shipment))
        expect(page.get_by_role("main")).to_contain_text("Next: confirm or decline the goods")

    order = number_of(page, known)
    page.goto(order)
    page.locator("input[name=quantity]").nth(2).fill("0")
    page.get_by_role("button", name="Confirm", exact=True).last.click()
    send(page, ("1", "1"), "GR-1340")

    page.goto(f"{desk.sandbox}/letzshop/shops/GUTLAND")
    for _ in range(_LOOKS):
        page.reload()
        row = page.get_by_role("row", name=known)
        if "GR-1340" in row.inner_text():
            break
        page.wait_for_timeout(1000)
    expect(row).to_contain_text("GR-1340")
    expect(row).to_contain_text("2 confirmed available")
    expect(row).to_contain_text("1 confirmed unavailable")
