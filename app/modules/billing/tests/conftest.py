"""A vendor of the demo without a subscription, and a clock to move."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import SYSTEM, TenantScope, unit_of_work
from app.modules import state
from app.modules.billing.contracts import By
from app.modules.billing.enums import ChangeSource
from app.modules.billing.models.subscription import Subscription
from app.modules.billing.services import subscription_service, tier_service
from app.tasks.dispatcher import dispatch
from app.testing.database import Database
from app.testing.working import work

BY_PERSON = By(ChangeSource.USER)
_TASKS = "app.modules.billing.tasks.subscription"


@dataclass(frozen=True)
class Shop:
    """One vendor, as seen by its own role and, for what is behind the scenes, by the owner of the tables."""

    vendor_id: UUID
    platform_id: UUID
    owner: Engine

    @property
    def scope(self) -> TenantScope:
        return TenantScope(self.vendor_id)

    @contextmanager
    def session(self) -> Iterator[Session]:
        with unit_of_work(self.scope) as session:
            yield session

    def start_trial(self, tier_code: str = "essential", interval: str = "month") -> None:
        with unit_of_work(SYSTEM) as session:
            subscription_service.start_trial(session, self.vendor_id, self.platform_id, tier_code, interval)

    def subscribe(self, tier_code: str = "essential", interval: str = "month") -> None:
        """A paid subscription from now on."""
        self.start_trial(tier_code, interval)
        with self.session() as session:
            subscription_service.activate(session, self.vendor_id, tier_code, BY_PERSON)

    def look(self) -> Subscription:
        with self.session() as session:
            return subscription_service.get_subscription(session, self.vendor_id)

    def tier_id(self, code: str) -> UUID:
        with self.session() as session:
            tier = tier_service.find_tier(session, self.platform_id, code)
            assert tier is not None
            return tier.id

    def rows(self, sql: str, **values: Any) -> list[Any]:
        """What the owner of the tables sees of this vendor (``:vendor``)."""
        with self.owner.begin() as connection:
            result = connection.execute(text(sql), {"vendor": self.vendor_id, **values})
            return list(result.all()) if result.returns_rows else []

    def changes(self) -> list[str]:
        """The kinds of its history, the oldest first."""
        found = self.rows("SELECT kind FROM subscription_changes WHERE vendor_id = :vendor ORDER BY id")
        return [row.kind for row in found]


def move_clock(**by: float) -> None:
    """Let business time go on for everybody."""
    with unit_of_work(SYSTEM) as session:
        state.set_clock_offset(session, clock.offset() + timedelta(**by))
    state.forget_snapshot()
    state.refresh()


def run_task(name: str) -> dict[str, Any]:
    """Run one of billing's tasks to its end; its result."""
    with unit_of_work(SYSTEM) as session:
        job = dispatch(session, f"{_TASKS}.{name}")
    work()
    with unit_of_work(SYSTEM) as session:
        row = session.execute(text("SELECT state, result FROM jobs WHERE id = :id"), {"id": job.id}).one()
    assert row.state == "succeeded", row
    return dict(row.result)


@pytest.fixture
def shop(world: Database) -> Iterator[Shop]:
    """GUTLAND, as if it had never had a subscription."""
    work()  # what the demo left to workers
    with world.owner_engine.begin() as connection:
        found = connection.execute(
            text(
                "SELECT v.id, s.platform_id FROM vendors v JOIN subscriptions s ON s.vendor_id = v.id "
                "WHERE v.code = 'GUTLAND'"
            )
        ).one()
        for table in ("subscriptions", "subscription_changes"):
            connection.execute(text(f"DELETE FROM {table} WHERE vendor_id = :id"), {"id": found.id})
    yield Shop(found.id, found.platform_id, world.owner_engine)
    clock.set_offset(timedelta())
