"""A shop and its plan, as a browser sees it: sign up, a card that fails, pay, a larger plan, cancel, and back."""

import email
import re
from collections.abc import Iterator
from email.policy import default

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.long(90), pytest.mark.timeout(300)]
EMAIL, PASSWORD = "lea@eisleck.example", "regen iwwer Wolz am Abrëll"
GOOD, FAILS_LATER = (
    "4242424242424242",
    "4000000000000341",
)  # the second can be saved, and fails when it is charged


@pytest.fixture
def page(browser: Browser, desk: Desk) -> Iterator[Page]:
    """A window on the prices."""
    with browser.new_context(base_url=desk.url, locale="en-GB") as context:
        context.set_default_timeout(30_000)
        expect.set_options(timeout=30_000)
        yield context.new_page()
        expect.set_options(timeout=5_000)


def link_mailed(desk: Desk) -> str | None:
    """The link in the newest mail to the new owner."""
    for file in sorted((desk.data / "outbox").glob("*.eml"), reverse=True):
        mail = email.message_from_bytes(file.read_bytes(), policy=default)
        found = re.search(r"https?://\S+/sign-up/continue\?\S+", mail.get_content())
        if mail["To"] == EMAIL and found:
            return found[0]
    return None


def sign_up(page: Page, desk: Desk) -> None:
    """From the prices to the payment of the trial that begins."""
    page.goto("/")
    page.get_by_role("link", name="Plans and prices").click()
    page.get_by_role("link", name="Choose Essential").click()
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mailbox")
    desk.processes.wait_until(lambda: link_mailed(desk) is not None)
    page.goto(link_mailed(desk) or "")
    page.get_by_label("Your name").fill("Lea")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Company").fill("Eisleck S.à r.l.")
    page.get_by_label("Name of the shop").fill("Eisleck")
    page.get_by_label("Short code").fill("EISLECK")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("main")).to_contain_text("Essential, €49.00 a month")
    page.get_by_role("button", name="Enter a card now").click()


def give_card(page: Page, number: str) -> None:
    """Fill in the stand-in's page."""
    page.wait_for_url("**/stripe/pages/**")
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expiry").fill("12/34")
    page.get_by_label("Security code").fill("123")
    for name, value in (("Name", "Lea"), ("E-mail", EMAIL)):
        field = page.get_by_label(re.compile(f"^{name}"))
        if field.count() and field.first.is_editable():
            field.first.fill(value)
    page.get_by_role("main").get_by_role("button").first.click()


def expect_plan(page: Page, *words: str) -> None:
    """The plan's page says so, now or once what is under way is done."""
    page.wait_for_url(re.compile("/vendor/EISLECK/plan([?#].*)?$"))
    for word in words:
        expect(page.get_by_role("main")).to_contain_text(word)


def test_the_life_of_a_subscription(page: Page, desk: Desk) -> None:
    sign_up(page, desk)
    give_card(page, FAILS_LATER)
    expect_plan(page, "Trial", "A card is on file")

    desk.advance("15d")
    page.goto("/vendor/EISLECK")
    expect(page.get_by_role("main")).to_contain_text("A payment failed. Your shop becomes read-only in")
    page.get_by_role("link", name="To the plan").click()
    expect_plan(page, "Past due")
    page.get_by_role("button", name="Change the payment method").click()
    give_card(page, GOOD)
    expect_plan(page, "Active")
    expect(page.get_by_text("A payment failed. Your shop")).to_have_count(0)

    page.get_by_role("link", name="Change the plan").click()
    page.get_by_role("button", name="Choose Professional").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Change to Professional")
    due = page.get_by_role("definition").nth(1).inner_text()
    assert re.fullmatch(r"€4[89]\.\d\d", due), due  # the difference of 30 days of 31
    page.get_by_role("button", name="Change the plan").click()
    expect_plan(page, "Professional", "€99.00 a month")
    page.get_by_role("link", name="All invoices").click()
    expect(page.get_by_role("table").get_by_text("Paid")).to_have_count(2)
    page.goto("/vendor/EISLECK/plan")

    page.locator("summary", has_text="More actions").click()
    page.get_by_role("link", name="Cancel the subscription").click()
    page.get_by_label("Why are you leaving?").fill("Too quiet in winter")
    page.get_by_role("button", name="Cancel the subscription").click()
    expect_plan(page, "Cancelled", "You can use everything until")
    page.get_by_role("button", name="Take the cancellation back").click()
    expect_plan(page, "Active", "The cancellation is taken back.")
