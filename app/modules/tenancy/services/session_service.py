"""Signing in and out, and the sessions that come of it. All functions need the identity scope."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from app.core import clock, security
from app.core.config import get_settings
from app.core.database import SYSTEM, independent_write
from app.core.errors import NotFoundError
from app.core.ids import to_public
from app.core.keys import get_keys
from app.modules.base import Area
from app.modules.tenancy.exceptions import (
    LinkExpiredError,
    NoAccessError,
    WrongCodeError,
    WrongCredentialsError,
)
from app.modules.tenancy.models.tenant import Company, Vendor
from app.modules.tenancy.models.user import Membership, User, UserSession
from app.modules.tenancy.services import audit_service, sign_in_guard_service, two_step_service
from app.modules.tenancy.services.user_service import normalise_email

SESSION_IDLE = timedelta(hours=12)
CHALLENGE_SECONDS = 300
_SEEN_EVERY = timedelta(minutes=5)
# The first that fits: many say that they are others, too.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Browser:
    """Where a sign-in comes from."""

    ip: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a right password brings: a session's ``token``, or the ``challenge`` of the second step."""

    token: str | None = None
    challenge: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A vendor somebody may work in."""

    code: str
    name: str
    is_active: bool = True


def sign_in(session: Session, area: Area, email: str, password: str, browser: Browser) -> SignIn:
    """Open a session in an area, or ask for the second step of those who have one.

    Raises WrongCredentialsError, SignInLockedError or NoAccessError.
    """
    norm = normalise_email(email)
    sign_in_guard_service.refuse_locked(session, norm)
    user = session.scalar(select(User).where(User.email_norm == norm, User.is_active))
    if not security.verify_password(user.password_hash if user else None, password) or user is None:
        sign_in_guard_service.count_failure(norm, area, browser.ip)
        raise WrongCredentialsError
    if area == "admin" and not _is_admin(session, user):
        raise NoAccessError
    if area == "vendor" and not list_places(session, user.id):
        raise NoAccessError
    if user.password_hash and security.needs_rehash(user.password_hash):
        user.password_hash = security.hash_password(password)
    if user.totp_confirmed_at is not None:
        payload = {"user": str(user.id), "area": area, "version": _fingerprint(user)}
        return SignIn(challenge=security.sign("second-step", payload, get_keys(get_settings())))
    return SignIn(token=_open(session, user, area, browser))


def second_step(session: Session, area: Area, challenge: str, code: str, browser: Browser) -> str:
    """The token of a new session, for a code of the app or a recovery code within five minutes of the password.

    Raises LinkExpiredError for an old challenge, WrongCodeError, SignInLockedError.
    """
    payload = security.unsign("second-step", challenge, CHALLENGE_SECONDS, get_keys(get_settings())) or {}
    user = session.get(User, UUID(payload["user"])) if payload.get("area") == area else None
    if user is None or not user.is_active or payload["version"] != _fingerprint(user):
        raise LinkExpiredError
    sign_in_guard_service.refuse_locked(session, user.email_norm)
    if not two_step_service.takes(session, user, code):
        sign_in_guard_service.count_failure(user.email_norm, area, browser.ip)
        raise WrongCodeError
    return _open(session, user, area, browser)


def open_first(session: Session, user_id: UUID, area: Area, browser: Browser) -> str:
    """The token of the first session of somebody who has just set their password."""
    return _open(session, session.get_one(User, user_id), area, browser)


def sign_out(session: Session, token: str) -> None:
    """End a session; nothing happens when it has ended already."""
    session.execute(delete(UserSession).where(UserSession.token_hash == security.hash_token(token)))


def find_session(session: Session, area: Area, token: str) -> tuple[UserSession, User] | None:
    """A live session and its user; keeps it alive, writing at most every five minutes.

    That of an admin who acts as somebody is not kept alive.
    """
    row = session.execute(
        select(UserSession, User)
        .join(User, User.id == UserSession.user_id)
        .where(UserSession.token_hash == security.hash_token(token), UserSession.area == area, User.is_active)
    ).one_or_none()
    now = clock.system_now()
    if row is None or row.UserSession.expires_at <= now:
        return None
    if now - row.UserSession.seen_at > _SEEN_EVERY:
        row.UserSession.seen_at = now
        if row.UserSession.acting_admin_id is None:
            row.UserSession.expires_at = now + SESSION_IDLE
    return row.UserSession, row.User


def list_places(session: Session, user_id: UUID, vendor_id: UUID | None = None) -> Sequence[Place]:
    """The vendors a user owns or works for, by name; of them ``vendor_id`` only, where it is given."""
    rows = session.execute(
        select(Vendor.code, Vendor.name, Vendor.is_active & Company.is_active)
        .distinct()
        .join(Company, Company.id == Vendor.company_id)
        .join(Membership, or_(Membership.vendor_id == Vendor.id, Membership.company_id == Vendor.company_id))
        .where(Membership.user_id == user_id, *([Vendor.id == vendor_id] if vendor_id else []))
        .order_by(Vendor.name)
    )
    return [Place(*row) for row in rows]


def list_sessions(session: Session, user_id: UUID) -> Sequence[UserSession]:
    """The live sessions of a user, the last used first; those of admins who act as the user are not shown."""
    return session.scalars(
        select(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.acting_admin_id.is_(None),
            UserSession.expires_at > clock.system_now(),
        )
        .order_by(UserSession.seen_at.desc())
        .limit(100)
    ).all()


def browser_name(user_agent: str | None) -> str:
    """What people call a browser and its system: "Firefox, Linux"; empty when it says nothing known."""
    said = user_agent or ""
    browser = next((name for mark, name in _BROWSERS if mark in said), "")
    system = next((name for mark, name in _SYSTEMS if mark in said), "")
    return ", ".join(filter(None, (browser, system)))


def is_of_token(one: UserSession, token: str) -> bool:
    """Whether a session is the one of this token."""
    return one.token_hash == security.hash_token(token)


def end_session(session: Session, user_id: UUID, session_id: UUID) -> None:
    """End one session of a user; NotFoundError."""
    statement = delete(UserSession).where(UserSession.id == session_id, UserSession.user_id == user_id)
    if session.execute(statement.returning(UserSession.id)).first() is None:
        raise NotFoundError


def end_sessions(session: Session, user_id: UUID, *, but_token: str | None = None) -> int:
    """End all sessions of a user, but the one of a token; returns how many."""
    statement = delete(UserSession).where(UserSession.user_id == user_id)
    if but_token is not None:
        statement = statement.where(UserSession.token_hash != security.hash_token(but_token))
    return len(session.execute(statement.returning(UserSession.id)).all())


def delete_ended_sessions(session: Session) -> int:
    """Remove sessions that can no longer be used; returns how many."""
    gone = session.execute(
        delete(UserSession).where(UserSession.expires_at < clock.system_now()).returning(UserSession.id)
    )
    return len(gone.all())


def _open(session: Session, user: User, area: Area, browser: Browser) -> str:
    # Past the version: signing in is no edit of the record.
    session.execute(update(User).where(User.id == user.id).values(last_sign_in_at=clock.system_now()))
    sign_in_guard_service.forget_failures(session, user.email_norm)
    token = security.new_token()
    session.add(
        UserSession(
            token_hash=security.hash_token(token),
            user_id=user.id,
            area=area,
            expires_at=clock.system_now() + SESSION_IDLE,
            ip=browser.ip,
            user_agent=(browser.user_agent or "")[:200],
        )
    )
    session.flush()
    with independent_write(SYSTEM) as own:
        target = to_public("usr", user.id)
        audit_service.record(
            own, "tenancy.signed_in", actor_id=user.id, target=target, area=area, ip=browser.ip
        )
    return token


def _fingerprint(user: User) -> str:
    """Changes with the password, so that what was signed before no longer counts."""
    return security.hash_token(user.password_hash or "").hex()[:16]


def _is_admin(session: Session, user: User) -> bool:
    of_platform = select(Membership.id).where(
        Membership.user_id == user.id, Membership.platform_id.is_not(None)
    )
    return user.is_super_admin or user.is_on_all_platforms or session.scalar(of_platform.limit(1)) is not None
