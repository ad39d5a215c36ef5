"""Outgoing HTTP: connections go only where the guard allows, and to the address it checked."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core import http_guard
from app.core.http_client import FetchFailedError, FetchUnavailableError, fetch_to_file, open_client
from app.core.http_guard import UrlRefusedError
from tests.kernel.certificates import make_certificate
from tests.kernel.http_server import Server, answer


def fetch(url: str, target: Path, max_bytes: int = 1_000_000, total_seconds: float = 10.0, **conditions: str):
    return fetch_to_file(url, target, max_bytes=max_bytes, total_seconds=total_seconds, **conditions)


def only_file(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# --- the guard: look-ups and connections ---------------------------------------------------------------


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["2606:4700::1", "fe80::1"]])
def test_names_that_lead_inside_are_refused(
    addresses: list[str], tmp_path: Path, allow: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_guard, "resolve", lambda host, port: addresses)
    monkeypatch.setattr(socket, "create_connection", lambda *a, **k: pytest.fail("connected"))
    with pytest.raises(UrlRefusedError) as refused:
        fetch("http://inside.example/", tmp_path / "x")
    assert refused.value.params["reason"] == "address"
    with open_client() as client, pytest.raises(UrlRefusedError):
        client.post("http://inside.example/", json={})


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://localhost/"]
)
def test_this_machine_is_refused(url: str, tmp_path: Path, allow: Callable[..., None]) -> None:
    with pytest.raises(UrlRefusedError):
        fetch(url, tmp_path / "x")


def test_an_exception_can_name_one_port(server: Server, allow: Callable[..., None], tmp_path: Path) -> None:
    server.routes["/"] = answer(200, b"ok")
    allow(f"127.0.0.1:{server.port}")
    assert fetch(server.url("/"), tmp_path / "x").bytes == 2
    allow("127.0.0.1:1")
    with pytest.raises(UrlRefusedError):
        fetch(server.url("/"), tmp_path / "x")


def test_one_look_up_and_the_connection_goes_to_its_answer(
    server: Server, allow: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.routes["/"] = answer(200, b"ok")
    allow("feed.example")
    looked_up: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    monkeypatch.setattr(http_guard, "resolve", resolve)
    assert fetch(server.url("/", host="feed.example"), tmp_path / "x").status == 200
    assert looked_up == ["feed.example"]
    assert server.seen[0][1]["Host"] == f"feed.example:{server.port}"


def test_the_next_address_is_tried(
    server: Server, allow: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.routes["/"] = answer(200, b"ok")
    allow("feed.example")
    monkeypatch.setattr(http_guard, "resolve", lambda host, port: ["::1", "127.0.0.1"])
    assert fetch(server.url("/", host="feed.example"), tmp_path / "x").status == 200


def test_a_resolver_that_hangs_is_left_behind(
    allow: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    monkeypatch.setattr(http_guard, "resolve", lambda host, port: [str(release.wait(30))])
    started = time.monotonic()
    with pytest.raises(FetchUnavailableError) as failed:
        fetch("http://slow.example/", tmp_path / "x", total_seconds=0.3)
    release.set()
    assert time.monotonic() - started < 3
    assert failed.value.params["reason"] == "timeout"


def test_an_unknown_name_is_unavailable(
    allow: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror("unknown")

    monkeypatch.setattr(http_guard, "resolve", resolve)
    with pytest.raises(FetchUnavailableError) as failed:
        fetch("http://nowhere.example/", tmp_path / "x")
    assert (failed.value.status, failed.value.params["reason"]) == (503, "connection")


def test_proxies_of_the_environment_are_ignored(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.routes["/"] = answer(200, b"ok")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert fetch(server.url("/"), tmp_path / "x").status == 200


# --- TLS ----------------------------------------------------------------------------------------------


@pytest.fixture
def tls_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server with a certificate for ``feed.example``, trusted by the client."""
    pem, key_pem = make_certificate(tmp_path, "feed.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    http_guard._ssl_context.cache_clear()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key_pem)
    running = Server(context)
    yield running
    running.close()
    http_guard._ssl_context.cache_clear()


def test_the_certificate_is_checked_for_the_name(
    tls_server: Server,
    allow: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pauses: list[float],
) -> None:
    monkeypatch.setattr(http_guard, "resolve", lambda host, port: ["127.0.0.1"])
    allow("feed.example", "other.example")
    tls_server.routes["/"] = answer(200, b"ok")
    tls_server.routes["/down"] = answer(302, Location=tls_server.url("/", host="feed.example"))
    secure = f"https://feed.example:{tls_server.port}"
    assert fetch(f"{secure}/", tmp_path / "x").status == 200
    with pytest.raises(FetchUnavailableError):
        fetch(f"https://other.example:{tls_server.port}/", tmp_path / "y")
    with pytest.raises(UrlRefusedError) as refused:
        fetch(f"{secure}/down", tmp_path / "y")
    assert refused.value.params["reason"] == "downgrade"


# --- redirects ----------------------------------------------------------------------------------------


def test_redirects_are_followed_up_to_five(server: Server, tmp_path: Path) -> None:
    for number in range(1, 7):
        server.routes[f"/{number}"] = answer(301, Location=f"/{number - 1}")
    server.routes["/0"] = answer(200, b"there")
    assert fetch(server.url("/5"), tmp_path / "x").bytes == 5
    with pytest.raises(FetchFailedError) as failed:
        fetch(server.url("/6"), tmp_path / "y")
    assert (failed.value.status, failed.value.params["reason"]) == (502, "redirects")
    assert only_file(tmp_path) == ["x"]


@pytest.mark.parametrize(
    "location",
    ["http://10.0.0.1/", "http://169.254.169.254/latest/meta-data", "http://[::1]/", "file:///etc/passwd",
     "http://user:pw@8.8.8.8/", "http://2130706433/", "http://localhost:8000/", "http://127.0.0.1.:80/"],
)  # fmt: skip
def test_redirects_to_refused_places(server: Server, tmp_path: Path, location: str) -> None:
    server.routes["/"] = answer(302, Location=location)
    with pytest.raises(UrlRefusedError):
        fetch(server.url("/"), tmp_path / "x")
    assert only_file(tmp_path) == []


def test_the_client_itself_follows_nothing(server: Server) -> None:
    server.routes["/"] = answer(302, Location="/next")
    with open_client() as client:
        assert client.get(server.url("/")).status_code == 302
