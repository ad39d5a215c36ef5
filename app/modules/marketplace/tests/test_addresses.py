"""What servers of feeds do wrong: the import ends, says why in the reader's language, and has changed nothing."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from fastapi.testclient import TestClient

from app.core import http_client
from app.core.config import get_settings
from app.core.i18n import LANGUAGES, has_message
from app.core.ids import to_public
from app.modules.marketplace.services import feed_file_service
from app.modules.marketplace.tests.conftest import Shop, counts, feed, row
from app.modules.texts import load_texts
from app.testing.browsing import sign_in

Answer = Callable[[BaseHTTPRequestHandler], None]
REASONS = (
    *("invalid", "scheme", "credentials", "host", "port", "address", "downgrade"),
    *("redirects", "status", "encoding", "connection", "timeout"),
)


def to_private_place(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(302)
    handler.send_header("Location", "http://169.254.169.254/latest/meta-data")
    handler.end_headers()


def in_circles(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(302)
    handler.send_header("Location", handler.path)
    handler.end_headers()


def drop_by_drop(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    for _ in range(100):
        handler.wfile.write(b"x")
        time.sleep(0.05)


def half_of_it(handler: BaseHTTPRequestHandler) -> None:
    content = feed([row(n, title="Half") for n in range(50)])
    handler.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n".encode())
    handler.wfile.write(content[: len(content) // 2])


def no_gzip(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain")


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answer], str]]:
    """Has an answer served; its address, which the guard lets through."""
    servers = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                try:
                    answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = f"127.0.0.1:{server.server_port}"
        monkeypatch.setenv("WIZAMART_HTTP_ALLOWED_PRIVATE_HOSTS", f'["{place}"]')
        get_settings.cache_clear()
        return f"http://{place}/feed.csv"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("answer", "code", "reason", "text"),
    [
        (to_private_place, "core.url_refused", "address", "réseau privé"),
        (in_circles, "core.fetch_failed", "redirects", "redirige trop souvent"),
        (drop_by_drop, "core.fetch_failed", "timeout", "trop longtemps"),
        (half_of_it, "core.fetch_failed", "connection", "avant la fin du fichier"),
        (no_gzip, "core.fetch_failed", "encoding", "endommagé"),
    ],
)
def test_a_server_that_does_wrong(
    shop: Shop,
    client: TestClient,
    serve: Callable[[Answer], str],
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
    code: str,
    reason: str,
    text: str,
) -> None:
    monkeypatch.setattr(feed_file_service, "_FETCH_SECONDS", 0.6)
    monkeypatch.setattr(http_client, "MAX_RETRIES", 0)
    shop.run(feed([row(1)]))
    before = shop.rows("SELECT * FROM products")
    started = time.monotonic()
    done = shop.run(url=serve(answer))
    assert time.monotonic() - started < 30
    assert done.job is not None
    assert (done.job.state, done.job.error_code) == ("failed", code)
    assert done.row.problem is not None
    assert done.row.problem["params"]["reason"] == reason
    assert counts(done) == (0, 0, 0, 0)
    assert shop.rows("SELECT * FROM products") == before
    sign_in(client, "vendor", "owner@moselle.example")
    page = client.get(f"/vendor/MOSELLE/imports/{to_public('imp', done.row.id)}").text
    assert text in page


def test_a_feed_that_changes_while_it_is_read_is_imported_as_it_was_fetched(
    shop: Shop, serve: Callable[[Answer], str]
) -> None:
    asked: list[str] = []

    def another_each_time(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        content = feed([row(n, title=f"Version {len(asked)}") for n in range(20)])
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    address = serve(another_each_time)
    for version in (1, 2):
        # The second one is read twice, to be checked and to be written, and fetched once.
        assert counts(shop.run(url=address))[3] == 0
        assert len(asked) == version
        titles = shop.rows("SELECT DISTINCT title FROM product_translations")
        assert titles == [(f"Version {version}",)]


def test_every_reason_has_its_text() -> None:
    load_texts()
    for language in LANGUAGES:
        assert all(has_message(language, f"marketplace.address_problems.{reason}") for reason in REASONS)


def test_the_reasons_are_those_of_the_client() -> None:
    sources = (http_client.__file__, http_client.check_url.__code__.co_filename)
    found: set[str] = set()
    for source in sources:
        with open(source, encoding="utf-8") as file:
            found.update(re.findall(r'reason="(\w+)"', file.read()))
    assert found == set(REASONS)
