"""Orders in and acts out through a connector, against a marketplace on paper."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import sleep

from sqlalchemy import text

from app.core import clock
from app.core.database import SYSTEM, unit_of_work
from app.modules.marketplace import facade
from app.modules.marketplace.contracts import UnitState
from app.modules.marketplace.exceptions import ChannelUnavailableError, KeyRefusedError
from app.modules.marketplace.services import act_service, connection_job_service, connection_service
from app.modules.marketplace.services.record_service import get_record
from app.modules.orders import facade as orders
from app.modules.orders.contracts import NewParcel
from app.modules.orders.services.exception_service import retry_exceptions
from app.modules.orders.services.shipment_service import set_parcels
from app.testing.database import Database
from tests.channels.conftest import BY, Shop
from tests.channels.paper import WORLD

AVAILABLE, UNAVAILABLE, RETURNED = UnitState.AVAILABLE, UnitState.UNAVAILABLE, UnitState.RETURNED


def test_orders_come_in_once_and_their_decisions_go_out(shop: Shop) -> None:
    WORLD.place("X", "A", "A", "A")
    WORLD.place("Y", "B")
    WORLD.place("Z", "A", "B")
    shop.sync()
    shop.sync()
    assert [shop.order(name).total_cents for name in "XYZ"] == [3000, 1000, 2000]
    assert shop.level("A") == (10, 4)
    assert {row.revision for row in shop.records().values()} == {1}

    # Two of three: the rest of the line is cancelled, and each unit is told.
    x, y = shop.order("X").id, shop.order("Y").id
    with shop.session() as session:
        orders.decide_units(session, x, {"X-1": True, "X-2": False, "X-3": True}, "Broken", BY)
        orders.decline_lines(session, y, None, "Sold out", BY)
    shop.work()
    assert (WORLD.states("X"), WORLD.states("Y")) == ("aua", "u")
    assert shop.order("Y").status == "cancelled"
    assert shop.level("A") == (10, 3)
    assert shop.order("X").cancelled_cents == 1000

    # A parcel, its number put right afterwards, and a return.
    with shop.session() as session:
        shipment = orders.ship(session, x, None, [NewParcel("post-lu", "RR1")], BY)
    shop.work()
    assert WORLD.sheets["X"].tracking == ("RR1", "post-lu")
    with shop.session() as session:
        set_parcels(session, shipment, [NewParcel("post-lu", "RR2")], BY)
        orders.return_units(session, x, ["X-3"], "Too large", BY)
    shop.work()
    assert WORLD.sheets["X"].tracking == ("RR2", "post-lu")
    assert WORLD.states("X") == "aur"
    assert shop.level("A") == (9, 1)
    assert {state for _, state in shop.acts()} == {"done"}
    assert [row.drift for row in shop.records().values()] == [None] * 3
    # Cancelling what was confirmed can only be told as a return.
    z = shop.order("Z").id
    with shop.session() as session:
        orders.confirm_lines(session, z, None, BY)
    shop.work()
    with shop.session() as session:
        orders.cancel_units(session, z, ["Z-1"], "Broken", BY)
    shop.work()
    assert WORLD.states("Z") == "ra"
    assert shop.problems() == set()


def test_orders_of_a_page_do_not_hold_the_stock_of_each_other(shop: Shop, world: Database) -> None:
    WORLD.place("X", "A")
    WORLD.place("Y", "B")
    lock = "SELECT FROM inventory WHERE vendor_id = :vendor AND product_id = :product FOR UPDATE"
    with world.owner_engine.connect() as other, ThreadPoolExecutor(1) as pool:
        other.execute(text(lock), {"vendor": shop.vendor_id, "product": shop.goods["B"]})
        syncing = pool.submit(shop.sync)
        for _ in range(100):
            if shop.level("A") == (10, 1):
                break
            sleep(0.1)
        found = shop.level("A"), shop.level("B")
        other.rollback()
        syncing.result(60)
    assert found == ((10, 1), (10, 0))
    assert shop.level("B") == (10, 1)


def test_nothing_is_told_twice_whatever_happens_to_the_answers(shop: Shop) -> None:
    WORLD.place("X", "A", "A")
    shop.sync()
    WORLD.calls.clear()
    WORLD.lost = [ChannelUnavailableError("cut off")]
    with shop.session() as session:
        orders.confirm_lines(session, shop.order("X").id, None, BY)
    shop.work()
    # The call was done and its answer lost: the order is read before anything is said again.
    assert WORLD.calls == ["decide X yy", "read X"]
    assert shop.acts() == [("decide", "done")]

    # Somebody was quicker there: what they said is taken over, and nothing is told.
    WORLD.place("Y", "A", "B")
    shop.sync()
    WORLD.decide("Y", u1="available", u2="unavailable")
    shop.sync()
    assert shop.order("Y").status == "processing"
    assert not [call for call in WORLD.calls if call.startswith("decide Y")]
    with shop.session() as session:
        assert orders.units_of(session, shop.order("Y").id) == {"Y-1": "available", "Y-2": "unavailable"}

    # The other thing was said there while ours was on its way: refused, seen, and tried again in vain.
    WORLD.place("Z", "A")
    shop.sync()
    WORLD.decide("Z", u1="available")
    with shop.session() as session:
        orders.decline_lines(session, shop.order("Z").id, None, "Sold out", BY)
    shop.work()
    assert shop.acts()[-1] == ("decide", "refused")
    assert shop.problems() == {"marketplace.act"}


def test_a_marketplace_that_does_not_answer_is_asked_again_and_given_up(shop: Shop) -> None:
    WORLD.place("X", "A")
    shop.sync()
    WORLD.faults = [ChannelUnavailableError("busy", retry_after=1.0), KeyRefusedError("unknown key")]
    with shop.session() as session:
        orders.confirm_lines(session, shop.order("X").id, None, BY)
    shop.work()
    assert shop.acts() == [("decide", "done")]
    assert WORLD.states("X") == "a"
    assert shop.problems() == {"marketplace.channel"}
    shop.sync()
    assert shop.problems() == set()

    WORLD.place("Y", "A")
    shop.sync()
    WORLD.faults = [ChannelUnavailableError("busy") for _ in range(act_service.MOST_TRIES)]
    with shop.session() as session:
        orders.confirm_lines(session, shop.order("Y").id, None, BY)
    shop.work()
    assert shop.acts()[-1] == ("decide", "refused")
    with shop.session() as session:
        [act] = shop.rows("SELECT id FROM outgoing_acts WHERE vendor_id = :vendor AND state = 'refused'")
        act_service.retry_act(session, act.id)
    shop.work()
    assert shop.acts()[-1] == ("decide", "done")
    assert shop.problems() == set()


def test_what_cannot_be_read_is_parked_and_the_rest_comes_in(shop: Shop) -> None:
    WORLD.place("X", "A").is_readable = False
    WORLD.place("Y", "NOBODY-KNOWS", "A")
    WORLD.place("Z", "A")
    shop.sync()
    record = shop.records()["X"]
    assert (record.fault, record.order_id, record.attempts) == ("no_price", None, 1)
    assert shop.problems() == {"marketplace.order"}
    assert shop.order("Y").pending_exceptions == 1
    assert shop.order("Z").pending_exceptions == 0
    # Confirmed there in spite of the exception: here once the exception is gone.
    WORLD.decide("Y", u1="available", u2="available")
    WORLD.sheets["X"].is_readable = True
    shop.sync()
    assert shop.records()["X"].fault is None
    assert shop.order("X").status == "pending"
    assert shop.problems() == set()
    assert [one["ours"] for one in shop.records()["Y"].drift] == ["open", "open"]
    shop.product("NOBODY-KNOWS")
    with shop.session() as session:
        retry_exceptions(session)
    shop.rows("UPDATE external_orders SET seen_at = now() - interval '1 hour' WHERE vendor_id = :vendor")
    with shop.session() as session:
        assert shop.connection_id
        connection = connection_service.get_connection(session, shop.connection_id)
        connection_job_service.start(session, connection, "channels.check_connection_drift")
    shop.work()
    assert shop.records()["Y"].drift is None
    assert shop.order("Y").status == "processing"


def test_the_past_is_stored_as_done_and_read_to_its_end(shop: Shop) -> None:
    before = clock.now() - timedelta(days=30)
    for number in range(5):
        WORLD.place(f"P{number}", "A", "B", at=before, state=AVAILABLE)
    WORLD.decide("P1", u1="returned", u2="unavailable")
    WORLD.decide("P2", u1="unavailable", u2="unavailable")
    WORLD.place("NEW", "A")
    late = WORLD.place("LATE", "A", state=AVAILABLE)
    late.placed_at = clock.now() + timedelta(minutes=1)
    with shop.session() as session:
        assert shop.connection_id
        facade.import_history(session, shop.connection_id)
    shop.work()
    assert [shop.order(f"P{number}").status for number in range(3)] == ["shipped", "shipped", "cancelled"]
    assert shop.order("P1").cancelled_cents == 1000
    assert (shop.order("NEW").status, shop.order("LATE").status) == ("pending", "processing")
    assert shop.level("A") == (10, 2)
    with shop.session() as session:
        assert orders.units_of(session, shop.order("P1").id) == {"P1-1": "returned", "P1-2": "unavailable"}
    assert [row.drift for row in shop.records().values()] == [None] * 7
    [row] = shop.rows("SELECT history_read, history_done_at FROM connections WHERE vendor_id = :vendor")
    assert row.history_read == 7
    assert row.history_done_at is not None
    # Nobody is told of the past: neither the marketplace nor, by an event, anybody else.
    assert shop.acts() == []
    named = [str(shop.order(f"P{number}").id) for number in range(5)]
    assert shop.rows("SELECT id FROM deliveries WHERE aggregate = ANY(:named)", named=named) == []


def test_orders_that_leave_the_list_while_it_is_read_push_nobody_out(shop: Shop) -> None:
    WORLD.says_total = True
    for number in range(5):
        WORLD.place(f"X{number}", "A")
    shop.sync()
    assert len(shop.records()) == 5
    # Two that were open are decided there, and gone from the list: they are read by themselves.
    WORLD.decide("X0", u1="unavailable")
    WORLD.decide("X1", u1="available")
    shop.sync()
    assert (shop.order("X0").status, shop.order("X1").status) == ("cancelled", "processing")
    # One is gone altogether.
    del WORLD.sheets["X2"]
    shop.sync()
    assert shop.records()["X2"].fault == "gone"
    with shop.session() as session:
        assert get_record(session, shop.records()["X2"].id).is_open is False


def test_due_connections_are_synced_by_the_round_and_only_while_they_are_on(shop: Shop) -> None:
    WORLD.place("X", "A")
    assert shop.connection_id
    with unit_of_work(SYSTEM) as session:
        [due] = [one for one in connection_job_service.list_due(session) if one.id == shop.connection_id]
        assert connection_job_service.start_due(session, due)
    with unit_of_work(SYSTEM) as session:
        assert not connection_job_service.start_due(session, due)
    shop.work()
    assert len(shop.records()) == 1
    with shop.session() as session:
        connection_service.change_connection(session, shop.connection_id, is_on=False)
    with unit_of_work(SYSTEM) as session:
        assert due.id not in [one.id for one in connection_job_service.list_due(session)]
    with shop.session() as session:
        assert connection_service.consequences(session, shop.connection_id).open_orders == 1
        connection_service.disconnect(session, shop.connection_id)
    assert shop.records() == {}
    assert shop.order("X").status == "pending"
