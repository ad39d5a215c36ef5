"""A whole platform with the demo's goods, and Debian's Chromium in front of it."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.cookiejar import Cookie
from pathlib import Path
from typing import Any

import httpx2
import pytest
import redis
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    StorageState,
    StorageStateCookie,
    sync_playwright,
)
from sqlalchemy import Engine, text

from app.modules.pages import AREA_COOKIES
from app.modules.tenancy.contracts import DEMO_PASSWORD
from app.testing.browsing import chromium, sign_in
from app.testing.database import Templates
from app.testing.plugin import SETTINGS, copy_done
from tests.e2e.desk import Desk, running_desk
from tests.e2e.people import Person
from tests.e2e.places import LOW, NARROW
from tests.e2e.platform import Processes, free_port, is_ready

OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)


@dataclass(frozen=True)
class Site:
    """The running platform: its address, and the owner's engine to look behind the scenes."""

    url: str
    owner: Engine

    def rows(self, sql: str, **values: Any) -> Any:
        """Rows as the owner of the tables sees them."""
        with self.owner.connect() as connection:
            return connection.execute(text(sql), values).all()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs the platform is done by one worker, which starts it once; at first, as no other row is as long."""
    for item in items:
        if "site" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("platform"))
            item.add_marker(pytest.mark.long(200))
        if "desk" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("desk"))


@pytest.fixture(scope="package")
def site(templates: Templates, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Web, worker and beat as processes, on a clone of the demo world."""
    folder = tmp_path_factory.mktemp("platform")
    number = 0 if worker_id == "master" else int(worker_id.removeprefix("gw")) + 1
    broker = os.environ["WIZAMART_TEST_BROKER_URL"]
    redis.Redis.from_url(broker.replace("redis+socket://", "unix://"), db=number).flushdb()
    port = free_port()
    copy_done(folder / "data")
    with templates.clone("done") as database, ExitStack() as stack:
        url = f"http://127.0.0.1:{port}"
        environment = {
            **SETTINGS,
            "WIZAMART_DATA_DIR": str(folder / "data"),
            "WIZAMART_DATABASE_URL": database.url,
            "WIZAMART_DATABASE_OWNER_URL": database.owner_url,
            "WIZAMART_BROKER_URL": f"{broker}?virtual_host={number}",
            "WIZAMART_BASE_URL": url,
        }
        processes = Processes(folder, environment)
        stack.callback(processes.stop)
        processes.start("serve", "--port", str(port))
        processes.start("worker", "--name", f"e2e{number}-{os.getpid()}")
        processes.start("beat")
        site = Site(url, database.owner_engine)
        unfinished = "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')"
        processes.wait_until(lambda: is_ready(url) and site.rows(unfinished) == [(0,)])
        yield site


