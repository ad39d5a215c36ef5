"""Folders as a marketplace: the connector, and a vendor's line to its own folder."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.database import ScopedSession, TenantScope
from app.core.errors import FieldError, ValidationFailedError
from app.modules.marketplace import facade as marketplace
from app.modules.marketplace.contracts import (
    Ability,
    Access,
    AccessField,
    CheckOutcome,
    CheckReport,
    Connector,
    DirectoryPage,
    ExternalOrder,
    ListingPage,
    OrderPage,
    UnitState,
)
from app.modules.marketplace.exceptions import (
    ChannelNotConfiguredError,
    ChannelRefusedError,
    ChannelUnavailableError,
)
from app.modules.order_folder.adapters.folder import KnownOrder, OrderFolder
from app.modules.order_folder.adapters.order_csv import CODE, external_order
from app.modules.order_folder.config import OrderFolderSettings
from app.modules.tenancy import facade as tenancy

_PAGE = 50
_FOLDER = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


def folder_of(vendor_code: str, within: str = "") -> Path | None:
    """Where a vendor's folder is, or would be; None where the installation has none. ``within``: a folder in it."""
    root = OrderFolderSettings().root
    return root / vendor_code.lower() / within if root else None


class OrderFolderChannel:
    """A vendor's own folder. A unit that has the wanted state already stays as it is."""

    def __init__(self, path: Path) -> None:
        self._folder = OrderFolder(path)
        self._root = OrderFolderSettings().root or path.parent

    def check(self) -> CheckReport:
        """Whether the folder can be used."""
        try:
            with self._opened():
                return CheckReport(CheckOutcome.OK)
        except ChannelUnavailableError as error:
            return CheckReport(CheckOutcome.UNREACHABLE, str(error))

    def read_open(self, cursor: str | None) -> OrderPage:
        """Orders that wait for an answer; new files are taken in first."""
        return self._page(cursor, only_open=True)

    def read_history(self, cursor: str | None) -> OrderPage:
        """All orders that ever came."""
        return self._page(cursor, only_open=False)

    def read_order(self, external_id: str) -> ExternalOrder | None:
        """One order."""
        with self._opened() as folder:
            folder.take_in()
            known = folder.find(external_id)
            return _external(known) if known else None

    def decide(self, external_id: str, decisions: Mapping[str, bool], *, key: str) -> None:
        """Write the decisions into a file. Raises ChannelRefusedError."""
        wanted = {
            unit: UnitState.AVAILABLE if is_available else UnitState.UNAVAILABLE
            for unit, is_available in decisions.items()
        }
        self._change("decisions", external_id, wanted, key, lambda state: state is UnitState.OPEN)

    def take_back(self, external_id: str, unit_ids: Sequence[str], *, key: str) -> None:
        """Write what came back into a file. Raises ChannelRefusedError."""
        wanted = dict.fromkeys(unit_ids, UnitState.RETURNED)
        self._change("returns", external_id, wanted, key, lambda state: state is UnitState.AVAILABLE)

    def track(self, external_id: str, number: str, carrier_code: str, *, key: str) -> None:
        """Write the number of the parcel into a file. Raises ChannelRefusedError."""
        with self._opened() as folder:
            known = _get(folder, external_id)
            known.tracking = (number, carrier_code)
            folder.answer("tracking", key, [{"order": known.id, "number": number, "carrier": carrier_code}])
            folder.keep(known)

    def read_listings(self, cursor: str | None) -> ListingPage:  # noqa: ARG002 - the contract names it
        """Nobody says what is offered."""
        return ListingPage(())

    def tell_levels(self, levels: Mapping[str, int], *, key: str) -> None:  # noqa: ARG002 - the same file again
        """Write the levels anew."""
        rows = [{"sku": sku, "quantity": levels[sku]} for sku in sorted(levels)]
        if rows:
            with self._opened() as folder:
                folder.write(Path("levels.csv"), rows)

    def hand_feed(self, language: str, file: Path, *, key: str) -> None:  # noqa: ARG002 - the same file again
        """Put the feed into the folder."""
        with self._opened() as folder:
            folder.copy(Path("feeds") / f"products_{language}.tsv", file)

    def close(self) -> None:
        """There is nothing to let go of."""

    @contextmanager
    def _opened(self) -> Iterator[OrderFolder]:
        """The folder, alone. Raises ChannelUnavailableError; a root that is not there is not made: it may be a disk
        that is not mounted."""
        try:
            if not self._root.is_dir():
                raise ChannelUnavailableError("The root of the order folders is not there.")
            self._folder.prepare()
            with self._folder.locked():
                yield self._folder
        except OSError as error:
            raise ChannelUnavailableError(f"The order folder cannot be used: {error.strerror}.") from None

    def _page(self, cursor: str | None, *, only_open: bool) -> OrderPage:
        """The cursor is the place of the last order before the page: it stays right when orders are settled."""
        with self._opened() as folder:
            if cursor is None:
                folder.take_in()
            known = folder.list_known(only_open=only_open)
        after = tuple(json.loads(cursor)) if cursor else ("", "")
        rest = [order for order in known if order.place > after]
        page = rest[:_PAGE]
        following = json.dumps(page[-1].place) if len(rest) > _PAGE else None
        return OrderPage([_external(order) for order in page], following, len(known))

    def _change(
        self,
        kind: str,
        external_id: str,
        wanted: Mapping[str, UnitState],
        key: str,
        may_change: Callable[[UnitState], bool],
    ) -> None:
        with self._opened() as folder:
            known = _get(folder, external_id)
            changed = {}
            for unit, state in wanted.items():
                present = known.states.get(unit)
                if present is None:
                    raise ChannelRefusedError(f"The order has no unit {unit}.", reason="not_found")
                if present is state:
                    continue
                if not may_change(present):
                    raise ChannelRefusedError(f"Unit {unit} is {present}.", reason="invalid_state")
                changed[unit] = state
            if changed:
                rows = [{"order": known.id, "unit": unit, "state": state} for unit, state in changed.items()]
                folder.answer(kind, key, rows)
                known.states |= changed
                folder.keep(known)


