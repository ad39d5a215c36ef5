"""The way of a change of stock into a marketplace's offer: by the API, through the feed, to Letzshop's stand-in."""

import random
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import Engine, create_engine, text

from app.core.config import changed_environment, get_settings
from app.core.database import IdentityScope, TenantScope, psycopg_url, unit_of_work
from app.core.errors import UnavailableError
from app.core.ids import new_id
from app.modules import setup
from app.modules.api import ROOT
from app.modules.marketplace import facade as marketplace
from app.modules.platform import owner_url
from app.modules.tenancy.contracts import VendorInfo
from app.modules.tenancy.facade import find_vendor, vendor_holder
from app.tasks.relay import release_waiting
from app.testing.api_keys import make_key, owner_of
from app.testing.bench.pages import served
from app.testing.bench.servers import Workers, scratch_platform
from app.testing.working import work

_VENDOR, _SHOP = "MINETT", "MINETT"
_LANGUAGES = ("fr", "de")
_MOST_SECONDS, _LOOK_SECONDS, _PAUSE_SECONDS = 180.0, 0.05, 3.0
_AIM_MS = 10_000
_PRODUCTS = """
    INSERT INTO products (id, vendor_id, sku, brand, availability, price_cents, currency, image_link,
        additional_image_links, attributes, is_active, edited_fields, created_at, updated_at, version)
    SELECT gen_random_uuid(), :vendor, 'BENCH-' || lpad(i::text, 6, '0'), 'Weber', 'in_stock', 500 + (i * 37) % 90000,
        'EUR', 'https://img.example/' || i || '.jpg', '{}', '{}', true, '{}', now(), now(), 1
    FROM generate_series(CAST(:first AS integer), CAST(:last AS integer)) i
"""
_TEXTS = """
    INSERT INTO product_translations (vendor_id, product_id, language, title, description, link, edited_fields,
        search_vector, created_at, updated_at, version)
    SELECT p.vendor_id, p.id, l.language, 'Product ' || p.sku, repeat('What it is good for. ', 12),
        'https://shop.example/' || p.sku, '{}', to_tsvector('simple', p.sku), now(), now(), 1
    FROM products p CROSS JOIN unnest(CAST(:languages AS text[])) l (language)
    WHERE p.vendor_id = :vendor AND p.sku LIKE 'BENCH-%' ON CONFLICT DO NOTHING
"""
_STOCK = """
    INSERT INTO inventory (id, vendor_id, product_id, warehouse_id, bin_location, on_hand, reserved, created_at,
        updated_at, version)
    SELECT gen_random_uuid(), p.vendor_id, p.id, w.id, '', 10, 0, now(), now(), 1
    FROM products p, (SELECT id FROM warehouses WHERE vendor_id = :vendor ORDER BY is_default DESC, id LIMIT 1) w
    WHERE p.vendor_id = :vendor AND p.sku LIKE 'BENCH-%' ON CONFLICT DO NOTHING
"""
# The demo's connection is off.
_TURN_ON = "UPDATE connections SET is_on = true WHERE vendor_id = :vendor AND connector = 'letzshop'"
_PUSHES = """
    SELECT extract(epoch FROM finished_at - started_at) * 1000 FROM jobs
    WHERE task LIKE '%.push_changes' AND state = 'succeeded' AND created_at >= to_timestamp(:since)
"""


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """For how many products, how many changes are measured."""

    sizes: Sequence[int] = (1_000, 10_000)
    changes: int = 40
    seed: int = 1


@dataclass(frozen=True, slots=True)
class _Sides:
    """The vendor's API and the control doors of the stand-in."""

    client: httpx2.Client
    api: str
    sandbox: str
    key: str

    def set_level(self, sku: str, units: int) -> None:
        """As a till or a warehouse program does it."""
        answer = self.client.post(
            f"{self.api}{ROOT}/vendor/inventory/adjustments",
            json={"sku": sku, "units": units, "mode": "set", "reason": "correction"},
            headers={"Authorization": f"Bearer {self.key}", "Idempotency-Key": str(new_id())},
        )
        if answer.status_code != 201:
            raise UnavailableError(f"The API answered {answer.status_code}: {answer.text[:300]}")

    def offered(self, sku: str) -> str | None:
        """The availability that buyers see."""
        asked = {"shop": _SHOP, "sku": sku}
        found = self.client.get(f"{self.sandbox}/_control/letzshop/listings", params=asked).json()["data"]
        return str(found[0]["availability"]) if found else None

    def wait_for(self, sku: str, availability: str) -> float:
        """Milliseconds until buyers see it. Raises UnavailableError after three minutes."""
        started = time.perf_counter()
        while self.offered(sku) != availability:
            if time.perf_counter() - started > _MOST_SECONDS:
                raise UnavailableError(f"{sku} is not {availability} after {_MOST_SECONDS:.0f} s.")
            time.sleep(_LOOK_SECONDS)
        return (time.perf_counter() - started) * 1000


