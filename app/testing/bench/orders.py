"""Placing orders by the API, as fast as answers come, and a crowd that wants the last few of one thing."""

import json
import random
from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, create_engine, text

from app.core.config import changed_environment
from app.core.database import IdentityScope, psycopg_url, unit_of_work
from app.core.ids import new_id, to_public
from app.modules import setup
from app.modules.api import ROOT
from app.modules.platform import owner_url
from app.modules.tenancy.facade import find_vendor, vendor_holder
from app.testing.api_keys import make_key, owner_of
from app.testing.bench.load import ask_at_once, measure_requests, request_bytes
from app.testing.bench.pages import served
from app.testing.bench.servers import scratch_platform
from app.testing.working import work

_VENDOR = "MINETT"
_CONNECTIONS, _MOST_LINES = 8, 3
_BUYERS, _THINGS = 200, 50
_PEOPLE = 2000
_PRODUCTS = """
    INSERT INTO products (id, vendor_id, sku, price_cents, currency, additional_image_links, attributes, is_active,
        edited_fields, created_at, updated_at, version)
    SELECT id, :vendor, 'BENCH-' || place, 1990, 'EUR', '{}', '{}', true, '{}', now(), now(), 1
    FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS given (id, place)
"""
_STOCK = """
    INSERT INTO inventory (id, vendor_id, product_id, warehouse_id, bin_location, on_hand, reserved, created_at,
        updated_at, version)
    SELECT gen_random_uuid(), :vendor, p.id, w.id, '', CASE WHEN p.id = :scarce THEN :things ELSE 1000000 END, 0, now(),
        now(), 1
    FROM products p, (SELECT id FROM warehouses WHERE vendor_id = :vendor ORDER BY priority, id LIMIT 1) w
    WHERE p.id = ANY(:ids)
"""
_WAREHOUSE = """
    INSERT INTO warehouses (id, vendor_id, code, name, is_default, priority, created_at, updated_at, version)
    VALUES (:id, :vendor, 'BENCH', 'Bench', false, 99, now(), now(), 1)
"""
_LEFT = """
    SELECT sum(on_hand - reserved) FROM inventory WHERE vendor_id = :vendor AND product_id = :scarce
"""


@dataclass(frozen=True, slots=True)
class OrdersPlan:
    """How many products there are, and for how many seconds orders are placed."""

    products: int = 10_000
    seconds: float = 10.0
    seed: int = 1


def measure_orders(plan: OrdersPlan) -> dict[str, Any]:
    """Orders per second with p50, p95 and p99, and what became of 200 buyers at once of 50 things.

    Times are measured by the client and so hold what a request waits for its turn.
    """
    with scratch_platform(None) as folder:
        engine = create_engine(psycopg_url(owner_url()))
        setup.seed_demo()
        work(timeout_seconds=300)
        vendor, key = _vendor()
        goods = [new_id() for _ in range(plan.products)]
        scarce = goods.pop()
        _seed(engine, vendor.id, goods, scarce)
        crowd = _Crowd(key, goods, random.Random(plan.seed))
        environment = {
            "WIZAMART_API_REQUESTS_PER_MINUTE": "100000000",
            "WIZAMART_BENCH_FOLDER": str(folder),
        }
        with changed_environment(environment), served(folder) as port:
            measure_requests(port, crowd.order, status=201, connections=_CONNECTIONS, seconds=2.0)
            load = measure_requests(
                port, crowd.order, status=201, connections=_CONNECTIONS, seconds=plan.seconds
            )
            answers = ask_at_once(port, [crowd.order_of([scarce]) for _ in range(_BUYERS)])
        with engine.connect() as connection:
            left = connection.execute(text(_LEFT), {"vendor": vendor.id, "scarce": scarce}).scalar_one()
        engine.dispose()
        return {
            "products": plan.products,
            "seed": plan.seed,
            "connections": _CONNECTIONS,
            "placing": {
                "per_second": round(load.per_second, 1),
                "aim_per_second": 100,
                **{f"p{share}_ms": load.percentile(share / 100) for share in (50, 95, 99)},
                "aim_p99_ms": 200,
            },
            "crowd": {
                "buyers": _BUYERS,
                "stock": _THINGS,
                "accepted": sum(status == 201 for status, _ in answers),
                "refused": sum(status == 409 for status, _ in answers),
                "failed": Counter(str(status) for status, _ in answers if status not in (201, 409)),
                "left": int(left),
                "slowest_ms": round(max(milliseconds for _, milliseconds in answers)),
            },
        }


def _vendor() -> tuple[Any, str]:
    """The vendor that sells, and a key of its owner."""
    vendor = find_vendor(code=_VENDOR)
    assert vendor
    with unit_of_work(IdentityScope()) as session:
        owner = vendor_holder(session, vendor.id, owner_of(session, vendor.company_id))
    assert owner
    return vendor, make_key(owner)


def _seed(engine: Engine, vendor_id: UUID, goods: list[UUID], scarce: UUID) -> None:
    ids = [*goods, scarce]
    values = {"vendor": vendor_id, "ids": ids, "scarce": scarce, "things": _THINGS}
    with engine.begin() as connection:
        connection.execute(text(_WAREHOUSE), {"vendor": vendor_id, "id": new_id()})
        connection.execute(text(_PRODUCTS), values)
        connection.execute(text(_STOCK), values)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


class _Crowd:
    """Buyers who want this and that."""

    def __init__(self, key: str, goods: list[UUID], rng: random.Random) -> None:
        self._headers = {"Authorization": f"Bearer {key}", "Accept-Language": "fr"}
        self._goods, self._rng, self._made = goods, rng, 0

    def order(self) -> bytes:
        """Up to three random products."""
        return self.order_of(self._rng.sample(self._goods, self._rng.randint(1, _MOST_LINES)))

    def order_of(self, products: list[UUID]) -> bytes:
        """One of each of these, under an idempotency key of its own."""
        self._made += 1
        person = self._rng.randrange(_PEOPLE)
        body = {
            "buyer": {
                "email": f"buyer{person}@mail.example",
                "first_name": "Anne",
                "last_name": f"Nr {person}",
            },
            "shipping_address": {
                "name": "Anne",
                "line1": "1, rue du Fort",
                "city": "Luxembourg",
                "country": "LU",
            },
            "shipping_cents": 590,
            "lines": [
                {
                    "product_id": to_public("prd", one),
                    "title": "Bench",
                    "quantity": 1,
                    "unit_price_cents": 1990,
                }
                for one in products
            ],
        }
        headers = {**self._headers, "Idempotency-Key": f"bench-{self._made}"}
        return request_bytes("POST", f"{ROOT}/vendor/orders", headers, json.dumps(body).encode())
