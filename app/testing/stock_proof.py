"""Proof that nothing is sold twice: processes buy, sell for a marketplace, correct and cancel at once, and what each
was told adds up to what the counters, the ledger and the reservations say. The same processes do a plain guarded UPDATE
for comparison."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier, Event
from statistics import median
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.database import SYSTEM, TenantScope, dispose_engine, unit_of_work
from app.core.ids import new_id
from app.modules.inventory import facade as inventory
from app.modules.inventory.contracts import Place
from app.modules.inventory.exceptions import NotEnoughStockError
from app.modules.inventory.facade import Reason, Stock, list_differences
from app.modules.providers import ProviderPoint

_VENDOR, _PRODUCTS, _HOT, _EACH = "MOSELLE", 200, 10, 40
_ROUNDS, _READS_PER_SECOND = 4, 20.0
_WAIT_SECONDS = 600.0
_POINT: ProviderPoint[type[Stock]] = ProviderPoint("orders.stock_reservation")

_INSERT = text(
    "INSERT INTO products (id, vendor_id, sku, price_cents, currency, additional_image_links, attributes, "
    "is_active, edited_fields, created_at, updated_at, version) "
    "VALUES (:id, :vendor_id, :sku, 100, 'EUR', '{}', '{}', true, '{}', now(), now(), 1)"
)
_NEGATIVE = text("SELECT count(*) FROM inventory WHERE on_hand < 0 OR reserved < 0 OR on_hand < reserved")
_UNEQUAL = text(
    "SELECT count(*) FROM (SELECT i.product_id FROM inventory i LEFT JOIN LATERAL (SELECT "
    "sum(r.quantity - r.fulfilled - r.released) AS held FROM stock_reservations r WHERE r.vendor_id = i.vendor_id "
    "AND r.product_id = i.product_id AND r.warehouse_id = i.warehouse_id AND r.fulfilled + r.released < r.quantity) o "
    "ON true WHERE i.product_id = ANY (:products) AND i.reserved <> coalesce(o.held, 0)) d"
)
_FIGURES = text("SELECT product_id, sum(on_hand), sum(reserved) FROM inventory GROUP BY product_id")
_FLOOR = text(
    "UPDATE inventory SET reserved = reserved + :units WHERE id = :id AND on_hand - reserved >= :units"
)


@dataclass(slots=True)
class _Tally:
    """What a process was told: by product, units accepted, given back, taken away for good, and added by hand."""

    accepted: Counter[UUID] = field(default_factory=Counter)
    released: Counter[UUID] = field(default_factory=Counter)
    shipped: Counter[UUID] = field(default_factory=Counter)
    added: Counter[UUID] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def take(self, other: "_Tally") -> None:
        for name in self.__slots__:
            getattr(self, name).update(getattr(other, name))


@dataclass(frozen=True, slots=True)
class _World:
    """What the processes work on: places by product, and the place of each product that only the floor writes."""

    vendor_id: UUID
    places: Sequence[Place]
    floor_ids: Sequence[UUID]
    is_broken: bool

    def choose(self, chance: random.Random) -> Place:
        """Half of all wants go to a few products."""
        return self.places[chance.randrange(_HOT) if chance.random() < 0.5 else chance.randrange(_PRODUCTS)]


def prove_stock(*, processes: int, operations: int, seed: int, is_broken: bool = False) -> dict[str, Any]:
    """Let processes do so many operations on this process's demo database. ``is_broken``: without the guard, to show
    that the proof would notice. Returns the figures."""
    world = _prepare(operations, is_broken=is_broken)
    context = get_context("fork")
    barrier, done, results = context.Barrier(processes + 1), context.Event(), context.SimpleQueue()
    dispose_engine()
    each = max(operations // processes // _ROUNDS, 1)
    workers = [
        context.Process(target=_work, args=(world, barrier, results.put, f"{seed}:{number}", each))
        for number in range(processes)
    ]
    reader = context.Process(target=_read, args=(world, done, results.put))
    for process in (*workers, reader):
        process.start()
    seconds = _time_rounds(barrier)
    tally, errors = _Tally(), []
    for _ in workers:
        one, error = results.get()
        tally.take(one)
        errors += [error] if error else []
    done.set()
    read = results.get()
    for process in (*workers, reader):
        process.join(_WAIT_SECONDS)
    figures = _compare(world, tally) | read
    rates = [(processes * each / mine, processes * each / floor) for mine, floor in seconds]
    return {
        "processes": processes,
        "operations": processes * each * _ROUNDS,
        "outcomes": dict(sorted(tally.outcomes.items())),
        **figures,
        "errors": len(errors),
        "first_error": errors[0] if errors else None,
        "operations_per_second": round(median(mine for mine, _ in rates)),
        "floor_per_second": round(median(floor for _, floor in rates)),
        "ratio_to_floor": round(median(mine / floor for mine, floor in rates), 2),
    }


def stock_is_proved(figures: dict[str, Any], *, least_ratio: float) -> bool:
    """Nothing sold twice, nothing uncounted, nothing negative seen, no error, and not too slow."""
    wrong = ("oversold", "products_uncounted", "differences", "negative_seen", "unequal_seen", "errors")
    return not any(figures[name] for name in wrong) and figures["ratio_to_floor"] >= least_ratio


def _prepare(operations: int, *, is_broken: bool) -> _World:
    with unit_of_work(SYSTEM) as session:
        found = session.execute(text("SELECT id FROM vendors WHERE code = :code"), {"code": _VENDOR})
        vendor_id = found.scalar_one()
    units = max(operations // _PRODUCTS // 4, _EACH)  # so that some are sold out
    with unit_of_work(TenantScope(vendor_id)) as session:
        warehouses = [
            inventory.create_warehouse(session, vendor_id, code=f"PROOF{number}", name="proof").id
            for number in (1, 2)
        ]
        places, floor_ids = [], []
        for number in range(_PRODUCTS * 2):
            key = new_id()
            session.execute(_INSERT, {"id": key, "vendor_id": vendor_id, "sku": f"proof-{number:04d}"})
            place = Place(key, warehouses[0])
            is_floor = number >= _PRODUCTS
            inventory.set_level(session, place, operations * 3 if is_floor else units, Reason.COUNT)
            if is_floor:
                floor_ids.append(_level_id(session, key))
            else:
                places.append(place)
                if number % 10 == 0:
                    inventory.set_level(session, Place(key, warehouses[1], "B-01"), units, Reason.COUNT)
    return _World(vendor_id, places, floor_ids, is_broken)


def _level_id(session: Session, product_id: UUID) -> UUID:
    found = session.execute(text("SELECT id FROM inventory WHERE product_id = :id"), {"id": product_id})
    key: UUID = found.scalar_one()
    return key


def _time_rounds(barrier: Barrier) -> list[tuple[float, float]]:
    """Seconds of each round: of the operations, and of as many plain updates."""
    seconds = []
    for _ in range(_ROUNDS):
        both = []
        for _phase in range(2):
            barrier.wait(_WAIT_SECONDS)
            started = time.monotonic()
            barrier.wait(_WAIT_SECONDS)
            both.append(time.monotonic() - started)
        seconds.append((both[0], both[1]))
    return seconds


def _work(world: _World, barrier: Barrier, put: Callable[[Any], None], seed: str, each: int) -> None:
    chance, tally = random.Random(seed), _Tally()
    writer = _Writer(world, chance, tally)
    error = None
    for _ in range(_ROUNDS):
        for phase in (writer.operate, lambda: _floor(world, chance)):
            barrier.wait(_WAIT_SECONDS)
            for _one in range(each):
                try:
                    phase()
                except Exception as found:  # counted, and the proof fails
                    error = f"{type(found).__name__}: {found}"[:300]
            barrier.wait(_WAIT_SECONDS)
    put((tally, error))


def _floor(world: _World, chance: random.Random) -> None:
    """What an operation would be if nobody had to know of it: one guarded UPDATE of a vendor's row."""
    units = chance.randint(1, 3)
    number = chance.randrange(_HOT) if chance.random() < 0.5 else chance.randrange(_PRODUCTS)
    with unit_of_work(TenantScope(world.vendor_id)) as session:
        session.execute(_FLOOR, {"units": units, "id": world.floor_ids[number]})


