"""Proof that no number of parallel writers passes a limit: one feature that is counted by the month, one of which the
rows are counted. Writers take, take part, and take and then fail; after each round exactly the limit is used."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.database import SYSTEM, TenantScope, unit_of_work
from app.core.ids import new_id
from app.modules.base import Feature
from app.modules.billing.contracts import BY_TASK, OverrideInput
from app.modules.billing.facade import add_override
from app.modules.entitlements import ENTITLEMENTS, LimitReachedError, allowance, consume, take
from app.modules.registry import modules

COUNTED, ROWS = "billing.proof", "catalog.products"
_VENDOR = "MOSELLE"
_ROUND_TRIES = 500
_TRIES_PER_UNIT = 5  # so that at the end of a round nothing is left
_MOST = 3
_FAILING = 0.1

_INSERT = text(
    "INSERT INTO products (id, vendor_id, sku, price_cents, currency, additional_image_links, attributes, "
    "is_active, edited_fields, created_at, updated_at, version) "
    "VALUES (:id, :vendor_id, :sku, 100, 'EUR', '{}', '{}', true, '{}', now(), now(), 1)"
)


class _ChangedItsMindError(Exception):
    """A writer that fails after it took: what it took must be free again."""


@dataclass(slots=True)
class _Tally:
    """What the writers saw; ``most_over``: how far above the limit anybody ever found the use."""

    outcomes: Counter[str] = field(default_factory=Counter)
    passed: int = 0
    most_over: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, outcome: str, passed: int, over: int) -> None:
        with self.lock:
            self.outcomes[outcome] += 1
            self.passed += passed
            self.most_over = max(self.most_over, over)


def prove_limits(*, writers: int, tries: int, seed: int, is_broken: bool = False) -> dict[str, Any]:
    """Let ``writers`` threads try ``tries`` times, half of them on each feature, on this process's demo database.

    ``is_broken``: without the lock, to show that the proof would notice. Returns the figures.
    """
    with unit_of_work(SYSTEM) as session:
        found = session.execute(text("SELECT id FROM vendors WHERE code = :code"), {"code": _VENDOR})
        vendor_id = found.scalar_one()
    with _proof_feature(), _broken_lock(vendor_id) if is_broken else nullcontext():
        results = {
            code: _fight(vendor_id, code, writers=writers, tries=tries // 2, seed=seed)
            for code in (COUNTED, ROWS)
        }
    return {
        "writers": writers,
        "tries": sum(sum(one["outcomes"].values()) for one in results.values()),
        "features": results,
        "over_the_limit": max(one["most_over"] for one in results.values()),
        "rounds_not_filled": sum(one["rounds_not_filled"] for one in results.values()),
        "uncounted": sum(one["uncounted"] for one in results.values()),
    }


def limits_are_proved(figures: dict[str, Any]) -> bool:
    """Never over a limit, all room used, and what passed is what was counted."""
    return not (figures["over_the_limit"] or figures["rounds_not_filled"] or figures["uncounted"])


def _fight(vendor_id: UUID, code: str, *, writers: int, tries: int, seed: int) -> dict[str, Any]:
    tally, not_filled = _Tally(), 0
    limit = first = _used(vendor_id, code)
    rounds = max(tries // _ROUND_TRIES, 1)
    with ThreadPoolExecutor(writers) as pool:
        for number in range(rounds):
            each = tries // rounds
            limit += max(each // _TRIES_PER_UNIT, 1)
            _set_limit(vendor_id, code, limit)
            seeds = [f"{seed}:{code}:{number}:{one}" for one in range(each)]
            for _ in pool.map(lambda name: _try(vendor_id, code, random.Random(name), tally), seeds):
                pass
            used = _used(vendor_id, code)
            tally.most_over = max(tally.most_over, used - limit)
            not_filled += used < limit
    return {
        "rounds": rounds,
        "room": limit - first,
        "passed": tally.passed,
        "outcomes": dict(sorted(tally.outcomes.items())),
        "most_over": max(tally.most_over, 0),
        "rounds_not_filled": not_filled,
        "uncounted": abs(_used(vendor_id, code) - first - tally.passed),
    }


def _try(vendor_id: UUID, code: str, chance: random.Random, tally: _Tally) -> None:
    amount, is_partial = chance.randint(1, _MOST), chance.random() < 0.5
    outcome, passed, over = "passed", 0, 0
    try:
        with unit_of_work(TenantScope(vendor_id)) as session:
            passed = take(session, vendor_id, code, amount) if is_partial else amount
            if not is_partial:
                consume(session, vendor_id, code, amount)
            if code == ROWS:
                _write(session, vendor_id, passed)
            present = allowance(session, vendor_id, code)
            over = present.used - (present.limit or 0)
            if chance.random() < _FAILING:
                raise _ChangedItsMindError
    except LimitReachedError:
        outcome, passed = "refused", 0
    except _ChangedItsMindError:
        outcome, passed = "failed", 0
    tally.add("refused" if outcome == "passed" and not passed else outcome, passed, over)


def _write(session: Session, vendor_id: UUID, count: int) -> None:
    for _ in range(count):
        key = new_id()
        session.execute(_INSERT, {"id": key, "vendor_id": vendor_id, "sku": f"proof-{key}"})


def _used(vendor_id: UUID, code: str) -> int:
    with unit_of_work(TenantScope(vendor_id)) as session:
        return allowance(session, vendor_id, code).used


def _set_limit(vendor_id: UUID, code: str, limit: int) -> None:
    with unit_of_work(TenantScope(vendor_id)) as session:
        add_override(session, vendor_id, code, OverrideInput(limit, "proof"), BY_TASK)


@contextmanager
def _proof_feature() -> Iterator[None]:
    """A feature counted by the month, for as long as the proof runs."""
    owner = modules()["billing"]
    declared = owner.features
    owner.features = (*declared, Feature(COUNTED, "billing.proof", is_per_period=True))
    try:
        yield
    finally:
        owner.features = declared


@contextmanager
def _broken_lock(vendor_id: UUID) -> Iterator[None]:
    """Writers no longer wait for each other, for the block."""
    plans: Any = ENTITLEMENTS.find_for(vendor_id)
    real = plans.lock
    plans.lock = staticmethod(lambda *_: None)
    try:
        yield
    finally:
        plans.lock = staticmethod(real)
