"""Feeds that are fetched."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from app.core.config import get_settings
from app.core.http_guard import UrlRefusedError
from app.modules.marketplace.services import feed_service
from app.modules.marketplace.tests.conftest import Shop, counts, feed, row


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The files of a folder at an address that the guard lets through."""
    server = HTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    place = f"127.0.0.1:{server.server_port}"
    monkeypatch.setenv("WIZAMART_HTTP_ALLOWED_PRIVATE_HOSTS", f'["{place}"]')
    get_settings.cache_clear()
    try:
        yield f"http://{place}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_feed_is_fetched_and_its_address_remembered(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "www"
    folder.mkdir()
    (folder / "feed.csv").write_bytes(feed([row(1), row(2, price="free")], delimiter=","))
    with served(folder, monkeypatch) as address:
        url = f"{address}/feed.csv"
        done = shop.run(url=url, language="fr")
        assert counts(done) == (1, 0, 0, 1)
        assert (done.row.source_kind, done.row.delimiter) == ("url", ",")
        gone = shop.run(url=f"{address}/gone.csv")
    assert gone.job is not None
    assert (gone.job.state, gone.job.error_code) == ("failed", "core.fetch_failed")
    assert gone.row.problem is not None
    assert gone.row.problem["params"]["status"] == 404
    with shop.session() as session:
        assert [one.url for one in feed_service.list_feeds(session, language="fr")] == [url]


def test_a_feed_that_cannot_be_downloaded_is_a_problem_until_it_can(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "www"
    folder.mkdir()
    with served(folder, monkeypatch) as address:
        for _ in range(2):
            shop.run(url=f"{address}/feed.csv")
        assert problems(shop) == [("marketplace.problems.download", 2, True)]
        shop.run(url=f"{address}/other.csv")
        assert len(problems(shop)) == 2
        (folder / "feed.csv").write_bytes(feed([row(1)], delimiter=","))
        shop.run(url=f"{address}/feed.csv")
    assert sorted(is_open for _, _, is_open in problems(shop)) == [False, True]


def problems(shop: Shop) -> list[tuple[object, ...]]:
    found = shop.rows("SELECT message_key, count, cleared_at IS NULL FROM problems WHERE vendor_id = :vendor")
    return [tuple(one) for one in found if str(one[0]).startswith("marketplace.")]


def test_addresses_inside_the_network_are_refused(shop: Shop) -> None:
    with pytest.raises(UrlRefusedError):
        shop.start(url="file:///etc/passwd")
    done = shop.run(url="http://127.0.0.1/feed.csv")
    assert done.job is not None
    assert (done.job.state, done.job.error_code, done.job.attempts) == ("failed", "core.url_refused", 1)


def test_a_feed_above_the_limit_is_refused(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "www"
    folder.mkdir()
    (folder / "feed.csv").write_bytes(feed([row(n) for n in range(100)]))
    monkeypatch.setenv("WIZAMART_MAX_UPLOAD_BYTES", "1000")
    with served(folder, monkeypatch) as address:
        done = shop.run(url=f"{address}/feed.csv")
    assert done.job is not None
    assert done.job.error_code == "core.too_large"
