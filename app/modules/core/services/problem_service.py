"""Problems with integrations: told once however often they happen, and closed when what failed works again."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, delete, func, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import new_id
from app.modules.core.exceptions import ProblemNotFoundError
from app.modules.core.models.problem import ProblemRecord
from app.modules.core.services.reach_service import vendor_of
from app.modules.problems import Problem

PREFIX = "pbm"
WINDOW = timedelta(minutes=60)  # between two reports of what is still the same
STATES = ("critical", "open", "dismissed", "solved")
_DELETE_BATCH = 5000


class Figures(NamedTuple):
    """How many problems are open, and how many of these are critical."""

    open: int
    critical: int


class Problems:
    """The core module's answer to ``framework.problems``."""

    @staticmethod
    def report(session: Session, problem: Problem, vendor_id: UUID | None) -> None:
        """Note it, or count it: after a quiet hour, or once it was solved, it begins anew and is open again.

        What somebody dismissed comes back when it becomes critical.
        """
        now, row = clock.now(), ProblemRecord
        told = {
            "message_key": problem.message_key,
            "params": dict(problem.params),
            "detail": problem.detail,
            "url": problem.url,
            "critical_after": problem.critical_after,
            "last_at": now,
        }
        begins = or_(row.last_at < now - WINDOW, row.cleared_at.is_not(None))
        becomes_critical = row.count + 1 == problem.critical_after
        statement = insert(row).values(
            id=new_id(), vendor_id=vendor_id, key=problem.key, count=1, first_at=now, **told
        )
        counted = {
            "count": case((begins, 1), else_=row.count + 1),
            "first_at": case((begins, now), else_=row.first_at),
            "dismissed_at": case((or_(begins, becomes_critical), null()), else_=row.dismissed_at),
            "cleared_at": null(),
        }
        session.execute(
            statement.on_conflict_do_update(index_elements=["vendor_id", "key"], set_={**told, **counted})
        )

    @staticmethod
    def clear(session: Session, key: str, vendor_id: UUID | None) -> None:
        """Close it; nothing happens where there is none."""
        session.execute(
            update(ProblemRecord)
            .where(_of(vendor_id), ProblemRecord.key == key, ProblemRecord.cleared_at.is_(None))
            .values(cleared_at=clock.now())
        )


def state() -> ColumnElement[str]:
    """One of STATES, as part of a statement."""
    row = ProblemRecord
    return case(
        (row.cleared_at.is_not(None), "solved"),
        (row.dismissed_at.is_not(None), "dismissed"),
        (row.count >= row.critical_after, "critical"),
        else_="open",
    )


def urgency() -> ColumnElement[int]:
    """What lists are sorted by: the most urgent first when descending."""
    places = {name: number for number, name in enumerate(reversed(STATES))}
    return case(places, value=state(), else_=0)


def get_problem(session: Session, problem_id: UUID) -> ProblemRecord:
    """A problem that the scope sees. Raises ProblemNotFoundError."""
    found = session.get(ProblemRecord, problem_id)
    if found is None:
        raise ProblemNotFoundError
    return found


def is_own(session: Session, problem: ProblemRecord) -> bool:
    """Whether it is the session's own: the operator leaves vendors' problems to them."""
    return problem.vendor_id == vendor_of(session)


def dismiss(session: Session, ids: Sequence[UUID], *, by: UUID | None = None) -> list[UUID]:
    """Put one's own open problems aside until they begin anew or become critical; those that were."""
    row = ProblemRecord
    changed = update(row).where(_own(session, ids), row.dismissed_at.is_(None), row.cleared_at.is_(None))
    return list(session.scalars(changed.values(dismissed_at=clock.now(), dismissed_by=by).returning(row.id)))


def reopen(session: Session, ids: Sequence[UUID]) -> list[UUID]:
    """Take back that one's own problems were dismissed; those that were."""
    row = ProblemRecord
    changed = update(row).where(_own(session, ids), row.dismissed_at.is_not(None))
    return list(session.scalars(changed.values(dismissed_at=None).returning(row.id)))


def count_open(session: Session) -> Figures:
    """What the scope sees."""
    row = ProblemRecord
    is_open = and_(row.cleared_at.is_(None), row.dismissed_at.is_(None))
    critical = func.count().filter(row.count >= row.critical_after)
    found = session.execute(select(func.count(), critical).where(is_open)).one()
    return Figures(*found)


def delete_old(session: Session, days: int) -> int:
    """Remove what was solved or put aside and did not happen for so many days, in parts; how many."""
    row = ProblemRecord
    is_over = or_(row.cleared_at.is_not(None), row.dismissed_at.is_not(None))
    old = select(row.id).where(row.last_at < clock.now() - timedelta(days=days), is_over).limit(_DELETE_BATCH)
    return len(session.execute(delete(row).where(row.id.in_(old)).returning(row.id)).all())


def _own(session: Session, ids: Sequence[UUID]) -> ColumnElement[bool]:
    return and_(_of(vendor_of(session)), ProblemRecord.id.in_(ids))


def _of(vendor_id: UUID | None) -> Any:
    return ProblemRecord.vendor_id == vendor_id if vendor_id else ProblemRecord.vendor_id.is_(None)
