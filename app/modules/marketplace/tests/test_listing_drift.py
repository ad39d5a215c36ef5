"""What a marketplace offers is held against the files that were sent to it."""

from pathlib import Path
from typing import Any

import pytest

from app.modules.marketplace.contracts import Listing, ListingPage
from app.modules.marketplace.services import feed_push_service, listing_drift_service
from app.modules.marketplace.services.connection_service import create_connection
from app.modules.marketplace.services.listing_drift_service import Offer, compare, read_all
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
        ("missing_there", "A-3", None, None),
    ]


def test_pages_are_read_to_their_end() -> None:
    pages = {None: ListingPage([listing(1)], "a"), "a": ListingPage([], "b"), "b": ListingPage([listing(2)])}
    assert [one.sku for one in read_all(lambda cursor: pages[cursor])] == ["A-1", "A-2"]


def test_a_difference_that_stays_is_a_problem(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDER_FOLDER_ROOT", str(tmp_path))
    sale = {"sale_price": "12.00 EUR", "sale_price_effective_date": "2020-01-01T00:00Z/2020-02-01T00:00Z"}
    shop.run(feed([{**row(1), **sale}, {**row(2), "sale_price": "", "sale_price_effective_date": ""}]))

    def check(*listings: Listing) -> tuple[dict[str, int], list[Any], list[Any]]:
        with shop.session() as session:
            connection_id = create_connection(session, shop.vendor_id, "order_folder").id
            counts = listing_drift_service.note(session, connection_id, listings)
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
