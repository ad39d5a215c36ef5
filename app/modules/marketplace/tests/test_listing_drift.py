"""What a marketplace offers is held against the files that were sent to it."""

from pathlib import Path
from typing import Any

import pytest

from app.core import clock
from app.modules.marketplace.contracts import Listing, ListingPage
from app.modules.marketplace.services import feed_push_service, listing_drift_service
from app.modules.marketplace.services.connection_service import create_connection
from app.modules.marketplace.services.listing_drift_service import MOST_PAGES, Offer, Walk, compare, missing
from app.modules.marketplace.tests.conftest import Shop, feed, row
from app.testing.working import work

_DRIFTS = (
    "SELECT kind, article, ours, theirs, found_at < seen_at AS is_old FROM drifts WHERE vendor_id = :vendor"
)
_PROBLEMS = (
    "SELECT count FROM problems WHERE vendor_id = :vendor AND key = 'marketplace.drift:order_folder' {}"
)


def listing(number: int, cents: int | None = 1500, is_available: bool | None = True) -> Listing:
    return Listing(
        f"x-{number}", f"A-{number}", title=f"Chair {number}", price_cents=cents, is_available=is_available
    )


def test_differences_are_named() -> None:
    offers = {
        "A-1": Offer("Chair", frozenset({1500, 1200}), is_available=True),
        "A-2": Offer("Lamp", frozenset({900}), is_available=False),
        "A-3": Offer("Vase", frozenset({100}), is_available=True),
    }
    there = [
        listing(1, 1200),
        listing(2, 950, is_available=True),
        listing(9),
        Listing("own", None, title="Their own", price_cents=1),
        listing(1, None, is_available=None),
    ]
    assert [(one.kind.value, one.article, one.ours, one.theirs) for one in compare(offers, there)] == [
        ("price", "A-2", 900, 950),
        ("availability", "A-2", 0, 1),
        ("unknown_here", "A-9", None, None),
        ("unknown_here", "own", None, None),
    ]
    assert [one.article for one in missing(offers, {"A-1", "A-2"})] == ["A-3"]


class Everything:
    """A marketplace that lists all its shops, of which two products are the vendor's: at the ends of the list."""

    def __init__(self, pages: int) -> None:
        self.pages, self.asked = pages, 0

    def read(self, cursor: str | None) -> ListingPage:
        place = int(cursor or 0)
        self.asked += 1
        mine = {0: [listing(1, 1200)], self.pages - 1: [listing(2)]}
        return ListingPage(mine.get(place, []), str(place + 1) if place + 1 < self.pages else None)


def test_a_difference_that_stays_is_a_problem(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDER_FOLDER_ROOT", str(tmp_path))
    sale = {"sale_price": "12.00 EUR", "sale_price_effective_date": "2020-01-01T00:00Z/2020-02-01T00:00Z"}
    shop.run(feed([{**row(1), **sale}, {**row(2), "sale_price": "", "sale_price_effective_date": ""}]))

    def check(*listings: Listing) -> tuple[dict[str, int], list[Any], list[Any]]:
        with shop.session() as session:
            connection_id = create_connection(session, shop.vendor_id, "order_folder").id
            counts = listing_drift_service.note(session, connection_id, Walk(clock.now()), listings)
        return counts, shop.rows(_DRIFTS), shop.rows(_PROBLEMS.format("AND cleared_at IS NULL"))

    assert check(listing(1)) == ({}, [], []), "before a file was sent nothing is compared"
    with shop.session() as session:
        feed_push_service.note_changed(session)
    work()
    counts, kept, problems = check(listing(1, 1200), listing(2))
    assert counts == {"price": 1}, "the sale is over"
    assert [tuple(one) for one in kept] == [("price", "A-1", 1500, 1200, False)]
    assert not problems, "it may be on its way"
    counts, kept, problems = check(listing(1, 1100), listing(2))
    assert [tuple(one) for one in kept] == [("price", "A-1", 1500, 1100, True)]
    assert len(problems) == 1
    assert check(listing(1), listing(2)) == ({}, [], [])


def test_a_round_is_bounded_and_the_next_goes_on(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is missing there is known once all was seen, over however many rounds."""
    monkeypatch.setenv("ORDER_FOLDER_ROOT", str(tmp_path))
    plain = {"sale_price": "", "sale_price_effective_date": ""}
    shop.run(feed([{**row(number), **plain} for number in (1, 2, 3)]))
    with shop.session() as session:
        connection_id = create_connection(session, shop.vendor_id, "order_folder").id
        feed_push_service.note_changed(session)
    work()
    there = Everything(MOST_PAGES + 5)

    def check() -> tuple[int, list[tuple[str, str]]]:
        there.asked = 0
        with shop.session() as session:
            walk = listing_drift_service.begin(session, connection_id)
        listings = listing_drift_service.read_round(there.read, walk)
        with shop.session() as session:
            listing_drift_service.note(session, connection_id, walk, listings)
        return there.asked, sorted((one.kind, one.article) for one in shop.rows(_DRIFTS))

    both = [("missing_there", "A-3"), ("price", "A-1")]
    assert check() == (MOST_PAGES, both[1:])
    assert check() == (5, both), "A-1 was seen in the round before"
    assert check() == (MOST_PAGES, both), "nothing is forgotten on the way"
    with shop.session() as session:  # a round that fails begins anew
        listing_drift_service.begin(session, connection_id)
    assert check() == (MOST_PAGES, both)
    there.pages = MOST_PAGES + 1
    assert check()[0] == 1
    assert len(shop.rows(_PROBLEMS.format("AND cleared_at IS NULL"))) == 1
