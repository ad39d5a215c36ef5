"""Asking people to join: a vendor's team, a company's owners, the operator's people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from app.core import clock, security
from app.core.config import get_settings
from app.core.database import SYSTEM, IdentityScope, ScopedSession, TenantScope, acting_in
from app.core.errors import NotFoundError
from app.core.i18n import translate
from app.core.ids import to_public
from app.core.keys import get_keys
from app.modules.entitlements import consume
from app.modules.principal import VendorRef
from app.modules.tenancy.exceptions import (
    AlreadyInvitedError,
    AlreadyMemberError,
    EscalationError,
    LinkExpiredError,
)
from app.modules.tenancy.models.tenant import Company, Platform, Role, Vendor
from app.modules.tenancy.models.user import Invitation, Membership, OperatorRole, User
from app.modules.tenancy.services import (
    audit_service,
    operator_role_service,
    record_service,
    role_service,
    team_service,
    user_service,
)
from app.modules.tenancy.services.role_service import Editor
from app.modules.tenancy.services.team_service import TEAM_MEMBERS
from app.tasks.dispatcher import dispatch

VALID_FOR = timedelta(days=7)
_SEND = "app.modules.tenancy.tasks.mails.send_invitation"


@dataclass(frozen=True, slots=True)
class Target:
    """What an invitation leads to: exactly one of a vendor's role, a company, an operator's role.

    ``vendor_id`` says in whose team page the invitation stands. An operator's role counts on ``platform_id``, or on all
    platforms without one.
    """

    vendor_id: UUID | None = None
    role_id: UUID | None = None
    company_id: UUID | None = None
    platform_id: UUID | None = None
    operator_role_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """What the page behind a mailed link shows: who is asked, where to, and whether they have an account."""

    invitation: Invitation
    place: str
    role: str | None
    area: str
    user: User | None


def invite_to_team(
    session: Session, vendor: VendorRef, email: str, role_id: UUID | None, editor: Editor, language: str
) -> UUID:
    """Ask somebody to join a vendor's team with a role, or without one as an owner of its company.

    Raises ValidationFailedError, AlreadyMemberError, AlreadyInvitedError, EscalationError.
    """
    may_grant = team_service.grantable(session, vendor, editor)
    if role_id is None:
        if may_grant is not None:
            raise EscalationError
        target = Target(vendor.id, company_id=vendor.company_id)
    else:
        role_service.require_assignable(role_service.get_role(session, role_id), may_grant)
        target = Target(vendor.id, role_id=role_id)
    return invite(session, email, target, by=editor.user_id, language=language)


def invite_operator(session: Session, email: str, target: Target, editor: Editor, language: str) -> UUID:
    """Ask somebody to join the operator's people with a role. Raises as ``invite_to_team``, NotFoundError."""
    assert target.operator_role_id is not None
    operator_role_service.require_assignable(session, target.operator_role_id, editor)
    return invite(session, email, target, by=editor.user_id, language=language)


def invite(session: Session, email: str, target: Target, *, by: UUID, language: str) -> UUID:
    """Write an invitation and mail it; the caller has made sure that ``by`` may. Raises as ``invite_to_team``."""
    norm = user_service.require_email("email", email)
    place = {"platform_id": target.platform_id, "company_id": target.company_id}
    with acting_in(session, IdentityScope()):
        is_member = _belongs(session, norm, target)
        waiting = session.scalars(
            select(Invitation).where(
                Invitation.email_norm == norm,
                Invitation.vendor_id == target.vendor_id,
                Invitation.platform_id == target.platform_id,
                Invitation.company_id == target.company_id,
                Invitation.operator_role_id.is_(None) == (target.operator_role_id is None),
                *is_open(),
            )
        ).first()
    if is_member:
        raise AlreadyMemberError("email", email.strip())
    if waiting is not None:
        raise AlreadyInvitedError("email", email.strip())
    if target.role_id and target.vendor_id:
        consume(session, target.vendor_id, TEAM_MEMBERS)
    invitation = Invitation(
        email=email.strip(),
        email_norm=norm,
        vendor_id=target.vendor_id,
        role_id=target.role_id,
        operator_role_id=target.operator_role_id,
        language=language,
        invited_by=by,
        expires_at=clock.system_now() + VALID_FOR,
        **place,
    )
    session.add(invitation)
    session.flush()
    _mail(session, invitation)
    _record(session, "tenancy.user_invited", invitation)
    return invitation.id


