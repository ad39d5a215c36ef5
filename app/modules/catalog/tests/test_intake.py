"""The intake by itself: what it promises to any module that fills it."""

from collections.abc import Iterator, Mapping
from uuid import UUID

import orjson
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.core.database import SYSTEM, TenantScope, bulk_load, unit_of_work
from app.core.ids import new_id
from app.modules.catalog import facade
from app.modules.catalog.contracts import INTAKE_COLUMNS, PRODUCT_FIELDS, ExportRow, MergeResult
from app.modules.tenancy import facade as tenancy

pytestmark = pytest.mark.demo_due

ALL = (*PRODUCT_FIELDS, "title", "description", "link")


@pytest.fixture
def session(app: FastAPI) -> Iterator[Session]:
    with unit_of_work(TenantScope(tenancy.get_vendor("MOSELLE").id)) as session:
        yield session


def merge(
    session: Session, *rows: Mapping[str, object], columns: tuple[str, ...] = ALL, language: str = "fr"
) -> MergeResult:
    """Put rows through the intake; what they leave out is empty."""
    intake = facade.open_intake(session, language=language)
    loaded = []
    for line, given in enumerate(rows, 1):
        row = {
            "line": line,
            "id": new_id(),
            "title": "Chaise",
            "price_cents": 100,
            "currency": "EUR",
            **given,
        }
        row.setdefault("additional_image_links", [])
        row["attributes"] = orjson.dumps(row.get("attributes", {})).decode()
        loaded.append([row.get(name) for name in INTAKE_COLUMNS])
    bulk_load(session, "given", INTAKE_COLUMNS, loaded)
    session.execute(text("INSERT INTO pg_temp.catalog_intake SELECT * FROM pg_temp.given"))
    return facade.merge_intake(session, intake, columns=columns)


def results(session: Session) -> list[tuple[int, str]]:
    found = session.execute(text("SELECT line, outcome FROM pg_temp.catalog_intake_results ORDER BY line"))
    return [(line, outcome) for line, outcome in found]


def test_results_name_every_row_whose_product_was_there(session: Session) -> None:
    key = new_id()
    assert merge(session, {"sku": "A", "id": key}, {"sku": "B"}) == MergeResult(created=2)
    again = merge(session, {"sku": "C"}, {"sku": "A"}, {"sku": "B", "title": "Tabouret"})
    assert again == MergeResult(created=1, updated=1, unchanged=1)
    assert results(session) == [(2, "unchanged"), (3, "updated")]
    kept: UUID = session.execute(
        text("SELECT product_id FROM pg_temp.catalog_intake_results WHERE line = 2")
    ).scalar_one()
    assert kept == key


def test_fields_apart_from_the_named_columns_are_left(session: Session) -> None:
    merge(
        session,
        {"sku": "A", "brand": "Gutt", "color": "red", "attributes": {"size_type": "tall", "multipack": 2}},
    )
    done = merge(
        session,
        {"sku": "A", "brand": None, "color": "blue", "title": "Other", "attributes": {"multipack": 3}},
        columns=("brand", "multipack"),
    )
    assert done == MergeResult(updated=1)
    assert facade.list_products(session, language="fr", query="gutt").total == 0
    row = session.execute(text("SELECT brand, color, attributes FROM products")).one()
    assert row == (None, "red", {"size_type": "tall", "multipack": 3})
    assert session.execute(text("SELECT title FROM product_translations")).scalar_one() == "Chaise"


def test_a_product_is_found_by_what_it_is_called_now(session: Session) -> None:
    merge(
        session,
        {"sku": "K-77/B", "brand": "Lëtzwerk", "gtin": "00000096385074", "title": "Chaise d'été 27 cm"},
    )

    def found(query: str) -> int:
        return facade.list_products(session, language="fr", query=query).total

    for query in (
        "chai",
        "ETE",
        "k-77",
        "77",
        "b",
        "96385074",
        "00000096385074",
        "0096385",
        "letz chaise",
        "27",
    ):
        assert found(query) == 1, query
    for query in ("aise", "chaise table", "0027", "!?", "' | 'x", "& <->"):
        assert found(query) == 0, query
    merge(session, {"sku": "K-77/B", "title": "Tabouret", "brand": "Gutt"})
    assert (found("chaise"), found("lëtzwerk"), found("tabouret gutt")) == (0, 0, 1)


def test_search_uses_its_index(app: FastAPI, owner_engine: Engine) -> None:
    """The condition of the generated function, as its owner runs it."""
    vendor_id = tenancy.get_vendor("MOSELLE").id
    with unit_of_work(TenantScope(vendor_id)) as session:
        merge(session, *({"sku": f"S{number}", "title": f"Chaise n{number}"} for number in range(2000)))
    with owner_engine.begin() as connection:
        connection.execute(text("ANALYZE product_translations"))
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = connection.execute(
            text(
                "EXPLAIN SELECT product_id FROM product_translations "
                f"WHERE vendor_id = '{vendor_id}' AND search_vector @@ 'n77'::tsquery"
            )
        )
        assert "ix_product_translations_search" in "".join(line for (line,) in plan)


def test_exports_stream_in_byte_order(session: Session) -> None:
    skus = ["b", "B", "a", "Z", "é", "10", "2"]
    merge(session, *({"sku": sku} for sku in skus))
    merge(session, {"sku": "only-german"}, language="de")
    export = facade.open_export(session, language="fr")
    rows = list(export.rows)
    assert isinstance(rows[0], ExportRow)
    assert [row.sku for row in rows] == sorted(skus)
    assert export.total == len(skus)
    assert "availability" not in export.filled


def test_bulk_data_needs_a_vendor(app: FastAPI) -> None:
    with pytest.raises(DBAPIError), unit_of_work(SYSTEM) as session:
        merge(session, {"sku": "A"})


def test_a_price_below_zero_never_gets_in(app: FastAPI, owner_engine: Engine) -> None:
    with (
        pytest.raises(DBAPIError, match="ck_products_prices"),
        unit_of_work(TenantScope(tenancy.get_vendor("MINETT").id)) as session,
    ):
        merge(session, {"sku": "A", "price_cents": -1})
    with owner_engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM products")).scalar_one() == 0
