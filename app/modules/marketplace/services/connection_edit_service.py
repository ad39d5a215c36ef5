"""What people do with a connection, each noted in the vendor's log: make it, give it a key, switch it, end it."""

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import ConflictError, FieldError, ValidationFailedError
from app.core.ids import to_public
from app.modules.marketplace.models.connection import Connection
from app.modules.marketplace.services import (
    connection_job_service,
    connection_service,
    feed_push_service,
    letzshop_credentials_service,
    record_service,
)
from app.modules.marketplace.services.connection_service import CONNECTION_PREFIX
from app.modules.tenancy.facade import record_audit
from app.tasks.dispatcher import dispatch

_KEYED = frozenset({"letzshop"})


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody typed. ``shop``: the address of the shop there, needed where the key may act for several."""

    key: str = field(repr=False)
    shop: str = ""


def is_keyed(connector: str) -> bool:
    """Whether a marketplace asks for a key."""
    return connector in _KEYED


def create(
    session: Session, vendor_id: UUID, connector: str, given: Credentials, *, by: UUID | None
) -> Connection:
    """A new connection, which is tested at once. Raises ValidationFailedError at ``key``."""
    if is_keyed(connector) and not given.key.strip():
        fault = FieldError("key", "required", "marketplace.connection_key.missing", {})
        raise ValidationFailedError("This marketplace asks for a key.", errors=[fault])
    row = connection_service.create_connection(session, vendor_id, connector)
    _audit(session, "marketplace.connection_created", row, by, marketplace=connector)
    if is_keyed(connector):
        _store(session, row.id, given)
    connection_job_service.start_check(session, row.id, by)
    feed_push_service.note_changed(session)
    return row


def rotate_key(session: Session, connection_id: UUID, given: Credentials, *, by: UUID | None) -> Connection:
    """Another key in place of the one there is; it is tested, and what waited for it goes on.

    Raises ConnectionNotFoundError, ValidationFailedError at ``key``.
    """
    row = connection_service.get_connection(session, connection_id)
    _store(session, row.id, given)
    _audit(session, "marketplace.connection_key_changed", row, by)
    connection_job_service.start_check(session, row.id, by)
    if row.is_on:
        connection_job_service.resume(session, row.id)
    return row


def change_interval(
    session: Session, connection_id: UUID, seconds: int, *, version: int, by: UUID | None
) -> Connection:
    """How often orders are fetched. Raises ConnectionNotFoundError, ConflictError for a stale version."""
    row = connection_service.get_connection(session, connection_id)
    if row.version != version:
        raise ConflictError
    connection_service.change_connection(session, row.id, interval_seconds=seconds)
    _audit(session, "marketplace.connection_changed", row, by, seconds=seconds)
    return row


def switch(session: Session, connection_id: UUID, *, is_on: bool, by: UUID | None) -> None:
    """Begin, or stop for a while, to fetch and tell. Raises ConnectionNotFoundError."""
    row = connection_service.change_connection(session, connection_id, is_on=is_on)
    action = "marketplace.connection_switched_on" if is_on else "marketplace.connection_switched_off"
    _audit(session, action, row, by)
    if is_on:
        feed_push_service.note_changed(session)


def disconnect(session: Session, connection_id: UUID, *, by: UUID | None) -> None:
    """End it: the key is forgotten, what waited is never told, orders stay. Raises ConnectionNotFoundError."""
    row = connection_service.get_connection(session, connection_id)
    _audit(session, "marketplace.connection_ended", row, by, marketplace=row.connector)
    letzshop_credentials_service.forget_key(session, row.id)
    connection_service.disconnect(session, row.id)


def retry_record(session: Session, record_id: UUID, *, by: UUID | None = None) -> None:
    """Have an order read and taken in again. Raises RecordNotFoundError."""
    row = record_service.get_record(session, record_id)
    dispatch(
        session,
        f"{connection_job_service.TASKS}.channels.read_record",
        kwargs={"record_id": row.id},
        vendor_id=row.vendor_id,
        unique_key=f"marketplace.read_record:{row.id}",
        created_by=by,
    )


def _store(session: Session, connection_id: UUID, given: Credentials) -> None:
    letzshop_credentials_service.store_key(session, connection_id, given.key)
    letzshop_credentials_service.choose_shop(session, connection_id, given.shop.strip() or None)


def _audit(session: Session, action: str, row: Connection, by: UUID | None, **details: object) -> None:
    target = to_public(CONNECTION_PREFIX, row.id)
    record_audit(session, action, vendor_id=row.vendor_id, actor_id=by, target=target, **details)