def _belongs(session: Session, norm: str, target: Target) -> bool:
    if target.operator_role_id is not None and target.platform_id is None:
        everywhere = select(User.id).where(User.email_norm == norm, User.is_on_all_platforms)
        return session.scalar(everywhere) is not None
    if target.role_id is not None:
        place = {"vendor_id": target.vendor_id}
    else:
        place = {"platform_id": target.platform_id, "company_id": target.company_id}
    membership = select(Membership.id).join(User).where(User.email_norm == norm).filter_by(**place)
    return session.scalar(membership.limit(1)) is not None


def count_team(session: Session) -> int:
    """People in the team of the vendor of the session's scope, with those who are invited; owners of its company apart.

    Owners belong to the company, which may have several vendors.
    """
    assert isinstance(session, ScopedSession)
    assert isinstance(session.scope, TenantScope)
    vendor_id = session.scope.vendor_id
    with acting_in(session, IdentityScope()):
        members = select(func.count()).where(Membership.vendor_id == vendor_id)
        asked = select(func.count()).where(
            Invitation.vendor_id == vendor_id, Invitation.role_id.is_not(None), *is_open()
        )
        return session.scalar(select(members.scalar_subquery() + asked.scalar_subquery())) or 0


def is_open() -> Sequence[ColumnElement[bool]]:
    """Conditions of invitations that can still be accepted."""
    return (
        Invitation.accepted_at.is_(None),
        Invitation.revoked_at.is_(None),
        Invitation.expires_at > clock.system_now(),
    )


def get_invitation(session: Session, invitation_id: UUID) -> Invitation:
    """An invitation that the session's scope may see; NotFoundError."""
    invitation = session.get(Invitation, invitation_id)
    if invitation is None:
        raise NotFoundError
    return invitation


def _get_unsettled(session: Session, invitation_id: UUID) -> Invitation:
    invitation = get_invitation(session, invitation_id)
    if invitation.accepted_at or invitation.revoked_at:
        raise NotFoundError
    return invitation


def list_waiting(session: Session, **place: UUID) -> Sequence[Invitation]:
    """Invitations to a place that were neither accepted nor revoked, also expired ones, the newest first."""
    return session.scalars(
        select(Invitation)
        .filter_by(accepted_at=None, revoked_at=None, **place)
        .order_by(Invitation.id.desc())
        .limit(200)
    ).all()


def select_invitations(language: str) -> Select[Any]:
    """Invitations with the name of the place that they lead to, of those that the reader may see."""
    everywhere = translate(language, "tenancy.all_platforms")
    place = func.coalesce(Platform.name, Company.name, Vendor.name, everywhere)
    columns: Sequence[Any] = (
        Invitation.id,
        Invitation.email,
        Invitation.created_at,
        Invitation.expires_at,
        Invitation.accepted_at,
        Invitation.revoked_at,
        place.label("place"),
    )
    return (
        select(*columns)
        .outerjoin(Platform, Platform.id == Invitation.platform_id)
        .outerjoin(Company, Company.id == Invitation.company_id)
        .outerjoin(Vendor, Vendor.id == Invitation.vendor_id)
    )


def select_team_invitations() -> Select[Any]:
    """The invitations of the reader's vendor, with the name of the role; owners have none."""
    columns: Sequence[Any] = (
        Invitation.id,
        Invitation.email,
        Invitation.created_at,
        Invitation.expires_at,
        Invitation.accepted_at,
        Invitation.revoked_at,
        Role.name.label("role"),
    )
    return select(*columns).outerjoin(Role, Role.id == Invitation.role_id)


def matching(words: str) -> ColumnElement[bool]:
    """Whose address holds the words."""
    return Invitation.email.icontains(words, autoescape=True)


def in_state(states: Sequence[str]) -> ColumnElement[bool]:
    """Invitations that are waiting, expired, accepted or revoked."""
    is_settled = or_(Invitation.accepted_at.is_not(None), Invitation.revoked_at.is_not(None))
    conditions = {
        "waiting": and_(*is_open()),
        "expired": and_(~is_settled, Invitation.expires_at <= clock.system_now()),
        "accepted": Invitation.accepted_at.is_not(None),
        "revoked": Invitation.revoked_at.is_not(None),
    }
    return or_(*(conditions[state] for state in states))


def resend(session: Session, invitation_id: UUID) -> Invitation:
    """Mail a new link, good for another seven days; the former one no longer works.

    Raises NotFoundError, and LimitReachedError for one that had expired and no longer fits.
    """
    invitation = _get_unsettled(session, invitation_id)
    is_over = invitation.expires_at <= clock.system_now()
    if is_over and invitation.role_id and invitation.vendor_id:
        consume(session, invitation.vendor_id, TEAM_MEMBERS)
    invitation.sends += 1
    invitation.expires_at = clock.system_now() + VALID_FOR
    session.flush()
    _mail(session, invitation)
    _record(session, "tenancy.invitation_resent", invitation)
    return invitation


