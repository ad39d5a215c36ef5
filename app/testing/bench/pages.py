"""Pages and the API's reads with many products and vendors, served by two processes."""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from html import unescape
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import Engine, create_engine, text

from app.core.config import changed_environment
from app.core.database import SYSTEM, IdentityScope, psycopg_url, unit_of_work
from app.core.errors import UnavailableError
from app.modules import setup
from app.modules.api import ROOT
from app.modules.api.serving import operations
from app.modules.menu import AREA_ROOTS, pages
from app.modules.platform import owner_url
from app.modules.tenancy.facade import admin_holder, create_vendor, find_vendor, list_platforms, vendor_holder
from app.testing.api_keys import make_key, owner_of
from app.testing.bench.load import Load, measure_load
from app.testing.bench.order_rows import write_orders
from app.testing.bench.servers import Workers, scratch_platform
from app.testing.bench.web import FOLDER_VARIABLE
from app.testing.bench.weight import BUDGETS, weigh
from app.testing.browsing import sign_in
from app.testing.records import find_address
from app.testing.working import work

VENDOR, OWNER, ADMIN = "MINETT", "owner@minett.example", "admin@wizamart.example"
_PROCESSES, _CONNECTIONS = 2, 8
_DEEP_PAGES = 30
_WEIGHED_ROWS = 50
_START_SECONDS = 60.0

_PRODUCTS = """
    INSERT INTO products (id, vendor_id, sku, gtin, brand, availability, price_cents, currency,
        additional_image_links, attributes, is_active, edited_fields, created_at, updated_at, version)
    SELECT gen_random_uuid(), v.id, 'BENCH-' || lpad(i::text, 6, '0'),
        CASE WHEN i % 3 > 0 THEN lpad((6291041500000 + i)::text, 14, '0') END,
        (ARRAY['Kayl', 'Weber', 'Schmit', 'Muller', 'Reuter', 'Thill', 'Hoffmann', NULL])[1 + i % 8],
        (ARRAY['in_stock', 'in_stock', 'in_stock', 'out_of_stock', 'preorder'])[1 + i % 5],
        500 + (i * 37) % 90000, 'EUR', '{}', '{"series": "bench"}', i % 20 > 0, '{}', now(),
        now() - i * interval '1 minute', 1
    FROM vendors v, generate_series(1, :per_vendor) i
"""
_TEXTS = """
    INSERT INTO product_translations (vendor_id, product_id, language, title, description, edited_fields,
        search_vector, created_at, updated_at, version)
    SELECT p.vendor_id, p.id, 'fr', t.title, repeat(t.title || '. ', 8), '{}',
        to_tsvector('simple', translate(unaccent(concat_ws(' ', t.title, p.sku, ltrim(p.gtin, '0'), p.brand)),
            '-_./', '    ')), now(), now(), 1
    FROM products p, LATERAL (SELECT
        (ARRAY['Parapluie', 'Veste', 'Lampe', 'Tasse', 'Sac', 'Montre', 'Chaise', 'Livre', 'Vase', 'Écharpe'])[
            1 + (p.price_cents % 10)::int] || ' ' ||
        (ARRAY['bleu', 'rouge', 'vert', 'noir', 'blanc', 'gris', 'jaune'])[1 + (p.price_cents % 7)::int]
        || ' modèle ' || (p.price_cents % 997) AS title) t
    WHERE p.sku LIKE 'BENCH-%'
"""


@dataclass(frozen=True, slots=True)
class PagesPlan:
    """How many products, orders and vendors there are, and for how many seconds each address is asked."""

    products: int = 100_000
    orders: int = 50_000
    vendors: int = 20
    seconds: float = 5.0


