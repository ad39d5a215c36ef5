"""A day at the order desk: an order by hand to Belgium, two shipments, the invoice, and some of the money back."""

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.e2e.conftest import OpenBrowser, Site
from tests.e2e.people import OWNER, Person

pytestmark = pytest.mark.browser
Keyring = Callable[[Person], StorageState | None]
MOSELLE = "/vendor/MOSELLE"
AGGREGATE = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"
BASIC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
_TRIES = 30  # looks for what a worker does, each of a second


@pytest.fixture
def owner(browse: OpenBrowser, keyring: Keyring) -> Page:
    """A window of the shop's owner."""
    return browse(storage_state=keyring(OWNER), accept_downloads=True).new_page()


def goods(site: Site) -> tuple[str, str]:
    """Two products with stock: the second is food, of the lowest rate."""
    rows = site.rows(
        "SELECT p.sku FROM products p JOIN vendors v ON v.id = p.vendor_id AND v.code = 'MOSELLE' "
        "JOIN inventory i ON i.product_id = p.id WHERE i.on_hand - i.reserved > 5 ORDER BY p.sku LIMIT 2"
    )
    with site.owner.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE products SET tax_class = 'super_reduced' WHERE sku = %s", (rows[1].sku,)
        )
    return rows[0].sku, rows[1].sku


def reserved(site: Site, sku: str) -> int:
    """Units of a product that orders hold."""
    ((held,),) = site.rows(
        "SELECT coalesce(sum(i.reserved), 0) FROM inventory i JOIN products p ON p.id = i.product_id "
        "WHERE p.sku = :sku",
        sku=sku,
    )
    return int(held)


def order_by_hand(page: Page, lamp: str, food: str) -> str:
    """Two lamps and something to eat, paid by bank, to Arlon; the order's address."""
    page.goto(f"{MOSELLE}/orders")
    page.get_by_role("link", name="New order").first.click()
    for row, (sku, quantity, price) in enumerate(((lamp, "2", "121.00"), (food, "1", "10.60")), 1):
        page.get_by_label(f"SKU of line {row}").fill(sku)
        page.get_by_label(f"Quantity of line {row}").fill(quantity)
        page.get_by_label(f"Price each, line {row}").fill(price)
    page.get_by_label("Payment").select_option("bank_transfer")
    page.get_by_label("Last name").fill("Peeters")
    page.get_by_label("E-mail").fill("peeters@mail.example")
    page.get_by_label("Street and number").first.fill("5, rue de la Station")
    page.get_by_label("Postcode").first.fill("6700")
    page.get_by_label("Town").first.fill("Arlon")
    page.get_by_label("Country").first.select_option("BE")
    page.get_by_role("button", name="Place the order").click()
    expect(page.get_by_role("main")).to_contain_text("€252.60")
    return page.url.partition("?")[0]


def send(page: Page, quantities: tuple[str, ...], numbers: str) -> None:
    """Send so many of the lines that are left, a parcel for each number."""
    page.get_by_role("link", name="Send goods").first.click()
    page.get_by_label("Carrier").select_option("dhl")
    for field, quantity in zip(page.locator("input[name^=line_]").all(), quantities, strict=True):
        field.fill(quantity)
    page.get_by_label("Tracking numbers").fill(numbers)
    page.get_by_role("button", name="Save the shipment").click()
    for number in numbers.split():
        expect(page.get_by_role("link", name=number)).to_be_visible()


def more(page: Page) -> None:
    """Open the menu of the page's further acts."""
    page.locator(".page-header summary", has_text="More").click()


def issue(page: Page, order: str, button: str | re.Pattern[str]) -> None:
    """Press a button that makes a document, and wait for it to be issued."""
    page.get_by_role("button", name=button).click()
    page.locator("summary", has_text="Issue").click()
    document = page.url
    page.get_by_role("button", name="Issue", exact=True).click()
    for _ in range(_TRIES):
        page.goto(document)
        if page.get_by_role("link", name=re.compile("PDF")).count():
            page.goto(order)
            return
        page.wait_for_timeout(1000)
    pytest.fail(f"not issued: {page.get_by_role('main').inner_text()}")


def saved(page: Page, link: str) -> Path:
    """The file behind a link."""
    with page.expect_download() as download:
        page.get_by_role("link", name=link).first.click()
    return download.value.path()


@pytest.mark.long(30)
def test_an_order_by_hand_becomes_parcels_an_invoice_and_a_credit_note(owner: Page, site: Site) -> None:
    lamp, food = goods(site)
    before = reserved(site, lamp)
    order = order_by_hand(owner, lamp, food)
    for share in ("21 %", "6 %"):  # 17 and 3 % at home
        expect(owner.get_by_role("main")).to_contain_text(share)
    assert reserved(site, lamp) == before + 2

    owner.get_by_role("button", name="Confirm", exact=True).first.click()
    send(owner, ("1", "1"), "BE1\nBE2")
    expect(owner.get_by_role("main")).to_contain_text("Partially shipped")
    send(owner, ("1",), "BE3")
    expect(owner.locator(".page-header").get_by_text("Shipped", exact=True)).to_be_visible()
    assert reserved(site, lamp) == before

    issue(owner, order, "Make invoice")
    owner.get_by_role("link", name=re.compile("^Invoice MO-")).click()
    assert saved(owner, "PDF").read_bytes().startswith(b"%PDF")
    more(owner)
    sums = ElementTree.parse(saved(owner, "E-invoice (Peppol UBL)")).findall(f".//{AGGREGATE}TaxSubtotal")
    shares = [
        (one.findtext(f"{AGGREGATE}TaxCategory/{BASIC}Percent"), one.findtext(f"{BASIC}TaxAmount"))
        for one in sums
    ]
    assert sorted(shares) == [("21.00", "42.00"), ("6.00", "0.60")]

    owner.goto(order)
    more(owner)
    owner.get_by_role("link", name="Give money back").click()
    owner.locator("input[name=line_1]").fill("1")
    owner.get_by_label("Reason").fill("Scratched")
    owner.get_by_role("button", name="Give the money back").click()
    expect(owner.locator("#refunds")).to_contain_text("Scratched")
    issue(owner, order, re.compile("^Credit note for"))
    expect(owner.get_by_role("link", name=re.compile("^Credit note MO-C"))).to_be_visible()
    expect(owner.locator("#documents")).to_contain_text("-€121.00")
