"""What people do with many rows of a list, by mouse and by keys, and what lists say when they are empty."""

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, StorageState, expect
from sqlalchemy import text

from app.core.ids import to_public
from tests.e2e.conftest import OpenBrowser, Site
from tests.e2e.people import ADMIN, MINETT_OWNER, OWNER, VENDOR, VIEWER, Person

pytestmark = pytest.mark.browser
Keyring = Callable[[Person], StorageState | None]
GOODS = "/vendor/GUTLAND/products"
FORMULA = '=HYPERLINK("https://shop.example")'
# The demo's own: other tests import theirs.
OF_GUTLAND = (
    "FROM products p JOIN vendors v ON v.id = p.vendor_id AND v.code = 'GUTLAND' AND p.sku LIKE 'GUT-%'"
)


@pytest.fixture
def owner(browse: OpenBrowser, keyring: Keyring) -> Page:
    """A window of somebody who may do everything."""
    return browse(storage_state=keyring(OWNER), accept_downloads=True).new_page()


def count(site: Site, what: str) -> int:
    """How many rows ``what`` (``FROM …``) has."""
    ((found,),) = site.rows(f"SELECT count(*) {what}")
    return int(found)


def test_an_action_on_all_matching_rows_is_a_job_and_leaves_the_others(owner: Page, site: Site) -> None:
    matching = count(site, f"{OF_GUTLAND} WHERE availability = 'in_stock'")
    others = count(site, f"{OF_GUTLAND} WHERE availability <> 'in_stock'")
    assert matching > 20
    assert others
    owner.goto(f"{GOODS}?q=GUT&availability=in_stock&sort=-price_cents")
    owner.get_by_label("Select all rows of this page").check()
    expect(owner.locator("[data-pick]:checked")).to_have_count(20)
    owner.get_by_label(f"All {matching:,} matching rows").check()
    owner.get_by_role("group", name="Do something").get_by_role("button", name="Deactivate").click()
    expect(owner).to_have_url(re.compile(r"/vendor/GUTLAND/jobs/ljb_\w+$"))
    expect(owner.get_by_role("main")).to_contain_text(f"{matching:,} rows", timeout=15_000)
    expect(owner.locator("#record")).not_to_have_attribute("hx-trigger", re.compile("every"))
    assert count(site, f"{OF_GUTLAND} WHERE NOT p.is_active AND availability = 'in_stock'") == matching
    assert count(site, f"{OF_GUTLAND} WHERE p.is_active AND availability <> 'in_stock'") == others

    owner.locator("a.back-link").click()
    expect(owner).to_have_url(re.compile("availability=in_stock"))
    for number in (0, 1):
        owner.locator("[data-pick]").nth(number).check()
    owner.get_by_role("group", name="Do something").get_by_role("button", name="Activate", exact=True).click()
    expect(owner.get_by_role("status").filter(has_text="2 rows changed.")).to_be_visible()
    expect(owner).to_have_url(re.compile("availability=in_stock"))
    assert count(site, f"{OF_GUTLAND} WHERE NOT p.is_active") == matching - 2


@pytest.fixture
def waiting_jobs(site: Site) -> Iterator[list[str]]:
    """More jobs than fit on a page: most have ended, two wait for tomorrow. The public ids of those that have ended."""
    insert = (
        "INSERT INTO jobs (id, module, task, queue, priority, args, state, attempts, max_attempts, token, run_after, "
        "created_at, finished_at) SELECT gen_random_uuid(), 'tasks', 'browser.nothing', 'default', 0, '{}', :state, 0, "
        "3, 0, clock_timestamp() + interval '1 day', clock_timestamp(), CASE WHEN :state = 'queued' THEN NULL ELSE "
        "clock_timestamp() END FROM generate_series(1, :count) RETURNING id"
    )
    with site.owner.begin() as connection:
        ended = connection.scalars(text(insert), {"state": "succeeded", "count": 22}).all()
        connection.execute(text(insert), {"state": "queued", "count": 2})
    yield [to_public("job", key) for key in ended]
    with site.owner.begin() as connection:
        connection.execute(text("DELETE FROM jobs WHERE task = 'browser.nothing'"))


def test_rows_that_could_not_be_changed_are_named(
    browse: OpenBrowser, keyring: Keyring, site: Site, waiting_jobs: list[str]
) -> None:
    page = browse(storage_state=keyring(ADMIN)).new_page()
    page.goto("/admin/tasks?q=browser.nothing")
    page.locator("[data-pick]").first.check()
    page.get_by_label("All 24 matching rows").check()
    bulk = page.get_by_role("group", name="Do something")
    bulk.locator("summary", has_text="Cancel").click()
    bulk.locator("button", has_text="Cancel").last.click()
    expect(page).to_have_url(re.compile(r"/admin/jobs/ljb_\w+$"))
    failures = page.get_by_role("main").get_by_role("link", name=re.compile(r"^job_\w+$"))
    expect(failures).to_have_count(len(waiting_jobs), timeout=15_000)
    assert sorted(failures.all_inner_texts()) == sorted(waiting_jobs)
    assert count(site, "FROM jobs WHERE task = 'browser.nothing' AND state = 'cancelled'") == 2
    failures.first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("nothing")


def exported(page: Page, choice: str, separator: str = ",") -> list[list[str]]:
    """The rows of the file that an entry of the export menu gives, the heading first."""
    page.locator("summary", has_text=re.compile("Export")).click()
    with page.expect_download() as download:
        page.locator(f"button[name=rows][value={choice}]").click()
    raw = Path(download.value.path()).read_bytes()
    assert raw.startswith("\ufeff".encode())
    return list(csv.reader(raw.decode("utf-8-sig").splitlines(), delimiter=separator))