def revoke(session: Session, invitation_id: UUID) -> Invitation:
    """Take an invitation back: its link no longer works."""
    invitation = _get_unsettled(session, invitation_id)
    invitation.revoked_at = clock.system_now()
    session.flush()
    _record(session, "tenancy.invitation_revoked", invitation)
    return invitation


def link_token(invitation: Invitation) -> str:
    """What the mailed link carries."""
    payload = {"id": str(invitation.id), "sends": invitation.sends}
    return security.sign("invitation", payload, get_keys(get_settings()))


def find_offer(session: Session, token: str) -> Offer:
    """What a link offers. Needs the identity scope; LinkExpiredError."""
    seconds = int(VALID_FOR.total_seconds())
    payload = security.unsign("invitation", token, seconds, get_keys(get_settings()))
    invitation = session.get(Invitation, UUID(payload["id"])) if payload else None
    if payload is None or invitation is None or not _is_good(invitation, payload["sends"]):
        raise LinkExpiredError
    user = session.scalar(select(User).where(User.email_norm == invitation.email_norm))
    area = "admin" if invitation.operator_role_id else "vendor"
    return Offer(invitation, _place(session, invitation), _role_name(session, invitation), area, user)


def accept(session: Session, token: str, *, name: str, password: str) -> Offer:
    """Join: makes the account, or ties the one that the address has (name and password are not asked for then).

    Needs the identity scope. Raises LinkExpiredError, ValidationFailedError for a weak password, LimitReachedError.
    """
    offer = find_offer(session, token)
    invitation = offer.invitation
    with acting_in(session, SYSTEM):
        session.refresh(invitation, with_for_update=True)
    offer = find_offer(session, token)  # a twin of this request may have been faster
    if offer.user is None:
        name = record_service.require_text("name", name)
        user_id = user_service.create_user(session, email=invitation.email, name=name, password=password)
        session.get_one(User, user_id).language = invitation.language
    elif offer.user.is_active:
        user_id = offer.user.id
    else:
        raise LinkExpiredError
    with acting_in(session, SYSTEM):
        invitation.accepted_at = clock.system_now()
        session.flush()
    if invitation.role_id and invitation.vendor_id:
        # It counts no longer as one that waits: is there still room for a member?
        consume(session, invitation.vendor_id, TEAM_MEMBERS)
    _join(session, invitation, user_id)
    with acting_in(session, SYSTEM):
        _record(session, "tenancy.invitation_accepted", invitation, actor_id=user_id)
    return offer


def _join(session: Session, invitation: Invitation, user_id: UUID) -> None:
    try:
        if invitation.operator_role_id is not None:
            operator_role_service.grant(session, user_id, invitation.operator_role_id)
            user_service.join_platform(session, user_id, invitation.platform_id)
            return
        user_service.add_membership(
            session,
            user_id,
            company_id=invitation.company_id,
            vendor_id=invitation.vendor_id if invitation.role_id else None,
            role_id=invitation.role_id,
        )
    except AlreadyMemberError:
        return  # they joined by another invitation meanwhile


def _is_good(invitation: Invitation, sends: int) -> bool:
    is_over = invitation.accepted_at or invitation.revoked_at or invitation.expires_at <= clock.system_now()
    return not is_over and invitation.sends == sends


def _place(session: Session, invitation: Invitation) -> str:
    if invitation.platform_id is not None:
        return session.get_one(Platform, invitation.platform_id).name
    if invitation.company_id is not None:
        return session.get_one(Company, invitation.company_id).name
    if invitation.operator_role_id is not None:
        return translate(invitation.language, "tenancy.all_platforms")
    return session.get_one(Vendor, invitation.vendor_id).name


def _role_name(session: Session, invitation: Invitation) -> str | None:
    if invitation.operator_role_id is not None:
        role = session.get_one(OperatorRole, invitation.operator_role_id)
        return operator_role_service.name_of(role, invitation.language)
    return session.get_one(Role, invitation.role_id).name if invitation.role_id else None


def _mail(session: Session, invitation: Invitation) -> None:
    dispatch(session, _SEND, kwargs={"invitation_id": invitation.id}, vendor_id=invitation.vendor_id)


def _record(session: Session, action: str, invitation: Invitation, actor_id: UUID | None = None) -> None:
    audit_service.record(
        session,
        action,
        vendor_id=invitation.vendor_id,
        actor_id=actor_id,
        target=to_public("inv", invitation.id),
        email=invitation.email,
    )
