"""What changes in the catalogue and in stock is written into the feeds at once, and the marketplaces are told."""

import csv
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from app.core.database import IdentityScope, unit_of_work
from app.core.ids import new_id, to_public
from app.modules.api import ROOT
from app.modules.marketplace.services import feed_push_service
from app.modules.marketplace.services.connection_service import change_connection, create_connection
from app.modules.marketplace.services.export_sending_service import find_sent
from app.modules.marketplace.tests.conftest import Shop, feed, row
from app.modules.marketplace.tests.test_feed_pages import act, hidden
from app.modules.tenancy.facade import vendor_holder
from app.testing.api_keys import make_key, owner_of
from app.testing.browsing import sign_in
from app.testing.working import work

_JOBS = "SELECT state, result, unique_key FROM jobs WHERE vendor_id = :vendor AND task LIKE '%push_changes' ORDER BY id"
_EXPORTS = "SELECT is_push, sent_at, findings FROM feed_exports WHERE vendor_id = :vendor AND language = 'en'"


class Told:
    """A vendor with twelve products that is connected to a marketplace which takes files and levels."""

    def __init__(self, shop: Shop, client: TestClient, root: Path) -> None:
        self.shop, self.client, self.folder = shop, client, root / shop.code.lower()
        shop.run(feed(row(number, availability="in_stock") for number in range(1, 13)))
        with shop.session() as session:
            self.connection_id = create_connection(session, shop.vendor_id, "order_folder").id
        with unit_of_work(IdentityScope()) as session:
            owner = vendor_holder(session, shop.vendor_id, owner_of(session, shop.company_id))
        assert owner is not None
        self._key = make_key(owner)

    def changed(self) -> None:
        with self.shop.session() as session:
            feed_push_service.note_changed(session)

    def set_level(self, sku: str, units: int) -> None:
        answer = self.client.post(
            f"{ROOT}/vendor/inventory/adjustments",
            json={"sku": sku, "units": units, "mode": "set", "reason": "correction"},
            headers={"Authorization": f"Bearer {self._key}", "Idempotency-Key": str(new_id())},
        )
        assert answer.status_code == 201, answer.text

    def offers(self) -> dict[str, str]:
        return {one["id"]: one["availability"] for one in _table(self.folder / "feeds" / "products_en.tsv")}

    def levels(self) -> dict[str, int]:
        return {one["sku"]: int(one["quantity"]) for one in _table(self.folder / "levels.csv")}

    def jobs(self) -> list[Any]:
        return self.shop.rows(_JOBS)


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","))