class _Writer:
    """One process's traffic: a shop's baskets, a marketplace's orders, people who count, cancel and ship."""

    def __init__(self, world: _World, chance: random.Random, tally: _Tally) -> None:
        self.world, self.chance, self.tally = world, chance, tally
        self.open: list[tuple[UUID, list[tuple[UUID, UUID, int]]]] = []

    def operate(self) -> None:
        """One operation in a transaction of its own."""
        draw = self.chance.random()
        if draw < 0.5:
            self._buy("shop", 1)
        elif draw < 0.6:
            self._buy("marketplace", self.chance.randint(2, 4))
        elif draw < 0.7:
            self._correct()
        elif draw < 0.88:
            self._end("cancelled")
        else:
            self._end("shipped")

    def _stock(self) -> type[Stock]:
        """By the point that orders ask at, or called directly."""
        found = _POINT.find_for(self.world.vendor_id) if self.chance.random() < 0.5 else Stock
        assert found is not None
        return found

    def _buy(self, channel: str, lines: int) -> None:
        order_id = new_id()
        wanted = [
            (new_id(), self.world.choose(self.chance).product_id, self.chance.randint(1, 3))
            for _ in range(lines)
        ]
        with unit_of_work(TenantScope(self.world.vendor_id)) as session:
            if self.world.is_broken:
                _reserve_unguarded(session, order_id, wanted)
                short: dict[UUID, int] = {}
            else:
                waits = channel != "shop"  # a shop refuses; a marketplace's order is kept and waits
                short = self._stock().reserve(session, order_id, channel, wanted, waits=waits)
        self.tally.outcomes[f"{channel} {'short' if short else 'accepted'}"] += 1
        if not short:
            self.open.append((order_id, wanted))
            for _, product_id, units in wanted:
                self.tally.accepted[product_id] += units

    def _correct(self) -> None:
        place, units = self.world.choose(self.chance), self.chance.choice((-2, -1, 1, 2, 3))
        try:
            with unit_of_work(TenantScope(self.world.vendor_id)) as session:
                inventory.adjust(session, place, units, Reason.CORRECTION)
        except NotEnoughStockError:
            self.tally.outcomes["correction refused"] += 1
            return
        self.tally.outcomes["corrected"] += 1
        self.tally.added[place.product_id] += units

    def _end(self, how: str) -> None:
        if not self.open:
            return self._buy("shop", 1)
        order_id, wanted = self.open.pop(self.chance.randrange(len(self.open)))
        with unit_of_work(TenantScope(self.world.vendor_id)) as session:
            if how == "cancelled":
                self._stock().release(session, order_id)
            else:
                units = [(line_id, quantity) for line_id, _, quantity in wanted]
                self._stock().fulfil(session, order_id, "proof", units)
        self.tally.outcomes[how] += 1
        ended = self.tally.released if how == "cancelled" else self.tally.shipped
        for _, product_id, quantity in wanted:
            ended[product_id] += quantity
        return None


