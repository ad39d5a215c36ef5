"""Who works where, for other modules."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.core.database import IdentityScope, acting_in
from app.modules.principal import Principal
from app.modules.tenancy.contracts import UserInfo
from app.modules.tenancy.models.tenant import Role, Vendor
from app.modules.tenancy.models.user import Membership, User
from app.modules.tenancy.services import session_service


def other_places(session: Session, who: Principal) -> Sequence[tuple[str, str]]:
    """Name and code of the other vendors that somebody in the vendor area may switch to; whatever the session's scope.

    An admin who acts as somebody stays where they are.
    """
    if who.vendor is None or who.acting_as is not None:
        return ()
    with acting_in(session, IdentityScope()):
        places = session_service.list_places(session, who.user_id)
    return [(place.name, place.code) for place in places if place.code != who.vendor.code]


def list_users_with(session: Session, vendor_id: UUID | None, permission: str) -> Sequence[UserInfo]:
    """Who to tell about something: a vendor's owners and those whose role has the permission.

    Without a vendor the super admins. Whatever the session's scope; only those who may sign in.
    """
    statement = select(User).where(User.is_active).distinct()
    if vendor_id is None:
        statement = statement.where(User.is_super_admin)
    else:
        company_id = select(Vendor.company_id).where(Vendor.id == vendor_id).scalar_subquery()
        is_member = (Membership.vendor_id == vendor_id) & Role.permissions.contains([permission])
        statement = (
            statement.join(Membership, Membership.user_id == User.id)
            .outerjoin(Role, Role.id == Membership.role_id)
            .where(or_(Membership.company_id == company_id, is_member))
        )
    with acting_in(session, IdentityScope()):
        rows = session.scalars(statement).all()
    return [UserInfo(row.id, row.name, row.email, row.language) for row in rows]
