"""Comments on records: they stand in the record's history, between what was done."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.modules.core.models.comment import RecordComment
from app.modules.core.services.reach_service import own_rows, vendor_of
from app.modules.pagekit.points import TimelineEntry
from app.modules.pages import PageContext
from app.modules.tenancy.facade import user_names

MAX_CHARACTERS = 2000


def comments(ctx: PageContext, target: str, limit: int) -> Sequence[TimelineEntry]:
    """What was written about a record where the reader is, the newest first."""
    session = ctx.session
    statement = select(RecordComment).where(_here(session), RecordComment.target == target)
    with own_rows(session):
        rows = session.scalars(statement.order_by(RecordComment.id.desc()).limit(limit)).all()
    names = user_names(session, {row.author_id for row in rows})
    return [
        TimelineEntry(row.created_at, names.get(row.author_id), "core.comment_written", comment=row.text)
        for row in rows
    ]


def write_comment(session: Session, target: str, text: str, *, by: UUID) -> None:
    """Add a comment. The caller has checked that its author may open the record's page."""
    with own_rows(session):
        session.add(
            RecordComment(id=new_id(), vendor_id=vendor_of(session), target=target, author_id=by, text=text)
        )


def _here(session: Session) -> ColumnElement[bool]:
    vendor_id = vendor_of(session)
    return RecordComment.vendor_id == vendor_id if vendor_id else RecordComment.vendor_id.is_(None)