def measure_pages(plan: PagesPlan) -> dict[str, Any]:
    """Requests per second of the API's hot reads beside a plain handler; p95 of all pages and lists at concurrency 8.

    Times are measured by the client and so hold what a request waits for its turn.
    """
    with scratch_platform(None) as folder:
        engine = create_engine(psycopg_url(owner_url()))
        _seed(engine, plan)
        vendor_key, admin_key = _keys(engine)
        environment = {"WIZAMART_API_REQUESTS_PER_MINUTE": "100000000", FOLDER_VARIABLE: str(folder)}
        with changed_environment(environment), served(folder) as port:
            figures: dict[str, Any] = {
                "products": plan.products,
                "orders": plan.orders,
                "vendors": plan.vendors,
                "processes": _PROCESSES,
                "connections": _CONNECTIONS,
                "hot": _hot(port, vendor_key, folder, plan),
                "api_p95_ms": _api(port, vendor_key, admin_key, engine, plan),
                "pages_p95_ms": _pages(port, engine, plan),
                "weight_budgets": BUDGETS,
            }
        engine.dispose()
        return figures


def _seed(engine: Engine, plan: PagesPlan) -> None:
    setup.seed_demo()
    work(timeout_seconds=300)
    demo = find_vendor(code=VENDOR)
    assert demo
    with unit_of_work(SYSTEM) as session:
        platforms = [one.id for one in list_platforms(session)]
        for number in range(plan.vendors - 3):
            create_vendor(
                session,
                company_id=demo.company_id,
                platform_ids=platforms,
                code=f"BENCH{number:02}",
                name=f"Bench {number:02}",
            )
    work(timeout_seconds=300)
    with engine.begin() as connection:
        connection.execute(text(_PRODUCTS), {"per_vendor": plan.products // plan.vendors})
        connection.execute(text(_TEXTS))
    write_orders(engine, orders=plan.orders, vendors=plan.vendors, products=plan.products)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _keys(engine: Engine) -> tuple[str, str]:
    vendor = find_vendor(code=VENDOR)
    assert vendor
    with engine.connect() as connection:
        admin_id = connection.execute(
            text("SELECT id FROM users WHERE email_norm = :email"), {"email": ADMIN}
        ).scalar_one()
    with unit_of_work(IdentityScope()) as session:
        owner = vendor_holder(session, vendor.id, owner_of(session, vendor.company_id))
        admin = admin_holder(session, admin_id)
    assert owner
    assert admin
    return make_key(owner), make_key(admin)


@contextmanager
def served(folder: Path) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    web = Workers(
        [
            *("uvicorn", "app.testing.bench.web:create_bench_app", "--factory", "--no-access-log"),
            *("--workers", str(_PROCESSES), "--port", str(port), "--log-level", "warning"),
        ],
        folder / "web.log",
    )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(port):
            if time.monotonic() > deadline:
                raise UnavailableError(f"The web does not start: {(folder / 'web.log').read_text()[-2000:]}")
            time.sleep(0.2)
        yield port
    finally:
        web.end()


def _answers(port: int) -> bool:
    try:
        return (
            httpx2.get(f"http://127.0.0.1:{port}/health/live", timeout=2, trust_env=False).status_code == 200
        )
    except httpx2.HTTPError:
        return False


def _hot(port: int, key: str, folder: Path, plan: PagesPlan) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {key}", "Accept-Language": "fr"}
    with _client(port) as client:
        first = client.get(f"{ROOT}/vendor/products?limit=1", headers=headers).json()["data"][0]
        addresses = {
            "list": f"{ROOT}/vendor/products?limit=20",
            "detail": f"{ROOT}/vendor/products/{first['id']}",
            "search": f"{ROOT}/vendor/products?limit=20&q=lampe+rouge",
        }
        for name, path in addresses.items():
            (folder / name).write_bytes(client.get(path, headers=headers).content)
    found = {}
    for name, path in addresses.items():
        measure_load(port, path, headers, connections=_CONNECTIONS, seconds=min(2.0, plan.seconds))
        plain = _load(port, f"/plain/{name}", headers, plan)
        load = _load(port, path, headers, plan)
        found[name] = {
            "per_second": round(load.per_second),
            "p95_ms": load.percentile(0.95),
            "plain_per_second": round(plain.per_second),
            "share": round(load.per_second / plain.per_second, 2),
            "bytes": (folder / name).stat().st_size,
        }
    return found


def _load(port: int, path: str, headers: dict[str, str], plan: PagesPlan) -> Load:
    return measure_load(port, path, headers, connections=_CONNECTIONS, seconds=plan.seconds)


def _client(port: int) -> httpx2.Client:
    return httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)


def _api(port: int, vendor_key: str, admin_key: str, engine: Engine, plan: PagesPlan) -> dict[str, Any]:
    """p95 of every GET of the API; of lists also far behind the first page."""
    found: dict[str, Any] = {}
    with _client(port) as client:
        for name, (_, operation) in operations().items():
            if operation.method != "GET":
                continue
            key = vendor_key if operation.area == "vendor" else admin_key
            headers = {"Authorization": f"Bearer {key}"}
            path = _with_ids(ROOT + operation.address, operation.area, engine)
            if path is None:
                continue
            found[name] = {"first": _p95(port, path, headers, plan)}
            deep = _deep_cursor(client, path, headers) if operation.is_list else None
            if deep:
                found[name]["deep"] = _p95(port, f"{path}?limit=100&cursor={deep}", headers, plan)
    return found


def _with_ids(path: str, area: str, engine: Engine) -> str | None:
    marked = path if area == "admin" else f"{path}#{{vendor_code}}"  # so that ids are of the vendor
    address = find_address(marked, engine, VENDOR, OWNER)
    return address.partition("#")[0] if address else None


def _deep_cursor(client: httpx2.Client, path: str, headers: dict[str, str]) -> str | None:
    cursor: str | None = None
    for _ in range(_DEEP_PAGES):
        query = {"limit": "100", **({"cursor": cursor} if cursor else {})}
        page = client.get(path, params=query, headers=headers).json()
        if page.get("next_cursor") is None:
            break
        cursor = page["next_cursor"]
    return cursor


def _p95(port: int, path: str, headers: dict[str, str], plan: PagesPlan) -> float:
    seconds = max(1.0, plan.seconds / 3)
    load = measure_load(port, path, headers, connections=_CONNECTIONS, seconds=seconds)
    return load.percentile(0.95)


def _pages(port: int, engine: Engine, plan: PagesPlan) -> dict[str, Any]:
    """p95 of every page of both areas; of lists also far behind the first page, and their weight with 50 rows."""
    found: dict[str, Any] = {}
    for area, email in (("vendor", OWNER), ("admin", ADMIN)):
        with _client(port) as client:
            sign_in(client, area, email)
            headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}
            for page in pages().values():
                if page.area != area:
                    continue
                path = find_address(AREA_ROOTS[page.area] + page.path, engine, VENDOR, OWNER)
                if path is None or client.get(path).status_code != 200:
                    continue
                found[page.id] = {"first": _p95(port, path, headers, plan)}
                if page.kind == "list":
                    full = f"{path}?size={_WEIGHED_ROWS}"
                    found[page.id]["weight"] = asdict(weigh(client, full))
                deep = _deep_page(client, path) if page.kind == "list" else None
                if deep:
                    found[page.id]["deep"] = _p95(port, deep, headers, plan)
    return found


def _deep_page(client: httpx2.Client, path: str) -> str | None:
    """The address of a list's page far behind the first one, as long as that."""
    address, found = f"{path}?size=100", None
    for _ in range(_DEEP_PAGES):
        links = re.findall(r'href="([^"]*[?&;]after=[^"]*)"', client.get(address).text)
        if not links:
            break
        found = address = unescape(links[-1]) if links[-1].startswith("/") else path + unescape(links[-1])
    return found.replace("size=100&", "") if found else None
