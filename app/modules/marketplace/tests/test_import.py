"""A feed becomes a catalogue: the whole way, on a real database."""

import csv
import io
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from app.core.errors import AppError
from app.modules.catalog import facade as catalog
from app.modules.marketplace.services import import_parts, import_run, import_service, row_error_service
from app.modules.marketplace.services.import_parts import Part
from app.modules.marketplace.services.import_service import ORDERING_KEY
from app.modules.marketplace.tests.conftest import ALL_OR_NOTHING, GOOD, Shop, counts, feed, row
from app.modules.marketplace.tests.prepared_rows import FIXTURES
from app.tasks import claim
from app.tasks.models import Waiting
from app.tasks.runner import run_until_idle
from bench.feeds import write_feed


def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_parts, "PART_ROWS", 10)


def spoilt(name: str, cell: str, bad: str) -> bytes:
    """A file of a shop with one cell changed."""
    content = (FIXTURES / name).read_text(encoding="utf-8-sig")
    assert cell in content
    return content.replace(cell, bad, 1).encode()


def test_first_import_creates_and_the_second_finds_nothing_to_do(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "feed.tsv"
    truth = write_feed(path, rows=300, language="en", seed=5, dirty_share=0.1)
    good = truth.rows - len(truth.dirty)
    first = shop.run(path)
    assert first.job is not None
    assert first.job.state == "succeeded"
    assert counts(first) == (good, 0, 0, len(truth.dirty))
    assert (first.row.encoding, first.row.delimiter) == ("utf-8", "\t")
    assert first.row.unknown_columns == ["supplier_note"]
    before = shop.rows("SELECT id, version, updated_at FROM products WHERE vendor_id = :vendor ORDER BY id")
    assert len(before) == good

    second = shop.run(path)
    assert counts(second) == (0, 0, good, len(truth.dirty))
    after = shop.rows("SELECT id, version, updated_at FROM products WHERE vendor_id = :vendor ORDER BY id")
    assert after == before
    assert shop.rows("SELECT 1 FROM feed_import_seen") == []


def test_a_row_is_stored_with_all_it_says(shop: Shop) -> None:
    cells = {
        **GOOD,
        "gtin": "4006381333931",
        "sale_price": "9.50 EUR",
        "sale_price_effective_date": "2026-05-01T08:00+02:00/2026-05-31T20:00+02:00",
        "additional_image_link": "https://img.example/2.jpg,https://img.example/3.jpg",
        "condition": "used",
        "google_product_category": "Furniture",
        "multipack": "3",
        "adult": "no",
        "identifier_exists": "no",
        "custom_label_1": "late",
    }
    shop.run(feed([cells]), language="fr")
    product = shop.product("A-1")
    assert (product.gtin, product.price_cents, product.currency) == ("04006381333931", 1500, "EUR")
    assert (product.sale_price_cents, product.sale_starts_at.hour) == (950, 6)
    assert product.additional_image_links == ["https://img.example/2.jpg", "https://img.example/3.jpg"]
    assert (product.condition, product.google_category) == ("used", "Furniture")
    assert product.attributes == {"multipack": 3, "identifier_exists": False, "custom_labels": ["", "late"]}
    with shop.session() as session:
        detail = catalog.get_product(session, product.id, language="fr")
    assert [(text.language, text.title, text.link) for text in detail.texts] == [
        ("fr", "Chair", "https://shop.example/a-1")
    ]


def test_only_what_changed_is_updated(shop: Shop) -> None:
    shop.run(feed([row(1), row(2), row(3)]))
    done = shop.run(feed([row(1), row(2, price="16.00 EUR"), row(3, title="Stool"), row(4)]))
    assert counts(done) == (1, 2, 1, 0)
    assert [shop.product(f"A-{n}").version for n in (1, 2, 3, 4)] == [1, 2, 1, 1]
    assert shop.product("A-2").price_cents == 1600
    titles = shop.rows(
        "SELECT version FROM product_translations WHERE vendor_id = :vendor AND title = 'Stool'"
    )
    assert titles == [(2,)]


def test_an_absent_column_keeps_and_a_blank_cell_clears(shop: Shop) -> None:
    shop.run(feed([row(1, color="red", material="oak", multipack="2", size_type="tall")]))
    without = {name: cell for name, cell in row(1).items() if name != "brand"}
    assert counts(shop.run(feed([without]))) == (0, 0, 1, 0)
    kept = shop.product("A-1")
    assert (kept.brand, kept.color, kept.attributes) == (
        "Moselwerk",
        "red",
        {"multipack": 2, "size_type": "tall"},
    )

    # No cell differs from the last feed; only the columns do.
    assert counts(shop.run(feed([{**without, "color": "", "multipack": ""}]))) == (0, 1, 0, 0)
    cleared = shop.product("A-1")
    assert (cleared.color, cleared.material, cleared.attributes) == (None, "oak", {"size_type": "tall"})


def test_fields_edited_by_hand_do_not_follow(shop: Shop) -> None:
    shop.run(feed([row(1, color="red")]))
    shop.rows("UPDATE products SET price_cents = 1, color = 'teal', edited_fields = '{price_cents,color}'")
    shop.rows("UPDATE product_translations SET title = 'Throne', edited_fields = '{title}'")
    done = shop.run(feed([row(1, price="20.00 EUR", color="blue", brand="Belair", description="New.")]))
    assert counts(done) == (0, 1, 0, 0)
    product = shop.product("A-1")
    assert (product.price_cents, product.color, product.brand) == (1, "teal", "Belair")
    with shop.session() as session:
        texts = catalog.get_product(session, product.id, language="en").texts
        found = [
            catalog.list_products(session, language="en", query=word).total
            for word in ("throne belair", "chair")
        ]
    assert [(entry.title, entry.description) for entry in texts] == [("Throne", "New.")]
    assert found == [1, 0]
    only_edited = shop.run(
        feed([row(1, price="30.00 EUR", color="green", brand="Belair", description="New.")])
    )
    assert counts(only_edited) == (0, 0, 1, 0)


def test_each_language_has_its_own_texts(shop: Shop) -> None:
    shop.run(feed([row(1, brand="")]), language="en")
    done = shop.run(feed([row(1, title="Chaise légère", brand="Gutt")]), language="fr")
    assert counts(done) == (0, 1, 0, 0)
    with shop.session() as session:
        for language, title in (("en", "Chair 1"), ("fr", "Chaise légère"), ("de", "Chair 1")):
            page = catalog.list_products(session, language=language)
            assert [product.title for product in page.products] == [title]
        # The brand came with the French feed and is found through the English title's row as well.
        queries = ("chair gutt", "LEGERE", "chaise", "a-1", "chaise chair")
        found = [catalog.list_products(session, language="en", query=query).total for query in queries]
    assert found == [1, 1, 1, 1, 0]


def test_the_first_row_of_an_id_wins_over_the_whole_file(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    small_parts(monkeypatch)
    rows = [row(n) for n in range(25)]
    rows += [row(3, price="99.00 EUR"), row(24, price="99.00 EUR")]
    rows[1] = row(0, price="99.00 EUR")
    rows += [row(50, price="free"), row(50, title="The second, but the first good one")]
    done = shop.run(feed(rows))
    assert counts(done) == (25, 0, 0, 4)
    assert shop.rows("SELECT count(*) FROM products WHERE price_cents = 9900") == [(0,)]
    with shop.session() as session:
        errors = row_error_service.list_errors(session, done.row.id, language="en", limit=100)
    assert [(error.line, error.external_id, error.column) for error in errors] == [
        (3, "A-0", "id"),
        (27, "A-3", "id"),
        (28, "A-24", "id"),
        (29, "A-50", "price"),
    ]


def test_failed_rows_come_back_as_a_file_that_can_be_corrected_and_imported_alone(shop: Shop) -> None:
    rows = [
        row(1),
        row(2, price="free", title="=HYPERLINK()"),
        row(3, availability="soon", brand="-20% now"),
        row(4, title="plain", mpn="-12"),
    ]
    first = shop.run(feed(rows, columns=[*GOOD, "mpn"], delimiter=";"))
    assert counts(first) == (2, 0, 0, 2)
    file = b"".join(row_error_service.failed_rows_csv(shop.scope, first.row.id, language="fr"))
    assert file.startswith(b"\xef\xbb\xbfid;title;")
    table = list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert [line["id"] for line in table] == ["A-2", "A-3"]
    assert table[0]["title"] == "'=HYPERLINK()"
    assert "price" in table[0]["Error"]
    assert "prix" in table[0]["Error"]

    table[0]["price"], table[1]["availability"] = "5.00 EUR", "preorder"
    second = shop.run(feed(table, delimiter=";"))
    assert counts(second) == (2, 0, 0, 0)
    assert shop.product("A-3").brand == "-20% now"
    title = shop.rows(
        "SELECT title FROM product_translations t JOIN products p ON p.id = product_id AND sku = 'A-2'"
    )
    assert title == [("=HYPERLINK()",)]


@pytest.mark.parametrize(
    ("settings", "content", "right"),
    [
        (
            {"mapping": '{"Nr": "id", "Name": "title", "Preis": "price"}'},
            b"Nr;Name;Preis;Notiz\n1;Stuhl;5,00;x\n2;Tisch;free;y\n",
            1,
        ),
        ({"format": "shopify"}, spoilt("shopify_products_2026.csv", "79.00,99.00", "free,"), 4),
        ({"format": "woocommerce"}, spoilt("woocommerce_products_de_2026.csv", '"1.149,00"', "free"), 2),
        ({}, b"<rss><item><id>1</id><title>A</title><price>free</price></item></rss>", 0),
    ],
)
def test_failed_rows_of_any_format_can_be_imported_alone_into_the_same_feed(
    shop: Shop, settings: dict[str, str], content: bytes, right: int
) -> None:
    shop.run(feed([row(1)]))
    for name, value in settings.items():
        shop.rows(f"UPDATE feeds SET {name} = :value", value=value)
    first = shop.run(content, is_confirmed=True)
    assert counts(first) == (right, 0, 0, 1)
    file = b"".join(row_error_service.failed_rows_csv(shop.scope, first.row.id, language="en"))
    missing = shop.rows("SELECT count(*) FROM marketplace_products WHERE missing_since IS NOT NULL")
    again = shop.run(file.replace(b"free", b"7.00"))
    assert again.row.problem is None
    assert counts(again) == (1, 0, 0, 0)
    assert shop.rows("SELECT count(*) FROM products WHERE price_cents = 700") == [(1,)]
    # The rest of the feed is not taken for lost.
    found = shop.rows("SELECT count(*) FROM marketplace_products WHERE missing_since IS NOT NULL")
    assert found == missing


def test_failed_rows_of_a_correction_have_one_error_column(shop: Shop) -> None:
    first = shop.run(feed([row(1, price="free")]))
    file = b"".join(row_error_service.failed_rows_csv(shop.scope, first.row.id, language="en"))
    again = shop.run(file)
    assert counts(again) == (0, 0, 0, 1)
    assert b"".join(row_error_service.failed_rows_csv(shop.scope, again.row.id, language="en")) == file


@pytest.mark.parametrize("options", [{"is_dry_run": True}, {"policy": ALL_OR_NOTHING}])
def test_trials_and_refused_imports_write_nothing(
    shop: Shop, options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch)
    shop.run(feed([row(n) for n in range(15)]))
    before = shop.rows("SELECT * FROM products ORDER BY sku")
    rows = [row(n) for n in range(5)] + [row(n, price="16.00 EUR") for n in range(5, 15)]
    rows += [row(n) for n in range(20, 40)] + [row(2), row(60, price="free")]
    done = shop.run(feed(rows), **options)
    assert counts(done) == (20, 10, 5, 2)
    assert shop.rows("SELECT * FROM products ORDER BY sku") == before
    assert shop.rows("SELECT count(*) FROM marketplace_products") == [(15,)]
    assert shop.rows("SELECT line FROM feed_row_errors ORDER BY line") == [(37,), (38,)]
    assert shop.rows("SELECT 1 FROM feed_import_seen") == []
    assert done.job is not None
    if "policy" in options:
        assert (done.job.state, done.job.error_code) == ("failed", "marketplace.rows_failed")
        assert done.row.problem is not None
        assert done.row.problem["params"] == {"failed": 2, "rows": 37}
    else:
        assert done.job.state == "succeeded"
        assert counts(shop.run(feed(rows))) == counts(done)


def test_all_or_nothing_without_errors_imports_everything(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch)
    done = shop.run(feed([row(n) for n in range(25)]), policy=ALL_OR_NOTHING)
    assert done.job is not None
    assert done.job.state == "succeeded"
    assert counts(done) == (25, 0, 0, 0)
    assert shop.rows("SELECT count(*) FROM products") == [(25,)]


def test_a_run_goes_on_after_its_last_part(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    small_parts(monkeypatch)
    rows = [row(n) for n in range(30)] + [row(2), row(31, price="free"), row(32), row(25)]
    merged: list[int] = []
    real = import_run.ImportRun._write_part

    def breaks_once(self: import_run.ImportRun, part: Part) -> None:
        merged.append(min(part.raws))
        real(self, part)
        if len(merged) == 3:
            raise ConnectionError("the worker's database session ended")

    monkeypatch.setattr(import_run.ImportRun, "_write_part", breaks_once)
    done = shop.run(feed(rows))
    assert done.job is not None
    assert (done.job.state, done.job.attempts) == ("succeeded", 2)
    # The third part was undone with its transaction, and only that one was done again.
    assert merged == [2, 12, 22, 22, 32]
    assert counts(done) == (31, 0, 0, 3)
    assert shop.rows("SELECT line FROM feed_row_errors ORDER BY line") == [(32,), (33,), (35,)]
    assert shop.rows("SELECT max(version), count(*) FROM products") == [(1, 31)]


def test_a_cancelled_import_keeps_its_parts_and_stops(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    small_parts(monkeypatch)
    import_id = shop.start(feed([row(n) for n in range(40)]))
    real = import_run.ImportRun._write_part

    def cancelled(self: import_run.ImportRun, part: Part) -> None:
        real(self, part)
        if min(part.raws) == 12:
            with shop.session() as session:
                import_service.cancel_import(session, import_id)

    monkeypatch.setattr(import_run.ImportRun, "_write_part", cancelled)
    assert run_until_idle(["long_running"], timeout_seconds=30)
    done = shop.look(import_id)
    assert done.job is not None
    assert done.job.state == "cancelled"
    assert counts(done) == (20, 0, 0, 0)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "marketplace.feed_empty"),
        (b"<!doctype html><html></html>", "marketplace.feed_is_web_page"),
        (b"id\ttitle\nA\tB\n", "marketplace.feed_columns_unmapped"),
        (b"id\ttitle\tprice\n", "marketplace.feed_no_rows"),
    ],
)
@pytest.mark.parametrize("is_dry_run", [False, True])
def test_what_is_no_feed_fails_with_its_reason(
    shop: Shop, content: bytes, code: str, is_dry_run: bool
) -> None:
    done = shop.run(content, is_dry_run=is_dry_run)
    assert done.job is not None
    assert (done.job.state, done.job.error_code, done.job.attempts) == ("failed", code, 1)
    assert done.row.problem is not None
    assert done.row.problem["code"] == code
    assert counts(done) == (0, 0, 0, 0)


def test_two_vendors_have_the_same_sku_and_see_their_own(shop: Shop, other_shop: Shop) -> None:
    first = shop.run(feed([row(1), row(2)]))
    second = other_shop.run(feed([row(1, price="99.00 EUR", title="Tent")]))
    assert counts(second) == (1, 0, 0, 0)
    assert (shop.product("A-1").price_cents, other_shop.product("A-1").price_cents) == (1500, 9900)
    with other_shop.session() as session:
        page = catalog.list_products(session, language="en", query="a")
        assert [product.title for product in page.products] == ["Tent"]
        with pytest.raises(AppError, match="no such import"):
            import_service.get_import(session, first.row.id)
        with pytest.raises(AppError, match="no such product"):
            catalog.get_product(session, shop.product("A-2").id, language="en")
        assert session.execute(text("SELECT count(*) FROM feed_row_errors")).scalar_one() == 0


def test_imports_of_one_vendor_run_one_after_the_other(shop: Shop, other_shop: Shop) -> None:
    shop.start(feed([row(1)]))
    shop.start(feed([row(1, price="16.00 EUR")]))
    other_shop.start(feed([row(1)]))
    keys = shop.rows("SELECT lane, ordering_key FROM jobs WHERE task LIKE '%process_marketplace_import'")
    assert len({(lane, key) for lane, key in keys}) == 2
    assert run_until_idle(["long_running"], timeout_seconds=30)
    assert shop.product("A-1").price_cents == 1600


def test_a_worker_gets_one_import_of_each_vendor_at_a_time(shop: Shop, other_shop: Shop) -> None:
    first, second = shop.start(feed([row(1)])), shop.start(feed([row(2)]))
    other = other_shop.start(feed([row(1)]))
    wanted = {shop.look(first).row.job_id, other_shop.look(other).row.job_id}
    assert imports_for("one") == wanted
    assert imports_for("two") == set()
    waiting = shop.look(second).job
    assert waiting is not None
    assert (waiting.state, waiting.waiting_reason) == ("queued", Waiting.ORDER)


def imports_for(worker: str) -> set[UUID | None]:
    """The imports that a worker gets."""
    return {job.id for job in claim.claim("long_running", 50, worker) if job.ordering_key == ORDERING_KEY}


def test_an_import_can_be_repeated(shop: Shop) -> None:
    first = shop.run(feed([row(1)]))
    with shop.session() as session:
        again = import_service.repeat_import(session, first.row.id, user_id=None).id
    assert run_until_idle(["long_running"], timeout_seconds=30)
    assert counts(shop.look(again)) == (0, 0, 1, 0)


def test_a_new_vendor_has_feed_settings(shop: Shop) -> None:
    assert shop.rows(
        "SELECT default_language, default_tax_rate FROM feed_settings WHERE vendor_id = :vendor"
    ) == [("fr", 17)]
