"""Orders of the demo: one of each kind for two of its vendors, placed as soon as their goods are there."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import TenantScope, acting_in
from app.modules.catalog.contracts import ProductSummary
from app.modules.catalog.facade import list_products
from app.modules.customers.contracts import Address, Buyer
from app.modules.orders.contracts import (
    BY_CHANNEL,
    BY_TASK,
    STOCK,
    NewLine,
    NewOrder,
    NewParcel,
    RefundOf,
    RefundTerms,
)
from app.modules.orders.enums import MatchKind, WithdrawalSource
from app.modules.orders.models.order import Order
from app.modules.orders.services import document_demo_service
from app.modules.orders.services.cancel_service import cancel
from app.modules.orders.services.carrier_service import CarrierView, save_carrier
from app.modules.orders.services.decide_service import confirm_lines, decline_lines
from app.modules.orders.services.exception_service import remember_match
from app.modules.orders.services.place_service import place_order
from app.modules.orders.services.refund_service import refund
from app.modules.orders.services.shipment_service import mark_delivered, prepare_shipment, ship
from app.modules.orders.services.state_service import goods_of, lines_of
from app.modules.orders.services.withdrawal_service import Notice, note_withdrawal
from app.modules.setup import DemoLogin, is_demo_underway
from app.modules.vendors import find_vendor_id
from app.tasks.dispatcher import dispatch

TASK = "app.modules.orders.tasks.demo.place_demo_orders"
_VENDORS = ("MOSELLE", "MINETT")
_LOOKED_AT, _NEEDED, _ENOUGH = 60, 8, 15  # products, those that orders are made of, and how many of each
_FIRST, _TRIES, _WAIT = "demo-1", 30, timedelta(seconds=2)
_PEOPLE = (
    ("Anne", "Weber", "1, rue du Fort", "L-2226", "Luxembourg", "LU"),
    ("Marc", "Thill", "18, Grand-Rue", "L-3650", "Kayl", "LU"),
    ("Julie", "Lambert", "5, rue de la Station", "6700", "Arlon", "BE"),
    ("Tom", "Reuter", "22, route de Remich", "L-5250", "Sandweiler", "LU"),
    ("Claire", "Muller", "Saarstraße 9", "54290", "Trier", "DE"),
    ("Paul", "Kayser", "3, um Kierchepad", "L-9650", "Esch-sur-Sûre", "LU"),
)


def seed(session: Session) -> list[DemoLogin]:
    """Have the demo's orders placed once a worker runs."""
    dispatch(session, TASK, kwargs={"tries": _TRIES}, unique_key=TASK)
    return []


def place_demo_orders(session: Session, tries: int) -> int:
    """Place the orders of vendors who have goods and no orders yet; how many. The others get so many more tries.

    Needs the system scope.
    """
    placed, is_waiting = 0, False
    for code in _VENDORS:
        vendor_id = find_vendor_id(session, code)
        if vendor_id is None:
            continue
        with acting_in(session, TenantScope(vendor_id)):
            if session.scalar(select(Order.id).where(Order.external_id == _FIRST)) is not None:
                continue
            goods = _plenty(session, vendor_id)
            if len(goods) < _NEEDED:
                is_waiting = True
                continue
            document_demo_service.settle(session, vendor_id, code)
            placed += _Stage(session, vendor_id, goods).play()
            document_demo_service.finish(session, vendor_id)
    if is_waiting and tries > 0 and is_demo_underway(session):
        dispatch(session, TASK, kwargs={"tries": tries - 1}, run_after=clock.now() + _WAIT)
    return placed


def _plenty(session: Session, vendor_id: UUID) -> tuple[ProductSummary, ...]:
    """Goods of which there are enough for all the orders. Where stock is kept, those whose stock is there already: what
    the demo puts on the shelf while orders are placed may be less than they need."""
    goods = list_products(session, language="fr", limit=_LOOKED_AT).products
    stock = STOCK.find_for(vendor_id)
    if stock is None:
        return goods[:_NEEDED]
    there = stock.available(session, [one.id for one in goods])
    return tuple(one for one in goods if there.get(one.id, 0) >= _ENOUGH)[:_NEEDED]


