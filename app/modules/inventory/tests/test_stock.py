"""Orders and the stock: all or nothing, over several places, and nothing twice."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from app.core.database import unit_of_work
from app.core.ids import new_id
from app.modules.inventory.contracts import Place, Rule
from app.modules.inventory.enums import Reason
from app.modules.inventory.exceptions import NotEnoughStockError
from app.modules.inventory.models.level import Level, Movement, Reservation
from app.modules.inventory.models.planning import StockAlert
from app.modules.inventory.services import (
    check_service,
    explain_service,
    level_service,
    rule_service,
    warehouse_service,
)
from app.modules.inventory.services.stock_service import Stock
from app.testing.database import Database
from app.testing.working import vendor_scope

_INSERT = text(
    "INSERT INTO products (id, vendor_id, sku, price_cents, currency, additional_image_links, attributes, "
    "is_active, edited_fields, created_at, updated_at, version) "
    "VALUES (:id, :vendor_id, :sku, 100, 'EUR', '{}', '{}', true, '{}', now(), now(), 1)"
)


class _Shop:
    """A vendor with two warehouses and some products."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.scope = vendor_scope("GUTLAND")
        vendor_id = self.vendor_id = self.scope.vendor_id
        self.first = warehouse_service.create_warehouse(session, vendor_id, code="A", name="A", priority=1).id
        self.second = warehouse_service.create_warehouse(
            session, vendor_id, code="B", name="B", priority=2
        ).id

    def product(self, *units: tuple[str, str, int]) -> UUID:
        """A new product with so many units in a warehouse (A, B) at a place."""
        key = new_id()
        self.session.execute(_INSERT, {"id": key, "vendor_id": self.vendor_id, "sku": f"test-{key}"})
        for warehouse, place, count in units:
            level_service.set_level(self.session, self.place(key, warehouse, place), count, Reason.COUNT)
        return key

    def place(self, product_id: UUID, warehouse: str = "A", place: str = "") -> Place:
        return Place(product_id, self.first if warehouse == "A" else self.second, place)

    def figures(self, product_id: UUID) -> tuple[int, int]:
        found = level_service.get_figures(self.session, [product_id])[product_id]
        return found.on_hand, found.reserved

    def agrees(self) -> bool:
        return check_service.list_differences(self.session) == []


@pytest.fixture
def shop(world: Database) -> Iterator[_Shop]:
    with unit_of_work(vendor_scope("GUTLAND")) as session:
        yield _Shop(session)


def test_reserved_over_places_in_order_and_ended_once(shop: _Shop) -> None:
    product = shop.product(("B", "", 5), ("A", "S-02", 2), ("A", "S-01", 1))
    order, line = new_id(), new_id()
    assert Stock.reserve(shop.session, order, "R-1", [(line, product, 4)]) == {}
    assert Stock.reserve(shop.session, order, "R-1", [(line, product, 4)]) == {}
    assert Stock.places(shop.session, [order]) == [
        (order, line, "A", "S-01", 1),
        (order, line, "A", "S-02", 2),
        (order, line, "B", "", 1),
    ]
    assert shop.figures(product) == (8, 4)
    assert Stock.available(shop.session, [product, new_id()]) == {product: 4}
    Stock.fulfil(shop.session, order, "P-1", [(line, 3)])
    assert shop.figures(product) == (5, 1)
    Stock.release(shop.session, order)
    Stock.release(shop.session, order)
    Stock.fulfil(shop.session, order, "P-1", [(line, 3)])
    assert shop.figures(product) == (5, 0)
    Stock.restock(shop.session, order, "RET-1", [(line, product, 2)])
    Stock.restock(shop.session, order, "RET-1", [(line, product, 2)])
    assert shop.figures(product) == (8, 0), "no more comes back than was shipped"
    assert shop.agrees()


def test_demand_is_summed_and_all_or_nothing(shop: _Shop) -> None:
    scarce, plenty = shop.product(("A", "", 3)), shop.product(("A", "", 9))
    wanted = [(new_id(), scarce, 2), (new_id(), plenty, 1), (new_id(), scarce, 2)]
    assert Stock.reserve(shop.session, new_id(), "R-1", wanted) == {scarce: 3}
    assert shop.figures(scarce) == (3, 0)
    assert shop.figures(plenty) == (9, 0)
    assert shop.session.scalars(select(Reservation)).all() == []


