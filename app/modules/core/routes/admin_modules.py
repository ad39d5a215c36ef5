"""Modules: what there is, what holds them together, where they are on, and the menus of a platform."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Response

from app.core.errors import NotFoundError
from app.core.ids import to_public
from app.modules import lifecycle
from app.modules.base import PageDef
from app.modules.core.services import menu_service, module_service
from app.modules.core.services.module_service import PLATFORM_PREFIX, ModuleState
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pages import PageContext
from app.modules.registry import modules
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.contracts import PlatformInfo
from app.modules.tenancy.facade import list_platforms

router = AreaRouter("admin")

_STATE_TONES = {
    "always": "neutral",
    "missing": "danger",
    "on": "success",
    "partly": "warning",
    "off": "neutral",
}
_HEALTH_TONES = {"ok": "success", "degraded": "warning", "failed": "danger"}


@router.page("core.admin.modules")
def list_modules(ctx: PageContext) -> Response:
    """All modules, what stands on what, and the platforms' switches."""
    states = module_service.list_modules(ctx.session)
    return ctx.render(
        "core/admin/modules.html",
        states=states,
        tones=_STATE_TONES,
        module_url=lambda code: ctx.url("core.admin.module", module_code=code),
        layers=module_service.layers(),
        names={state.definition.code: state.definition.name for state in states},
        platforms=[
            (platform.name, _switches_url(ctx, platform.id)) for platform in list_platforms(ctx.session)
        ],
    )


@router.page("core.admin.module")
def module(ctx: PageContext, module_code: str) -> Response:
    """One module: state, tables, tasks, schedules, events, permissions, pages, health."""
    state = module_service.get_module_state(ctx.session, module_code)
    if state is None:
        raise NotFoundError
    found = state.definition
    health = module_service.health_of(module_code)
    return ctx.render(
        "core/admin/module.html",
        title=found.name,
        state=state,
        module=found,
        tones=_STATE_TONES,
        health=health,
        health_tone=_HEALTH_TONES[health.status] if health else "neutral",
        needed_by=module_service.needed_by(module_code),
        tables=module_service.table_sizes(ctx.session, module_code),
        tasks=module_service.tasks_of(found),
        schedules=module_service.schedules_of(found),
        events=[(event, module_service.listeners(event)) for event in found.publishes],
        revisions=module_service.revisions_of(module_code),
        module_url=lambda other: ctx.url("core.admin.module", module_code=other),
        modules_url=ctx.url("core.admin.modules"),
        platforms=_platforms(ctx, state),
    )


@router.page("core.admin.platform_modules")
def platform_modules(ctx: PageContext, platform_id: str) -> Response:
    """What is on for one platform, and what a switch would do."""
    platform = _platform(ctx, platform_id)
    here = ctx.url("core.admin.platform_modules", platform_id=platform_id)
    return ctx.render(
        "core/admin/platform_modules.html",
        title=ctx.t("core.modules.of_platform", platform=platform.name),
        platform=platform,
        switches=module_service.switches(ctx.session, platform.id),
        here=here,
        may_switch="core.modules.manage" in ctx.who.permissions,
        names={
            state.definition.code: state.definition.name for state in module_service.list_modules(ctx.session)
        },
        module_url=lambda code: ctx.url("core.admin.module", module_code=code),
        menu_url=ctx.url("core.admin.platform_menu", platform_id=platform_id),
        back=_platform_page(ctx, platform),
    )


@router.action("/platforms/{platform_id}/modules/on", permission="core.modules.manage")
def switch_on(ctx: PageContext, platform_id: str, code: Annotated[str, Form()] = "") -> Response:
    """Switch a module on, and first what it requires."""
    return _switch(ctx, platform_id, code, is_on=True)


@router.action("/platforms/{platform_id}/modules/off", permission="core.modules.manage")
def switch_off(ctx: PageContext, platform_id: str, code: Annotated[str, Form()] = "") -> Response:
    """Switch a module off; its data stays and its work waits."""
    return _switch(ctx, platform_id, code, is_on=False)


