"""The directory: what a sync finds, who a shop may be, and who says that it is theirs."""

import pytest
from sqlalchemy import select

from app.core.database import SYSTEM, unit_of_work
from app.modules.marketplace.contracts import DirectoryShop
from app.modules.marketplace.exceptions import ShopTakenError
from app.modules.marketplace.models.directory_shop import ListedShop
from app.modules.marketplace.services import directory_match_service, directory_service
from app.modules.marketplace.tests.conftest import Shop

ONE = DirectoryShop("1", "moselle", "Atelier Moselle S.à r.l.", email="hello@elsewhere.example")
TWO = DirectoryShop("2", "eisch", "Papeterie Eisch", city="Steinfort")


@pytest.mark.parametrize(
    ("name", "bare"),
    [("Atelier Moselle S.à r.l.", "atelier moselle"), ("VËLO-Sauer, GmbH", "velo sauer"), (None, "")],
)
def test_names_are_compared_bare(name: str | None, bare: str) -> None:
    assert directory_match_service.plain(name) == bare


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://www.eisch.example/shop", "eisch.example"),
        ("eisch.example", "eisch.example"),
        ("http://[", ""),
        ("", ""),
    ],
)
def test_hosts_of_homepages(address: str, host: str) -> None:
    assert directory_match_service.host_of(address) == host


def test_a_sync_says_what_is_new_changed_and_gone(shop: Shop) -> None:
    with unit_of_work(SYSTEM) as session:
        first = directory_service.store_page(session, "paper", [ONE, TWO])
        assert (first.new, first.changed) == (2, 0)
        again = directory_service.store_page(session, "paper", [ONE])
        assert (again.new, again.changed) == (0, 0)
        moved = DirectoryShop("1", "moselle", ONE.name, email=ONE.email, city="Remich", is_active=False)
        assert directory_service.store_page(session, "paper", [moved]).changed == 1
        row = session.scalars(select(ListedShop).where(ListedShop.slug == "moselle")).one()
        assert row.changes == {"city": [None, "Remich"], "is_open": [True, False]}
        assert directory_service.mark_gone(session, "paper", row.seen_at) == 1
        back = directory_service.store_page(session, "paper", [TWO])
        assert back.changed == 1  # it is there again
        assert session.scalars(select(ListedShop).where(ListedShop.slug == "eisch")).one().gone_at is None


def test_a_claim_waits_for_the_operator(shop: Shop, other_shop: Shop) -> None:
    with unit_of_work(SYSTEM) as session:
        directory_service.store_page(session, "paper", [ONE, TWO])
        row = session.scalars(select(ListedShop).where(ListedShop.slug == "moselle")).one()
        (best, *_) = directory_match_service.suggest(session, row)
        assert best.vendor.code == "MOSELLE"
        assert {"code"} <= set(best.reasons)
        claimed = directory_match_service.claim(
            session, row.id, other_shop.vendor_id, email="Hello@elsewhere.example", by=None
        )
        assert claimed
        assert row.vendor_id is None  # nobody is believed without the operator
        assert row.claim_note == "email"
        assert not directory_match_service.claim(
            session, row.id, shop.vendor_id, email="a@b.example", by=None
        )
        directory_match_service.confirm(session, row.id, other_shop.vendor_id, by=None)
        second = session.scalars(select(ListedShop).where(ListedShop.slug == "eisch")).one()
        with pytest.raises(ShopTakenError):
            directory_match_service.confirm(session, second.id, other_shop.vendor_id, by=None)
        assert other_shop.vendor_id not in {
            one.vendor.id for one in directory_match_service.suggest(session, second)
        }
