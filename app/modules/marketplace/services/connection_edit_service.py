"""What people do with a connection, each noted in the vendor's log: make it, give it a key, switch it, end it."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import ConflictError, FieldError, ValidationFailedError
from app.core.ids import to_public
from app.modules.marketplace.contracts import Access, AccessField
from app.modules.marketplace.models.connection import Connection
from app.modules.marketplace.services import (
    act_service,
    connection_job_service,
    connection_service,
    feed_push_service,
    record_service,
)
from app.modules.marketplace.services.connection_service import CONNECTION_PREFIX
from app.modules.tenancy.facade import record_audit
from app.tasks.dispatcher import dispatch


def fields_of(connection: Connection) -> tuple[AccessField, ...]:
    """What the marketplace of a connection asks of the vendor; nothing while no module knows it."""
    connector = connection_service.find_connector(connection.vendor_id, connection.connector)
    return connector.fields if connector else ()


def access_of(session: Session, connection: Connection) -> Access:
    """What may be shown of what was given for a connection."""
    connector = connection_service.find_connector(connection.vendor_id, connection.connector)
    return connector.show(session, connection.id) if connector else Access()


def create(
    session: Session, vendor_id: UUID, connector: str, given: Mapping[str, str], *, by: UUID | None
) -> Connection:
    """A new connection, which is tested at once; ``given``: what its connector asks for, by name.

    Raises ConnectorUnknownError, ValidationFailedError at a field.
    """
    found = connection_service.find_connector(vendor_id, connector)
    faults = [
        FieldError(one.name, "required", "marketplace.connection_key.missing", {})
        for one in (found.fields if found else ())
        if one.is_required and not given.get(one.name, "").strip()
    ]
    if faults:
        raise ValidationFailedError("This marketplace asks for more.", errors=faults)
    row = connection_service.create_connection(session, vendor_id, connector)
    _audit(session, "marketplace.connection_created", row, by, marketplace=connector)
    _keep(session, row, given)
    connection_job_service.start_check(session, row.id, by)
    feed_push_service.note_changed(session)
    return row


def change_access(
    session: Session, connection_id: UUID, given: Mapping[str, str], *, by: UUID | None
) -> Connection:
    """Another key, or whatever the connector asks for, in place of what there is; it is tested, and what waited for it
    goes on. Raises ConnectionNotFoundError, ValidationFailedError at a field.
    """
    row = connection_service.get_connection(session, connection_id)
    _keep(session, row, given)
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
    connector = connection_service.find_connector(row.vendor_id, row.connector)
    if connector is not None:
        connector.forget(session, row.id)
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


def tell_again(session: Session, record_id: UUID, *, by: UUID | None = None) -> int:
    """Have the marketplace told what it says otherwise of an order's pieces; how many messages. Raises
    RecordNotFoundError."""
    row = record_service.get_record(session, record_id)
    count = act_service.tell_again(session, row.id)
    if count:
        record_audit(
            session,
            "marketplace.told_again",
            vendor_id=row.vendor_id,
            actor_id=by,
            target=to_public(record_service.RECORD_PREFIX, row.id),
            number=row.number,
        )
    return count


def _keep(session: Session, row: Connection, given: Mapping[str, str]) -> None:
    connector = connection_service.find_connector(row.vendor_id, row.connector)
    if connector is not None and connector.fields:
        connector.keep(session, row.id, {one.name: given.get(one.name, "") for one in connector.fields})


def _audit(session: Session, action: str, row: Connection, by: UUID | None, **details: object) -> None:
    target = to_public(CONNECTION_PREFIX, row.id)
    record_audit(session, action, vendor_id=row.vendor_id, actor_id=by, target=target, **details)
