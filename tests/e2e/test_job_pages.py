"""The page of a job as people rely on it: trial and correction, cancelling, lost workers, closed tabs, other jobs."""

import csv
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page, StorageState, expect
from sqlalchemy import text

from tests.e2e.conftest import OpenBrowser, Site
from tests.e2e.imports import (
    HEADER,
    PART_ROWS,
    WRONG,
    announced,
    expect_end,
    held_after,
    held_before,
    shown_progress,
    start_import,
    tile,
    write_goods,
)
from tests.e2e.people import ADMIN, MINETT_OWNER, OWNER, Person

pytestmark = pytest.mark.browser
Keyring = Callable[[Person], StorageState | None]
# Keeps every value that the bar of this page shows.
WATCH_BAR = """() => {
    window.shownValues = [];
    const look = () => {
        const value = document.querySelector("progress")?.getAttribute("value");
        if (value) window.shownValues.push(Number(value));
    };
    new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true});
    look();
}"""


def count_goods(site: Site, sku: str) -> int:
    """How many of a feed's goods are in a catalogue."""
    ((count,),) = site.rows("SELECT count(*) FROM products WHERE sku LIKE :sku || '-%'", sku=sku)
    return int(count)


def check_whole(site: Site, import_id: UUID, sku: str, created: int) -> None:
    """So many goods, each with its text and its source, and each made once."""
    with site.owner.begin() as connection:  # or the server takes the goods for few, and joins them by loops
        connection.execute(text("ANALYZE products, product_translations, marketplace_products"))
    found = site.rows(
        "SELECT count(*), count(DISTINCT p.sku), count(t.title), count(m.id), max(p.version) FROM products p "
        "LEFT JOIN product_translations t ON t.product_id = p.id "
        "LEFT JOIN marketplace_products m ON m.external_id = p.sku AND m.import_id = :id "
        "WHERE p.sku LIKE :sku || '-%'",
        id=import_id,
        sku=sku,
    )
    assert found == [(created, created, created, created, 1)]


@pytest.fixture
def gutland(browse: OpenBrowser, keyring: Keyring) -> Page:
    """GUTLAND's list of imports, open."""
    page = browse(storage_state=keyring(OWNER), accept_downloads=True).new_page()
    page.goto("/vendor/GUTLAND/imports")
    return page


@pytest.fixture
def minett(browse: OpenBrowser, keyring: Keyring) -> Page:
    """MINETT's list of imports, open."""
    page = browse(storage_state=keyring(MINETT_OWNER)).new_page()
    page.goto("/vendor/MINETT/imports")
    return page


def correct(page: Page, path: Path) -> Path:
    """Download the failed rows and give each a price, as people do in a spreadsheet."""
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the failed rows").click()
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file, delimiter="\t")
    assert header == [*HEADER, "Error"]
    assert {row[HEADER.index("price")] for row in rows} == {WRONG}
    assert all("price" in row[-1].lower() for row in rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerows([header, *([*row[:-2], "10.00 EUR", row[-1]] for row in rows)])
    assert len(rows) == 37
    return path


def test_try_import_correct_and_import_the_rest(gutland: Page, site: Site, tmp_path: Path) -> None:
    feed = write_goods(tmp_path / "autumn.tsv", "AUT", 1000, wrong_every=27)
    trial = start_import(gutland, feed, is_trial=True)
    expect_end(gutland, "Done, with errors")
    assert (tile(gutland, "Rows"), tile(gutland, "Created"), tile(gutland, "Failed")) == (1000, 963, 37)
    expect(gutland.get_by_text("nothing was written")).to_be_visible()
    assert count_goods(site, "AUT") == 0
    assert site.rows("SELECT count(*) FROM marketplace_products WHERE import_id = :id", id=trial) == [(0,)]

    gutland.goto("/vendor/GUTLAND/imports")
    with held_before(site, "products"):
        start_import(gutland, feed)
        expect(announced(gutland, "^Importing, 0%$")).to_have_count(1, timeout=15_000)
    expect_end(gutland, "Done, with errors")
    assert (tile(gutland, "Created"), tile(gutland, "Failed")) == (963, 37)
    assert count_goods(site, "AUT") == 963

    corrected = correct(gutland, tmp_path / "corrected.tsv")
    gutland.goto("/vendor/GUTLAND/imports")
    start_import(gutland, corrected)
    expect_end(gutland, "Done")
    shown = [tile(gutland, name) for name in ("Rows", "Created", "Changed", "Failed")]
    assert shown == [37, 37, 0, 0]
    assert count_goods(site, "AUT") == 1000


def test_cancelling_in_the_middle_leaves_whole_parts(minett: Page, site: Site, tmp_path: Path) -> None:
    rows = 3 * PART_ROWS
    import_id = start_import(minett, write_goods(tmp_path / "winter.tsv", "WIN", rows))
    with held_after(site, import_id, PART_ROWS):
        shown_progress(minett)
        minett.get_by_role("button", name="Cancel").click()
        expect(minett.get_by_text("The import stops after the part it is working on.")).to_be_visible()
    expect_end(minett, "Cancelled")
    created = tile(minett, "Created")
    assert created in (PART_ROWS, 2 * PART_ROWS)
    assert (tile(minett, "Rows"), tile(minett, "Failed")) == (created, 0)
    check_whole(site, import_id, "WIN", created)
    expect(minett.get_by_role("button", name="Import again")).to_be_visible()


def test_a_killed_worker_is_a_pause_and_no_more(gutland: Page, site: Site, tmp_path: Path) -> None:
    rows = 3 * PART_ROWS
    import_id = start_import(gutland, write_goods(tmp_path / "spring.tsv", "SPR", rows))
    gutland.evaluate(WATCH_BAR)
    with held_after(site, import_id, PART_ROWS):
        before = shown_progress(gutland)
        kill_worker_of(site, import_id)
    expect_end(gutland, "Done")
    shown = gutland.evaluate("window.shownValues")
    assert before in shown
    assert shown == sorted(shown)
    assert (tile(gutland, "Rows"), tile(gutland, "Created")) == (rows, rows)
    check_whole(site, import_id, "SPR", rows)
    runs = site.rows(
        "SELECT outcome FROM job_runs JOIN feed_imports USING (job_id) WHERE feed_imports.id = :id ORDER BY token",
        id=import_id,
    )
    assert (runs[0], runs[-1]) == (("lost",), ("succeeded",))


def kill_worker_of(site: Site, import_id: UUID) -> None:
    """SIGKILL for the process that does this import, and a look at the clock: its lease is over now."""
    of_import = "job_id = (SELECT job_id FROM feed_imports WHERE id = :id) AND ended_at IS NULL"
    ((worker,),) = site.rows(f"SELECT worker FROM job_runs WHERE {of_import}", id=import_id)
    os.kill(int(worker.rpartition(":")[2]), signal.SIGKILL)
    over = f"UPDATE job_runs SET leased_until = clock_timestamp() - interval '1 s' WHERE {of_import}"
    with site.owner.begin() as connection:
        connection.execute(text(over), {"id": import_id})


def unread(page: Page) -> int:
    """The number at the bell of a fresh page."""
    page.goto("/vendor/GUTLAND")
    found = re.search(r"(\d+) unread", page.locator(".bell").inner_text())
    return int(found[1]) if found else 0


def wait_until_told(page: Page, site: Site, name: str) -> None:
    """Return when there is a notification about a file."""
    for _ in range(200):
        if site.rows("SELECT 1 FROM notifications WHERE params ->> 'name' = :name", name=name):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"nobody was told of {name}")


