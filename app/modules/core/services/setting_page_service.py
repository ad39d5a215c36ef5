"""The form of settings, made from what modules declare."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.modules.core.contracts import HomeArea, Setting
from app.modules.core.enums import SettingSource
from app.modules.core.services import setting_service
from app.modules.core.services.setting_service import Known
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pages import PageContext
from app.modules.tenancy.facade import user_names

_KINDS = {"text": "text", "number": "number", "switch": "checkbox", "choice": "select"}


def settings_form(area: HomeArea) -> FormSpec:
    """The settings of an area that the environment leaves open."""

    def fields(ctx: PageContext) -> Sequence[Field]:
        return [_field(known.setting) for known in _open(ctx, area)]

    def load(ctx: PageContext) -> Mapping[str, Any]:
        known = _open(ctx, area)
        values: dict[str, Any] = {one.setting.key: one.value for one in known}
        return values | {"version": sum(one.version for one in known)}

    def save(ctx: PageContext, values: Mapping[str, Any]) -> str:
        for known in _open(ctx, area):
            key = known.setting.key
            setting_service.change_setting(
                ctx.session, area, key, _text(values[key]), version=known.version, by=ctx.who.user_id
            )
        return ctx.url(f"core.{area}.settings")

    return FormSpec(
        f"core.{area}.settings",
        "core.settings",
        fields,
        save,
        load=load,
        has_intro=True,
        template="core/settings.html",
        extra=lambda ctx: {
            "rows": setting_rows(ctx, area),
            "reset_url": f"{ctx.url(f'core.{area}.settings')}/reset",
        },
    )


def setting_rows(ctx: PageContext, area: HomeArea) -> list[dict[str, Any]]:
    """Where the value of each setting comes from, and who changed it last."""
    known = setting_service.list_settings(ctx.session, area)
    names = user_names(ctx.session, {one.changed_by for one in known if one.changed_by})
    return [
        {
            "key": one.setting.key,
            "label": ctx.t(one.setting.label_key),
            "value": _shown(ctx, one),
            "source": one.source,
            "variable": setting_service.variable(one.setting)
            if one.source is SettingSource.ENVIRONMENT
            else None,
            "changed_at": one.changed_at,
            "changed_by": names.get(one.changed_by) if one.changed_by else None,
        }
        for one in known
    ]


def _open(ctx: PageContext, area: HomeArea) -> list[Known]:
    known = setting_service.list_settings(ctx.session, area)
    return [one for one in known if one.source is not SettingSource.ENVIRONMENT]


def _field(setting: Setting) -> Field:
    is_asked = setting.kind in ("number", "choice")
    return Field(
        setting.key,
        setting.label_key,
        _KINDS[setting.kind],  # type: ignore[arg-type]
        is_required=is_asked,
        hint_key=setting.hint_key,
        max_length=500,
        options=setting.choices,
    )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def _shown(ctx: PageContext, known: Known) -> str:
    if isinstance(known.value, bool):
        return ctx.t("ui.yes" if known.value else "ui.no")
    texts = dict(known.setting.choices)
    key = texts.get(str(known.value))
    return ctx.t(key) if key else str(known.value)