class _Stage:
    """One vendor's orders."""

    def __init__(self, session: Session, vendor_id: UUID, goods: tuple[ProductSummary, ...]) -> None:
        self.session, self.vendor_id, self.goods = session, vendor_id, goods
        self.placed = 0

    def play(self) -> int:
        """All of them: waiting, held up, on their way, arrived, given back, called off."""
        self._order("direct")
        self._order("letzshop", confirm_in_hours=20)
        self._odd_orders()
        self._order("letzshop")
        confirm_lines(self.session, self._order("direct"), None, BY_TASK)
        self._sent_orders()
        cancelled = self._order("direct")
        cancel(self.session, cancelled, "Le client a changé d’avis", BY_TASK)
        partly = self._order("letzshop")
        first = goods_of(lines_of(self.session, partly))[0]
        decline_lines(self.session, partly, [first.id], "Article endommagé", BY_TASK)
        confirm_lines(self.session, partly, None, BY_TASK)
        return self.placed

    def _odd_orders(self) -> None:
        """Lines that wait for a product, and a change that waits for a decision."""
        for unknown in ("4006381333931", "4006381333931", "5901234123457"):
            self._order("letzshop", unknown_gtin=unknown)
        remember_match(self.session, self.vendor_id, (MatchKind.SKU, "OLD-SKU-1"), self.goods[0].id, BY_TASK)
        new = self._new("letzshop")
        placed = place_order(self.session, self.vendor_id, new, when_short="exception")
        confirm_lines(self.session, placed.order_id, None, BY_TASK)
        self._move_house(new)

    def _sent_orders(self) -> None:
        prepared = self._confirmed("direct")
        prepare_shipment(self.session, prepared, None, [NewParcel("post-lu")], BY_TASK)
        half = self._confirmed("letzshop")
        line = goods_of(lines_of(self.session, half))[0]
        ship(self.session, half, [(line.id, 1)], [NewParcel("greco", "GRE-1002003")], BY_TASK)
        gone = self._confirmed("direct")
        parcels = [NewParcel("dpd", "01505012345678"), NewParcel("dpd", "01505012345679")]
        ship(self.session, gone, None, parcels, BY_TASK)
        self._withdrawal(gone)
        arrived = self._confirmed("direct")
        sent = ship(self.session, arrived, None, [NewParcel("post-lu", "LX123456789LU")], BY_TASK)
        mark_delivered(self.session, sent.id, BY_TASK)
        line = goods_of(lines_of(self.session, arrived))[0]
        terms = RefundTerms("Retour du client", is_restocked=True)
        refund(self.session, arrived, [RefundOf(line.id, 1)], terms, BY_TASK)

    def _withdrawal(self, order_id: UUID) -> None:
        """A notice that waits for its answer; and a carrier of the vendor's own."""
        line = goods_of(lines_of(self.session, order_id))[0]
        notice = Notice(WithdrawalSource.EMAIL, clock.now(), "La couleur ne me plaît pas.")
        note_withdrawal(self.session, order_id, [(line.id, 1)], notice, BY_TASK)
        bicycle = CarrierView("velo", "Vëlo-Kurier", None)
        save_carrier(self.session, self.vendor_id, None, bicycle, is_active=True)

    def _confirmed(self, channel: str) -> UUID:
        order_id = self._order(channel)
        confirm_lines(self.session, order_id, None, BY_TASK)
        return order_id

    def _order(
        self, channel: str, *, confirm_in_hours: int | None = None, unknown_gtin: str | None = None
    ) -> UUID:
        new = self._new(channel, confirm_in_hours, unknown_gtin)
        return place_order(self.session, self.vendor_id, new, when_short="exception", by=BY_CHANNEL).order_id

    def _new(
        self, channel: str, confirm_in_hours: int | None = None, unknown_gtin: str | None = None
    ) -> NewOrder:
        self.placed += 1
        number = self.placed
        first, last, street, postcode, city, country = _PEOPLE[number % len(_PEOPLE)]
        address = Address(name=f"{first} {last}", line1=street, postcode=postcode, city=city, country=country)
        lines = [_line(self.goods[(number + step) % _NEEDED], 1 + step) for step in range(1 + number % 3)]
        lines.append(_line(self.goods[(number + 5) % _NEEDED], 2))
        if unknown_gtin:
            lines.append(NewLine(None, None, unknown_gtin, "Stylo roller, noir", 1, 495))
        now = clock.now()
        return NewOrder(
            channel=channel,
            buyer=Buyer(f"{first}.{last}@mail.example".lower(), first, last, language="fr"),
            shipping_address=address,
            billing_address=address,
            lines=lines,
            shipping_cents=590,
            discount_cents=500 if number % 4 == 0 else 0,
            external_id=f"demo-{number}",
            external_number=f"LS-{20260 + number}" if channel == "letzshop" else None,
            placed_at=now - timedelta(hours=7 * (20 - number)),
            confirm_before=now + timedelta(hours=confirm_in_hours) if confirm_in_hours else None,
            payment_method="card",
            is_paid=True,
            raw={"order": f"demo-{number}", "state": "new"} if channel == "letzshop" else None,
        )

    def _move_house(self, new: NewOrder) -> None:
        """The channel says later that the buyer has moved."""
        assert new.shipping_address
        moved = replace(new.shipping_address, line1="40, avenue de la Gare")
        again = replace(new, shipping_address=moved, raw={**(new.raw or {}), "state": "changed"})
        place_order(self.session, self.vendor_id, again, when_short="exception")


def _line(product: ProductSummary, quantity: int) -> NewLine:
    price = product.sale_price_cents or product.price_cents
    return NewLine(product.id, product.sku, product.gtin, product.title, quantity, price)