_LOOK = text(
    "SELECT id, on_hand - reserved AS free FROM inventory WHERE product_id = :product ORDER BY id LIMIT 1"
)
_TAKE = text("UPDATE inventory SET reserved = least(on_hand, reserved + :units) WHERE id = :id")


def _reserve_unguarded(session: Session, order_id: UUID, wanted: Sequence[tuple[UUID, UUID, int]]) -> None:
    """As a shop does it that looks first and takes then, and takes whatever it saw."""
    for _, product_id, units in wanted:
        row = session.execute(_LOOK, {"product": product_id}).one()
        session.execute(_TAKE, {"units": units, "id": row.id})


def _read(world: _World, done: Event, put: Callable[[Any], None]) -> None:
    """Look at the stock as a page does, again and again."""
    figures = {"reads": 0, "negative_seen": 0, "unequal_seen": 0}
    hot = [place.product_id for place in world.places[:_HOT]]
    while not done.wait(1 / _READS_PER_SECOND):
        with unit_of_work(TenantScope(world.vendor_id)) as session:
            figures["negative_seen"] += session.execute(_NEGATIVE).scalar_one()
            figures["unequal_seen"] += session.execute(_UNEQUAL, {"products": hot}).scalar_one()
        figures["reads"] += 1
    put(figures)


def _compare(world: _World, tally: _Tally) -> dict[str, int]:
    with unit_of_work(TenantScope(world.vendor_id)) as session:
        now = {row[0]: (int(row[1]), int(row[2])) for row in session.execute(_FIGURES)}
        with_floor = list_differences(session)
        first: dict[UUID, int] = {row[0]: int(row[1]) for row in session.execute(_FIRST)}
    ours = {place.product_id for place in world.places}
    oversold = uncounted = 0
    for product_id in ours:
        had = first[product_id] + tally.added[product_id]
        kept = tally.accepted[product_id] - tally.released[product_id]
        oversold += max(kept - had, 0)
        on_hand, reserved = now[product_id]
        uncounted += (on_hand, reserved) != (
            had - tally.shipped[product_id],
            kept - tally.shipped[product_id],
        )
    return {
        "units_accepted": sum(tally.accepted.values()),
        "oversold": oversold,
        "products_uncounted": uncounted,
        "differences": sum(one.product_id in ours for one in with_floor),
    }


_FIRST = text(
    "SELECT product_id, sum(on_hand_change) FROM stock_movements WHERE kind = 'set' GROUP BY product_id"
)