def test_who_does_not_wait_is_refused_without_a_lock(world: Database) -> None:
    with unit_of_work(vendor_scope("GUTLAND")) as session:
        shop = _Shop(session)
        product = shop.product(("A", "", 2), ("B", "", 1))
    wanted = [(new_id(), product, 4)]
    with unit_of_work(shop.scope) as other:
        level_service.adjust(other, shop.place(product), 9, Reason.CORRECTION)  # holds the lock until it ends
        with unit_of_work(shop.scope) as session:
            session.execute(text("SET LOCAL lock_timeout = '100ms'"))
            assert Stock.reserve(session, new_id(), "R-1", wanted, waits=False) == {product: 3}
            with pytest.raises(OperationalError, match="lock timeout"), session.begin_nested():
                Stock.reserve(session, new_id(), "R-2", wanted)
            with pytest.raises(OperationalError, match="lock timeout"), session.begin_nested():
                Stock.reserve(session, new_id(), "R-3", [(new_id(), product, 3)], waits=False)
    with unit_of_work(shop.scope) as session:
        assert Stock.reserve(session, new_id(), "R-4", wanted, waits=False) == {}


def test_untracked_is_neither_reserved_nor_short(shop: _Shop) -> None:
    untracked, order = shop.product(), new_id()
    line = new_id()
    assert Stock.reserve(shop.session, order, "R-1", [(line, untracked, 5)]) == {}
    assert Stock.available(shop.session, [untracked]) == {}
    Stock.fulfil(shop.session, order, "P-1", [(line, 5)])
    Stock.restock(shop.session, order, "P-1", [(line, untracked, 5)])
    assert level_service.get_figures(shop.session, [untracked]) == {}


def test_part_of_a_line_is_given_back(shop: _Shop) -> None:
    product, order, line = shop.product(("A", "", 5)), new_id(), new_id()
    Stock.reserve(shop.session, order, "R-1", [(line, product, 5)])
    Stock.release(shop.session, order, [(line, 2)])
    Stock.release(shop.session, order, [(line, 1)])
    assert shop.figures(product) == (5, 2)
    Stock.release(shop.session, order, [(line, 9)])
    assert shop.figures(product) == (5, 0)


def test_every_change_is_in_the_ledger(shop: _Shop) -> None:
    product, user = shop.product(("A", "", 5)), new_id()
    place = shop.place(product)
    level_service.adjust(shop.session, place, -2, Reason.DAMAGED, note="fell", user_id=user)
    level_service.transfer(shop.session, place, shop.place(product, "B"), 1)
    lines = shop.session.scalars(
        select(Movement).where(Movement.product_id == product).order_by(Movement.id)
    ).all()
    told = {(one.kind, one.warehouse_id, one.sequence): one for one in lines}
    damaged = told["adjust", shop.first, 2]
    assert (damaged.on_hand_change, damaged.on_hand_after, damaged.reason) == (-2, 3, "damaged")
    assert (damaged.note, damaged.user_id) == ("fell", user)
    assert told["transfer", shop.first, 3].on_hand_after == 2
    assert told["transfer", shop.second, 1].on_hand_after == 1
    assert sum(one.on_hand_change for one in lines) == shop.figures(product)[0] == 3


def test_what_orders_hold_cannot_be_taken_away(shop: _Shop) -> None:
    product, order = shop.product(("A", "", 5)), new_id()
    Stock.reserve(shop.session, order, "R-1", [(new_id(), product, 4)])
    place = shop.place(product)
    with pytest.raises(NotEnoughStockError) as refused:
        level_service.adjust(shop.session, place, -2, Reason.THEFT_OR_LOSS)
    assert refused.value.params == {"on_hand": 5, "reserved": 4, "free": 1}
    with pytest.raises(NotEnoughStockError):
        level_service.set_level(shop.session, place, 3, Reason.COUNT)
    with pytest.raises(NotEnoughStockError):
        level_service.transfer(shop.session, place, shop.place(product, "B"), 2)
    assert shop.figures(product) == (5, 4)
    assert shop.agrees()
    with pytest.raises(IntegrityError), shop.session.begin_nested():
        shop.session.execute(
            text("UPDATE inventory SET reserved = on_hand + 1 WHERE product_id = :id"), {"id": product}
        )