def _get(folder: OrderFolder, external_id: str) -> KnownOrder:
    known = folder.find(external_id)
    if known is None:
        raise ChannelRefusedError(f"There is no order {external_id}.", reason="not_found")
    return known


def _external(known: KnownOrder) -> ExternalOrder:
    return external_order(known.id, known.rows, known.states, known.tracking)


class OrderFolderConnector:
    """Implements ``marketplace.connectors``."""

    code = CODE
    name = "Order folder"
    abilities = frozenset(
        {
            *(Ability.ORDERS, Ability.HISTORY, Ability.DECISIONS, Ability.TRACKING, Ability.RETURNS),
            *(Ability.FEED, Ability.STOCK),
        }
    )
    fields: tuple[AccessField, ...] = (
        AccessField(
            "folder",
            "order_folder.fields.folder",
            "order_folder.fields.hint",
            is_required=False,
            max_length=60,
        ),
    )

    def keep(self, session: Session, connection_id: UUID, given: Mapping[str, str]) -> None:
        """Which folder within the vendor's own is meant; none: that itself. Raises ValidationFailedError."""
        folder = given.get("folder", "").strip()
        if folder and not _FOLDER.fullmatch(folder):
            fault = FieldError("folder", "order-folder.folder", "errors.order-folder.folder", {})
            raise ValidationFailedError("This is no name of a folder.", [fault])
        marketplace.set_options(session, connection_id, {"folder": folder} if folder else {})

    def show(self, session: Session, connection_id: UUID) -> Access:
        """The folder."""
        return Access(marketplace.get_options(session, connection_id))

    def forget(self, session: Session, connection_id: UUID) -> None:
        """What was given goes with the connection; the folder stays."""

    def open(self, session: Session, connection_id: UUID) -> OrderFolderChannel:
        """The folder of the session's vendor. Raises ChannelNotConfiguredError."""
        assert isinstance(session, ScopedSession)
        assert isinstance(session.scope, TenantScope)
        vendor = tenancy.find_vendor(vendor_id=session.scope.vendor_id)
        within = marketplace.get_options(session, connection_id).get("folder", "")
        path = folder_of(vendor.code, within) if vendor else None
        if path is None:
            raise ChannelNotConfiguredError("ORDER_FOLDER_ROOT is not set.")
        return OrderFolderChannel(path)

    def read_directory(self, cursor: str | None) -> DirectoryPage:  # noqa: ARG002 - the contract names it
        """A folder lists no shops."""
        return DirectoryPage(())


CONNECTOR: Connector = OrderFolderConnector()
"""The one that the definition names."""
