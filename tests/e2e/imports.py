"""Imports in front of the browser: starting them, stopping time in the middle of them, reading their pages."""

import csv
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from playwright.sync_api import Locator, Page, expect
from sqlalchemy import text

from app.core.ids import from_public
from tests.e2e.conftest import Site

PART_ROWS = 5000  # are committed together
HEADER = ["id", "title", "description", "link", "image_link", "availability", "price"]
WRONG = "on request"  # is no price


def write_goods(path: Path, sku: str, rows: int, *, wrong_every: int | None = None) -> Path:
    """A feed of goods ``<sku>-1`` and so on; every so manieth has no price."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(HEADER)
        for number in range(1, rows + 1):
            name = f"{sku}-{number}"
            place = f"https://shop.example/{name}"
            price = WRONG if wrong_every and number % wrong_every == 0 else f"{number % 90 + 1}.50 EUR"
            writer.writerow([name, f"Thing {name}", "A thing.", place, f"{place}.jpg", "in_stock", price])
    return path


def start_import(page: Page, feed: Path, *, is_trial: bool = False) -> UUID:
    """From the list of imports: fill in the form and send it, for a new feed; the import's id."""
    page.get_by_role("link", name="Import a feed").click()
    page.get_by_label(re.compile("^File")).set_input_files(feed)
    page.get_by_label("Feed", exact=True).select_option("new")
    page.get_by_label("Language (optional)", exact=True).select_option("en")
    page.get_by_label(re.compile("^Try only")).set_checked(is_trial)
    page.get_by_role("button", name="Start the import").click()
    page.wait_for_url(re.compile(r"/imports/imp_\w+$"))
    found = from_public("imp", page.url.rpartition("/")[2])
    assert found is not None
    return found


@contextmanager
def held_before(site: Site, table: str) -> Iterator[None]:
    """Imports wait where they write to a table: ``feed_row_errors`` before all rows, ``products`` in each part."""
    with site.owner.begin() as connection:
        connection.execute(text(f"LOCK TABLE {table} IN EXCLUSIVE MODE"))
        yield


@contextmanager
def held_after(site: Site, import_id: UUID, rows: int) -> Iterator[None]:
    """The import waits for us once so many rows are committed: its next part cannot note its counts."""
    row = text("SELECT rows FROM feed_imports WHERE id = :id FOR UPDATE")
    deadline = time.monotonic() + 45
    with site.owner.connect() as connection:
        while (connection.scalar(row, {"id": import_id}) or 0) < rows:
            connection.rollback()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield
        connection.rollback()


def shown_progress(page: Page) -> float:
    """The value of the bar, once it is one that is between nothing and all."""
    bar = page.get_by_role("progressbar")
    expect(bar).to_have_attribute("value", re.compile(r"^[1-9]\d*$"), timeout=8_000)
    return float(bar.get_attribute("value") or 0)


def announced(page: Page, pattern: str) -> Locator:
    """What of the import's page a screen reader speaks by itself."""
    return page.locator("#import").get_by_role("status").filter(has_text=re.compile(pattern))


def tile(page: Page, label: str) -> int:
    """A figure of the page."""
    figure = page.locator(".tile").filter(has=page.get_by_text(label, exact=True)).locator(".tile-value")
    return int(figure.inner_text().replace(",", ""))


def expect_end(page: Page, outcome: str) -> None:
    """The import's page comes to this end by itself, and asks for nothing more."""
    expect(announced(page, f"^{outcome}$")).to_have_count(1, timeout=45_000)
    expect(page.locator("#record")).not_to_have_attribute("hx-trigger", re.compile("every"))