def test_a_closed_tab_is_told_by_the_bell(
    gutland: Page, browse: OpenBrowser, keyring: Keyring, site: Site, tmp_path: Path
) -> None:
    page = browse(storage_state=keyring(OWNER)).new_page()
    with held_before(site, "feed_row_errors"):
        start_import(gutland, write_goods(tmp_path / "summer.tsv", "SUM", 20))
        address = gutland.url
        gutland.close()
        before = unread(page)
    wait_until_told(page, site, "summer.tsv")
    assert unread(page) > before
    page.get_by_role("link", name=re.compile("^Notifications .* unread$")).click()
    notice = page.get_by_role("main").get_by_role("listitem").filter(has_text="Import of summer.tsv")
    notice.get_by_role("button", name="Open").click()
    expect(page).to_have_url(address)
    assert tile(page, "Created") == 20


def test_a_vendors_imports_queue_up_and_two_vendors_do_not(
    gutland: Page, minett: Page, browse: OpenBrowser, keyring: Keyring, site: Site, tmp_path: Path
) -> None:
    long = start_import(gutland, write_goods(tmp_path / "long.tsv", "LNG", 2 * PART_ROWS))
    with held_after(site, long, PART_ROWS):
        behind = browse(storage_state=keyring(OWNER)).new_page()
        behind.goto("/vendor/GUTLAND/imports")
        second = start_import(behind, write_goods(tmp_path / "second.tsv", "SEC", 20))
        start_import(minett, write_goods(tmp_path / "beside.tsv", "BES", 20))
        expect_end(minett, "Done")
        behind.reload()
        expect(announced(behind, "^Waiting to start")).to_have_count(1)
        assert count_goods(site, "SEC") == 0
    expect_end(behind, "Done")
    expect_end(gutland, "Done")
    order = "SELECT i.id FROM feed_imports i JOIN jobs ON jobs.id = job_id WHERE i.id IN (:a, :b) ORDER BY started_at"
    assert site.rows(order, a=second, b=long) == [(long,), (second,)]
    apart = (
        "SELECT b.started_at >= a.finished_at FROM jobs a, jobs b "
        "WHERE a.id = (SELECT job_id FROM feed_imports WHERE id = :a) "
        "AND b.id = (SELECT job_id FROM feed_imports WHERE id = :b)"
    )
    assert site.rows(apart, a=long, b=second) == [(True,)]


def test_a_list_of_jobs_follows_them_and_keeps_what_was_ticked(
    gutland: Page, minett: Page, browse: OpenBrowser, keyring: Keyring, site: Site, tmp_path: Path
) -> None:
    jobs = browse(storage_state=keyring(ADMIN)).new_page()
    with held_before(site, "feed_row_errors"):
        start_import(gutland, write_goods(tmp_path / "followed.tsv", "FLW", 20))
        gutland.locator("a.back-link").click()
        row = gutland.get_by_role("row").filter(has_text="followed.tsv")
        expect(row).to_contain_text(re.compile("Waiting|Running"))
        jobs.goto("/admin/tasks?task=process_marketplace_import&size=50")
        box = jobs.get_by_role("row").filter(has_text="Succeeded").first.locator("[data-pick]")
        ticked = box.get_attribute("value")
        box.check()
        start_import(minett, write_goods(tmp_path / "above.tsv", "ABV", 20))
        expect(jobs.locator("tr[data-row]").first).to_contain_text(
            "MINETT", timeout=15_000
        )  # all others moved down
    expect(row).to_contain_text("Done", timeout=15_000)
    for page in (gutland, jobs):
        expect(page.locator("#rows")).not_to_have_attribute("hx-trigger", re.compile("every"), timeout=15_000)
    assert jobs.locator("[data-pick]:checked").evaluate_all("all => all.map(one => one.value)") == [ticked]
