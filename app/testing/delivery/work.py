"""The producer: jobs and events in transactions, some of which are rolled back, all through the faults."""

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.core.database import SYSTEM, TenantScope, unit_of_work
from app.modules.events import publish
from app.tasks.dispatcher import dispatch
from app.testing.delivery.definition import LISTENERS, TASKS
from app.testing.delivery.effects import expect
from app.testing.delivery.events import ParcelMoved

log = structlog.get_logger(__name__)

_VENDORS = tuple(UUID(int=number << 64) for number in range(1, 6))
_PARCELS = 10
_PARTS = 4
_BACKLOG = 400  # there is always something to take, and what was lost does not wait behind thousands
_TRICKLE_SECONDS = 0.2
_RETRY_SECONDS = 0.2
_QUEUED = text("SELECT count(*) FROM jobs WHERE state = 'queued' AND waiting_reason IS NULL")


class _RolledBackError(Exception):
    pass


@dataclass(slots=True)
class Producer:
    """Makes ``wanted`` jobs as fast as they are done, then a trickle until ``stop``."""

    seed: int
    wanted: int
    jobs: int = 0
    rolled_back: int = 0
    errors: int = 0
    moves: dict[str, int] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _failure: Exception | None = None

    @property
    def has_ended(self) -> bool:
        """Whether there is nothing to wait for: all is made, or it cannot be."""
        return self.has_made_all or self._failure is not None

    @property
    def has_made_all(self) -> bool:
        """Whether as many jobs are written as were asked for."""
        return self.jobs >= self.wanted

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="producer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """No more; returns when the last transaction has ended."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def check(self) -> None:
        """Raise what kept the producer from its work, if anything did."""
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._produce()
        except Exception as error:
            self._failure = error

    def _produce(self) -> None:
        choice = random.Random(self.seed)
        batch = 0
        while not self._stop.is_set():
            batch += 1
            try:
                if self._must_wait():
                    time.sleep(_RETRY_SECONDS)
                    continue
                self._write(f"{self.seed}-{batch}", choice)
            except _RolledBackError:
                self.rolled_back += 1
            except DBAPIError:
                self.errors += (
                    1  # the database is away; whether the commit came through, `proof_expected` says
                )
                time.sleep(_RETRY_SECONDS)
            if self.has_made_all:
                time.sleep(_TRICKLE_SECONDS)

    def _must_wait(self) -> bool:
        with unit_of_work(SYSTEM) as session:
            return bool(session.execute(_QUEUED).scalar_one() >= _BACKLOG)

    def _write(self, key: str, choice: random.Random) -> None:
        vendor = choice.choice(_VENDORS)
        with unit_of_work(SYSTEM) as session:
            made = _platform_jobs(session, key)
            if choice.random() < 0.1:
                raise _RolledBackError
        self.jobs += made
        with unit_of_work(TenantScope(vendor)) as session:
            made = _vendor_jobs(session, key, vendor)
            parcel = f"{vendor.int >> 64}-{choice.randrange(_PARCELS)}"
            number = self.moves.get(parcel, 0) + 1
            # An error of the commit leaves a gap at most: numbers must rise, not be complete.
            self.moves[parcel] = number
            publish(session, ParcelMoved(parcel, number), vendor_id=vendor, aggregate=parcel)
            expect(session, *(f"event:{listener}:{parcel}:{number}" for listener in LISTENERS))
        self.jobs += made + len(LISTENERS)


def _platform_jobs(session: Session, key: str) -> int:
    plain = [f"note:{key}:{number}" for number in range(4)]
    for name in plain:
        _dispatch(session, "note", key=name)
    _dispatch(session, "go_on", key=f"go_on:{key}")
    _dispatch(session, "call", key=f"call:{key}")
    _dispatch(session, "count", key=f"count:{key}", total=_PARTS)
    parts = [f"count:{key}:{number}" for number in range(_PARTS)]
    expect(session, *plain, f"go_on:{key}", f"go_on:{key}:next", f"call:{key}", *parts)
    return len(plain) + 4


def _vendor_jobs(session: Session, key: str, vendor: UUID) -> int:
    names = [f"vendor:{key}:{number}" for number in range(5)]
    for name in names:
        dispatch(session, f"{TASKS}.note_for_vendor", kwargs={"key": name}, vendor_id=vendor)
    expect(session, *names)
    return len(names)


def _dispatch(session: Session, task: str, **arguments: Any) -> None:
    dispatch(session, f"{TASKS}.{task}", kwargs=arguments)
