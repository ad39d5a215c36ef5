"""The main job as a shopkeeper does it: sign in, upload a feed, watch it, correct it, find the products."""

import csv
import re
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from bench.feeds import COLUMNS, FeedTruth, write_feed
from tests.e2e.conftest import OpenBrowser, Site, Watch, fill_in_sign_in
from tests.e2e.imports import announced, held_after, shown_progress, start_import, tile

pytestmark = pytest.mark.browser
ROWS = 16_000  # four parts of an import
POLL_SECONDS = 2.0


def test_from_sign_in_to_the_product(browse: OpenBrowser, site: Site, quiet: Watch, feed_file: Path) -> None:
    truth = write_feed(feed_file, rows=ROWS, language="en", seed=7)
    page = browse(accept_downloads=True).new_page()
    quiet.on(page)
    page.goto("/vendor/MINETT/imports")
    fill_in_sign_in(page, "owner@minett.example")
    expect(page.get_by_role("heading", level=1)).to_have_text("Imports")
    import_id = start_import(page, feed_file)

    region = page.locator("#record")
    expect(region).to_have_attribute("hx-trigger", re.compile("every"))
    with held_after(site, import_id, 1):
        first = shown_progress(page)
    with held_after(site, import_id, ROWS // 2):
        expect(page.get_by_role("progressbar")).not_to_have_attribute("value", f"{first:g}", timeout=8_000)
        assert shown_progress(page) > first
        expect(announced(page, r"Importing, [1-9]0%")).to_have_count(1)
    expect(region).not_to_have_attribute("hx-trigger", re.compile("every"), timeout=15_000)
    asked: list[str] = []
    page.on("response", lambda answer: asked.append(answer.url))

    check_counts(page, truth)
    check_error_table(page, truth)
    check_failed_rows(page, truth)
    expect(announced(page, "Done, with errors")).to_have_count(1)
    page.wait_for_timeout(POLL_SECONDS * 1000 + 500)
    assert [url for url in asked if not url.endswith("/failed-rows.csv")] == []

    find_product(page, *some_product(site, import_id))


def some_product(site: Site, import_id: UUID) -> tuple[str, str]:
    """SKU and title of a product from the middle of a feed."""
    (found,) = site.rows(
        "SELECT external_id, title FROM marketplace_products WHERE import_id = :id "
        "ORDER BY external_id OFFSET 1234 LIMIT 1",
        id=import_id,
    )
    return found.external_id, found.title


def check_counts(page: Page, truth: FeedTruth) -> None:
    expect(page.get_by_text("Done, with errors").first).to_be_visible()
    wrong = len(truth.dirty)
    shown = {name: tile(page, name) for name in ("Rows", "Created", "Changed", "Unchanged", "Failed")}
    assert shown == {
        "Rows": truth.rows,
        "Created": truth.rows - wrong,
        "Changed": 0,
        "Unchanged": 0,
        "Failed": wrong,
    }


def check_error_table(page: Page, truth: FeedTruth) -> None:
    table = page.get_by_role("region", name="Rows with errors")
    heads = table.get_by_role("columnheader").all_inner_texts()
    lines = table.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(c => c.innerText))"
    )
    line, column, what = heads.index("Line"), heads.index("Column"), heads.index("What to do")
    assert len(lines) == 100
    shown = {(int(cells[line]), cells[column]) for cells in lines}
    expected = {(number, column or "–") for number, (column, _) in truth.dirty.items()}
    assert shown <= expected
    assert {number for number, _ in shown} == set(sorted(truth.dirty)[: len(shown)])
    assert all(len(cells[what]) > 20 for cells in lines)


def check_failed_rows(page: Page, truth: FeedTruth) -> None:
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the failed rows").click()
    assert download.value.suggested_filename == "MINETT_failed_rows_en.csv"
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file, delimiter="\t")
    assert header == [*COLUMNS, "Error"]
    assert len(rows) == len(truth.dirty)
    assert all(row[len(COLUMNS)] for row in rows)


def find_product(page: Page, sku: str, title: str) -> None:
    page.get_by_role("link", name="Products", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Products")
    rows = page.get_by_role("rowheader")
    before = rows.all_inner_texts()
    assert len(before) == 20
    search = page.get_by_role("searchbox")
    search.press_sequentially(sku)
    expect(rows).to_have_text([title])
    expect(page.locator("#results").get_by_role("status")).to_have_text("1 product")
    expect(search).to_be_focused()
    assert f"q={sku}" in page.url
    found_at = page.url
    page.go_back()
    expect(rows).to_have_text(before)
    page.goto(found_at)
    expect(search).to_have_value(sku)
    page.get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_role("main")).to_contain_text(f"SKU {sku}")


def test_without_scripts(browse: OpenBrowser, site: Site, feed_file: Path) -> None:
    truth = write_feed(feed_file, rows=3_000, language="en", seed=8)
    page = browse(java_script_enabled=False).new_page()
    page.goto("/vendor/GUTLAND/imports")
    fill_in_sign_in(page, "owner@moselle.example")
    import_id = start_import(page, feed_file)
    reload = page.locator("meta[http-equiv=refresh]")
    expect(reload).to_have_count(1)
    expect(reload).to_have_count(0, timeout=15_000)  # the page loaded itself again
    check_counts(page, truth)

    page.get_by_role("link", name="Products", exact=True).first.click()
    rows = page.get_by_role("rowheader")
    first = rows.all_inner_texts()
    page.get_by_role("link", name="Next").click()
    second = rows.all_inner_texts()
    assert len(first) == len(second) == 20
    page.get_by_role("link", name="Previous").click()
    expect(rows).to_have_text(first)

    sku, _ = some_product(site, import_id)
    page.get_by_role("searchbox").fill(sku)
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("searchbox")).to_have_value(sku)
    expect(rows).to_have_count(1)
    assert f"q={sku}" in page.url
    page.get_by_role("link", name="Clear filters").first.click()
    expect(rows).to_have_text(first)
