"""A vendor's connections to marketplaces: made, turned on and off, and taken away; and the lines that they open."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import FieldError, ValidationFailedError
from app.core.ids import new_id
from app.modules.marketplace.contracts import CONNECTORS, Channel, Connector
from app.modules.marketplace.enums import ActState
from app.modules.marketplace.exceptions import (
    ChannelError,
    ChannelNotConfiguredError,
    ConnectionNotFoundError,
    ConnectorUnknownError,
)
from app.modules.marketplace.models.channel_call import ChannelCall
from app.modules.marketplace.models.connection import LEAST_INTERVAL, MOST_INTERVAL, Connection
from app.modules.marketplace.models.letzshop_order import ExternalRecord
from app.modules.marketplace.models.outgoing_act import OutgoingAct
from app.modules.problems import clear_problem
from app.modules.state import is_enabled_for_vendor

CONNECTION_PREFIX = "con"
_PREFIX = "marketplace."
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Consequences:
    """What goes with a connection: orders as they were said, those of them that are parked, and what waits to be told.

    ``open_orders`` still wait for a yes or no, which the marketplace would no longer hear.
    """

    records: int
    parked: int
    waiting_acts: int
    open_orders: int


@dataclass(slots=True)
class Line:
    """An open channel of a connection; each call is noted, to be written by `write_calls`."""

    connection_id: UUID
    vendor_id: UUID
    channel: Channel
    noted: list[dict[str, object]] = field(default_factory=list)

    def ask(self, operation: str, call: Callable[[Channel], _Answer]) -> _Answer:
        """Make a call while no transaction is open. Raises as `Channel` does."""
        started = monotonic()
        try:
            answer = call(self.channel)
        except ChannelError as error:
            self._note(operation, error.code.removeprefix(_PREFIX), started, error.http_status)
            raise
        self._note(operation, "ok", started)
        return answer

    def _note(self, operation: str, outcome: str, started: float, status: int | None = None) -> None:
        self.noted.append(
            {
                "id": new_id(),
                "vendor_id": self.vendor_id,
                "connection_id": self.connection_id,
                "operation": operation,
                "outcome": outcome,
                "http_status": status,
                "duration_ms": round((monotonic() - started) * 1000),
                "at": clock.system_now(),
            }
        )

    def close(self) -> None:
        """Let go of the network."""
        self.channel.close()


def connectors(vendor_id: UUID) -> dict[str, Connector]:
    """The connectors that a vendor can use, by code."""
    return {
        one.code: one for module, one in CONNECTORS.by_module() if is_enabled_for_vendor(module, vendor_id)
    }


def find_connector(vendor_id: UUID, code: str) -> Connector | None:
    """A connector; None where its module is off for the vendor."""
    return connectors(vendor_id).get(code)


def name_of(connection: Connection) -> str:
    """The marketplace as people know it."""
    connector = find_connector(connection.vendor_id, connection.connector)
    return connector.name if connector else connection.connector


def open_line(session: Session, connection: Connection) -> Line:
    """A line to the marketplace of a connection. Raises ChannelNotConfiguredError."""
    connector = find_connector(connection.vendor_id, connection.connector)
    if connector is None:
        raise ChannelNotConfiguredError(f"Nobody knows {connection.connector}.")
    return Line(connection.id, connection.vendor_id, connector.open(session, connection.id))


def write_calls(session: Session, line: Line) -> None:
    """Write down the calls that were noted."""
    if line.noted:
        session.execute(insert(ChannelCall), line.noted)
        line.noted.clear()


def list_connections(session: Session) -> Sequence[Connection]:
    """The vendor's connections, the oldest first."""
    return session.scalars(select(Connection).order_by(Connection.id)).all()


def get_connection(session: Session, connection_id: UUID) -> Connection:
    """One connection. Raises ConnectionNotFoundError."""
    found = session.get(Connection, connection_id)
    if found is None:
        raise ConnectionNotFoundError
    return found


def find_connection(session: Session, connector: str) -> Connection | None:
    """The vendor's connection through a connector."""
    return session.scalar(select(Connection).where(Connection.connector == connector))


def lock_connection(session: Session, connection_id: UUID) -> Connection:
    """A connection as it is and stays until the transaction ends. Raises ConnectionNotFoundError."""
    statement = select(Connection).where(Connection.id == connection_id).with_for_update()
    found = session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise ConnectionNotFoundError
    return found


def get_options(session: Session, connection_id: UUID) -> dict[str, str]:
    """What a connector keeps of a connection that is no secret. Raises ConnectionNotFoundError."""
    return dict(get_connection(session, connection_id).options)


def set_options(session: Session, connection_id: UUID, options: Mapping[str, str]) -> None:
    """Keep this in place of what there was. Raises ConnectionNotFoundError."""
    get_connection(session, connection_id).options = dict(options)


def create_connection(session: Session, vendor_id: UUID, connector: str) -> Connection:
    """Connect a vendor, or give the connection that there is. Raises ConnectorUnknownError."""
    if find_connector(vendor_id, connector) is None:
        raise ConnectorUnknownError(connector)
    found = find_connection(session, connector)
    if found is not None:
        return found
    made = Connection(vendor_id=vendor_id, connector=connector, next_sync_at=clock.now())
    session.add(made)
    session.flush()
    return made


def change_connection(
    session: Session, connection_id: UUID, *, is_on: bool | None = None, interval_seconds: int | None = None
) -> Connection:
    """Turn a connection on or off, or say how often orders are asked for. Raises ValidationFailedError."""
    row = lock_connection(session, connection_id)
    if interval_seconds is not None:
        if not LEAST_INTERVAL <= interval_seconds <= MOST_INTERVAL:
            params = {"least": LEAST_INTERVAL, "most": MOST_INTERVAL}
            wrong = FieldError("interval_seconds", "interval", "marketplace.connections.interval", params)
            raise ValidationFailedError(errors=[wrong])
        row.interval_seconds = interval_seconds
    if is_on is not None:
        row.is_on = is_on
    row.next_sync_at = clock.now() if row.is_on else None
    session.flush()
    return row


def consequences(session: Session, connection_id: UUID) -> Consequences:
    """What would go with a connection."""
    records = select(
        func.count(),
        func.count().filter(ExternalRecord.fault.is_not(None)),
        func.count().filter(ExternalRecord.is_open),
    ).where(ExternalRecord.connection_id == connection_id)
    number, parked, undecided = session.execute(records).one()
    waiting = select(func.count()).where(
        OutgoingAct.connection_id == connection_id, OutgoingAct.state == ActState.WAITING
    )
    return Consequences(number, parked, session.scalar(waiting) or 0, undecided)


def disconnect(session: Session, connection_id: UUID) -> None:
    """Take a connection away with its credentials, records and acts. The orders themselves stay."""
    row = lock_connection(session, connection_id)
    for key in (problem_key(row), drift_problem_key(row)):
        clear_problem(session, key, vendor_id=row.vendor_id)
    session.delete(row)
    session.flush()


def problem_key(connection: Connection) -> str:
    """Under which its faults stand among the vendor's problems."""
    return f"marketplace.channel:{connection.connector}"


def drift_problem_key(connection: Connection) -> str:
    """Under which differences of what it offers stand among the vendor's problems."""
    return f"marketplace.drift:{connection.connector}"
