"""Files of customers: drawn up with what they would change, and then taken over whole or not at all.

The e-mail address says who is meant. A cell that is empty changes nothing.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import TenantScope, acting_in
from app.core.ids import to_public
from app.modules.audit import record_audit
from app.modules.customers.exceptions import ImportClosedError, ImportNotFoundError
from app.modules.customers.models.customer_import import CustomerImport, CustomerImportLine
from app.modules.customers.services import import_take_service
from app.modules.customers.services.import_rows import CustomerFile, Row
from app.tasks.dispatcher import dispatch
from app.tasks.lookup import find_job
from app.tasks.models import Job

IMPORT_PREFIX = "cim"
AT_ONCE = 500
"""More rows than these are taken over by a job."""
KEPT_DAYS = 7
_PORTION = 500
_TASK = "app.modules.customers.tasks.imports.apply_import"
_LINE = CustomerImportLine


class ImportWithJob(NamedTuple):
    """A file and the record of its work; no job where it was taken over at once."""

    row: CustomerImport
    job: Job | None


def create_import(
    session: Session, vendor_id: UUID, name: str, file: CustomerFile, *, user_id: UUID | None = None
) -> CustomerImport:
    """Draw up what a file would change; no customer is touched."""
    made = CustomerImport(
        vendor_id=vendor_id, name=name[:200], ignored=file.ignored, user_id=user_id, rows=len(file.rows)
    )
    session.add(made)
    session.flush()
    for start in range(0, len(file.rows), _PORTION):
        rows = file.rows[start : start + _PORTION]
        effects = import_take_service.foresee(session, [(row.email_norm, row.given) for row in rows])
        lines = [_line(made, row, effect) for row, effect in zip(rows, effects, strict=True)]
        session.execute(insert(_LINE), lines)
    _count(session, made)
    _note(session, made, "drawn_up", rows=made.rows)
    return made


def get_import(session: Session, import_id: UUID) -> ImportWithJob:
    """One file. Raises ImportNotFoundError."""
    found = session.get(CustomerImport, import_id)
    if found is None:
        raise ImportNotFoundError
    return ImportWithJob(found, find_job(session, found.job_id))


def select_imports(_session: Session, _language: str) -> Select[Any]:
    """Files for the list."""
    columns = ("id", "name", "status", "rows", "added", "changed", "refused", "created_at", "closed_at")
    return select(*(getattr(CustomerImport, name) for name in columns))


def list_refused(session: Session, import_id: UUID, *, limit: int) -> Sequence[CustomerImportLine]:
    """The first rows that are not taken over, with why."""
    return session.scalars(
        select(_LINE)
        .where(_LINE.import_id == import_id, _LINE.effect == "refused")
        .order_by(_LINE.line)
        .limit(limit)
    ).all()


def start_apply(session: Session, row: CustomerImport, *, user_id: UUID | None = None) -> None:
    """Take a file over: a short one at once, a longer one by a job. Raises ImportClosedError."""
    if row.status != "open":
        raise ImportClosedError
    if row.rows <= AT_ONCE:
        apply_import(session, row)
        return
    row.job_id = dispatch(
        session,
        _TASK,
        kwargs={"import_id": row.id},
        vendor_id=row.vendor_id,
        unique_key=f"customers.import:{row.id}",
        created_by=user_id,
    ).id
    session.flush()


def apply_import(session: Session, row: CustomerImport) -> dict[str, int]:
    """Take over all rows without a fault, in the session's transaction: all of them or, where anything goes wrong,
    none. What was to be changed is worked out anew. Raises ImportClosedError."""
    _close(session, row, "applied")
    target = to_public(IMPORT_PREFIX, row.id)
    last = 0
    while lines := session.scalars(_next_lines(row.id, last)).all():
        last = lines[-1].line
        effects = import_take_service.take_over(
            session, row.vendor_id, [(one.email_norm, one.given) for one in lines], target
        )
        for line, effect in zip(lines, effects, strict=True):
            line.effect = effect
        session.flush()
    _count(session, row)
    _forget(session, row.id)
    counts = {"added": row.added, "changed": row.changed, "refused": row.refused}
    _note(session, row, "imported", **counts)
    return counts


def discard_import(session: Session, row: CustomerImport) -> None:
    """Throw a file away. Raises ImportClosedError."""
    _close(session, row, "discarded")
    _forget(session, row.id)
    _note(session, row, "discarded")


def discard_old(session: Session) -> int:
    """Throw away, of all vendors, some of the files that nobody has taken over in KEPT_DAYS; how many. Needs the
    system scope."""
    before = clock.now() - timedelta(days=KEPT_DAYS)
    old = session.execute(
        select(CustomerImport.vendor_id, CustomerImport.id)
        .where(CustomerImport.status == "open", CustomerImport.created_at < before)
        .limit(_PORTION)
    ).all()
    for vendor_id, key in old:
        with acting_in(session, TenantScope(vendor_id)):
            discard_import(session, session.get_one(CustomerImport, key))
    return len(old)


def _line(made: CustomerImport, row: Row, effect: str) -> dict[str, Any]:
    return {
        "vendor_id": made.vendor_id,
        "import_id": made.id,
        "line": row.line,
        "email_norm": row.email_norm,
        "given": row.given,
        "effect": "refused" if row.fault else effect,
        "fault": row.fault,
        "column_name": row.column,
    }


def _next_lines(import_id: UUID, after: int) -> Select[CustomerImportLine]:
    return (
        select(_LINE)
        .where(_LINE.import_id == import_id, _LINE.line > after, _LINE.effect != "refused")
        .order_by(_LINE.line)
        .limit(_PORTION)
    )


def _count(session: Session, row: CustomerImport) -> None:
    counted = select(_LINE.effect, func.count()).where(_LINE.import_id == row.id).group_by(_LINE.effect)
    counts = {str(effect): int(number) for effect, number in session.execute(counted)}
    row.added, row.changed, row.refused = (counts.get(name, 0) for name in ("new", "changed", "refused"))
    session.flush()


def _forget(session: Session, import_id: UUID) -> None:
    """What the rows said goes; what was wrong with which line stays."""
    session.execute(delete(_LINE).where(_LINE.import_id == import_id, _LINE.effect != "refused"))
    session.execute(update(_LINE).where(_LINE.import_id == import_id).values(given={}, email_norm=None))


def _close(session: Session, row: CustomerImport, status: str) -> None:
    session.refresh(row, with_for_update=True)
    if row.status != "open":
        raise ImportClosedError
    row.status, row.closed_at = status, clock.now()
    session.flush()


def _note(session: Session, row: CustomerImport, act: str, **details: Any) -> None:
    target = to_public(IMPORT_PREFIX, row.id)
    record_audit(session, f"customers.file_{act}", vendor_id=row.vendor_id, target=target, **details)
