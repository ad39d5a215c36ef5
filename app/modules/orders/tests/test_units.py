"""Single units, and orders of the past."""

from datetime import UTC, datetime

import pytest

from app.modules.orders import facade
from app.modules.orders.contracts import NewLine, UnitStatus
from app.modules.orders.exceptions import OrderInputError, OrderStateError
from app.modules.orders.tests.conftest import BY, Desk


def test_units_are_decided_cancelled_and_returned_one_by_one(desk: Desk) -> None:
    desk.product("A")
    desk.product("B")
    desk.stock("A", 3)
    desk.stock("B", 2)
    # Of A there are three, so the line waits; without two of its units it can go.
    lines = (
        desk.line("A", 4, external_unit_ids=("a1", "a2", "a3", "a4")),
        desk.line("B", 2, external_unit_ids=("b1", "b2")),
    )
    order_id = desk.place(*lines, when_short="exception").order_id

    def said() -> str:
        with desk.session() as session:
            return "".join(status[0] for _, status in sorted(facade.units_of(session, order_id).items()))

    with desk.session() as session:
        facade.decide_units(session, order_id, {"a2": False}, "Broken", BY)
        assert [len(units) for units in facade.line_units(session, order_id).values()] == [3, 2]
    assert (said(), desk.view(order_id).order.pending_exceptions) == ("ouoooo", 0)
    with pytest.raises(OrderInputError), desk.session() as session:
        facade.decide_units(session, order_id, {"nobody": True}, "", BY)
    with pytest.raises(OrderStateError), desk.session() as session:
        facade.decide_units(session, order_id, {"a2": True}, "", BY)
    with desk.session() as session:
        facade.decide_units(session, order_id, {"a1": True, "a3": True}, "", BY)  # a4 is not said
    assert said() == "ouoooo"
    rest = {"a1": True, "a3": True, "a4": False, "b1": False, "b2": False}
    with desk.session() as session:
        summary = facade.decide_units(session, order_id, rest, "Broken", BY)
    assert (summary.status, summary.cancelled_cents) == ("processing", 4000)
    assert said() == "auauuu"
    assert (desk.level("A"), desk.level("B")) == ((3, 2), (2, 0))

    with desk.session() as session:
        facade.ship(session, order_id, None, [], BY)
        facade.return_units(session, order_id, ["a3", "a4"], "Too large", BY)
        facade.return_units(session, order_id, ["a3"], "Too large", BY)  # is back already
    assert said() == "auruuu"
    assert desk.level("A") == (2, 0)


def test_an_order_of_the_past_is_stored_as_done_and_moves_nothing(desk: Desk) -> None:
    desk.product("A")
    desk.stock("A", 5)
    past = {"is_past": True, "placed_at": datetime(2026, 1, 5, tzinfo=UTC), "external_id": "P1"}
    units = {"external_unit_ids": ("r", "k", "c"), "cancelled_quantity": 1, "returned_quantity": 1}
    unknown = NewLine(None, "NOBODY-KNOWS", None, "Thing", 1, 500)
    placed = desk.place(desk.line("A", 3, **units), unknown, shipping_cents=300, channel="paper", **past)
    again = desk.place(desk.line("A", 3, **units), unknown, shipping_cents=300, channel="paper", **past)
    assert (again.order_id, again.is_new) == (placed.order_id, False)
    view = desk.view(placed.order_id)
    assert (view.order.status, view.order.cancelled_cents, view.order.pending_exceptions) == (
        "shipped",
        1000,
        0,
    )
    assert (view.order.shipped_at, view.exceptions, view.shipments) == (past["placed_at"], (), ())
    assert desk.level("A") == (5, 0)
    assert desk.kinds(placed.order_id) == ["placed", "imported"]
    with desk.session() as session:
        assert facade.units_of(session, placed.order_id) == {
            "r": UnitStatus.RETURNED,
            "k": UnitStatus.AVAILABLE,
            "c": UnitStatus.UNAVAILABLE,
        }
    named = str(placed.order_id)
    assert desk.rows("SELECT id FROM deliveries WHERE aggregate = :named", named=named) == []
    # Nothing of this one ever went: neither goods nor shipping are charged.
    gone = desk.line("A", 1, cancelled_quantity=1)
    none = desk.place(gone, shipping_cents=300, **{**past, "external_id": "P2"})
    order = desk.view(none.order_id).order
    assert (order.status, order.cancelled_cents) == ("cancelled", 1300)
