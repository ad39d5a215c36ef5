"""Weeks of orders through Letzshop: buyers order and change their minds, shops say yes and no, send and take back, keys
and prices change, the network breaks and workers die; at the end both sides say the same."""

import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.errors import AppError
from app.modules.marketplace import facade as marketplace
from app.modules.orders import facade as orders
from app.modules.orders.contracts import BY_TASK, NewParcel
from app.testing.letzshop.compare import Findings, compare
from app.testing.letzshop.shops import (
    Shop,
    bring_feed,
    change_prices,
    give_key,
    open_shops,
    store_key,
    tell_feeds,
)
from app.testing.stage import Stage, stage
from sandbox.letzshop.testing import LetzshopBox

_SHOPS, _IN_STEP = 4, 100
_UNKNOWN_SHARE = 0.04
_LONG_AGO = 1_700_000_000  # Unix seconds
_ENVIRONMENT = {
    "MARKETPLACE_LETZSHOP_CALLS_PER_MINUTE": "1000000",
    "MARKETPLACE_LETZSHOP_TIMEOUT_SECONDS": "3",
}
# Name, probability of a call, and of which calls.
_FAULTS: tuple[tuple[str, float, str | None], ...] = (
    ("rate_limit", 0.02, None),
    ("server_error", 0.02, None),
    ("bad_gateway", 0.01, None),
    ("unavailable", 0.01, None),
    ("html_page", 0.01, None),
    ("cut", 0.01, None),
    ("partial", 0.01, None),
    ("lost_answer", 0.03, "confirmInventoryUnits|setShipmentTracking|returnInventoryUnits"),
    ("timeout", 0.003, None),
    ("repeated", 0.1, "shipments"),
    ("shuffled", 0.2, "shipments"),
)
_LAST_TRIES = 6
_TO_DECIDE = text(
    """
    SELECT id, pending_exceptions > 0 AS is_barred FROM orders
    WHERE vendor_id = :vendor AND channel = 'letzshop' AND status = 'pending' ORDER BY id
    """
)
_TO_SEND = text(
    "SELECT id FROM orders WHERE vendor_id = :vendor AND channel = 'letzshop' AND status = 'processing' ORDER BY id"
)
_SENT = text(
    """
    SELECT id FROM orders WHERE vendor_id = :vendor AND channel = 'letzshop' AND status = 'shipped'
    ORDER BY id DESC LIMIT 50
    """
)
_JOBS = text(
    """
    SELECT count(*) AS jobs, count(*) FILTER (WHERE state = 'failed') AS jobs_failed,
        (SELECT count(*) FROM job_runs WHERE outcome = 'lost') AS runs_lost,
        (SELECT count(*) FROM outgoing_acts) AS acts, (SELECT coalesce(sum(attempts), 0) FROM outgoing_acts) AS tries
    FROM jobs
    """
)
_LEFT = text("SELECT count(*) FROM outgoing_acts WHERE state = 'waiting'")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of it. ``is_broken``: what is refused or late is never tried again, so that the proof has to notice."""

    orders: int = 5000
    seed: int = 1
    kills: int = 8
    is_broken: bool = False

    @property
    def steps(self) -> int:
        return -(-self.orders // _IN_STEP)


def prove_letzshop(folder: Path, plan: Plan) -> dict[str, Any]:
    """Play the plan on scratch servers in the folder; returns the figures.

    Raises UnavailableError, with the ends of the logs, when the work does not come to an end.
    """
    started = time.monotonic()
    with stage(folder, plan.seed, _ENVIRONMENT) as here:
        box = here.box.letzshop()
        trade = Trade(here, box, plan, open_shops(here, box, _SHOPS), random.Random(plan.seed), Counter())
        trade.begin()
        for step in range(1, plan.steps + 1):
            trade.play(step)
        if not plan.is_broken:
            trade.finish()
        findings = compare(here.owner, box, trade.shops)
        return {
            "orders": plan.orders,
            "seed": plan.seed,
            **trade.figures(),
            "kills": dict(sorted(here.wounds.items())),
            "kills_missed": len(here.doomed),
            **_of(findings),
            "cpu_seconds_of": here.cpu_seconds(),
            "seconds": round(time.monotonic() - started, 1),
        }


def is_proved(figures: dict[str, Any]) -> bool:
    """Both sides say the same, nothing is missing, double or told twice, and there was something to go wrong."""
    return (
        not figures["differences"] and not figures["kills_missed"] and figures["tries"] > figures["acts"] > 0
    )


def _of(findings: Findings) -> dict[str, Any]:
    found = {name: count for name, count in sorted(findings.counts.items()) if count}
    return {
        "wait_for_people": findings.barred,
        "differences": sum(found.values()),
        "differ": found,
        "examples": findings.examples,
    }


@dataclass(slots=True)
class Trade:
    """The course of it."""

    here: Stage
    box: LetzshopBox
    plan: Plan
    shops: Sequence[Shop]
    chance: random.Random
    acts: Counter[str]
    faults: dict[str, int] = field(default_factory=dict)

    def begin(self) -> None:
        """The shops connect: their past comes in, and their goods go out."""
        tell_feeds(self.here, self.box, self.shops)
        self.box.place(count=_IN_STEP, state="mixed", placed_at=_LONG_AGO)
        for shop in self.shops:
            store_key(shop)
            with shop.session() as session:
                marketplace.import_history(session, shop.connection)
        self.here.settle()
        self._break()

    def play(self, step: int) -> None:
        """Some days: buyers first, then what the shops make of it."""
        if step in self._struck():
            self.here.doomed.append(self.chance.choice(("child", "child", "worker")))
        count = min(_IN_STEP, self.plan.orders - (step - 1) * _IN_STEP)
        placed = self.box.place(count=count, unknown_share=_UNKNOWN_SHARE)
        self._minds_change(placed)
        late = self._rotate(step)
        for shop in self.shops:
            with shop.session() as session:
                marketplace.sync_now(session, shop.connection)
                marketplace.sync_now(session, shop.connection)
        self.here.settle()
        if late is not None:
            store_key(late)
        if step % 7 == 0:
            change_prices(self.here, self.chance.choice(self.shops), self.chance)
        for shop in self.shops:
            self._work(shop)
        self.here.settle()

    def finish(self) -> None:
        """The network is well again: what waits is told, what was missed is read."""
        self.faults = {one["name"]: one["drawn"] for one in self.box.look("/faults")["data"]}
        self.box.control("DELETE", "/letzshop/faults", None)
        for _ in range(_LAST_TRIES):
            for shop in self.shops:
                store_key(shop)  # lets go on what waits
                with shop.session() as session:
                    marketplace.sync_now(session, shop.connection)
            self.here.settle()
            if not self._waiting():
                break
        for shop in self.shops:
            bring_feed(self.here, shop)
            with shop.session() as session:
                marketplace.import_history(session, shop.connection)
        self.here.settle()
        self.box.door("/pull")

    def figures(self) -> dict[str, Any]:
        """What was done."""
        with self.here.owner.connect() as connection:
            counts = {name: int(value) for name, value in connection.execute(_JOBS).mappings().one().items()}
        return {
            "shipments": len(self.box.shipments()),
            "done": dict(sorted(self.acts.items())),
            **counts,
            "faults": self.faults,
        }

    def _waiting(self) -> int:
        with self.here.owner.connect() as connection:
            return int(connection.execute(_LEFT).scalar_one())

    def _struck(self) -> set[int]:
        chance = random.Random(f"{self.plan.seed}:kills")
        usable = range(1, max(2, self.plan.steps * 4 // 5))
        return set(chance.sample(usable, min(self.plan.kills, len(usable))))

    def _break(self) -> None:
        for name, probability, path in _FAULTS:
            self.box.break_next(name, times=None, probability=probability, path=path, seconds=1)

    def _minds_change(self, placed: Sequence[dict[str, Any]]) -> None:
        """Some buyers move, some shops answer at Letzshop itself, some goods come back there."""
        for order in placed:
            shipment = order["shipments"][0]["id"]
            luck = self.chance.random()
            if luck < 0.05:
                self.box.door("/change", shipment=shipment, shipAddress={"city": "Wiltz", "zipCode": "9501"})
                self.acts["moved"] += 1
            elif luck < 0.1:
                self.box.door("/decide", shipment=shipment, available=self.chance.random() < 0.7)
                self.acts["decided there"] += 1
        sent = [one for one in self.box.shipments().values() if one["tracking"]]
        for one in self.chance.sample(sorted(sent, key=lambda one: str(one["id"])), min(2, len(sent))):
            self.box.door("/return", shipment=one["id"], count=1)
            self.acts["returned there"] += 1

    def _rotate(self, step: int) -> Shop | None:
        """At times a key is replaced, and the vendor types it in only after a while."""
        if step % 5:
            return None
        shop = self.chance.choice(self.shops)
        give_key(self.box, shop)
        self.acts["keys rotated"] += 1
        return shop

    def _work(self, shop: Shop) -> None:
        """What the people of a shop do with the orders they see."""
        with self.here.owner.connect() as connection:
            vendor = {"vendor": shop.vendor_id}
            waiting = [(row.id, row.is_barred) for row in connection.execute(_TO_DECIDE, vendor)]
            to_send = connection.execute(_TO_SEND, vendor).scalars().all()
            sent = connection.execute(_SENT, vendor).scalars().all()
        for order_id, is_barred in waiting:
            self._do(shop, "decided", order_id, lambda s, key, barred=is_barred: self._decide(s, key, barred))
        for order_id in to_send:
            if self.chance.random() < 0.8:
                self._do(shop, "sent", order_id, self._send)
        for order_id in self.chance.sample(list(sent), min(2, len(sent))):
            self._do(shop, "taken back", order_id, self._take_back)

    def _do(self, shop: Shop, name: str, order_id: UUID, act: Any) -> None:
        try:
            with shop.session() as session:
                act(session, order_id)
        except AppError as error:
            name = f"{name}: {error.code}"
        self.acts[name] += 1

    def _decide(self, session: Session, order_id: UUID, is_barred: bool) -> None:
        units = sorted(unit for unit, state in orders.units_of(session, order_id).items() if state == "open")
        luck = 0.0 if is_barred else self.chance.random()
        said = {unit: luck > 0.3 or (luck > 0.1 and self.chance.random() < 0.5) for unit in units}
        if units:
            orders.decide_units(session, order_id, said, "Not in the shop", BY_TASK)

    def _send(self, session: Session, order_id: UUID) -> None:
        number = f"PROOF{self.chance.randrange(10**9):09}"
        orders.ship(session, order_id, None, [NewParcel("greco", number)], BY_TASK)

    def _take_back(self, session: Session, order_id: UUID) -> None:
        units = [unit for unit, state in orders.units_of(session, order_id).items() if state == "available"]
        if units:
            orders.return_units(session, order_id, [min(units)], "Came back", BY_TASK)
