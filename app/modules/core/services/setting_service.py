"""Settings that modules declare: their value, where it comes from, and changing it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import ConfigurationError, ConflictError, FieldError, ValidationFailedError
from app.modules.base import Area
from app.modules.core.contracts import SETTINGS, Setting
from app.modules.core.enums import SettingSource
from app.modules.core.exceptions import SettingLockedError, SettingNotFoundError
from app.modules.core.models.setting import AdminSetting, VendorSetting
from app.modules.core.services.reach_service import require_all_platforms, vendor_of
from app.modules.tenancy.facade import record_audit

Value = str | int | bool
_MAX_TEXT = 500
_ON = ("on", "true", "1")
_OFF = ("", "off", "false", "0")


@dataclass(frozen=True, slots=True)
class Known:
    """A setting with its value now. ``version`` 0: nothing is stored."""

    setting: Setting
    value: Value
    source: SettingSource
    version: int = 0
    changed_by: UUID | None = None
    changed_at: datetime | None = None


def core_settings() -> Sequence[Setting]:
    """The core module's own settings."""
    return (
        Setting(
            "core.notification_days",
            "number",
            90,
            "core.settings.notification_days",
            "core.settings.notification_days_hint",
            area="admin",
            minimum=7,
            maximum=730,
        ),
        Setting(
            "core.webhook_log_days",
            "number",
            30,
            "core.settings.webhook_log_days",
            "core.settings.webhook_log_days_hint",
            area="admin",
            minimum=1,
            maximum=365,
        ),
        Setting(
            "core.export_days",
            "number",
            7,
            "core.settings.export_days",
            "core.settings.export_days_hint",
            area="admin",
            minimum=1,
            maximum=90,
        ),
        Setting(
            "core.show_setup", "switch", True, "core.settings.show_setup", "core.settings.show_setup_hint"
        ),
    )


def declared(area: Area) -> dict[str, Setting]:
    """The settings of an area that installed modules declare, by key. ConfigurationError for a key used twice."""
    found: dict[str, Setting] = {}
    for ask in SETTINGS.implementations():
        for setting in ask():
            if setting.key in found:
                raise ConfigurationError(f"Two modules declare the setting {setting.key!r}.")
            found[setting.key] = setting
    return {key: setting for key, setting in found.items() if setting.area == area}


def read_setting(session: Session, key: str) -> Value:
    """The value of a setting: the vendor's of the session's scope, or the installation's.

    Raises SettingNotFoundError for a key that nobody declares.
    """
    for area in ("vendor", "admin"):
        setting = declared(area).get(key)
        if setting is not None:
            return _known(session, setting).value
    raise SettingNotFoundError


def list_settings(session: Session, area: Area) -> list[Known]:
    """All settings of an area, with their values."""
    return [_known(session, setting) for setting in declared(area).values()]


def change_setting(
    session: Session, area: Area, key: str, text: str, *, version: int | None, by: UUID
) -> Value:
    """Store what somebody typed; the value. Audited when it is another one than before.

    Raises ValidationFailedError, SettingLockedError, ConflictError for a stale version, SettingNotFoundError.
    """
    setting = _declared(area, key)
    require_all_platforms(session)
    value = parse(setting, text)
    known = _known(session, setting)
    if known.source is SettingSource.ENVIRONMENT:
        raise SettingLockedError
    if version is not None and version != known.version:
        raise ConflictError
    if value != known.value:
        row = _row(session, setting)
        if row is None:
            row = _new_row(session, setting)
            session.add(row)
        row.value, row.changed_by = value, by
        session.flush()
        _audit(session, key, known.value, value, by)
    return value


def reset_setting(session: Session, area: Area, key: str, *, by: UUID) -> None:
    """Go back to the declared default."""
    setting = _declared(area, key)
    require_all_platforms(session)
    row = _row(session, setting)
    if row is not None:
        former = row.value
        session.delete(row)
        session.flush()
        _audit(session, key, former, setting.default, by)


def parse(setting: Setting, text: str) -> Value:
    """A typed text as the setting's value. Raises ValidationFailedError that says what is wanted."""
    text = text.strip()
    if setting.kind == "switch":
        if text not in _ON + _OFF:
            raise _error(setting, "choose")
        return text in _ON
    if setting.kind == "choice":
        if text not in {value for value, _ in setting.choices}:
            raise _error(setting, "choose")
        return text
    if setting.kind == "number":
        digits = "".join(text.split())
        if not digits.isdecimal() or not setting.minimum <= int(digits) <= setting.maximum:
            raise _error(setting, "number", minimum=setting.minimum, maximum=setting.maximum)
        return int(digits)
    if len(text) > _MAX_TEXT:
        raise _error(setting, "too_long", number=_MAX_TEXT)
    return text


def variable(setting: Setting) -> str:
    """The environment variable that fixes a setting of the installation."""
    return setting.key.replace(".", "_").replace("-", "_").upper()


def _declared(area: Area, key: str) -> Setting:
    setting = declared(area).get(key)
    if setting is None:
        raise SettingNotFoundError
    return setting


def _known(session: Session, setting: Setting) -> Known:
    given = os.environ.get(variable(setting)) if setting.area == "admin" else None
    if given is not None:
        try:
            return Known(setting, parse(setting, given), SettingSource.ENVIRONMENT)
        except ValidationFailedError as error:
            raise ConfigurationError(
                f"{variable(setting)} does not fit the setting {setting.key}."
            ) from error
    row = _row(session, setting)
    if row is None:
        return Known(setting, setting.default, SettingSource.DEFAULT)
    return Known(setting, row.value, SettingSource.DATABASE, row.version, row.changed_by, row.updated_at)


def _row(session: Session, setting: Setting) -> AdminSetting | VendorSetting | None:
    if setting.area == "admin":
        return session.get(AdminSetting, setting.key)
    vendor_id = vendor_of(session)
    return session.get(VendorSetting, (vendor_id, setting.key)) if vendor_id else None


def _new_row(session: Session, setting: Setting) -> AdminSetting | VendorSetting:
    if setting.area == "admin":
        return AdminSetting(key=setting.key)
    return VendorSetting(vendor_id=vendor_of(session), key=setting.key)


def _audit(session: Session, key: str, former: Value, value: Value, by: UUID) -> None:
    record_audit(
        session,
        "core.setting_changed",
        vendor_id=vendor_of(session),
        actor_id=by,
        target=key,
        former=former,
        value=value,
    )


def _error(setting: Setting, code: str, **params: int) -> ValidationFailedError:
    return ValidationFailedError(
        f"{setting.key} cannot have this value.",
        errors=[FieldError(setting.key, code, f"core.settings.error_{code}", params)],
    )
