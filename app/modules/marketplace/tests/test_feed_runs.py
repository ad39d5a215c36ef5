"""Runs of a feed that was imported before: the guard, what it has lost, its schedule, several feeds of one vendor."""

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import clock
from app.core.database import SYSTEM, unit_of_work
from app.modules.marketplace.adapters.feed_reader import RawRow
from app.modules.marketplace.services import feed_schedule_service, import_parts, import_run, import_service
from app.modules.marketplace.services.import_guard import find_losses
from app.modules.marketplace.services.import_service import ImportWithJob
from app.modules.marketplace.tests.conftest import ALL_OR_NOTHING, Shop, counts, feed, row
from app.modules.marketplace.tests.test_url_import import served
from app.tasks.runner import run_until_idle

TWENTY = [row(n, brand="Gutt") for n in range(20)]


def outcome(done: ImportWithJob) -> tuple[str, str | None]:
    assert done.job is not None
    return done.job.state, done.job.error_code


@pytest.mark.parametrize(
    ("rows", "finding"),
    [
        (TWENTY[:11], ("rows_lost", "", 20, 11)),
        ([{**one, "brand": ""} for one in TWENTY], ("column_emptied", "brand", 20, 0)),
    ],
)
def test_a_feed_that_lost_much_waits_for_a_look(
    shop: Shop, rows: list[dict[str, str]], finding: tuple[str, str, int, int]
) -> None:
    shop.run(feed(TWENTY))
    before = shop.rows("SELECT * FROM products ORDER BY sku")
    trial = shop.run(feed(rows), is_dry_run=True)
    assert outcome(trial) == ("succeeded", None)
    done = shop.run(feed(rows))
    assert outcome(done) == ("failed", "marketplace.feed_guard")
    for one in (trial, done):
        assert one.row.findings == [dict(zip(("code", "column", "before", "now"), finding, strict=True))]
    assert shop.rows("SELECT * FROM products ORDER BY sku") == before
    assert shop.rows("SELECT 1 FROM feed_changes") == []
    confirmed = shop.run(feed(rows), is_confirmed=True)
    assert outcome(confirmed) == ("succeeded", None)
    assert counts(confirmed)[:3] == counts(trial)[:3]
    assert confirmed.row.missing == trial.row.missing == 20 - len(rows)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_the_guard_objects_to_losses_only(rows: int, now: int, filled: int, filled_now: int) -> None:
    filled, filled_now = min(filled, rows), min(filled_now, now)
    before = {"rows": rows, "column_fill": {"brand": filled}}
    found = find_losses(before, {"rows": now, "column_fill": {"brand": filled_now}}, keeps_blanks=False)
    codes = {one["code"] for one in found}
    assert ("rows_lost" in codes) == (rows >= 10 and now * 10 < rows * 6)
    if filled_now * max(rows, 1) >= filled * max(now, 1):  # no smaller share than before
        assert "column_emptied" not in codes
    same = find_losses(before, before, keeps_blanks=False)
    assert same == []


@pytest.mark.parametrize("policy", [None, ALL_OR_NOTHING])
def test_rows_that_are_gone_are_marked_and_come_back(shop: Shop, policy: str | None) -> None:
    options = {"policy": policy} if policy else {}
    shop.run(feed(TWENTY), **options)
    shop.rows("UPDATE feeds SET missing_rows = 'out_of_stock'")
    shop.rows("UPDATE products SET edited_fields = '{availability}' WHERE sku = 'A-19'")
    done = shop.run(feed(TWENTY[:17]), **options)
    assert (counts(done), done.row.missing) == ((0, 0, 17, 0), 3)
    stock = "SELECT sku FROM products WHERE availability = 'out_of_stock' ORDER BY sku"
    assert shop.rows(stock) == [("A-17",), ("A-18",)]  # the third was set by hand
    again = shop.run(feed(TWENTY[:17]), **options)
    assert (counts(again), again.row.missing) == ((0, 0, 17, 0), 0)
    back = shop.run(feed(TWENTY), **options)
    assert (counts(back), back.row.missing) == ((0, 2, 18, 0), 0)
    assert shop.rows(stock) == []


def test_a_corrected_file_of_some_rows_is_no_loss(shop: Shop) -> None:
    shop.run(feed([*TWENTY, row(50, brand="Gutt", price="free")]))
    corrected = feed([{**row(50, brand="Gutt"), "Error": "the price cannot be read"}])
    done = shop.run(corrected)
    assert (counts(done), done.row.missing) == ((1, 0, 0, 0), 0)


