"""Admins who act as a vendor's user, to see what the user sees. Every act of theirs is recorded as such."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.core import clock, security
from app.core.database import SYSTEM, IdentityScope, acting_in
from app.core.ids import to_public
from app.modules.tenancy.exceptions import LinkExpiredError, NobodyToActAsError
from app.modules.tenancy.models.tenant import Vendor
from app.modules.tenancy.models.user import Membership, User, UserSession
from app.modules.tenancy.services import audit_service, vendor_service

LINK_SECONDS = 60
ACTING_FOR = timedelta(hours=1)
_LINK = "link"


def make_link(session: Session, vendor_id: UUID, admin_id: UUID) -> str:
    """The token of a link that opens the vendor's area once, within a minute, for an hour, as its first owner.

    Raises NotFoundError for a vendor that the session's scope does not see, NobodyToActAsError.
    """
    vendor = vendor_service.get_vendor_record(session, vendor_id)
    works_here = or_(Membership.company_id == vendor.company_id, Membership.vendor_id == vendor.id)
    token = security.new_token()
    with acting_in(session, IdentityScope()):
        user_id = session.scalar(
            select(User.id)
            .join(Membership)
            .where(works_here, User.is_active)
            .order_by(Membership.company_id.nulls_last(), Membership.id)
            .limit(1)
        )
        if user_id is None:
            raise NobodyToActAsError
        session.add(
            UserSession(
                token_hash=security.hash_token(token),
                user_id=user_id,
                area=_LINK,
                expires_at=clock.system_now() + timedelta(seconds=LINK_SECONDS),
                acting_admin_id=admin_id,
                acting_vendor_id=vendor.id,
            )
        )
    audit_service.record(
        session,
        "tenancy.impersonation_started",
        vendor_id=vendor.id,
        actor_id=admin_id,
        target=to_public("vnd", vendor.id),
    )
    return token


def open_link(session: Session, token: str) -> tuple[str, str]:
    """The vendor's code and the token of the session, for the link's first use. Needs the identity scope.

    Raises LinkExpiredError.
    """
    waiting = session.scalar(
        select(UserSession)
        .where(UserSession.token_hash == security.hash_token(token), UserSession.area == _LINK)
        .with_for_update()
    )
    if waiting is None or waiting.expires_at <= clock.system_now():
        raise LinkExpiredError
    opened = security.new_token()
    waiting.token_hash, waiting.area = security.hash_token(opened), "vendor"
    waiting.expires_at = clock.system_now() + ACTING_FOR
    session.flush()
    return session.get_one(Vendor, waiting.acting_vendor_id).code, opened


def end(session: Session, token: str) -> UUID | None:
    """End an admin's acting; returns the vendor it was in, None when it had ended. Needs the identity scope."""
    acting = session.scalar(
        select(UserSession).where(
            UserSession.token_hash == security.hash_token(token), UserSession.acting_admin_id.is_not(None)
        )
    )
    if acting is None:
        return None
    vendor_id, admin_id = acting.acting_vendor_id, acting.acting_admin_id
    assert vendor_id is not None
    session.delete(acting)
    session.flush()
    with acting_in(session, SYSTEM):
        target = to_public("vnd", vendor_id)
        audit_service.record(
            session, "tenancy.impersonation_ended", vendor_id=vendor_id, actor_id=admin_id, target=target
        )
    return vendor_id
