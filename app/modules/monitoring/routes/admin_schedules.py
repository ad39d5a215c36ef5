"""Schedules, for the operator."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Form, Response

from app.core.errors import FieldError, ValidationFailedError
from app.modules.monitoring.services import schedule_service
from app.modules.monitoring.services.cron_words_service import cron_words
from app.modules.monitoring.services.job_service import module_name
from app.modules.monitoring.services.job_service import public_id_of as job_id_of
from app.modules.monitoring.services.schedule_service import ROWS, SCHEDULE_PREFIX, ScheduleEntry
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter
from app.modules.tasks import cron_of
from app.tasks import overview, schedules
from app.tasks.errors import CronError

router = AreaRouter("admin")
_MANAGE = "monitoring.schedules.manage"
_NEXT, _LATEST = 5, 10
_MAX_CRON = 100


def _modules(_ctx: PageContext) -> list[tuple[str, str]]:
    return [(code, module_name(code)) for code in schedule_service.declaring_modules()]


SCHEDULES = ListSpec(
    page_id="monitoring.admin.schedules",
    texts="monitoring.schedules",
    select=schedule_service.select_schedules,
    key=ROWS.c.id,
    columns=(
        Column("name", "monitoring.fields.schedule", "code", sort=ROWS.c.name),
        Column(
            "module",
            "monitoring.fields.module",
            value=lambda row: module_name(row.module),
            sort=ROWS.c.module,
        ),
        Column("words", "monitoring.fields.times", is_wide=True),
        Column("next_at", "monitoring.fields.next_at", "datetime", sort=ROWS.c.next_at),
        Column("last_at", "monitoring.fields.last_at", "datetime", sort=ROWS.c.last_at),
        Column(
            "last_state",
            "monitoring.fields.last_result",
            "badge",
            text_prefix="ui.state",
            tones={name: name for name in ("queued", "running", "succeeded", "failed", "cancelled")},
        ),
        Column("is_paused", "monitoring.fields.paused", "flag"),
        Column("is_changed", "monitoring.fields.changed", "flag", is_default=False),
        Column("cron", "monitoring.fields.cron", "code", is_default=False),
        Column("catch_up", "monitoring.fields.catch_up", text_prefix="monitoring.catch_up", is_default=False),
        Column("overlap", "monitoring.fields.overlap", text_prefix="monitoring.overlap", is_default=False),
    ),
    default_sort="name",
    search=schedule_service.matching,
    filters=(
        Filter(
            "module", "monitoring.fields.module", lambda values: ROWS.c.module.in_(values), options=_modules
        ),
        Filter(
            "paused",
            "monitoring.fields.paused",
            lambda values: ROWS.c.is_paused.in_([value == "yes" for value in values]),
            options=(("yes", "ui.yes"), ("no", "ui.no")),
        ),
    ),
    row_page="monitoring.admin.schedule",
    row_id="schedule",
    prefix=SCHEDULE_PREFIX,
    icon="calendar-clock",
    has_intro=True,
)
mount_list(router, SCHEDULES)


def _url(ctx: PageContext, entry: ScheduleEntry) -> str:
    return ctx.url("monitoring.admin.schedule", schedule=schedule_service.public_id_of(entry))


@router.page("monitoring.admin.schedule")
def schedule(ctx: PageContext, schedule: str = "") -> Response:
    """One schedule: its rules, when it is due next, and what became of the last runs."""
    found = schedule_service.get_schedule(ctx.session, schedule)
    return show_detail(
        ctx,
        Detail(
            record_id=found.id,
            title=found.name,
            subtitle=module_name(found.module),
            back=(ctx.url("monitoring.admin.schedules"), ctx.t("monitoring.pages.schedules")),
            badges=(("warning", ctx.t("monitoring.schedule.paused")),) if found.is_paused else (),
            blocks=_blocks(ctx, found),
            actions=_actions(ctx, found) if _MANAGE in ctx.who.permissions else (),
            target=found.declared.name,
        ),
    )


def _blocks(ctx: PageContext, found: ScheduleEntry) -> Sequence[Block]:
    ticks = overview.latest_ticks(ctx.session, found.declared.name, _LATEST)
    pairs = [
        (tick, ctx.url("monitoring.admin.job", job_id=job_id_of(tick.job_id)) if tick.job_id else None)
        for tick in ticks
    ]
    due = {"times": found.next_times(_NEXT)}
    return (
        Block(
            "next",
            ctx.t("monitoring.schedule.next"),
            template="monitoring/next_times.html",
            context=due,
            order=10,
        ),
        Block(
            "ticks",
            ctx.t("monitoring.schedule.latest"),
            template="monitoring/ticks.html",
            context={"ticks": pairs},
            order=20,
        ),
        Block("facts", ctx.t("monitoring.schedule.rules"), _facts(ctx, found), column="side", order=30),
    )


def _facts(ctx: PageContext, found: ScheduleEntry) -> Sequence[Fact]:
    declared = cron_of(found.declared.schedule)
    facts = (
        Fact(ctx.t("monitoring.fields.times"), cron_words(found.cron, ctx.language)),
        Fact(ctx.t("monitoring.fields.cron"), found.cron, "code"),
        Fact(ctx.t("monitoring.fields.declared"), declared if found.is_changed else None, "code"),
        Fact(
            ctx.t("monitoring.fields.catch_up"),
            ctx.t(f"monitoring.catch_up.{found.declared.catch_up.value}"),
        ),
        Fact(ctx.t("monitoring.fields.overlap"), ctx.t(f"monitoring.overlap.{found.declared.overlap.value}")),
        Fact(ctx.t("monitoring.fields.task"), found.declared.task, "code"),
    )
    return [fact for fact in facts if fact.value is not None]


def _actions(ctx: PageContext, found: ScheduleEntry) -> Sequence[Action]:
    base, fields = ctx.url("monitoring.admin.schedule"), {"schedule": schedule_service.public_id_of(found)}
    times = ctx.url("monitoring.admin.schedule_times", **fields)
    if found.is_paused:
        pause = Action(ctx.t("monitoring.schedule.resume"), f"{base}/resume", "circle-play", fields=fields)
    else:
        pause = Action(ctx.t("monitoring.schedule.pause"), f"{base}/pause", "circle-pause", fields=fields)
    return (
        pause,
        Action(ctx.t("monitoring.schedule.change"), times, "pencil", is_post=False),
        Action(ctx.t("monitoring.schedule.run"), f"{base}/run", "play", "primary", fields=fields),
    )


Schedule = Annotated[str, Form()]


@router.action("/schedules/one/run", permission="monitoring.schedules.manage")
def run_now(ctx: PageContext, schedule: Schedule = "") -> Response:
    """Make the schedule's job now and show it."""
    found = _named(ctx, schedule)
    job = schedules.run_now(ctx.session, found.declared.name, by=ctx.who.name)
    ctx.flash("success" if job.created else "info", _RUN_SAID[job.created])
    return ctx.redirect("monitoring.admin.job", job_id=job_id_of(job.id))