def test_blank_cells_keep_what_there_is_where_the_feed_says_so(shop: Shop) -> None:
    shop.run(feed([row(1, brand="Gutt", color="red", multipack="3", sale_price="9.00 EUR")]))
    shop.rows("UPDATE feeds SET blank_cells = 'keep'")
    done = shop.run(feed([row(1, brand="", color="", multipack="", sale_price="", title="Stool")]))
    assert counts(done) == (0, 1, 0, 0)
    product = shop.product("A-1")
    assert (product.brand, product.color, product.sale_price_cents) == ("Gutt", "red", 900)
    assert product.attributes["multipack"] == 3
    shop.rows("UPDATE feeds SET blank_cells = 'clear'")
    shop.run(feed([row(1, brand="", color="", multipack="", sale_price="", title="Stool")]))
    product = shop.product("A-1")
    assert (product.brand, product.color, product.sale_price_cents) == (None, None, None)
    assert "multipack" not in product.attributes


def test_the_first_feed_that_has_a_value_gives_it(shop: Shop) -> None:
    shop.run(feed([row(1, brand="First", color="")]), language="en")
    second = [row(1, brand="Second", color="blue", price="99.00 EUR", title="Chaise"), row(2, brand="Second")]
    done = shop.run(feed(second), language="fr")
    assert counts(done) == (1, 1, 0, 0)
    product = shop.product("A-1")
    assert (product.brand, product.color, product.price_cents) == ("First", "blue", 1500)
    # A blank cell of the first clears nothing that the second has.
    shop.run(feed([row(1, brand="First", color="", title="Chair")]), language="en")
    assert shop.product("A-1").color == "blue"
    # What the vendor puts in another order for one column is so for that column only.
    keys = dict(shop.rows("SELECT language, id FROM feeds WHERE vendor_id = :vendor"))
    shop.rows(
        "UPDATE feed_settings SET field_order = jsonb_build_object('brand', jsonb_build_array(cast(:feed AS text)))",
        feed=str(keys["fr"]),
    )
    second[0] |= {"brand": "Third", "price": "88.00 EUR"}
    shop.run(feed(second), language="fr")
    product = shop.product("A-1")
    assert (product.brand, product.price_cents) == ("Third", 1500)


@pytest.mark.parametrize("fails_at", [1, 7, 20])
def test_a_stopped_run_repeats_at_most_a_tenth(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    monkeypatch.setattr(import_parts, "PART_ROWS", 10)
    read: list[int] = []
    real = import_run.ImportRun._write_part

    def part(self: import_run.ImportRun, found: import_parts.Part) -> None:
        read.append(len(found.raws))
        real(self, found)
        if len(read) == fails_at:
            raise ConnectionError("the worker's database session ended")

    monkeypatch.setattr(import_run.ImportRun, "_write_part", part)
    done = shop.run(feed([row(n) for n in range(200)]))
    assert counts(done) == (200, 0, 0, 0)
    assert 200 < sum(read) <= 220
    assert shop.rows("SELECT max(version), count(*) FROM products") == [(1, 200)]


def test_an_import_that_is_cancelled_while_it_is_checked_changes_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_parts, "PART_ROWS", 10)
    shop.run(feed(TWENTY))
    before = shop.rows("SELECT * FROM products ORDER BY sku")
    import_id = shop.start(feed([{**one, "price": "9.00 EUR"} for one in TWENTY]))
    real = import_run.ImportRun._check_part

    def cancelled(self: import_run.ImportRun, part: import_parts.Part) -> None:
        real(self, part)
        with shop.session() as session:
            import_service.cancel_import(session, import_id)

    monkeypatch.setattr(import_run.ImportRun, "_check_part", cancelled)
    assert run_until_idle(["long_running"], timeout_seconds=30)
    assert outcome(shop.look(import_id))[0] == "cancelled"
    assert shop.rows("SELECT * FROM products ORDER BY sku") == before


