"""Hosts of vendors: claimed once, proved by what they show."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from app.core.config import get_settings
from app.core.errors import ValidationFailedError
from app.modules.tenancy.services import domain_service
from app.modules.tenancy.tests.steps import ADMIN, acts, page_of, post, value_of
from app.testing.browsing import sign_in
from app.testing.working import work


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, dict[str, str]]]:
    """A web site on this machine that the guard lets us ask; its address, and what it shows by path."""
    shown: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in shown else 404)
            self.end_headers()
            self.wfile.write(shown.get(self.path, "").encode())

        def log_message(self, *_args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("WIZAMART_HTTP_ALLOWED_PRIVATE_HOSTS", f'["{address}"]')
    get_settings.cache_clear()
    yield f"http://{address}{domain_service.PROOF_PATH}", shown
    server.shutdown()
    server.server_close()


def test_a_host_that_shows_the_text_is_verified(
    client: TestClient,
    owner_engine: Engine,
    site: tuple[str, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, shown = site
    monkeypatch.setattr(domain_service, "proof_url", lambda _domain: url)
    sign_in(client, "admin", ADMIN)
    page = page_of(owner_engine, "domains", "host", "shop.moselle.example")
    state = "SELECT failure FROM domains WHERE host = 'shop.moselle.example'"
    post(client, f"{page}/check", page=page)
    work()
    assert value_of(owner_engine, state) == "status"
    shown[domain_service.PROOF_PATH] = "something else"
    post(client, f"{page}/check", page=page)
    work()
    assert value_of(owner_engine, state) == "other_token"
    token = value_of(owner_engine, "SELECT token FROM domains WHERE host = 'shop.moselle.example'")
    shown[domain_service.PROOF_PATH] = f"{token}\n"
    post(client, f"{page}/check", page=page)
    work()
    assert value_of(owner_engine, state) is None
    assert value_of(owner_engine, "SELECT count(*) FROM domains WHERE verified_at IS NOT NULL") == 1
    assert "tenancy.domain_verified" in acts(owner_engine)


def test_private_addresses_are_not_asked(data_dir: object) -> None:
    assert domain_service.ask_host("http://127.0.0.1/.well-known/wizamart-domain", "x") == "address"
    assert domain_service.failure_group("address") == "refused"


def test_a_host_belongs_to_one_vendor(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "admin", ADMIN)
    path = page_of(owner_engine, "vendors", "code", "MINETT") + "/domain"
    taken = post(client, path, {"host": "https://Shop.Moselle.example/path"})
    assert taken.status_code == 422
    assert 'id="field-host-error"' in taken.text
    assert post(client, path, {"host": "Bücher.Minett.example."}).status_code == 303
    assert (
        value_of(owner_engine, "SELECT count(*) FROM domains WHERE host = 'xn--bcher-kva.minett.example'")
        == 1
    )


def test_a_removed_host_is_free_again(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "admin", ADMIN)
    page = page_of(owner_engine, "domains", "host", "shop.moselle.example")
    assert post(client, f"{page}/remove", page=page).status_code == 303
    assert client.get(page).status_code == 404
    path = page_of(owner_engine, "vendors", "code", "MINETT") + "/domain"
    assert post(client, path, {"host": "shop.moselle.example"}).status_code == 303


@given(st.text(max_size=300))
def test_host_names_are_plain_or_refused(text: str) -> None:
    try:
        host = domain_service.normalise_host(text)
    except ValidationFailedError:
        return
    assert host.isascii()
    assert host == host.lower()
    assert "." in host
    assert not set(host) - set("abcdefghijklmnopqrstuvwxyz0123456789.-")
    assert domain_service.normalise_host(host) == host


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.0.0.1", "a..b", "-a.example", "exa mple.com", "[::1]"]
)
def test_what_is_no_host_name(text: str) -> None:
    with pytest.raises(ValidationFailedError):
        domain_service.normalise_host(text)
