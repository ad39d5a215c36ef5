"""Keys of the demo world, programs that use them, and the API on a port."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.core.database import IdentityScope, unit_of_work
from app.modules.api import ROOT
from app.modules.api import callers as api_callers
from app.modules.api import limits as api_limits
from app.modules.principal import Principal
from app.modules.tenancy.facade import admin_holder, find_vendor, vendor_holder
from app.testing.api_keys import make_key, owner_of
from app.testing.database import Database

VENDOR, OTHER_VENDOR = "MOSELLE", "MINETT"


@pytest.fixture(autouse=True)
def _fresh_process() -> Iterator[None]:
    """Callers and counts of the test before are nobody's."""
    api_callers.forget()
    api_limits.forget()
    yield
    api_callers.forget()
    api_limits.forget()


def holder_of(code: str) -> Principal:
    """An owner of a vendor."""
    vendor = find_vendor(code=code)
    assert vendor
    with unit_of_work(IdentityScope()) as session:
        found = vendor_holder(session, vendor.id, owner_of(session, vendor.company_id))
    assert found
    return found


def super_admin(owner_engine: Engine) -> Principal:
    """The operator of the demo."""
    with owner_engine.connect() as connection:
        user_id = connection.execute(text("SELECT id FROM users WHERE is_super_admin ORDER BY id")).scalars()
        first = user_id.first()
    with unit_of_work(IdentityScope()) as session:
        found = admin_holder(session, first)
    assert found
    return found


@dataclass(frozen=True)
class Program:
    """Somebody who calls the API with a key; paths are relative to its root."""

    client: TestClient
    key: str

    def __call__(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any
    ) -> httpx2.Response:
        sent = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        answer: httpx2.Response = self.client.request(method, f"{ROOT}{path}", headers=sent, **options)
        return answer

    def get(self, path: str, **options: Any) -> httpx2.Response:
        """GET."""
        return self("GET", path, **options)


@pytest.fixture
def vendor_key(world: Database) -> str:
    """A key of a vendor with every permission."""
    return make_key(holder_of(VENDOR))


@pytest.fixture
def admin_key(world: Database) -> str:
    """A key of the operator with every permission."""
    return make_key(super_admin(world.owner_engine))


_PRODUCTS = text(
    """
    INSERT INTO products (id, vendor_id, sku, gtin, brand, availability, price_cents, currency, sale_price_cents,
        image_link, additional_image_links, attributes, is_active, edited_fields, created_at, updated_at, version)
    SELECT gen_random_uuid(), v.id, 'SKU-' || i, CASE WHEN i % 3 = 0 THEN lpad((6291041500200 + i)::text, 14, '0') END,
        (ARRAY['Kayl', 'Weber', NULL])[1 + i % 3],
        (ARRAY['in_stock', 'out_of_stock', 'preorder', 'backorder', NULL])[1 + i % 5],
        1000 + i / 4, 'EUR', CASE WHEN i % 4 = 0 THEN 900 END, CASE WHEN i % 2 = 0 THEN 'https://x.example/i.jpg' END,
        '{}', jsonb_build_object('a "quoted"', E'é\\t'), i % 6 <> 0, '{}', now(),
        now() - i / 3 * interval '1 minute', 1 + i
    FROM vendors v, generate_series(1, :count) i WHERE v.code = :code
    """
)
_TEXTS = text(
    """
    INSERT INTO product_translations (vendor_id, product_id, language, title, edited_fields, search_vector,
        created_at, updated_at, version)
    SELECT p.vendor_id, p.id, l.code, title, '{}', to_tsvector('simple', unaccent(title)), now(), now(), 1
    FROM products p JOIN vendors v ON v.id = p.vendor_id AND v.code = :code,
        unnest(ARRAY['fr', 'de']) l (code), LATERAL (SELECT p.sku || ' Parapluie "' || l.code || '" '
        || (ARRAY['rouge', 'été', E'bleu\ttab'])[1 + (p.price_cents % 3)::int]) t (title)
    WHERE p.sku LIKE 'SKU-%' AND p.version % 7 <> 0
    """
)


def add_products(owner: Engine, code: str, count: int) -> None:
    """Products of every kind for a vendor, some without texts."""
    with owner.begin() as connection:
        connection.execute(_PRODUCTS, {"code": code, "count": count})
        connection.execute(_TEXTS, {"code": code})


@pytest.fixture
def catalogue(owner_engine: Engine) -> None:
    """Products of the vendor, and of another one."""
    add_products(owner_engine, VENDOR, 30)
    add_products(owner_engine, OTHER_VENDOR, 5)


@pytest.fixture
def vendor(client: TestClient, vendor_key: str) -> Program:
    """A program of a vendor's."""
    return Program(client, vendor_key)


@pytest.fixture
def admin(client: TestClient, admin_key: str) -> Program:
    """A program of the operator's."""
    return Program(client, admin_key)


@pytest.fixture
def api_url(app: FastAPI) -> Iterator[str]:
    """The address of the application, served by a real server in this process."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    # A client may think for longer than uvicorn's five seconds before it asks on the same connection again.
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_keep_alive=75))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listener.close()
