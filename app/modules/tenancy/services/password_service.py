"""Changing a password, and setting a new one by a mailed link. All functions need the identity scope."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import rate_limit, security
from app.core.config import get_settings
from app.core.database import SYSTEM, acting_in
from app.core.errors import FieldError, ValidationFailedError
from app.core.ids import to_public
from app.core.keys import get_keys
from app.modules.tenancy.exceptions import LinkExpiredError
from app.modules.tenancy.models.user import User
from app.modules.tenancy.services import audit_service, session_service
from app.modules.tenancy.services.user_service import normalise_email, require_strong_password
from app.tasks.dispatcher import dispatch

RESET_SECONDS = 3600
_SEND = "app.modules.tenancy.tasks.mails.send_password_reset"
_RESETS_PER_HOUR = 3


def change_password(session: Session, user_id: UUID, current: str, new: str, *, token: str) -> None:
    """Change one's own password; ends all sessions but the one of ``token``. Raises ValidationFailedError."""
    user = session.get_one(User, user_id)
    if not security.verify_password(user.password_hash, current):
        error = FieldError("current_password", "wrong", "tenancy.errors.current_password", {})
        raise ValidationFailedError("The current password does not fit.", errors=[error])
    _set_password(session, user, new, "tenancy.password_changed")
    session_service.end_sessions(session, user.id, but_token=token)


def request_reset(session: Session, email: str, language: str) -> None:
    """Mail a link to set a new password. Nothing tells whether the address has an account: the same work is done."""
    norm = normalise_email(email)
    user_id = session.scalar(select(User.id).where(User.email_norm == norm, User.is_active))
    if not rate_limit.hit(f"password-reset:{norm}", limit=_RESETS_PER_HOUR, window_seconds=3600).allowed:
        return
    with acting_in(session, SYSTEM):
        dispatch(session, _SEND, kwargs={"user_id": user_id, "language": language})
        if user_id is not None:
            target = to_public("usr", user_id)
            audit_service.record(session, "tenancy.password_reset_requested", target=target)


def reset_token(user: User) -> str:
    """What the mailed link carries: signed, and dead as soon as the password has changed."""
    payload = {"user": str(user.id), "password": _fingerprint(user)}
    return security.sign("password-reset", payload, get_keys(get_settings()))


def find_user_of_reset(session: Session, token: str) -> User:
    """Whose password a link sets; LinkExpiredError after an hour, after use, and for forged ones."""
    payload = security.unsign("password-reset", token, RESET_SECONDS, get_keys(get_settings()))
    user = session.get(User, UUID(payload["user"])) if payload else None
    if payload is None or user is None or not user.is_active or payload["password"] != _fingerprint(user):
        raise LinkExpiredError
    return user


def reset_password(session: Session, token: str, new: str) -> None:
    """Set a new password by link, once; ends all sessions. Raises LinkExpiredError, ValidationFailedError."""
    user = find_user_of_reset(session, token)
    session.refresh(user, with_for_update=True)
    find_user_of_reset(session, token)  # a twin of this request may have been faster
    _set_password(session, user, new, "tenancy.password_reset")
    session_service.end_sessions(session, user.id)


def _set_password(session: Session, user: User, new: str, action: str) -> None:
    require_strong_password(new, user.email, user.name)
    user.password_hash = security.hash_password(new)
    session.flush()
    with acting_in(session, SYSTEM):
        audit_service.record(session, action, actor_id=user.id, target=to_public("usr", user.id))


def _fingerprint(user: User) -> str:
    return security.hash_token(user.password_hash or "").hex()[:16]
