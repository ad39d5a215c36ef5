"""Events: one delivery per listening module, each handled once, in order."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import IntegrityError

from app.core.database import TenantScope, unit_of_work
from app.modules import events
from app.modules.base import ModuleClass, ModuleDefinition
from app.modules.events import UnknownEventError, publish, rebuild
from app.modules.registry import order_modules
from app.tasks import relay
from app.tasks.runner import run_slice, run_until_idle
from tests.reliability.shop import handlers
from tests.reliability.shop.events import ParcelSent

pytestmark = [pytest.mark.reliability, pytest.mark.usefixtures("ledger_db", "listeners")]
VENDOR = UUID(int=1 << 64)
HANDLERS = "tests.reliability.shop.handlers"


def module(code, handler=None):
    return ModuleDefinition(
        code=code,
        name=code,
        module_class=ModuleClass.CORE,
        package="tests.reliability.shop",
        handlers={ParcelSent.name: f"{HANDLERS}:{handler}"} if handler else {},
    )


@pytest.fixture
def listeners(monkeypatch):
    """Installs a publisher and three listeners, one of which cannot cope."""

    def install(third="on_parcel_sent_fails"):
        found = [module("shop"), module("mail", "on_parcel_sent"), module("stock", "on_parcel_sent")]
        installed = order_modules([*found, module("track", third)])
        monkeypatch.setattr(events, "modules", lambda: installed)
        monkeypatch.setattr(events, "is_installed", lambda code: code in installed)

    events.event_class.cache_clear()
    handlers.received.clear()
    install()
    yield install
    events.event_class.cache_clear()


def send(number, order_id, fail=False):
    with unit_of_work(TenantScope(VENDOR)) as session:
        event = ParcelSent(order_id, number, datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
        event_id = publish(session, event, vendor_id=VENDOR, aggregate=str(order_id))
        if fail:
            raise ZeroDivisionError
    return event_id, event


def test_three_listeners_get_it_once_each_and_one_failing_harms_no_other(query, listeners):
    event_id, event = send(1, uuid4())
    run_slice("default")
    assert handlers.received == [event] * 3
    assert query("SELECT count(*) FROM ledger_test_effects") == [(2,)]
    states = "SELECT d.handler, j.state FROM deliveries d JOIN jobs j ON j.id = d.job_id ORDER BY d.handler"
    assert query(states) == [("mail", "succeeded"), ("stock", "succeeded"), ("track", "queued")]
    listeners("on_parcel_sent")
    run_until_idle(["default"], timeout_seconds=10)
    assert query("SELECT count(*) FROM ledger_test_effects") == [(3,)]
    assert {row.event_id for row in query("SELECT event_id FROM deliveries")} == {event_id}


def test_a_rolled_back_publisher_publishes_nothing(query):
    with pytest.raises(ZeroDivisionError):
        send(1, uuid4(), fail=True)
    assert query("SELECT count(*) FROM deliveries") == query("SELECT count(*) FROM jobs") == [(0,)]


def test_events_of_one_aggregate_arrive_in_order_at_each_listener(query, listeners):
    listeners("on_parcel_sent")
    order_id = uuid4()
    for number in range(6):
        send(number, order_id)
    run_until_idle(["default"], timeout_seconds=10)
    assert [event.number for event in handlers.received[::3]] == list(range(6))
    assert query("SELECT count(*) FROM ledger_test_effects") == [(18,)]


def test_a_delivery_cannot_be_stored_twice(query):
    send(1, uuid4())
    with pytest.raises(IntegrityError):
        query(
            "INSERT INTO deliveries SELECT gen_random_uuid(), vendor_id, event_id, event, handler, aggregate, payload, "
            "job_id, created_at FROM deliveries"
        )


def test_deliveries_of_a_module_that_is_off_wait_for_it(query, framework):
    framework(module_is_on=lambda code, _vendor_id: code != "stock")
    send(1, uuid4())
    run_slice("default")
    waiting = "SELECT module, waiting_reason FROM jobs WHERE waiting_reason IS NOT NULL"
    assert query(waiting) == [("stock", "module off")]
    framework()
    relay.release_waiting()
    run_slice("default")
    assert query("SELECT state FROM jobs WHERE module = 'stock'") == [("succeeded",)]


def test_an_event_survives_added_and_removed_fields_but_not_its_class():
    payload = {"order_id": str(VENDOR), "number": 1, "sent_at": "2026-01-02T03:04:00Z", "gone": 1}
    assert rebuild(ParcelSent.name, payload) == ParcelSent(VENDOR, 1, datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    with pytest.raises(UnknownEventError):
        rebuild("shop.parcel_lost", {})
