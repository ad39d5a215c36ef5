"""A vendor who imports feeds, with the work done in this process."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.core.database import TenantScope, unit_of_work
from app.modules.marketplace.enums import ErrorPolicy
from app.modules.marketplace.services import import_service
from app.modules.marketplace.services.import_service import ImportRequest, ImportWithJob
from app.modules.tenancy import facade as tenancy
from app.tasks.runner import run_until_idle

GOOD = {
    "id": "A-1",
    "title": "Chair",
    "description": "A chair.",
    "link": "https://shop.example/a-1",
    "image_link": "https://img.example/a-1.jpg",
    "availability": "in_stock",
    "price": "15.00 EUR",
    "brand": "Moselwerk",
}
Row = Mapping[str, str]


def row(number: int, **cells: str) -> dict[str, str]:
    """A good row with an id of its own."""
    return {**GOOD, "id": f"A-{number}", "title": f"Chair {number}", **cells}


def feed(rows: Iterable[Row], *, columns: Iterable[str] | None = None, delimiter: str = "\t") -> bytes:
    """A feed with the columns of its first row, or with these."""
    rows = list(rows)
    lines = io.StringIO(newline="")
    writer = csv.DictWriter(
        lines, list(columns or rows[0]), delimiter=delimiter, lineterminator="\n", extrasaction="ignore"
    )
    writer.writeheader()
    writer.writerows(rows)
    return lines.getvalue().encode()


@dataclass(frozen=True)
class Shop:
    """One vendor, as seen by its own role and, for what is behind the scenes, by the owner of the tables."""

    code: str
    vendor_id: UUID
    company_id: UUID
    owner: Engine

    @property
    def scope(self) -> TenantScope:
        return TenantScope(self.vendor_id, self.company_id)

    @contextmanager
    def session(self) -> Iterator[Session]:
        with unit_of_work(self.scope) as session:
            yield session

    def start(self, content: bytes | Path | None = None, *, language: str = "en", **options: Any) -> UUID:
        """Queue an import; its id."""
        source = io.BytesIO(content) if isinstance(content, bytes) else content
        request = ImportRequest(language, source_name="feed.tsv", content=source, **options)
        with self.session() as session:
            return import_service.start_import(session, request).id

    def look(self, import_id: UUID) -> ImportWithJob:
        with self.session() as session:
            return import_service.get_import(session, import_id)

    def run(self, content: bytes | Path | None = None, **options: Any) -> ImportWithJob:
        """Import a feed, to the end."""
        import_id = self.start(content, **options)
        assert run_until_idle(["long_running"], timeout_seconds=60)
        return self.look(import_id)

    def rows(self, sql: str, **values: Any) -> list[Any]:
        """What the owner of the tables sees of this vendor (``:vendor``)."""
        with self.owner.begin() as connection:
            result = connection.execute(text(sql), {"vendor": self.vendor_id, **values})
            return list(result.all()) if result.returns_rows else []

    def product(self, sku: str) -> Any:
        found = self.rows("SELECT * FROM products WHERE vendor_id = :vendor AND sku = :sku", sku=sku)
        return found[0] if found else None


def counts(done: ImportWithJob) -> tuple[int, int, int, int]:
    """created, updated, unchanged, failed; and the sum is right."""
    row = done.row
    assert row.rows == row.created + row.updated + row.unchanged + row.failed
    return row.created, row.updated, row.unchanged, row.failed


ALL_OR_NOTHING = ErrorPolicy.ALL_OR_NOTHING


def pytest_itemcollected(item: pytest.Item) -> None:
    """Here a vendor begins without goods and without feeds, but for what is shown with the demo's."""
    is_shown = item.path.name == "test_conformance.py" or getattr(
        getattr(item, "module", None), "ON_DEMO", False
    )
    if not is_shown:
        item.add_marker(pytest.mark.demo_due)


def _shop(code: str, owner: Engine) -> Shop:
    vendor = tenancy.get_vendor(code)
    return Shop(code, vendor.id, vendor.company_id, owner)


@pytest.fixture
def shop(app: FastAPI, owner_engine: Engine) -> Shop:
    """MOSELLE without the demo's products, nothing queued."""
    with owner_engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE jobs SET state = 'cancelled' WHERE state = 'queued' "
                "AND (module <> 'marketplace' OR task LIKE '%.tasks.demo.%')"
            )
        )
    assert run_until_idle(["default"], timeout_seconds=30)
    return _shop("MOSELLE", owner_engine)


@pytest.fixture
def other_shop(shop: Shop) -> Shop:
    """MINETT, another company's."""
    return _shop("MINETT", shop.owner)
