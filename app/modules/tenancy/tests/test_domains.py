"""Hosts of vendors: claimed once, proved by what they show."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseRequestHandler, ThreadingUDPServer
from threading import Thread

import dns.message
import dns.rrset
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from app.core.config import get_settings
from app.core.errors import ValidationFailedError
from app.modules.tenancy.adapters import dns_records
from app.modules.tenancy.services import domain_service
from app.modules.tenancy.tests.steps import ADMIN, OWNER, acts, page_of, post, value_of
from app.testing.browsing import sign_in
from app.testing.working import work

OWN = "/vendor/MOSELLE/domains"


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
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
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
    name_server: dict[str, str],
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


def prove(owner: Engine, host: str) -> None:
    """As if a check had found the proof."""
    with owner.begin() as connection:
        connection.execute(
            text("UPDATE domains SET verified_at = now() WHERE host = :host"),
            {"host": host},
        )


def test_a_host_belongs_to_who_proves_it(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "admin", ADMIN)
    path = page_of(owner_engine, "vendors", "code", "MINETT") + "/domain"
    prove(owner_engine, "shop.moselle.example")
    taken = post(client, path, {"host": "https://Shop.Moselle.example/path"})
    assert taken.status_code == 422
    assert 'id="field-host-error"' in taken.text
    assert post(client, path, {"host": "shop.minett.example"}).status_code == 422, "twice by one vendor"
    assert post(client, path, {"host": "Bücher.Minett.example."}).status_code == 303
    assert (
        value_of(owner_engine, "SELECT count(*) FROM domains WHERE host = 'xn--bcher-kva.minett.example'")
        == 1
    )


def test_a_removed_host_is_free_again(client: TestClient, owner_engine: Engine) -> None:
    sign_in(client, "admin", ADMIN)
    prove(owner_engine, "shop.moselle.example")
    page = page_of(owner_engine, "domains", "host", "shop.moselle.example")
    assert post(client, f"{page}/remove", page=page).status_code == 303
    assert client.get(page).status_code == 404
    path = page_of(owner_engine, "vendors", "code", "MINETT") + "/domain"
    assert post(client, path, {"host": "shop.moselle.example"}).status_code == 303


@pytest.fixture
def name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A name server on this machine; what TXT records say, by name."""
    records: dict[str, str] = {}

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            asked, answering = self.request
            query = dns.message.from_wire(asked)
            answer = dns.message.make_response(query)
            name = query.question[0].name
            if said := records.get(name.to_text(omit_final_dot=True)):
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", f'"{said}"'))
            answering.sendto(answer.to_wire(), self.client_address)

    server = ThreadingUDPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("WIZAMART_DNS_SERVERS", f'["127.0.0.1:{server.server_address[1]}"]')
    get_settings.cache_clear()
    yield records
    server.shutdown()
    server.server_close()


def record_of(owner: Engine, host: str) -> str:
    token = value_of(owner, f"SELECT token FROM domains WHERE host = '{host}'")
    return f"wizamart-domain={token}"


def test_a_vendor_proves_a_host_by_its_dns(
    client: TestClient, owner_engine: Engine, name_server: dict[str, str]
) -> None:
    sign_in(client, "vendor", OWNER)
    made = post(client, f"{OWN}/new", {"host": "www.moselle.example"})
    page = made.headers["location"]
    shown = client.get(page).text
    assert "_wizamart.www.moselle.example" in shown
    assert record_of(owner_engine, "www.moselle.example") in shown
    assert "data-copy" in shown
    name_server["_wizamart.www.moselle.example"] = "wizamart-domain=another"
    post(client, f"{page}/check", page=page)
    work()
    failure = "SELECT failure FROM domains WHERE host = 'www.moselle.example'"
    assert value_of(owner_engine, failure) == "other_token"
    name_server["_wizamart.www.moselle.example"] = record_of(owner_engine, "www.moselle.example")
    post(client, f"{page}/check", page=page)
    work()
    assert value_of(owner_engine, failure) is None
    assert acts(owner_engine)[-1] == "tenancy.domain_verified"
    assert post(client, f"{page}/remove", page=page).status_code == 303
    assert "www.moselle.example" not in client.get(OWN).text


def test_of_two_who_claim_a_host_one_proves_it(
    client: TestClient, owner_engine: Engine, name_server: dict[str, str]
) -> None:
    sign_in(client, "vendor", "owner@minett.example")
    page = post(client, "/vendor/MINETT/domains/new", {"host": "shop.moselle.example"}).headers["location"]
    prove_first = (
        "UPDATE domains SET verified_at = now() WHERE host = 'shop.moselle.example' AND vendor_id = "
    )
    with owner_engine.begin() as connection:
        connection.execute(text(f"{prove_first} (SELECT id FROM vendors WHERE code = 'MOSELLE')"))
    mine = "host = 'shop.moselle.example' AND vendor_id = (SELECT id FROM vendors WHERE code = 'MINETT')"
    token = value_of(owner_engine, f"SELECT token FROM domains WHERE {mine}")
    name_server["_wizamart.shop.moselle.example"] = f"wizamart-domain={token}"
    post(client, f"{page}/check", page=page)
    work()
    assert value_of(owner_engine, f"SELECT failure FROM domains WHERE {mine}") == "taken"
    assert "Another shop has proved this host" in client.get(page).text


def test_a_name_server_that_says_nothing_is_no_error(data_dir: object, name_server: dict[str, str]) -> None:
    assert dns_records.find_texts("_wizamart.nobody.example") == []
    name_server["_wizamart.some.example"] = "hello"
    assert dns_records.find_texts("_wizamart.some.example") == ["hello"]


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
