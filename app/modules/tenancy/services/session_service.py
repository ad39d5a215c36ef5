"""Signing in and out, and locking out those who guess."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core import clock, security
from app.core.database import SYSTEM, IdentityScope, independent_write
from app.modules.base import Area
from app.modules.tenancy.exceptions import NoAccessError, SignInLockedError, WrongCredentialsError
from app.modules.tenancy.models.tenant import Vendor
from app.modules.tenancy.models.user import Membership, SignInGuard, User, UserSession
from app.modules.tenancy.services import audit_service
from app.modules.tenancy.services.user_service import normalise_email

SESSION_IDLE = timedelta(hours=12)
_FREE_TRIES = 5
_FIRST_LOCK = timedelta(minutes=1)
_LONGEST_LOCK = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Place:
    """A vendor somebody may work in."""

    code: str
    name: str


def sign_in(
    session: Session, area: Area, email: str, password: str, *, ip: str | None, user_agent: str | None
) -> str:
    """Open a session in an area and return its token, for the cookie only. Needs the identity scope.

    Raises WrongCredentialsError, SignInLockedError (five failures lock the address for a minute, each further
    one doubles that, up to an hour; an unknown address behaves the same) or NoAccessError. Failures are written
    in their own transaction, so that rolling back does not forget them.
    """
    norm = normalise_email(email)
    _refuse_locked(session, norm)
    user = session.scalar(select(User).where(User.email_norm == norm, User.is_active))
    if not security.verify_password(user.password_hash if user else None, password) or user is None:
        _count_failure(norm, area, ip)
        raise WrongCredentialsError
    if area == "admin" and not _is_admin(session, user):
        raise NoAccessError
    if area == "vendor" and not list_places(session, user.id):
        raise NoAccessError
    if user.password_hash and security.needs_rehash(user.password_hash):
        user.password_hash = security.hash_password(password)
    user.last_sign_in_at = clock.system_now()
    session.execute(delete(SignInGuard).where(SignInGuard.email_norm == norm))
    token = security.new_token()
    session.add(
        UserSession(
            token_hash=security.hash_token(token),
            user_id=user.id,
            area=area,
            expires_at=clock.system_now() + SESSION_IDLE,
            ip=ip,
            user_agent=(user_agent or "")[:200],
        )
    )
    session.flush()
    _audit("tenancy.signed_in", user.id, area, ip)
    return token


def sign_out(session: Session, token: str) -> None:
    """End a session; nothing happens when it has ended already. Needs the identity scope."""
    session.execute(delete(UserSession).where(UserSession.token_hash == security.hash_token(token)))


def find_user_of(session: Session, area: Area, token: str) -> User | None:
    """The user of a live session; keeps the session alive, writing at most every five minutes."""
    row = session.execute(
        select(UserSession, User)
        .join(User, User.id == UserSession.user_id)
        .where(UserSession.token_hash == security.hash_token(token), UserSession.area == area, User.is_active)
    ).one_or_none()
    now = clock.system_now()
    if row is None or row.UserSession.expires_at <= now:
        return None
    if now - row.UserSession.seen_at > timedelta(minutes=5):
        row.UserSession.seen_at, row.UserSession.expires_at = now, now + SESSION_IDLE
    user: User = row.User
    return user


def list_places(session: Session, user_id: UUID) -> Sequence[Place]:
    """The vendors a user owns or works for, by name. Needs the identity scope."""
    rows = session.execute(
        select(Vendor.code, Vendor.name)
        .distinct()
        .join(Membership, or_(Membership.vendor_id == Vendor.id, Membership.company_id == Vendor.company_id))
        .where(Membership.user_id == user_id, Vendor.is_active)
        .order_by(Vendor.name)
    )
    return [Place(row.code, row.name) for row in rows]


def delete_ended_sessions(session: Session) -> int:
    """Remove sessions that can no longer be used; returns how many. Needs the identity scope."""
    gone = session.execute(
        delete(UserSession).where(UserSession.expires_at < clock.system_now()).returning(UserSession.id)
    )
    return len(gone.all())


def _is_admin(session: Session, user: User) -> bool:
    of_platform = select(Membership.id).where(
        Membership.user_id == user.id, Membership.platform_id.is_not(None)
    )
    return user.is_super_admin or session.scalar(of_platform.limit(1)) is not None


def _refuse_locked(session: Session, norm: str) -> None:
    until = session.scalar(select(SignInGuard.locked_until).where(SignInGuard.email_norm == norm))
    if until is not None and until > clock.system_now():
        minutes = -(-int((until - clock.system_now()).total_seconds()) // 60)
        raise SignInLockedError(f"Too many tries. Try again in {minutes} min.", minutes=minutes)


def _count_failure(norm: str, area: Area, ip: str | None) -> None:
    now = clock.system_now()
    with independent_write(IdentityScope()) as session:
        statement = insert(SignInGuard).values(email_norm=norm, failures=1, updated_at=now)
        failures = session.scalar(
            statement.on_conflict_do_update(
                index_elements=["email_norm"], set_={"failures": SignInGuard.failures + 1, "updated_at": now}
            ).returning(SignInGuard.failures)
        )
        assert failures is not None
        if failures >= _FREE_TRIES:
            lock = min(_FIRST_LOCK * 2 ** min(failures - _FREE_TRIES, 10), _LONGEST_LOCK)
            session.get_one(SignInGuard, norm).locked_until = now + lock
    _audit("tenancy.sign_in_failed", None, area, ip)


def _audit(action: str, user_id: UUID | None, area: Area, ip: str | None) -> None:
    with independent_write(SYSTEM) as session:
        audit_service.record(session, action, actor_id=user_id, target=area, ip=ip)
