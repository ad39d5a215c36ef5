"""Locking out those who guess, by the address that they guess for. Needs the identity scope."""

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import SYSTEM, IdentityScope, independent_write
from app.modules.tenancy.exceptions import SignInLockedError
from app.modules.tenancy.models.user import SignInGuard
from app.modules.tenancy.services import audit_service

_FREE_TRIES = 5
_FIRST_LOCK = timedelta(minutes=1)
_LONGEST_LOCK = timedelta(hours=1)


def refuse_locked(session: Session, norm: str) -> None:
    """SignInLockedError while the address is locked: five failures lock it for a minute, each further one doubles that,
    up to an hour. An address that nobody has behaves the same."""
    until = session.scalar(select(SignInGuard.locked_until).where(SignInGuard.email_norm == norm))
    if until is not None and until > clock.system_now():
        minutes = -(-int((until - clock.system_now()).total_seconds()) // 60)
        raise SignInLockedError(f"Too many tries. Try again in {minutes} min.", minutes=minutes)


def count_failure(norm: str, area: str, ip: str | None) -> None:
    """Count a wrong password or code, in a transaction of its own: rolling back does not forget it."""
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
    with independent_write(SYSTEM) as session:
        audit_service.record(session, "tenancy.sign_in_failed", area=area, ip=ip)


def forget_failures(session: Session, norm: str) -> None:
    """Begin to count anew, after somebody has signed in with everything that was asked for."""
    session.execute(delete(SignInGuard).where(SignInGuard.email_norm == norm))
