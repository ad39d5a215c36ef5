"""Which of the operator's people sees to a line that waits."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.database import TenantScope, acting_in
from app.core.ids import to_public
from app.modules.orders.exceptions import ExceptionNotFoundError
from app.modules.orders.models.exception import OrderException
from app.modules.orders.models.order import OrderLine
from app.modules.orders.services.order_reads import EXCEPTION_PREFIX
from app.modules.tenancy.facade import find_users, list_users_with, record_audit, user_names

_MANAGE = "orders.exceptions.manage"


def get_exception(session: Session, exception_id: UUID) -> OrderException:
    """One exception, open or not. Raises ExceptionNotFoundError."""
    row = session.get(OrderException, exception_id)
    if row is None:
        raise ExceptionNotFoundError
    return row


def title_of(session: Session, row: OrderException) -> str:
    """What it is about: the title of the line."""
    return session.get_one(OrderLine, row.line_id).title


def list_assignees(session: Session) -> dict[UUID, str]:
    """Who sees to something now, with their names."""
    assigned = select(OrderException.assigned_to).where(OrderException.assigned_to.is_not(None)).distinct()
    found = user_names(session, {key for key in session.scalars(assigned) if key})
    return dict(sorted(found.items(), key=lambda one: one[1]))


def list_people(session: Session, user_id: UUID) -> Sequence[tuple[UUID, str]]:
    """Who can be asked to see to something: who asks, the super admins, and who does already."""
    people = {one.id: one.name for one in list_users_with(session, None, _MANAGE)}
    people |= {one.id: one.name for one in find_users(session, [user_id])} | list_assignees(session)
    return sorted(people.items(), key=lambda one: one[1])


def assign(session: Session, row: OrderException, user_id: UUID | None) -> None:
    """Have somebody see to an exception, or nobody; the vendor reads it in the order's history."""
    names = user_names(session, {user_id}) if user_id else {}
    key, vendor_id, order_id = row.id, row.vendor_id, row.order_id
    with acting_in(session, TenantScope(vendor_id)):  # the operator reads only, unless it acts for a vendor
        row.assigned_to = user_id
        session.flush()
        for target in (to_public(EXCEPTION_PREFIX, key), to_public("ord", order_id)):
            record_audit(
                session,
                "orders.exception_assigned",
                vendor_id=vendor_id,
                target=target,
                to=names.get(user_id) if user_id else None,
            )


def assign_many(session: Session, ids: Sequence[UUID], user_id: UUID | None) -> int:
    """Have somebody see to several exceptions, or nobody; how many that changed."""
    rows = session.scalars(
        select(OrderException)
        .where(OrderException.id.in_(ids), OrderException.assigned_to.is_distinct_from(user_id))
        .order_by(OrderException.vendor_id, OrderException.id)
    ).all()
    for row in rows:
        assign(session, row, user_id)
    return len(rows)
