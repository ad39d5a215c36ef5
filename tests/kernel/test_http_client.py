"""Outgoing HTTP: downloads are bounded in bytes, time and tries, and leave nothing behind."""

import gzip
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx2
import pytest

from app.core.errors import TooLargeError
from app.core.http_client import FetchFailedError, FetchUnavailableError, fetch_to_file, open_client
from tests.kernel.http_server import Answer, Server, answer, one_after_the_other


def fetch(url: str, target: Path, max_bytes: int = 1_000_000, total_seconds: float = 10.0, **conditions: str):
    return fetch_to_file(url, target, max_bytes=max_bytes, total_seconds=total_seconds, **conditions)


def only_file(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_whole(server: Server, tmp_path: Path) -> None:
    body = bytes(range(256)) * 2000
    server.routes["/f"] = answer(200, body, ETag='"v1"', Content_Type="text/csv", Last_Modified="yesterday")
    fetched = fetch(server.url("/f"), tmp_path / "new" / "feed.csv")
    target = tmp_path / "new" / "feed.csv"
    assert target.read_bytes() == body
    assert target.stat().st_mode & 0o777 == 0o600
    assert (fetched.etag, fetched.content_type, fetched.last_modified) == ('"v1"', "text/csv", "yesterday")
    assert (fetched.status, fetched.bytes, fetched.not_modified) == (200, len(body), False)


def test_not_modified_leaves_the_file(server: Server, tmp_path: Path) -> None:
    server.routes["/f"] = answer(304, ETag='"v1"')
    target = tmp_path / "feed.csv"
    target.write_text("old")
    fetched = fetch(server.url("/f"), target, etag='"v1"', last_modified="Mon, 01 Jan 2024 00:00:00 GMT")
    assert fetched.not_modified
    assert target.read_text() == "old"
    headers = server.seen[0][1]
    assert headers["If-None-Match"] == '"v1"'
    assert headers["If-Modified-Since"] == "Mon, 01 Jan 2024 00:00:00 GMT"


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    while True:
        handler.wfile.write(b"x" * 65536)


def bomb(handler: BaseHTTPRequestHandler) -> None:
    answer(200, gzip.compress(bytes(50_000_000)), Content_Encoding="gzip")(handler)


@pytest.mark.parametrize("route", [endless, bomb, answer(200, b"x" * 1_000_001)])
def test_too_large(server: Server, tmp_path: Path, route: Answer) -> None:
    server.routes["/f"] = route
    target = tmp_path / "feed.csv"
    target.write_text("old")
    with pytest.raises(TooLargeError):
        fetch(server.url("/f"), target)
    assert target.read_text() == "old"
    assert only_file(tmp_path) == ["feed.csv"]
    assert len(server.seen) == 1


def test_exactly_the_limit_is_fine(server: Server, tmp_path: Path) -> None:
    server.routes["/f"] = answer(200, gzip.compress(bytes(1_000_000)), Content_Encoding="gzip")
    assert fetch(server.url("/f"), tmp_path / "x").bytes == 1_000_000


def trickle_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    trickle(handler)


def trickle_body(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    trickle(handler)


def trickle(handler: BaseHTTPRequestHandler) -> None:
    for _ in range(200):
        handler.wfile.write(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize("route", [trickle_headers, trickle_body])
def test_a_trickling_server_is_cut(server: Server, tmp_path: Path, route: Answer) -> None:
    server.routes["/f"] = route
    started = time.monotonic()
    with pytest.raises(FetchUnavailableError) as failed:
        fetch(server.url("/f"), tmp_path / "x", total_seconds=0.5)
    assert time.monotonic() - started < 2
    assert failed.value.params["reason"] == "timeout"
    assert only_file(tmp_path) == []


def test_the_client_cuts_a_trickling_server_too(server: Server) -> None:
    server.routes["/f"] = trickle_body
    with open_client(total_seconds=0.4) as client, pytest.raises(httpx2.ReadTimeout):
        client.get(server.url("/f"))


# --- tries --------------------------------------------------------------------------------------------


def cut_short(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    handler.close_connection = True


def test_passing_failures_are_tried_again(server: Server, tmp_path: Path, pauses: list[float]) -> None:
    server.routes["/f"] = one_after_the_other(answer(503), cut_short, answer(200, b"done"))
    assert fetch(server.url("/f"), tmp_path / "x").bytes == 4
    assert 0.2 <= pauses[0] <= 0.6
    assert 0.4 <= pauses[1] <= 1.2
    assert only_file(tmp_path) == ["x"]


def test_three_tries_are_enough(server: Server, tmp_path: Path, pauses: list[float]) -> None:
    server.routes["/f"] = answer(502)
    with pytest.raises(FetchUnavailableError) as failed:
        fetch(server.url("/f"), tmp_path / "x")
    assert len(server.seen) == 3
    assert (failed.value.status, failed.value.code) == (503, "core.fetch_failed")
    assert failed.value.params["status"] == 502


@pytest.mark.parametrize("status", [400, 401, 404, 410, 500, 204, 206])
def test_lasting_failures_are_not_tried_again(server: Server, tmp_path: Path, status: int) -> None:
    server.routes["/f"] = answer(status)
    with pytest.raises(FetchFailedError) as failed:
        fetch(server.url("/f"), tmp_path / "x")
    assert (failed.value.status, failed.value.params["status"], len(server.seen)) == (502, status, 1)


def test_damaged_gzip_is_not_tried_again(server: Server, tmp_path: Path) -> None:
    server.routes["/f"] = answer(200, b"no gzip at all", Content_Encoding="gzip")
    with pytest.raises(FetchFailedError) as failed:
        fetch(server.url("/f"), tmp_path / "x")
    assert (failed.value.params["reason"], len(server.seen)) == ("encoding", 1)


def test_retry_after_is_honoured(server: Server, tmp_path: Path, pauses: list[float]) -> None:
    server.routes["/f"] = one_after_the_other(answer(429, Retry_After="7"), answer(200, b"done"))
    assert fetch(server.url("/f"), tmp_path / "x").status == 200
    assert pauses == [7.0]


@pytest.mark.parametrize("wait", ["3600", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_a_long_retry_after_ends_the_fetch(
    server: Server, tmp_path: Path, pauses: list[float], wait: str
) -> None:
    server.routes["/f"] = answer(503, Retry_After=wait)
    with pytest.raises(FetchUnavailableError) as failed:
        fetch(server.url("/f"), tmp_path / "x", total_seconds=100_000)
    assert (pauses, len(server.seen)) == ([], 1)
    assert failed.value.params["retry_after"] >= 3600


@pytest.mark.parametrize("wait", ["", "soon", "-5", "Wed, 21 Oct 2015 07:28:00 GMT", "²"])
def test_an_unusable_retry_after_is_nothing(
    server: Server, tmp_path: Path, pauses: list[float], wait: str
) -> None:
    server.routes["/f"] = one_after_the_other(
        answer(503, Retry_After=wait.encode().decode("latin-1")), answer(200)
    )
    assert fetch(server.url("/f"), tmp_path / "x").status == 200
    assert pauses[0] < 1
