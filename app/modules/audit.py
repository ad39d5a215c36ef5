"""Writing the audit log, for modules that stand on nobody's facade."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.modules.lifecycle import AUDIT


def record_audit(
    session: Session, action: str, *, vendor_id: UUID | None, target: str, **details: Any
) -> None:
    """Note who did what, in the session's transaction: the entry stands exactly when the act does.

    ``action`` is ``<module>.<noun>_<verb>``; its text stands under ``audit.<action>``. ``target`` is the public id of
    the record, whose page shows the entry in its history. Who acts is known; secrets among ``details`` are masked.
    """
    AUDIT.one()(session, action, target=target, vendor_id=vendor_id, **details)