@pytest.fixture
def told(shop: Shop, client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    root = tmp_path / "marketplace"
    root.mkdir()
    monkeypatch.setenv("ORDER_FOLDER_ROOT", str(root))
    return Told(shop, client, root)


def test_stock_reaches_the_marketplace(told: Told) -> None:
    told.set_level("A-1", 0)
    told.set_level("A-2", 5)
    told.shop.rows(
        "INSERT INTO stock_rules (id, vendor_id, channel, kept_back, created_at, updated_at, version) "
        "VALUES (gen_random_uuid(), :vendor, 'order_folder', 2, now(), now(), 1), "
        "(gen_random_uuid(), :vendor, 'letzshop', 9, now(), now(), 1)"
    )
    work()
    # The file is Letzshop's: its rule keeps back more than there is.
    assert {sku for sku, state in told.offers().items() if state == "out_of_stock"} == {"A-1", "A-2"}
    assert len(told.offers()) == 12
    assert told.levels() == {"A-1": 0, "A-2": 3}
    assert len(told.jobs()) == 1, "changes of a moment are told once"
    told.shop.rows("DELETE FROM stock_rules WHERE vendor_id = :vendor")
    told.set_level("A-1", 7)
    work()
    assert told.offers()["A-1"] == told.offers()["A-2"] == "in_stock"
    assert told.levels() == {"A-1": 7, "A-2": 5}
    assert len(told.shop.rows(_EXPORTS)) == 1, "of the files that were written so, the last is kept"
    assert [job.state for job in told.jobs()] == ["succeeded", "succeeded"]


def test_rules_reach_the_marketplace_at_once(told: Told, client: TestClient) -> None:
    """Rules of stock and of exports, as people set them on their pages."""
    told.set_level("A-2", 5)
    work()
    assert (told.levels(), len(told.offers()), len(told.jobs())) == ({"A-2": 5}, 12, 1)
    client.cookies.set("wm_lang", "en")
    sign_in(client, "vendor", "owner@moselle.example")
    page = f"/vendor/MOSELLE/products/{to_public('prd', told.shop.product('A-2').id)}/stock-rules"
    for kept_back in ("5", "5"):
        shown = client.get(page)
        answer = client.post(page, data={**hidden(shown.text), "kept_back": kept_back})
        assert answer.status_code == 303, answer.text
        work()
    assert (told.levels(), told.offers()["A-2"]) == ({"A-2": 0}, "out_of_stock")
    assert len(told.jobs()) == 2, "what is the same is not told"
    condition = {"column_0": "title", "op_0": "equals", "value_0": "Chair 7"}
    page = "/vendor/MOSELLE/feed-rules/new-export?kind=exclude"
    typed = {**hidden(client.get(page).text), "name": "No sevens", "match": "all", **condition}
    answer = client.post(page, data=typed)
    assert answer.status_code == 303, answer.text
    work()
    assert sorted(set(map(str, range(1, 13))) - {sku[2:] for sku in told.offers()}) == ["7"]
    rule = answer.headers["location"]
    act(client, rule, "switch")
    work()
    assert len(told.offers()) == 12
    assert len(told.jobs()) == 4


def test_what_changes_while_a_file_is_written_is_written_next(told: Told) -> None:
    told.changed()
    told.changed()
    assert len(told.jobs()) == 1
    with told.shop.session() as session:
        assert feed_push_service.begin(session, told.connection_id) is not None
    told.changed()
    assert len({job.unique_key for job in told.jobs()}) == 2
    with told.shop.session() as session:
        change_connection(session, told.connection_id, is_on=False)
    work()
    assert not told.folder.exists(), "a connection that is off is told nothing"
    told.changed()
    assert len(told.jobs()) == 2


def test_the_guard_holds_and_a_repair_sends_again(told: Told) -> None:
    told.changed()
    work()
    told.shop.rows("UPDATE products SET is_active = false WHERE vendor_id = :vendor AND sku > 'A-2'")
    for _ in range(2):
        told.changed()
        work()
    assert len(told.offers()) == 12, "what the guard holds is not told"
    held = [one for one in told.shop.rows(_EXPORTS) if one.findings]
    assert [(one.is_push, one.sent_at) for one in held] == [(True, None)]
    notices = "SELECT id FROM notifications WHERE vendor_id = :vendor AND kind = 'marketplace.export_held'"
    told_people = len({one.id for one in told.shop.rows(notices)})
    told.shop.rows("UPDATE products SET is_active = true WHERE vendor_id = :vendor")
    before = _sent(told)
    (told.folder / "feeds" / "products_en.tsv").unlink()
    with told.shop.session() as session:
        feed_push_service.send_again(session, told.connection_id)
    work()
    after = _sent(told)
    assert before[1:] == after[1:]
    assert before[0] < after[0], "the same file is sent under a later time"
    assert len(told.offers()) == 12
    assert told_people == len({one.id for one in told.shop.rows(notices)}) > 0
    assert len(told.shop.rows(_EXPORTS)) <= 2


def _sent(told: Told) -> tuple[Any, UUID, Any]:
    with told.shop.session() as session:
        sent = find_sent(session, "en")
        assert sent is not None
        return sent.sent_at, sent.id, sent.sha256
