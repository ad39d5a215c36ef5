"""What other modules may ask of the marketplace."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.modules.marketplace.services import (
    connection_edit_service,
    connection_job_service,
    connection_service,
    feed_push_service,
)
from app.modules.marketplace.services.connection_service import get_options, set_options
from app.modules.marketplace.services.feed_link_service import feed_address
from app.modules.marketplace.services.import_report_service import import_file, report_import
from app.tasks.ledger import JobRef

__all__ = [
    "connect",
    "feed_addresses",
    "get_options",
    "import_file",
    "import_history",
    "report_import",
    "set_key",
    "set_options",
    "sync_now",
]


def connect(session: Session, vendor_id: UUID, connector: str) -> UUID:
    """Connect a vendor to a marketplace; returns the connection's id, the same again if there is one.

    The session is in the vendor's scope. Raises ConnectorUnknownError.
    """
    return connection_service.create_connection(session, vendor_id, connector).id


def set_key(session: Session, connection_id: UUID, key: str) -> None:
    """Store the key of a connection, in place of the one there was; what waited for it goes on.

    Raises ConnectionNotFoundError, ValidationFailedError for what can be no key.
    """
    connection_edit_service.change_access(session, connection_id, {"key": key}, by=None)


def sync_now(session: Session, connection_id: UUID) -> JobRef:
    """Have the open orders of a connection read. Raises ConnectionNotFoundError."""
    return connection_job_service.start_sync(session, connection_id)


def import_history(session: Session, connection_id: UUID) -> JobRef:
    """Have a connection's orders of the past read. Raises ConnectionNotFoundError."""
    return connection_job_service.start_history(session, connection_id)


def feed_addresses(session: Session, vendor_id: UUID) -> dict[str, str]:
    """Where others fetch the vendor's files, by language; those that it has products in."""
    languages = feed_push_service.list_languages(session)
    return {one: feed_address(session, vendor_id=vendor_id, language=one) for one in languages}
