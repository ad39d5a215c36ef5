"""The second step of signing in: time-based codes of an authenticator app, and recovery codes for who lost it.

All functions need the identity scope.
"""

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pyotp
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.core import clock, security
from app.core.database import SYSTEM, acting_in
from app.core.errors import ConflictError, FieldError, ValidationFailedError
from app.core.ids import to_public
from app.modules.tenancy.exceptions import WrongCredentialsError
from app.modules.tenancy.models.user import RecoveryCode, User
from app.modules.tenancy.services import audit_service

RECOVERY_CODES = 10
_ISSUER = "Wizamart"
_STEP_SECONDS = 30
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
_CODE_LETTERS = 16


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs: the secret to type, and the address that a QR code carries."""

    secret: str
    uri: str


def begin(session: Session, user_id: UUID) -> Enrolment:
    """The secret that is to be confirmed: a new one unless one waits. ConflictError when the second step is on."""
    user = session.get_one(User, user_id)
    if user.totp_confirmed_at is not None:
        raise ConflictError("The second step is on already.")
    if user.totp_secret is None:
        user.totp_secret = security.seal(pyotp.random_base32())
        session.flush()
    secret = security.unseal(user.totp_secret)
    return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=_ISSUER))


def confirm(session: Session, user_id: UUID, code: str) -> list[str]:
    """Switch the second step on with a first code of the app; returns the recovery codes, which are never shown again.

    Raises ValidationFailedError when the code does not fit, ConflictError when nothing waits to be confirmed.
    """
    user = session.get_one(User, user_id, with_for_update=True)
    if user.totp_secret is None or user.totp_confirmed_at is not None:
        raise ConflictError("There is nothing to confirm.")
    if not _takes_totp(user, code):
        error = FieldError("code", "wrong", "errors.tenancy.wrong_code", {})
        raise ValidationFailedError("The code does not fit.", errors=[error])
    user.totp_confirmed_at = clock.system_now()
    session.flush()
    codes = _replace_recovery_codes(session, user)
    _audit(session, "tenancy.two_step_enabled", user)
    return codes


def takes(session: Session, user: User, code: str) -> bool:
    """Whether a code of the app or a recovery code fits; it is used up by that."""
    session.refresh(user, with_for_update=True)
    return _takes_totp(user, code) or _takes_recovery_code(session, user, code)


def disable(session: Session, user_id: UUID, password: str) -> None:
    """Switch the second step off. Raises WrongCredentialsError."""
    user = session.get_one(User, user_id)
    _require_password(user, password)
    switch_off(session, user)


def switch_off(session: Session, user: User, *, by: str | None = None) -> None:
    """Switch the second step off, for somebody who lost everything; who may do that is the caller's question.

    ``by`` says who did it where that is no user.
    """
    user.totp_secret = user.totp_confirmed_at = user.totp_step = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    session.flush()
    _audit(session, "tenancy.two_step_disabled", user, **({"by": by} if by else {}))


def renew_recovery_codes(session: Session, user_id: UUID, password: str) -> list[str]:
    """New recovery codes in place of the former ones. Raises WrongCredentialsError, ConflictError."""
    user = session.get_one(User, user_id)
    _require_password(user, password)
    if user.totp_confirmed_at is None:
        raise ConflictError("The second step is off.")
    codes = _replace_recovery_codes(session, user)
    _audit(session, "tenancy.recovery_codes_renewed", user)
    return codes


def count_recovery_codes(session: Session, user_id: UUID) -> int:
    """How many recovery codes are left."""
    unused = (RecoveryCode.user_id == user_id) & (RecoveryCode.used_at.is_(None))
    return session.scalar(select(func.count()).select_from(RecoveryCode).where(unused)) or 0


def _require_password(user: User, password: str) -> None:
    if not security.verify_password(user.password_hash, password):
        raise WrongCredentialsError


def _takes_totp(user: User, code: str) -> bool:
    """The step before and after count too, as clocks differ; never one that was used, nor one before it."""
    digits = code.replace(" ", "")
    if user.totp_secret is None or len(digits) != 6:
        return False
    totp = pyotp.TOTP(security.unseal(user.totp_secret))
    now = int(clock.system_now().timestamp()) // _STEP_SECONDS
    for step in (now, now - 1, now + 1):
        if hmac.compare_digest(totp.generate_otp(step), digits) and step > (user.totp_step or 0):
            user.totp_step = step
            return True
    return False


def _takes_recovery_code(session: Session, user: User, code: str) -> bool:
    used = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user.id,
            RecoveryCode.code_hash == security.hash_token(_plain(code)),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=clock.system_now())
        .returning(RecoveryCode.id)
    ).first()
    return used is not None


def _replace_recovery_codes(session: Session, user: User) -> list[str]:
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = [_new_code() for _ in range(RECOVERY_CODES)]
    session.add_all(
        RecoveryCode(user_id=user.id, code_hash=security.hash_token(_plain(code))) for code in codes
    )
    session.flush()
    return codes


def _new_code() -> str:
    """79 bits, in groups of four: no letter that looks like another."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LETTERS))
    return "-".join(letters[start : start + 4] for start in range(0, _CODE_LETTERS, 4))


def _plain(code: str) -> str:
    return "".join(_letters(code.casefold()))


def _letters(text: str) -> Iterable[str]:
    return (letter for letter in text if letter in _LETTERS)


def _audit(session: Session, action: str, user: User, **details: Any) -> None:
    with acting_in(session, SYSTEM):
        audit_service.record(session, action, target=to_public("usr", user.id), **details)
