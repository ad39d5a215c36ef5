"""What people say about themselves. Needs the identity scope."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import available_timezones

from sqlalchemy.orm import Session

from app.core.errors import FieldError, ValidationFailedError
from app.core.i18n import LANGUAGES
from app.modules.pages import THEMES
from app.modules.tenancy.models.user import User
from app.modules.tenancy.services import record_service


@dataclass(frozen=True, slots=True)
class Profile:
    """How somebody is called and wants to see their pages; none is the default of the place they work in."""

    name: str
    language: str | None
    theme: str | None
    time_zone: str | None
    has_shortcuts: bool


def get_user(session: Session, user_id: UUID) -> User:
    """The user as stored."""
    return session.get_one(User, user_id)


def update_profile(session: Session, user_id: UUID, profile: Profile, *, version: int | None = None) -> None:
    """Change one's own profile. Raises ConflictError for a stale version, ValidationFailedError."""
    user = session.get_one(User, user_id)
    record_service.require_version(user, version)
    _require_known("language", profile.language, LANGUAGES)
    _require_known("theme", profile.theme, THEMES)
    _require_known("time_zone", profile.time_zone, available_timezones())
    user.name = record_service.require_text("name", profile.name)
    user.language, user.theme = profile.language, profile.theme
    user.time_zone, user.has_shortcuts = profile.time_zone, profile.has_shortcuts
    session.flush()


def _require_known(field: str, value: str | None, known: Collection[str]) -> None:
    if value is not None and value not in known:
        error = FieldError(field, "unknown", "tenancy.errors.choice", {})
        raise ValidationFailedError(f"{value!r} is not offered.", errors=[error])
