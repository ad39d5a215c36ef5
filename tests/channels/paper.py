"""A marketplace on paper: everything that a connector must do, in memory, with the faults that a test asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core import clock
from app.modules.customers.contracts import Address, Buyer
from app.modules.marketplace.contracts import (
    Ability,
    Access,
    AccessField,
    CheckOutcome,
    CheckReport,
    DirectoryPage,
    ExternalOrder,
    ExternalUnit,
    ListingPage,
    OrderPage,
    UnitState,
)
from app.modules.marketplace.exceptions import ChannelError, ChannelRefusedError
from app.modules.orders.contracts import NewLine, NewOrder

PAGE = 2


@dataclass
class Sheet:
    """An order there: units by id, each with its SKU and state."""

    id: str
    units: dict[str, tuple[str, UnitState]]
    placed_at: datetime
    email: str = "anne@mail.example"
    tracking: tuple[str, str] | None = None
    is_readable: bool = True
    remark: str = ""


@dataclass
class World:
    """What is there, what was called, and what the next calls raise. ``lost``: calls that are done, and answered by an
    error all the same."""

    sheets: dict[str, Sheet] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    faults: list[ChannelError] = field(default_factory=list)
    lost: list[ChannelError] = field(default_factory=list)
    says_total: bool = False

    def place(
        self, name: str, *skus: str, at: datetime | None = None, state: UnitState = UnitState.OPEN
    ) -> Sheet:
        units = {f"{name}-{number}": (sku, state) for number, sku in enumerate(skus, 1)}
        self.sheets[name] = Sheet(name, units, at or clock.now())
        return self.sheets[name]

    def states(self, name: str) -> str:
        """The states of an order's units, by their first letters."""
        return "".join(state[0] for _, state in self.sheets[name].units.values())

    def decide(self, name: str, **states: str) -> None:
        """Somebody decides there; ``u1="available"``."""
        units = self.sheets[name].units
        for unit, state in states.items():
            key = f"{name}-{unit[1:]}"
            units[key] = (units[key][0], UnitState(state))


WORLD = World()
_NEXT = {
    UnitState.OPEN: {UnitState.AVAILABLE, UnitState.UNAVAILABLE},
    UnitState.AVAILABLE: {UnitState.RETURNED},
}


class PaperChannel:
    """A line to it. It counts its pages, so that orders which leave the list push others out of sight."""

    def check(self) -> CheckReport:
        return CheckReport(CheckOutcome.OK)

    def read_open(self, cursor: str | None) -> OrderPage:
        self._call("open")
        return self._page([one for one in _orders() if one.is_open], cursor)

    def read_history(self, cursor: str | None) -> OrderPage:
        self._call("history")
        return self._page(
            [one for one in _orders() if not one.is_open] + [one for one in _orders() if one.is_open], cursor
        )

    def _page(self, found: Sequence[ExternalOrder], cursor: str | None) -> OrderPage:
        first = int(cursor or 0)
        following = str(first + PAGE) if len(found) > first + PAGE else None
        return OrderPage(found[first : first + PAGE], following, len(found) if WORLD.says_total else None)

    def read_order(self, external_id: str) -> ExternalOrder | None:
        self._call(f"read {external_id}")
        return next((one for one in _orders() if one.external_id == external_id), None)

    def decide(self, external_id: str, decisions: Mapping[str, bool], *, key: str) -> None:
        said = "".join("y" if decisions[unit] else "n" for unit in sorted(decisions))
        self._call(f"decide {external_id} {said}")
        for unit, value in decisions.items():
            self._move(external_id, unit, UnitState.AVAILABLE if value else UnitState.UNAVAILABLE)
        self._lose()

    def take_back(self, external_id: str, unit_ids: Sequence[str], *, key: str) -> None:
        self._call(f"return {external_id} {len(unit_ids)}")
        for unit in unit_ids:
            self._move(external_id, unit, UnitState.RETURNED)
        self._lose()

    def track(self, external_id: str, number: str, carrier_code: str, *, key: str) -> None:
        self._call(f"track {external_id} {number}")
        WORLD.sheets[external_id].tracking = (number, carrier_code)

    def _move(self, external_id: str, unit: str, to: UnitState) -> None:
        sku, state = WORLD.sheets[external_id].units[unit]
        if to not in _NEXT.get(state, ()):
            raise ChannelRefusedError(f"{unit} is {state}", reason="invalid_state")
        WORLD.sheets[external_id].units[unit] = (sku, to)

    def _call(self, name: str) -> None:
        WORLD.calls.append(name)
        if WORLD.faults:
            raise WORLD.faults.pop(0)

    def _lose(self) -> None:
        if WORLD.lost:
            raise WORLD.lost.pop(0)

    def read_listings(self, cursor: str | None) -> ListingPage:
        return ListingPage(())

    def tell_levels(self, levels: Mapping[str, int], *, key: str) -> None:
        """Nobody asks for levels here."""

    def hand_feed(self, language: str, file: Path, *, key: str) -> None:
        """Nor for feeds."""

    def close(self) -> None:
        """There is nothing to let go of."""


class PaperConnector:
    """The marketplace."""

    code, name = "paper", "Paper"
    abilities = frozenset(
        {Ability.ORDERS, Ability.HISTORY, Ability.DECISIONS, Ability.TRACKING, Ability.RETURNS}
    )

    fields: tuple[AccessField, ...] = ()

    def keep(self, session: Session, connection_id: UUID, given: Mapping[str, str]) -> None:
        """Nothing is asked."""

    def show(self, session: Session, connection_id: UUID) -> Access:
        return Access()

    def forget(self, session: Session, connection_id: UUID) -> None:
        """Nothing was given."""

    def open(self, session: Session, connection_id: UUID) -> PaperChannel:
        return PaperChannel()

    def read_directory(self, cursor: str | None) -> DirectoryPage:
        return DirectoryPage(())


PAPER = PaperConnector()


def _orders() -> list[ExternalOrder]:
    return [_said(sheet) for sheet in WORLD.sheets.values()]


def _said(sheet: Sheet) -> ExternalOrder:
    units = tuple(ExternalUnit(unit, state) for unit, (_, state) in sheet.units.items())
    raw: dict[str, Any] = {
        "id": sheet.id,
        "email": sheet.email,
        "remark": sheet.remark,
        "units": {one.id: one.state for one in units},
    }
    if not sheet.is_readable:
        return ExternalOrder(sheet.id, f"N-{sheet.id}", units, raw, None, "no_price", sheet.tracking)
    by_sku: dict[str, list[str]] = {}
    for unit, (sku, _) in sheet.units.items():
        by_sku.setdefault(sku, []).append(unit)
    lines = [
        NewLine(None, sku, None, f"Thing {sku}", len(found), 1000, external_unit_ids=tuple(found))
        for sku, found in by_sku.items()
    ]
    order = NewOrder(
        channel="paper",
        buyer=Buyer(sheet.email, "Anne", "Weber", language="fr"),
        shipping_address=Address(
            name="Anne Weber", line1="1, rue du Fort", postcode="L-2226", city="Luxembourg", country="LU"
        ),
        billing_address=None,
        lines=lines,
        external_id=sheet.id,
        external_number=f"N-{sheet.id}",
        placed_at=sheet.placed_at,
        is_paid=True,
    )
    return ExternalOrder(sheet.id, f"N-{sheet.id}", units, raw, order, None, sheet.tracking)