def test_a_check_that_was_stopped_goes_on_where_it_was(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_parts, "PART_ROWS", 10)
    rows = [row(n) for n in range(40)]
    shop.run(feed(rows))
    rows[5] |= {"title": "Stool"}
    rows[35] |= {"price": "free"}
    read: list[tuple[str, int]] = []

    def stopping(name: str, real, fails_at: int):  # type: ignore[no-untyped-def]
        def part(self: import_run.ImportRun, found: import_parts.Part) -> None:
            read.append((name, min(found.raws)))
            real(self, found)
            if len(read) == fails_at:
                raise ConnectionError("the worker's database session ended")

        return part

    check, write = import_run.ImportRun._check_part, import_run.ImportRun._write_part
    monkeypatch.setattr(import_run.ImportRun, "_check_part", stopping("check", check, 3))
    monkeypatch.setattr(import_run.ImportRun, "_write_part", stopping("write", write, 7))
    done = shop.run(feed(rows))
    assert outcome(done) == ("succeeded", None)
    assert counts(done) == (0, 1, 38, 1)
    checks, writes = [("check", n) for n in (2, 12, 22, 22, 32)], [("write", n) for n in (2, 12, 12, 22, 32)]
    assert read == [*checks, *writes]


def test_a_run_begins_again_when_the_database_lost_its_notes(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_parts, "PART_ROWS", 10)
    shop.run(feed([row(n) for n in range(12)]))
    first: list[int] = []
    real = import_run.ImportRun._write_part

    def part(self: import_run.ImportRun, found: import_parts.Part) -> None:
        first.append(min(found.raws))
        real(self, found)
        if len(first) == 3:
            raise ConnectionError("the server went away")

    def begin(self: import_run.ImportRun, checkpoint: dict[str, Any] | None) -> None:
        if first:
            shop.rows("TRUNCATE feed_import_seen")  # as after a crash of the server
        start(self, checkpoint)

    start = import_run.ImportRun._begin
    monkeypatch.setattr(import_run.ImportRun, "_begin", begin)
    monkeypatch.setattr(import_run.ImportRun, "_write_part", part)
    done = shop.run(feed([row(n, title="Stool") for n in range(30)] + [row(3)]))
    assert first == [2, 12, 22, 2, 12, 22, 32]
    created, updated, unchanged, failed = counts(done)
    assert (created + updated + unchanged, failed) == (30, 1)


def test_a_file_that_changes_after_it_was_given_is_imported_as_it_was(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "feed.tsv"
    path.write_bytes(feed([row(1), row(2)]))
    import_id = shop.start(path)
    path.write_bytes(b"id\ttitle\tprice\nA-1\t")
    assert run_until_idle(["long_running"], timeout_seconds=30)
    assert counts(shop.look(import_id)) == (2, 0, 0, 0)


def test_a_feed_is_fetched_at_its_hours_and_only_when_it_changed(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "feed.csv").write_bytes(feed([row(1)], delimiter=","))

    def turn() -> list[ImportWithJob]:
        with unit_of_work(SYSTEM) as session:
            for due in feed_schedule_service.list_due(session):
                feed_schedule_service.start_due(session, due)
        assert run_until_idle(["long_running"], timeout_seconds=30)
        with shop.session() as session:
            return list(import_service.list_imports(session))

    with served(tmp_path, monkeypatch) as address:
        shop.run(url=f"{address}/feed.csv")
        assert len(turn()) == 1
        ago = clock.now() - timedelta(hours=13)
        shop.rows("UPDATE feeds SET every_hours = 6, next_run_at = :ago WHERE url IS NOT NULL", ago=ago)
        newest = turn()[0]
        assert (newest.row.is_not_modified, counts(newest)) == (True, (0, 0, 0, 0))
        # The missed ones are not made up for, and the hours stay.
        assert shop.rows("SELECT next_run_at FROM feeds WHERE url IS NOT NULL") == [
            (ago + timedelta(hours=18),)
        ]
        assert len(turn()) == 2
        (tmp_path / "feed.csv").write_bytes(feed([row(1), row(2)], delimiter=","))
        later = time.time() + 5  # the server's times have whole seconds
        os.utime(tmp_path / "feed.csv", (later, later))
        shop.rows("UPDATE feeds SET next_run_at = :ago WHERE url IS NOT NULL", ago=ago)
        newest = turn()[0]
        assert (newest.row.is_not_modified, counts(newest)) == (False, (1, 0, 1, 0))


def test_reading_ahead_raises_where_the_rows_are_taken_and_leaves_no_thread() -> None:
    def rows():  # type: ignore[no-untyped-def]
        yield RawRow(1, ["a"], 1, 2)
        raise ValueError("the disk is gone")

    with pytest.raises(ValueError, match="the disk is gone"), import_parts.ahead(rows()) as parts:
        list(parts)
    with import_parts.ahead(iter(range(100))) as numbers:  # type: ignore[arg-type]
        assert next(numbers) == 0