def test_check_and_repair(shop: _Shop) -> None:
    product = shop.product(("A", "", 5))
    shop.session.execute(text("UPDATE inventory SET on_hand = 7 WHERE product_id = :id"), {"id": product})
    (found,) = check_service.list_differences(shop.session)
    assert (found.on_hand, found.ledger_on_hand, found.is_repairable) == (7, 5, True)
    check_service.repair(shop.session)
    assert shop.agrees()
    assert shop.figures(product) == (5, 0)


def test_a_figure_is_explained_from_the_ledger(shop: _Shop) -> None:
    product, order = shop.product(("A", "S-01", 5)), new_id()
    level_service.adjust(shop.session, shop.place(product, "A", "S-01"), -1, Reason.DAMAGED)
    Stock.reserve(shop.session, order, "R-77", [(new_id(), product, 3)])
    told = explain_service.explain(shop.session, f"test-{product}")
    assert (told["on_hand"], told["available"], told["agrees"]) == (4, 1, True)
    assert [one["on_hand_after"] for one in told["movements"]] == [5, 4, 4]
    assert [(one["reference"], one["units"]) for one in told["held"]] == [("R-77", 3)]
    text_lines = list(explain_service.as_text(told))
    assert any("damaged" in line and "-1 = 4" in line for line in text_lines)
    assert "held: 3 for R-77 at A S-01" in text_lines


def test_a_channel_is_shown_what_the_rules_leave(shop: _Shop) -> None:
    one, other = shop.product(("A", "", 10)), shop.product(("A", "", 10))
    rule_service.set_rule(shop.session, shop.vendor_id, None, None, Rule(kept_back=1))
    rule_service.set_rule(shop.session, shop.vendor_id, None, "letzshop", Rule(most_listed=5))
    rule_service.set_rule(shop.session, shop.vendor_id, one, "letzshop", Rule(kept_back=8))
    assert rule_service.available_for(shop.session, "letzshop", [one, other]) == {one: 2, other: 5}
    assert rule_service.available_for(shop.session, "direct", [one, other]) == {one: 9, other: 9}


def test_told_once_per_product_and_crossing(world: Database) -> None:
    with unit_of_work(vendor_scope("GUTLAND")) as session:
        shop = _Shop(session)
        rule_service.set_rule(session, shop.vendor_id, None, None, Rule(low_stock_level=3))
        product = shop.product(("A", "", 9))
    place = shop.place(product)
    assert _alerts(product) == []
    for units, alerts in ((-5, []), (-1, [3]), (-1, [3]), (5, [])):
        with unit_of_work(shop.scope) as session:
            level_service.adjust(session, place, units, Reason.CORRECTION)
            level_service.adjust(session, place, 1, Reason.CORRECTION)
            level_service.adjust(session, place, -1, Reason.CORRECTION)
        assert _alerts(product) == alerts


def _alerts(product: UUID) -> list[int]:
    with unit_of_work(vendor_scope("GUTLAND")) as session:
        found = select(StockAlert.available).where(StockAlert.product_id == product)
        return list(session.scalars(found))


_ACTS = st.lists(
    st.tuples(
        st.sampled_from(("reserve", "release", "fulfil", "restock", "adjust", "transfer")),
        st.integers(0, 2),
        st.integers(1, 6),
        st.integers(0, 3),
    ),
    max_size=12,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_ACTS)
def test_any_acts_keep_counters_ledger_and_reservations_equal(
    shop: _Shop, acts: list[tuple[str, int, int, int]]
) -> None:
    products = [shop.product(("A", "", 4), ("B", "X", 3)) for _ in range(2)]
    orders = [new_id() for _ in range(3)]
    lines = [new_id() for _ in range(4)]
    for act, order, units, which in acts:
        product, line = products[which % 2], lines[which]
        try:
            if act == "reserve":
                Stock.reserve(shop.session, orders[order], "R", [(line, product, units)])
            elif act == "release":
                Stock.release(shop.session, orders[order], [(line, units)])
            elif act == "fulfil":
                Stock.fulfil(shop.session, orders[order], "P", [(line, units)])
            elif act == "restock":
                Stock.restock(shop.session, orders[order], "T", [(line, product, units)])
            elif act == "adjust":
                level_service.adjust(shop.session, shop.place(product), units - 3, Reason.CORRECTION)
            else:
                level_service.transfer(
                    shop.session, shop.place(product, "B", "X"), shop.place(product), units
                )
        except NotEnoughStockError:
            continue
    assert shop.agrees()
    found = shop.session.scalars(select(Level).where(Level.product_id.in_(products))).all()
    assert all(0 <= one.reserved <= one.on_hand for one in found)
