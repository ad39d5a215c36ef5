"""An order from its placing to its end: statuses, stock, amounts, and what is refused on the way."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from app.core.money import vat_of_gross
from app.modules.orders.contracts import NewParcel, RefundOf, RefundTerms
from app.modules.orders.enums import OrderStatus
from app.modules.orders.exceptions import (
    OrderInputError,
    OrderStateError,
    OutOfStockError,
    QuantityError,
)
from app.modules.orders.models.order import Order, OrderLine
from app.modules.orders.services.cancel_service import cancel
from app.modules.orders.services.decide_service import confirm_lines, decline_lines
from app.modules.orders.services.line_amounts import part_of, refund_cents, refund_vat
from app.modules.orders.services.order_reads import matching
from app.modules.orders.services.refund_service import receive_return, refund
from app.modules.orders.services.shipment_service import (
    cancel_shipment,
    mark_delivered,
    mark_shipped,
    prepare_shipment,
    set_parcels,
    ship,
)
from app.modules.orders.services.state_service import TRANSITIONS, move
from app.modules.orders.tests.conftest import BY, Desk

PARCEL = NewParcel("post-lu", "LX123456789LU")


def test_an_order_ships_in_two_parcels_arrives_and_comes_back(desk: Desk) -> None:
    for sku in ("A", "B", "C"):
        desk.product(sku)
        desk.stock(sku, 10)
    placed = desk.place(
        desk.line("A", 2), desk.line("B"), desk.line("C"), shipping_cents=590, discount_cents=101
    )
    view = desk.view(placed.order_id)
    assert (view.order.goods_cents, view.order.total_cents) == (4000, 4489)
    assert sum(line.gross_cents for line in view.lines) == view.order.total_cents
    assert sum(line.vat_cents for line in view.lines) == view.order.vat_cents == 653  # each line by itself
    assert desk.level("A") == (10, 2)
    first, second, third, shipping = view.lines
    with desk.session() as session:
        confirm_lines(session, placed.order_id, None, BY)
        ship(session, placed.order_id, [(first.id, 1), (second.id, 1)], [PARCEL], BY)
    view = desk.view(placed.order_id)
    assert view.order.status == "partially_shipped"
    assert view.remaining == {first.id: 1, second.id: 0, third.id: 1}
    assert view.shipments[0].parcels[0].tracking_link
    assert desk.level("A") == (9, 1)
    with desk.session() as session:
        rest = ship(session, placed.order_id, None, [PARCEL, NewParcel("dhl", "JD01")], BY)
        for shipment in (view.shipments[0].shipment, rest):
            mark_delivered(session, shipment.id, BY)
    assert desk.view(placed.order_id).order.status == "delivered"
    with desk.session() as session:
        found = session.query(Order.number).where(matching("jd01 weber"))
        assert found.scalar() == placed.number
        everything = [RefundOf(line.id, line.quantity) for line in (first, second, third)]
        refund(session, placed.order_id, everything, RefundTerms("Returned", is_restocked=True), BY)
        assert desk.view(placed.order_id).order.status == "delivered"
        refund(session, placed.order_id, [RefundOf(shipping.id, 1)], RefundTerms("Late"), BY)
    view = desk.view(placed.order_id)
    assert (view.order.status, view.order.refunded_cents) == ("refunded", view.order.total_cents)
    assert sum(one.refund.vat_cents for one in view.refunds) == view.order.vat_cents
    assert desk.level("A") == (10, 0)
    spent = desk.rows(
        "SELECT orders_count, spent_cents FROM customers WHERE id = :id", id=view.order.customer_id
    )
    assert spent == [(1, 0)]
    assert [row.to_status for row in view.history if row.to_status] == [
        *("pending", "processing", "partially_shipped", "shipped", "delivered", "refunded")
    ]


def test_a_shipped_parcel_stays_shipped_a_prepared_one_can_go_back(desk: Desk) -> None:
    desk.product("A")
    desk.stock("A", 5)
    placed = desk.place(desk.line("A", 3))
    (line,) = desk.view(placed.order_id).lines
    with pytest.raises(OrderStateError), desk.session() as session:
        ship(session, placed.order_id, None, [], BY)  # not confirmed
    with desk.session() as session:
        confirm_lines(session, placed.order_id, None, BY)
        prepared = prepare_shipment(session, placed.order_id, [(line.id, 2)], [PARCEL], BY)
    for wanted in ([(line.id, 2)], [(line.id, -1)]):
        with pytest.raises(QuantityError), desk.session() as session:
            prepare_shipment(session, placed.order_id, wanted, [], BY)
    with pytest.raises(OrderStateError), desk.session() as session:
        cancel(session, placed.order_id, "Sold out", BY)  # what is prepared has to be put back first
    with pytest.raises(OrderInputError), desk.session() as session:
        set_parcels(session, prepared.id, [NewParcel("nobody")], BY)
    with desk.session() as session:
        cancel_shipment(session, prepared.id, BY)
        gone = ship(session, placed.order_id, [(line.id, 1)], [], BY)
    for act in (cancel_shipment, mark_shipped):
        with pytest.raises(OrderStateError), desk.session() as session:
            act(session, gone.id, BY)
    with desk.session() as session:
        cancel(session, placed.order_id, "Sold out", BY)
    view = desk.view(placed.order_id)
    assert (view.order.status, view.order.cancelled_cents) == ("shipped", 2000)
    assert desk.level("A") == (4, 0)


def test_cancel_gives_stock_back_and_refund_does_not(desk: Desk) -> None:
    desk.product("A")
    desk.stock("A", 5)
    placed = desk.place(desk.line("A", 2), shipping_cents=500, is_paid=True)
    (line, _) = desk.view(placed.order_id).lines
    with desk.session() as session:
        confirm_lines(session, placed.order_id, None, BY)
        refund(session, placed.order_id, [RefundOf(line.id, 1)], RefundTerms("Allowance"), BY)
    assert desk.level("A") == (5, 2)
    with pytest.raises(QuantityError), desk.session() as session:
        receive_return(session, placed.order_id, [(line.id, 1)], BY)  # never sent
    with desk.session() as session:
        cancel(session, placed.order_id, "Changed their mind", BY)
    view = desk.view(placed.order_id)
    assert (view.order.status, view.order.cancelled_cents, desk.level("A")) == ("cancelled", 2500, (5, 0))
    with pytest.raises(OrderInputError), desk.session() as session:
        refund(session, placed.order_id, [RefundOf(line.id, 1, 1001)], RefundTerms("Too much"), BY)
    with desk.session() as session:
        rest = [RefundOf(line.id, 1), RefundOf(view.lines[1].id, 1)]
        refund(session, placed.order_id, rest, RefundTerms("Cancelled"), BY)
    assert desk.view(placed.order_id).order.status == "refunded"


def test_lines_are_declined_one_by_one_with_a_reason(desk: Desk) -> None:
    for sku in ("A", "B"):
        desk.product(sku)
        desk.stock(sku, 2)
    placed = desk.place(desk.line("A"), desk.line("B", 2), shipping_cents=500)
    first, second, _ = desk.view(placed.order_id).lines
    with pytest.raises(OrderInputError), desk.session() as session:
        decline_lines(session, placed.order_id, [first.id], " ", BY)
    with desk.session() as session:
        decline_lines(session, placed.order_id, [first.id], "Damaged", BY)
        cancel(session, placed.order_id, "One is enough", BY, [(second.id, 1)])
    assert (desk.level("A"), desk.level("B")) == ((2, 0), (2, 1))
    assert desk.view(placed.order_id).order.status == "pending"
    with pytest.raises(OrderStateError), desk.session() as session:
        confirm_lines(session, placed.order_id, [first.id], BY)
    with desk.session() as session:
        decline_lines(session, placed.order_id, [second.id], "Damaged too", BY)
    order = desk.view(placed.order_id).order
    assert (order.status, order.cancelled_cents) == ("cancelled", order.total_cents)


def test_too_little_stock_refuses_all_or_is_an_exception(desk: Desk) -> None:
    for sku, there in (("A", 1), ("B", 5)):
        desk.product(sku)
        desk.stock(sku, there)
    lines = (desk.line("A", 1), desk.line("A", 1), desk.line("B", 2))
    with pytest.raises(OutOfStockError) as refused:
        desk.place(*lines)
    assert refused.value.params["skus"] == "A"
    assert (desk.level("A"), desk.level("B")) == ((1, 0), (5, 0))
    assert desk.rows("SELECT FROM orders WHERE vendor_id = :vendor") == []
    placed = desk.place(*lines, when_short="exception")
    assert placed.number == "1001"  # a refused order leaves no gap
    assert (desk.level("A"), desk.level("B")) == ((1, 0), (5, 2))
    assert desk.view(placed.order_id).order.pending_exceptions == 2


def test_no_status_follows_but_those_of_the_table(desk: Desk) -> None:
    desk.product("A")
    placed = desk.place(desk.line("A"))
    refused = [(one, to) for one in OrderStatus for to in OrderStatus if to not in TRANSITIONS[one]]
    for former, status in refused:
        with desk.session() as session, pytest.raises(OrderStateError):
            move(session, Order(id=placed.order_id, status=former), status, BY)
    assert desk.view(placed.order_id).order.status == "pending"


@settings(max_examples=400, deadline=None)
@given(
    gross=some.integers(0, 10**7),
    quantity=some.integers(1, 40),
    rate=some.sampled_from([0, 300, 800, 1400, 1700, 2550]),
    parts=some.lists(some.integers(1, 10), max_size=20),
)
def test_all_refunds_of_a_line_together_are_the_line(
    gross: int, quantity: int, rate: int, parts: list[int]
) -> None:
    line = OrderLine(
        gross_cents=gross, quantity=quantity, tax_rate_bp=rate, refunded_quantity=0, refunded_cents=0
    )
    vat = 0
    for part in (*parts, quantity):
        part = min(part, quantity - line.refunded_quantity)
        cents = refund_cents(line, part)
        assert 0 <= cents <= gross - line.refunded_cents
        assert abs(cents - part_of(gross, part, quantity)) <= part + 1
        vat += refund_vat(line, cents)
        line.refunded_quantity += part
        line.refunded_cents += cents
    assert (line.refunded_cents, vat) == (gross, vat_of_gross(gross, rate))