def measure_channel(plan: ChannelPlan) -> dict[str, Any]:
    """By number of products: p50 and p95 of a change's whole way, and of the job that writes the files."""
    with scratch_platform(None) as folder, ExitStack() as stack:
        engine = create_engine(psycopg_url(owner_url()))
        stack.callback(engine.dispose)
        setup.seed_demo()
        work(timeout_seconds=300)
        release_waiting()  # deliveries to modules that were turned on a moment ago
        work(timeout_seconds=300)
        vendor = find_vendor(code=_VENDOR)
        assert vendor
        limit = {"WIZAMART_API_REQUESTS_PER_MINUTE": "100000000", "WIZAMART_BENCH_FOLDER": str(folder)}
        stack.enter_context(changed_environment(limit))
        sandbox = _free_port()
        stack.enter_context(_process(folder, "sandbox", "--port", str(sandbox)))
        port = stack.enter_context(served(folder))  # by then the stand-in listens, too
        stack.enter_context(_process(folder, "worker", "--name", "bench"))
        stack.enter_context(_process(folder, "beat"))
        client = stack.enter_context(httpx2.Client(timeout=60.0, trust_env=False))
        sides = _Sides(client, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{sandbox}", _key(vendor))
        with unit_of_work(_scope(vendor)) as session:
            marketplace.connect(session, vendor.id, "letzshop")
        with engine.begin() as connection:
            connection.execute(text(_TURN_ON), {"vendor": vendor.id})
        measured = {}
        for place, size in enumerate(sorted(plan.sizes)):
            _seed(engine, vendor, size)
            measured[str(size)] = _measure(engine, sides, vendor, plan, size, is_first=place == 0)
        return {"seed": plan.seed, "languages": len(_LANGUAGES), "feed_seconds": 2, "products": measured}


def _measure(
    engine: Engine, sides: _Sides, vendor: VendorInfo, plan: ChannelPlan, size: int, *, is_first: bool
) -> dict[str, Any]:
    rng = random.Random(plan.seed)
    last = f"BENCH-{size:06}"
    sides.set_level(last, 0)
    if is_first:
        _point_at(sides, vendor)
    first_ms = sides.wait_for(last, "out_of_stock")
    units = dict.fromkeys((f"BENCH-{number:06}" for number in range(1, size)), 10)
    since, ways = time.time(), []
    for _ in range(plan.changes):
        time.sleep(rng.uniform(0, _PAUSE_SECONDS))  # at any moment of the stand-in's round
        sku = rng.choice(list(units))
        units[sku] = 0 if units[sku] else 10
        sides.set_level(sku, units[sku])
        ways.append(sides.wait_for(sku, "in_stock" if units[sku] else "out_of_stock"))
    with engine.connect() as connection:
        pushes = [float(one) for one in connection.execute(text(_PUSHES), {"since": since}).scalars()]
    return {
        "changes": plan.changes,
        "first_file_ms": round(first_ms),
        "p50_ms": _percentile(ways, 0.5),
        "p95_ms": _percentile(ways, 0.95),
        "most_ms": round(max(ways)),
        "aim_p95_ms": _AIM_MS,
        "job_p50_ms": _percentile(pushes, 0.5),
        "job_p95_ms": _percentile(pushes, 0.95),
    }


def _percentile(values: Sequence[float], share: float) -> int:
    ordered = sorted(values)
    return round(ordered[min(int(len(ordered) * share), len(ordered) - 1)])


def _point_at(sides: _Sides, vendor: VendorInfo) -> None:
    """Give the stand-in the addresses of the vendor's feeds, where this run serves them."""
    with unit_of_work(_scope(vendor)) as session:
        addresses = marketplace.feed_addresses(session, vendor.id)
    base = get_settings().base_url
    feeds = {language: address.replace(base, sides.api) for language, address in addresses.items()}
    answer = sides.client.post(
        f"{sides.sandbox}/_control/letzshop/feeds", json={"shop": _SHOP, "feeds": feeds}
    )
    if answer.status_code != 200:
        raise UnavailableError(f"The stand-in does not take the feeds: {answer.text[:300]}")


def _seed(engine: Engine, vendor: VendorInfo, size: int) -> None:
    """So many products of the vendor with texts and stock; those that are there stay."""
    with engine.begin() as connection:
        there = "SELECT count(*) FROM products WHERE vendor_id = :vendor AND sku LIKE 'BENCH-%'"
        known = connection.execute(text(there), {"vendor": vendor.id}).scalar_one()
        values = {"vendor": vendor.id}
        connection.execute(text(_PRODUCTS), {**values, "first": known + 1, "last": size})
        connection.execute(text(_TEXTS), {**values, "languages": list(_LANGUAGES)})
        connection.execute(text(_STOCK), values)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _scope(vendor: VendorInfo) -> TenantScope:
    return TenantScope(vendor.id, vendor.company_id)


def _key(vendor: VendorInfo) -> str:
    with unit_of_work(IdentityScope()) as session:
        owner = vendor_holder(session, vendor.id, owner_of(session, vendor.company_id))
    assert owner
    return make_key(owner)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _process(folder: Path, command: str, *arguments: str) -> Iterator[None]:
    """A process of the platform for the block."""
    process = Workers(("app.cli", command, *arguments), folder / f"{command}.log")
    try:
        yield
    finally:
        process.end()