def test_the_exported_file_has_the_rows_and_columns_that_one_sees(
    owner: Page, browse: OpenBrowser, keyring: Keyring, site: Site
) -> None:
    with site.owner.begin() as connection:
        change = text(
            f"UPDATE products SET brand = :brand WHERE id = (SELECT p.id {OF_GUTLAND} ORDER BY sku LIMIT 1)"
        )
        connection.execute(change, {"brand": FORMULA})
    query = "q=GUT-01&sort=-price_cents&columns=title&columns=sku&columns=brand&columns=price_cents"
    owner.goto(f"{GOODS}?{query}")
    heads = [text.strip() for text in owner.locator("thead th:not(.pick, .actions)").all_inner_texts()]
    shown = owner.locator("tbody tr[data-row]").evaluate_all(
        "rows => rows.map(row => [...row.cells].slice(1, 4).map(cell => cell.innerText.trim()))"
    )
    assert len(shown) > 2
    header, *rows = exported(owner, "all")
    assert header == heads
    assert [[title, sku, brand.removeprefix("'")] for title, sku, brand, _ in rows] == shown
    assert [row[2] for row in rows if "HYPERLINK" in row[2]] == [f"'{FORMULA}"]
    prices = [float(row[3]) for row in rows]
    assert prices == sorted(prices, reverse=True)
    owner.locator("[data-pick]").first.check()
    assert exported(owner, "selected") == [header, rows[0]]

    german = browse("de", storage_state=keyring(OWNER), accept_downloads=True).new_page()
    german.goto(f"{GOODS}?{query}")
    _, *rows = exported(german, "all", ";")
    assert all(re.fullmatch(r"\d+,\d\d", row[3]) for row in rows)


def test_lists_without_rows_say_why(owner: Page) -> None:
    main = owner.get_by_role("main")
    owner.goto(f"{GOODS}?q=nothing+is+called+so")
    expect(main.get_by_role("heading", name="nothing is called so")).to_be_visible()
    expect(main.locator(".empty").get_by_role("link", name="Clear filters")).to_be_visible()
    expect(main.locator(".empty .btn-primary")).to_have_count(0)
    main.locator(".empty").get_by_role("link", name="Clear filters").click()
    expect(main.locator("tr[data-row]")).to_have_count(20)

    owner.goto("/vendor/GUTLAND/roles")
    expect(main.get_by_role("heading", name="No roles yet")).to_be_visible()
    expect(main.locator(".btn-primary")).to_have_count(1)
    expect(main.locator(".empty").get_by_role("link", name="Clear filters")).to_have_count(0)


def test_keys_pick_rows_and_can_be_switched_off(browse: OpenBrowser, keyring: Keyring) -> None:
    page = browse(storage_state=keyring(MINETT_OWNER)).new_page()
    page.goto("/vendor/MINETT/products")
    for key in ("j", "j", "x"):
        page.keyboard.press(key)
    expect(page.locator("tr.is-current [data-pick]")).to_be_checked()
    expect(page.locator("[data-pick]").nth(1)).to_be_checked()
    page.keyboard.press("k")
    expect(page.locator("tr[data-row]").first).to_have_class(re.compile("is-current"))

    page.goto("/vendor/MINETT/profile")
    page.get_by_role("checkbox", name="Keyboard shortcuts").uncheck()
    page.get_by_role("button", name="Save profile").click()
    expect(page.get_by_role("status").filter(has_text="Your profile is saved.")).to_be_visible()
    page.goto("/vendor/MINETT/products")
    for key in ("/", "j", "x", "?"):
        page.keyboard.press(key)
    expect(page.locator("tr.is-current, [data-pick]:checked, dialog[open]")).to_have_count(0)
    expect(page.get_by_role("searchbox").first).not_to_be_focused()
    page.keyboard.press("Control+k")  # no single key: stays
    expect(page.get_by_role("dialog").get_by_role("combobox")).to_be_focused()


def test_a_colleague_sees_what_the_owner_of_a_view_does_to_it(
    owner: Page, browse: OpenBrowser, keyring: Keyring
) -> None:
    products = f"/vendor/{VENDOR}/products"
    owner.goto(f"{products}?sort=-price_cents")
    save_view(owner, "Costly ones", is_shared=True)
    colleague = browse(storage_state=keyring(VIEWER)).new_page()
    colleague.goto(products)
    expect(colleague.get_by_role("link", name="Costly ones")).to_be_visible()
    manage(owner)
    owner.locator("#view-rename").fill("Costly and rare")
    owner.get_by_role("button", name="Rename").click()
    colleague.reload()
    colleague.get_by_role("link", name="Costly and rare").click()
    expect(colleague.locator("summary", has_text=re.compile("^View$"))).to_have_count(0)
    colleague.get_by_label("Availability").first.select_option("in_stock")
    expect(colleague).to_have_url(re.compile("availability=in_stock"))
    save_view(colleague, "Costly and here")
    owner.reload()
    expect(owner.get_by_role("link", name="Costly and here")).to_have_count(0)
    for page in (owner, colleague):
        manage(page)
        page.get_by_role("button", name="Delete view").click()
    expect(colleague.get_by_role("link", name=re.compile("^Costly"))).to_have_count(0)


def save_view(page: Page, name: str, *, is_shared: bool = False) -> None:
    """Keep what the list shows under a name; its tab is open then."""
    page.locator("summary", has_text="Save view").click()
    page.get_by_label("Name of the view").fill(name)
    page.get_by_label("Show it to colleagues").set_checked(is_shared)
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_role("link", name=name)).to_have_attribute("aria-current", "page")


def manage(page: Page) -> None:
    """Open the menu of one's own view."""
    page.locator("summary", has_text=re.compile(r"^\s*View\s*$")).click()
