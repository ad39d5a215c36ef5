"""The form of settings, made from what modules declare."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Form, Response

from app.modules.base import Area
from app.modules.core.contracts import Setting
from app.modules.core.enums import SettingSource
from app.modules.core.services import setting_service
from app.modules.core.services.setting_service import Known
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter
from app.modules.tenancy.facade import user_names

router = AreaRouter("admin", "vendor")

_KINDS = {"text": "text", "number": "number", "switch": "checkbox", "choice": "select"}


@router.action("/settings/reset", permission="core.{area}_settings.manage")
def reset_setting(ctx: PageContext, key: Annotated[str, Form()] = "") -> Response:
    """Go back to the default of a setting."""
    setting_service.reset_setting(ctx.session, ctx.area, key, by=ctx.who.user_id)
    ctx.flash("success", "core.settings.saved")
    return ctx.redirect(f"core.{ctx.area}.settings")


def _settings_form(area: Area) -> FormSpec:
    """The settings of an area that the environment leaves open."""

    def fields(ctx: PageContext) -> Sequence[Field]:
        return [_field(known.setting) for known in _open(ctx)]

    def load(ctx: PageContext) -> Mapping[str, Any]:
        known = _open(ctx)
        values: dict[str, Any] = {one.setting.key: one.value for one in known}
        return values | {"version": sum(one.version for one in known)}

    def save(ctx: PageContext, values: Mapping[str, Any]) -> str:
        for known in _open(ctx):
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
            "rows": _rows(ctx),
            "reset_url": f"{ctx.url(f'core.{area}.settings')}/reset",
        },
    )


def _rows(ctx: PageContext) -> list[dict[str, Any]]:
    """Where the value of each setting comes from, and who changed it last."""
    known = setting_service.list_settings(ctx.session, ctx.area)
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


def _open(ctx: PageContext) -> list[Known]:
    known = setting_service.list_settings(ctx.session, ctx.area)
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


mount_form(router, _settings_form)
