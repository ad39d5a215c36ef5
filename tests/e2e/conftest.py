"""A whole platform with the demo's goods, and Debian's Chromium in front of it."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, sync_playwright
from sqlalchemy import Engine, text

from app.core.keys import new_keys, to_environment
from app.modules.tenancy.contracts import DEMO_PASSWORD
from app.testing.browsing import chromium
from app.testing.database import Templates
from tests.e2e.people import Person
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


@pytest.fixture(scope="package")
def site(templates: Templates, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Web, worker and beat as processes, on a clone of the demo world whose imports are done."""
    folder = tmp_path_factory.mktemp("platform")
    number = 0 if worker_id == "master" else int(worker_id.removeprefix("gw")) + 1
    broker = os.environ["WIZAMART_TEST_BROKER_URL"]
    redis.Redis.from_url(broker.replace("redis+socket://", "unix://"), db=number).flushdb()
    port = free_port()
    with templates.clone("demo") as database, ExitStack() as stack:
        url = f"http://127.0.0.1:{port}"
        environment = {
            "WIZAMART_ENV": "test",
            "WIZAMART_DATA_DIR": str(folder / "data"),
            "WIZAMART_DATABASE_URL": database.url,
            "WIZAMART_DATABASE_OWNER_URL": database.owner_url,
            "WIZAMART_BROKER_URL": f"{broker}?virtual_host={number}",
            "WIZAMART_BASE_URL": url,
            **to_environment(new_keys()),
        }
        # The demo's feeds were left here when the template was made; the first worker imports them.
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


@pytest.fixture(scope="package")
def keyring(browser: Browser, site: Site) -> Callable[[Person], StorageState | None]:
    """The cookies of people who have signed in, once each."""
    states: dict[str, StorageState] = {}

    def cookies_of(person: Person) -> StorageState | None:
        if person.email is None:
            return None
        if person.name not in states:
            with browser.new_context(base_url=site.url, locale="en-GB") as context:
                page = context.new_page()
                page.goto(f"/{person.area}/sign-in")
                fill_in_sign_in(page, person.email)
                page.wait_for_url(re.compile(rf"/{person.area}(/\w+)?$"))
                states[person.name] = context.storage_state()
        return states[person.name]

    return cookies_of


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