@router.action("/schedules/one/pause", permission="monitoring.schedules.manage")
def pause(ctx: PageContext, schedule: Schedule = "") -> Response:
    """Let nothing fall due until it is resumed."""
    found = _named(ctx, schedule)
    schedules.pause(ctx.session, found.declared.name, by=ctx.who.name)
    ctx.flash("success", "monitoring.schedule.is_paused")
    return ctx.redirect_to(_url(ctx, found))


@router.action("/schedules/one/resume", permission="monitoring.schedules.manage")
def resume(ctx: PageContext, schedule: Schedule = "") -> Response:
    """Go on from now."""
    found = _named(ctx, schedule)
    schedules.resume(ctx.session, found.declared.name, by=ctx.who.name)
    ctx.flash("success", "monitoring.schedule.is_resumed")
    return ctx.redirect_to(_url(ctx, found))


_RUN_SAID = {True: "monitoring.schedule.started", False: "monitoring.schedule.is_unfinished"}


def _named(ctx: PageContext, public: str) -> ScheduleEntry:
    """The schedule of a form; what names none is not found."""
    return schedule_service.get_schedule(ctx.session, public or "none")


def _load(ctx: PageContext) -> Mapping[str, Any]:
    found = schedule_service.get_schedule(ctx.session, ctx.request.query_params.get("schedule", ""))
    cron = found.cron if found.is_changed else ""
    return {"schedule": schedule_service.public_id_of(found), "cron": cron}


def _options(ctx: PageContext) -> Sequence[tuple[str, str]]:
    return [
        (
            schedule_service.public_id_of(entry),
            ctx.t(
                "monitoring.schedule.option",
                module=module_name(entry.module),
                name=entry.name,
                cron=cron_of(entry.declared.schedule),
            ),
        )
        for entry in schedule_service.list_schedules(ctx.session)
    ]


def _save(ctx: PageContext, values: Mapping[str, Any]) -> str:
    found = _named(ctx, values["schedule"])
    try:
        schedules.change(ctx.session, found.declared.name, values["cron"] or None, by=ctx.who.name)
    except CronError:
        wrong = FieldError("cron", CronError.code, "monitoring.schedule_times.wrong", {})
        raise ValidationFailedError(errors=[wrong]) from None
    return _url(ctx, found)


mount_form(
    router,
    FormSpec(
        "monitoring.admin.schedule_times",
        "monitoring.schedule_times",
        (
            Field("schedule", "monitoring.fields.schedule", "select", options=_options),
            Field(
                "cron",
                "monitoring.fields.cron",
                is_required=False,
                hint_key="monitoring.schedule_times.hint",
                max_length=_MAX_CRON,
            ),
        ),
        save=_save,
        load=_load,
        back=lambda ctx: (ctx.url("monitoring.admin.schedules"), ctx.t("monitoring.pages.schedules")),
        has_intro=True,
    ),
)
