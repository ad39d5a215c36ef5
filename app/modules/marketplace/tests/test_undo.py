"""Undoing an import: afterwards everything says what it said before."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from app.core.database import SYSTEM, unit_of_work
from app.modules.catalog import facade as catalog
from app.modules.marketplace.exceptions import ImportNotUndoableError
from app.modules.marketplace.services import import_parts, import_run, import_service, undo_service
from app.modules.marketplace.services.import_service import ImportWithJob
from app.modules.marketplace.tests.conftest import Shop, counts, feed, row
from app.tasks.runner import run_until_idle

_LEFT_OUT = "'version', 'updated_at', 'created_at'"


def content(shop: Shop) -> dict[str, list[Any]]:
    """All that people see of products, texts and rows of feeds."""
    tables = ("products", "product_translations", "marketplace_products")
    return {
        table: shop.rows(
            f"SELECT to_jsonb(t) - ARRAY[{_LEFT_OUT}] FROM {table} t WHERE vendor_id = :vendor "
            f"ORDER BY (to_jsonb(t) - ARRAY[{_LEFT_OUT}])::text"
        )
        for table in tables
    }


def undo(shop: Shop, done: ImportWithJob) -> None:
    with shop.session() as session:
        undo_service.start_undo(session, done.row.id, user_id=None)
    assert run_until_idle(["long_running"], timeout_seconds=30)


def why_not(shop: Shop, done: ImportWithJob) -> str | None:
    with shop.session() as session:
        return undo_service.why_not(session, done.row.id)


def test_changed_added_and_lost_rows_are_as_before(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo_service, "_PORTION", 2)
    shop.run(feed([row(n, brand="Gutt") for n in range(20)]))
    shop.rows("UPDATE feeds SET missing_rows = 'out_of_stock'")
    before = content(shop)
    after = [row(n, brand="Gutt") for n in range(15)] + [row(30, brand="Gutt")]
    after[3] |= {"title": "Stool", "price": "9.00 EUR", "brand": "", "color": "red", "multipack": "3"}
    done = shop.run(feed(after, columns=[*after[3]]))
    assert counts(done) == (1, 1, 14, 0)
    assert done.row.missing == 5
    assert shop.product("A-19").availability == "out_of_stock"
    assert content(shop) != before
    undo(shop, done)
    assert content(shop) == before
    with shop.session() as session:
        assert catalog.list_products(session, language="en", query="stool").total == 0
        assert catalog.list_products(session, language="en", query="gutt").total == 20
    assert shop.look(done.row.id).row.undone_at is not None
    assert counts(shop.run(feed(after, columns=[*after[3]]))) == (1, 1, 14, 0)


def test_a_cancelled_import_is_undone_as_far_as_it_came(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_parts, "PART_ROWS", 10)
    shop.run(feed([row(n, brand="Gutt") for n in range(40)]))
    before = content(shop)
    changed = [row(n, brand="Belair", price="9.00 EUR") for n in range(30)] + [row(n) for n in range(50, 80)]
    import_id = shop.start(feed(changed), is_confirmed=True)
    real = import_run.ImportRun._write_part

    def cancelled(self: import_run.ImportRun, part: import_parts.Part) -> None:
        real(self, part)
        if min(part.raws) == 32:
            with shop.session() as session:
                import_service.cancel_import(session, import_id)

    monkeypatch.setattr(import_run.ImportRun, "_write_part", cancelled)
    assert run_until_idle(["long_running"], timeout_seconds=30)
    done = shop.look(import_id)
    assert done.job is not None
    assert done.job.state == "cancelled"
    assert content(shop) != before
    undo(shop, done)
    assert content(shop) == before


def test_an_undo_that_was_stopped_goes_on(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo_service, "_TAKE_CHANGES", portion_of(undo_service._TAKE_CHANGES, 5))
    monkeypatch.setattr(undo_service, "_TAKE_ADDED", portion_of(undo_service._TAKE_ADDED, 5))
    shop.run(feed([row(n) for n in range(20)]))
    before = content(shop)
    done = shop.run(feed([row(n, title="Stool", price="9.00 EUR") for n in range(30)]))
    calls: list[int] = []
    real = catalog.restore_products

    def breaks_once(session: Session, past: Sequence[Any], *, language: str) -> Any:
        calls.append(len(past))
        result = real(session, past, language=language)
        if len(calls) in (2, 6):
            raise ConnectionError("the worker's database session ended")
        return result

    monkeypatch.setattr(catalog, "restore_products", breaks_once)
    undo(shop, done)
    assert content(shop) == before
    # Each stop costs one portion.
    assert sum(calls) == 30 + 2 * 5


def portion_of(statement: TextClause, size: int) -> TextClause:
    return text(statement.text.replace("LIMIT 5000", f"LIMIT {size}"))


def test_a_first_import_leaves_nothing(shop: Shop) -> None:
    before = content(shop)
    done = shop.run(feed([row(n) for n in range(5)]))
    undo(shop, done)
    assert content(shop) == before


def test_what_was_edited_by_hand_since_stays(shop: Shop) -> None:
    shop.run(feed([row(1, brand="Gutt")]))
    done = shop.run(feed([row(1, brand="Moselwerk", price="9.00 EUR"), row(2), row(3)]))
    shop.rows("UPDATE products SET brand = 'Mine', edited_fields = '{brand}' WHERE sku IN ('A-1', 'A-2')")
    undo(shop, done)
    product = shop.product("A-1")
    assert (product.brand, product.price_cents) == ("Mine", 1500)
    assert shop.product("A-2") is not None
    assert shop.product("A-3") is None


def test_texts_of_a_second_language_go_and_the_product_stays(shop: Shop) -> None:
    shop.run(feed([row(1)]))
    before = content(shop)
    done = shop.run(feed([row(1, title="Chaise", color="rouge")]), language="fr")
    assert shop.product("A-1").color == "rouge"
    undo(shop, done)
    assert content(shop) == before


def test_only_the_last_import_of_a_feed_within_a_day_can_be_undone(shop: Shop) -> None:
    first = shop.run(feed([row(1)]))
    assert why_not(shop, first) is None
    second = shop.run(feed([row(1, title="Stool")]))
    assert why_not(shop, first) == "newer_import"
    same = shop.run(feed([row(1, title="Stool")]))
    assert why_not(shop, same) == "nothing"
    trial = shop.run(feed([row(1, title="Bench")]), is_dry_run=True)
    assert why_not(shop, trial) == "dry_run"
    other = shop.run(feed([row(1, title="Hocker")]), language="de")
    assert why_not(shop, other) is None
    undo(shop, second)
    assert (why_not(shop, second), why_not(shop, first)) == ("undone", None)
    with shop.session() as session, pytest.raises(ImportNotUndoableError):
        undo_service.start_undo(session, second.row.id, user_id=None)
    shop.rows("UPDATE feed_imports SET created_at = created_at - interval '25 hours'")
    assert why_not(shop, first) == "too_late"


def test_what_can_no_longer_be_undone_is_forgotten(shop: Shop) -> None:
    shop.run(feed([row(1), row(2)]))
    shop.run(feed([row(1, title="Stool"), row(2, title="Bench")]))
    newest = shop.run(feed([row(1, title="Table"), row(2, title="Bench")]))
    shop.rows(
        "UPDATE feed_imports SET created_at = created_at - interval '3 days' WHERE id <> :id",
        id=newest.row.id,
    )
    with unit_of_work(SYSTEM) as session:
        assert undo_service.forget_old_changes(session) == 2
        assert undo_service.forget_old_changes(session) == 0
    assert shop.rows("SELECT import_id FROM feed_changes") == [(newest.row.id,)]