def _switch(ctx: PageContext, platform_id: str, code: str, *, is_on: bool) -> Response:
    platform = _platform(ctx, platform_id)
    if code in modules():
        act = lifecycle.enable if is_on else lifecycle.disable
        switched = act(ctx.session, platform.id, code, by=ctx.who.user_id)
        names = ", ".join(modules()[one].name for one in switched)
        if switched:
            ctx.flash("success", f"core.modules.switched_{'on' if is_on else 'off'}", names=names)
    return ctx.redirect("core.admin.platform_modules", platform_id=platform_id)


def _platform(ctx: PageContext, platform_id: str) -> PlatformInfo:
    """A platform that the reader may see. Raises NotFoundError."""
    key = public_id(PLATFORM_PREFIX, platform_id)
    found = next((one for one in list_platforms(ctx.session) if one.id == key), None)
    if found is None:
        raise NotFoundError
    return found


def _platform_of(ctx: PageContext) -> PlatformInfo:
    return _platform(ctx, ctx.path["platform_id"])


def _open_pages(area: str) -> list[PageDef]:
    """Pages of an area's menu that may be left out."""
    found = [page for page in menu_service.menu_pages() if page.area == area]
    return [page for page in found if page.menu is not None and not page.menu.is_mandatory]


def _options_of(area: str, ctx: PageContext) -> Sequence[tuple[str, ...]]:
    labelled = [(page.id, _menu_label(ctx, page)) for page in _open_pages(area)]
    return sorted(labelled, key=lambda option: option[1])


_MENU_OPTIONS = {area: partial(_options_of, area) for area in ("vendor", "admin")}


def _menu_label(ctx: PageContext, page: PageDef) -> str:
    section = ctx.t(f"ui.menu.{page.menu.section}") if page.menu else ""
    return f"{section} › {ctx.t(page.title_key)}"


def _menu_form() -> FormSpec:
    """Which pages stand in the menus of a platform; the ticked ones do."""

    def fields(_ctx: PageContext) -> Sequence[Field]:
        return [
            Field(area, f"core.menus.{area}", "checkboxes", is_required=False, options=_MENU_OPTIONS[area])
            for area in ("vendor", "admin")
        ]

    def load(ctx: PageContext) -> Mapping[str, Any]:
        hidden = menu_service.hidden_on(ctx.session, _platform_of(ctx).id)
        return {
            area: [page.id for page in _open_pages(area) if page.id not in hidden]
            for area in ("vendor", "admin")
        }

    def save(ctx: PageContext, values: Mapping[str, Any]) -> str:
        shown = {*values["vendor"], *values["admin"]}
        everything = [page.id for area in ("vendor", "admin") for page in _open_pages(area)]
        menu_service.set_hidden(
            ctx.session,
            _platform_of(ctx).id,
            [page_id for page_id in everything if page_id not in shown],
            by=ctx.who.user_id,
        )
        return ctx.url("core.admin.platform_menu", platform_id=ctx.path["platform_id"])

    return FormSpec(
        "core.admin.platform_menu",
        "core.menus",
        fields,
        save,
        load=load,
        title=lambda ctx: ctx.t("core.menus.of_platform", platform=_platform_of(ctx).name),
        back=lambda ctx: _platform_page(ctx, _platform_of(ctx)),
        has_intro=True,
    )


def _platform_page(ctx: PageContext, platform: PlatformInfo) -> tuple[str, str]:
    public = to_public(PLATFORM_PREFIX, platform.id)
    return ctx.url("tenancy.admin.platform", platform_id=public), platform.name


def _switches_url(ctx: PageContext, platform_id: UUID) -> str:
    return ctx.url("core.admin.platform_modules", platform_id=to_public(PLATFORM_PREFIX, platform_id))


def _platforms(ctx: PageContext, state: ModuleState) -> list[tuple[str, bool, str]]:
    return [
        (platform.name, not state.is_switchable or platform.name in state.on, _switches_url(ctx, platform.id))
        for platform in list_platforms(ctx.session)
    ]


mount_form(router, _menu_form())