@pytest.fixture(scope="package")
def desk(templates: Templates, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A platform with Stripe's and Letzshop's stand-ins, whose clock may move: for tests that keep to a shop each."""
    with running_desk(templates, worker_id, tmp_path_factory.mktemp("desk")) as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=OPTIONS)
        yield browser
        browser.close()


OpenBrowser = Callable[..., BrowserContext]


def dress(context: BrowserContext, site: Site, language: str, theme: str) -> None:
    """Choose language and theme for all further pages of a window."""
    chosen = {"wm_lang": language, "wm_theme": theme}
    context.add_cookies([{"name": name, "value": value, "url": site.url} for name, value in chosen.items()])


@pytest.fixture
def browse(browser: Browser, site: Site) -> Iterator[OpenBrowser]:
    """Opens fresh browser windows on the site: ``browse(language="fr", theme="dark", **Playwright's options)``."""
    opened: list[BrowserContext] = []

    def open_one(language: str = "en", theme: str = "light", **options: Any) -> BrowserContext:
        context = browser.new_context(base_url=site.url, locale="en-GB", **options)
        dress(context, site, language, theme)
        context.set_default_timeout(15_000)
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()


Visitor = Callable[[Person], httpx2.Client]
Keyring = Callable[[Person], StorageState | None]


@pytest.fixture(scope="package")
def visitor(site: Site) -> Iterator[Visitor]:
    """People without a browser, signed in once each; redirects are not followed."""
    clients: dict[str, httpx2.Client] = {}

    def client_of(person: Person) -> httpx2.Client:
        if person.name not in clients:
            clients[person.name] = httpx2.Client(base_url=site.url, timeout=15.0, trust_env=False)
            if person.email:
                assert sign_in(clients[person.name], person.area, person.email).status_code == 303
        return clients[person.name]

    yield client_of
    for client in clients.values():
        client.close()


@pytest.fixture(scope="package")
def keyring(visitor: Visitor) -> Keyring:
    """The cookies of people who have signed in, for the windows of a browser."""

    def cookies_of(person: Person) -> StorageState | None:
        if person.email is None:
            return None
        jar = visitor(person).cookies.jar
        return {"cookies": [_as_shown(cookie) for cookie in jar if cookie.name in AREA_COOKIES.values()]}

    return cookies_of


def _as_shown(cookie: Cookie) -> StorageStateCookie:
    return {
        "name": cookie.name,
        "value": cookie.value or "",
        "domain": cookie.domain,
        "path": cookie.path,
        "expires": -1,
        "httpOnly": True,
        "secure": cookie.secure,
        "sameSite": "Lax",
    }


def fill_in_sign_in(page: Page, email: str) -> None:
    """Send the sign-in form that the page shows."""
    page.get_by_role("textbox", name=re.compile("mail", re.IGNORECASE)).fill(email)
    page.locator("input[type=password]").fill(DEMO_PASSWORD)
    page.get_by_role("main").get_by_role("button").click()


@dataclass(frozen=True)
class Watch:
    """What a browser complained about."""

    complaints: list[str]

    def on(self, page: Page) -> None:
        """Listen to a page: its console, its scripts, and answers that are errors."""
        page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on(
            "response",
            lambda response: (
                self.complaints.append(f"{response.status} {response.url}")
                if response.status >= 400
                else None
            ),
        )


@dataclass(frozen=True)
class Windows:
    """What stands open for a person from test to test.

    ``page`` shows pages, ``watch`` has what it complained about; into the others pages are laid: ``bench`` has axe, and
    ``narrow`` is as small as a telephone.
    """

    page: Page
    watch: Watch
    bench: Page
    narrow: Page


@pytest.fixture(scope="package")
def windows(browser: Browser, site: Site, keyring: Keyring) -> Iterator[Callable[[Person], Windows]]:
    """A person's windows; those that pages are laid into show the site's first page."""
    opened: dict[str, Windows] = {}

    def open_for(person: Person) -> Windows:
        context = browser.new_context(base_url=site.url, storage_state=keyring(person), viewport=LOW)
        dress(context, site, "en", "light")
        page, bench, narrow = (context.new_page() for _ in range(3))
        bench.add_init_script(AXE_SCRIPT)
        narrow.set_viewport_size(NARROW)
        for one in (bench, narrow):
            one.goto("/")
        made = Windows(page, Watch([]), bench, narrow)
        made.watch.on(page)
        return made

    def windows_of(person: Person) -> Windows:
        if person.name not in opened:
            opened[person.name] = open_for(person)
        return opened[person.name]

    yield windows_of
    for one in opened.values():
        one.page.context.close()


@pytest.fixture
def window(windows: Callable[[Person], Windows]) -> Iterator[Callable[[Person], Windows]]:
    """A person's standing windows for pages that are only looked at; they may say nothing until the end of the test."""
    watches: list[Watch] = []

    def show(person: Person) -> Windows:
        shown = windows(person)
        shown.watch.complaints.clear()
        watches.append(shown.watch)
        return shown

    yield show
    assert [complaint for watch in watches for complaint in watch.complaints] == []


@pytest.fixture
def quiet() -> Iterator[Watch]:
    """Pages given to ``quiet.on`` may say nothing until the end of the test."""
    watch = Watch([])
    yield watch
    assert watch.complaints == []


@pytest.fixture
def feed_file(tmp_path: Path) -> Path:
    """Where a test writes its feed."""
    return tmp_path / "spring.tsv"
