"""A card that was given on Stripe's page is used, also when nobody hears of it."""

import pytest

from app.modules.billing.services import stripe_request_service
from app.modules.billing.tests.at_stripe.conftest import BACK, DECLINED, GOOD, Desk
from app.modules.billing.tests.conftest import BY_PERSON
from app.testing.working import work


def _give_card(desk: Desk, number: str) -> str:
    """The address of the page."""
    asked = desk.ask("card", BACK)
    assert desk.pay(asked.result_url, number=number) == 303
    return str(asked.result_url)


def _last4(desk: Desk) -> str:
    card = desk.api.payment_methods.retrieve(desk.theirs().default_payment_method).card
    return str(card.last4)


def _look(desk: Desk, way: str) -> None:
    if way == "sync":
        desk.sync()
        return
    with desk.shop.session() as session:
        stripe_request_service.ask_sync(session, desk.shop.vendor_id, BY_PERSON)
    work()


@pytest.mark.parametrize("way", ["sync", "return"])
def test_a_card_of_which_nothing_was_heard_is_used_when_one_looks(desk: Desk, way: str) -> None:
    desk.subscribe(number=DECLINED)
    desk.advance(0.1)
    desk.bring()
    assert desk.shop.look().status == "past_due"
    _give_card(desk, GOOD)
    desk.lose()
    _look(desk, way)
    assert _last4(desk) == GOOD[-4:]
    assert desk.shop.look().status == "active"
    assert {status for _, _, status in desk.invoices()} == {"paid"}


def test_of_two_cards_the_last_one_counts(desk: Desk) -> None:
    desk.subscribe()
    _give_card(desk, DECLINED)
    desk.lose()
    _give_card(desk, "5555555555554444")
    desk.bring()
    desk.sync()
    assert _last4(desk) == "4444"


def test_a_page_that_is_still_open_is_looked_at_again(desk: Desk) -> None:
    desk.subscribe()
    url = desk.ask("card", BACK).result_url
    desk.sync()
    assert desk.pay(url, number="5555555555554444") == 303
    desk.lose()
    desk.sync()
    assert _last4(desk) == "4444"


def test_a_page_that_nobody_used_is_forgotten(desk: Desk) -> None:
    desk.subscribe()
    desk.ask("card", BACK)
    pages = "SELECT id FROM billing_requests WHERE vendor_id = :vendor AND arguments ? 'page'"
    assert len(desk.shop.rows(pages)) == 1
    desk.advance(2)
    desk.sync()
    assert not desk.shop.rows(pages)
