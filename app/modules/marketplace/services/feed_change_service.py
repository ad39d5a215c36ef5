"""Having marketplaces told, where the writing of feeds itself stands on what has changed: rules and settings."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.tasks.dispatcher import dispatch

_TASK = "app.modules.marketplace.tasks.feed_push.note_changed"


def announce_change(session: Session, vendor_id: UUID) -> None:
    """Have the vendor's marketplaces told by a job, once it is committed: no connection's row is locked here."""
    dispatch(session, _TASK, vendor_id=vendor_id)
