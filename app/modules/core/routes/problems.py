"""Problems with integrations: the list, and one problem with what it says and where it is put right."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fastapi import Response
from sqlalchemy import Select, literal, select
from sqlalchemy.orm import Session

from app.core.i18n import translate
from app.core.ids import to_public
from app.modules.base import Area
from app.modules.core.models.problem import ProblemRecord
from app.modules.core.services import problem_service
from app.modules.core.services.problem_service import PREFIX, STATES
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import BulkAction, BulkOutcome, Column, Filter, ListSpec, View
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.facade import user_names, vendor_names

router = AreaRouter("admin", "vendor")

_MANAGE = "core.{area}_problems.manage"
_TONES = {"critical": "danger", "open": "warning", "dismissed": "neutral", "solved": "success"}
_COLUMNS = ("id", "message_key", "params", "detail", "count", "first_at", "last_at")


def _problem_list(area: Area) -> ListSpec:
    """The vendor's problems; the operator sees those of vendors too."""
    vendor = Column("vendor", "core.problems.vendor") if area == "admin" else None
    return ListSpec(
        f"core.{area}.problems",
        "core.problems",
        _select_problems,
        ProblemRecord.id,
        columns=(
            Column("message", "core.problems.message", value=_message, is_wide=True),
            Column(
                "state",
                "core.problems.state",
                "badge",
                sort=problem_service.urgency(),
                text_prefix="core.problems.state",
                tones=_TONES,
            ),
            *([vendor] if vendor else []),
            Column("count", "core.problems.times", "number", sort=ProblemRecord.count),
            Column("first_at", "core.problems.first_at", "datetime", sort=ProblemRecord.first_at),
            Column("last_at", "core.problems.last_at", "datetime", sort=ProblemRecord.last_at),
            Column("detail", "core.problems.detail", is_default=False),
        ),
        default_sort="-state",
        search=lambda words: (
            ProblemRecord.detail.icontains(words, autoescape=True)
            | ProblemRecord.key.icontains(words, autoescape=True)
        ),
        filters=(
            Filter(
                "state",
                "core.problems.state",
                lambda chosen: problem_service.state().in_(chosen),
                options=[(name, f"core.problems.state.{name}") for name in STATES],
                has_counts=True,
            ),
        ),
        bulk=_bulk(_MANAGE.format(area=area)),
        views=(View("open", "core.problems.views.open", "state=critical&state=open"),),
        row_page=f"core.{area}.problem",
        row_id="problem_id",
        prefix=PREFIX,
        icon="circle-check",
        has_intro=True,
    )


def _bulk(permission: str) -> tuple[BulkAction, ...]:
    keys = ("core.problems.dismiss", "core.problems.reopen")
    return (
        BulkAction("dismiss", keys[0], permission, _dismiss, icon="bell-off", in_read_only=True),
        BulkAction("reopen", keys[1], permission, _reopen, icon="bell", in_read_only=True),
    )


def _select_problems(_session: Session, language: str) -> Select[Any]:
    names = vendor_names()
    return select(
        *(getattr(ProblemRecord, name) for name in _COLUMNS),
        names.c.name.label("vendor"),
        problem_service.state().label("state"),
        literal(language).label("language"),
    ).outerjoin(names, names.c.id == ProblemRecord.vendor_id)


def _message(row: Any) -> str:
    return translate(row.language, row.message_key, **row.params)


def _dismiss(session: Session, ids: Sequence[UUID]) -> BulkOutcome:
    return _outcome(ids, problem_service.dismiss(session, ids))


def _reopen(session: Session, ids: Sequence[UUID]) -> BulkOutcome:
    return _outcome(ids, problem_service.reopen(session, ids))


def _outcome(ids: Sequence[UUID], changed: Sequence[UUID]) -> BulkOutcome:
    return BulkOutcome(len(changed), dict.fromkeys(set(ids) - set(changed), "core.problems.unchanged"))


mount_list(router, _problem_list)


@router.page("core.{area}.problem")
def problem(ctx: PageContext, problem_id: str) -> Response:
    """What fails, how often, since when, and where it is put right."""
    found = problem_service.get_problem(ctx.session, public_id(PREFIX, problem_id))
    message = ctx.t(found.message_key, **found.params)
    state = _state(found)
    who = user_names(ctx.session, [found.dismissed_by]) if found.dismissed_by else {}
    facts = [
        Fact(ctx.t("core.problems.times"), found.count, "number"),
        Fact(ctx.t("core.problems.first_at"), found.first_at, "datetime"),
        Fact(ctx.t("core.problems.last_at"), found.last_at, "datetime"),
    ]
    if found.cleared_at:
        facts.append(Fact(ctx.t("core.problems.cleared_at"), found.cleared_at, "datetime"))
    elif found.dismissed_at:
        facts.append(Fact(ctx.t("core.problems.dismissed_at"), found.dismissed_at, "datetime"))
        facts.append(Fact(ctx.t("core.problems.dismissed_by"), next(iter(who.values()), None)))
    said = [Fact(ctx.t("core.problems.what_happens"), ctx.t(f"core.problems.happens.{state}"))]
    if found.detail:
        said.append(Fact(ctx.t("core.problems.detail"), found.detail))
    detail = Detail(
        found.id,
        message,
        [
            Block("said", ctx.t("core.problems.about"), said, order=10),
            Block("facts", ctx.t("core.problems.facts"), facts, column="side"),
        ],
        back=(ctx.url(f"core.{ctx.area}.problems"), ctx.t("core.pages.problems")),
        badges=[(_TONES[state], ctx.t(f"core.problems.state.{state}"))],
        actions=_actions(ctx, found, state),
        target=problem_id,
    )
    return show_detail(ctx, detail)


@router.action("/problems/{problem_id}/dismiss", permission=_MANAGE, in_read_only=True)
def dismiss(ctx: PageContext, problem_id: str) -> Response:
    """Put it aside until it begins anew or becomes critical."""
    found = problem_service.get_problem(ctx.session, public_id(PREFIX, problem_id))
    problem_service.dismiss(ctx.session, [found.id], by=ctx.who.user_id)
    ctx.flash("success", "core.problems.dismissed")
    return ctx.redirect(f"core.{ctx.area}.problems")


@router.action("/problems/{problem_id}/reopen", permission=_MANAGE, in_read_only=True)
def reopen(ctx: PageContext, problem_id: str) -> Response:
    """Take back that it was dismissed."""
    found = problem_service.get_problem(ctx.session, public_id(PREFIX, problem_id))
    problem_service.reopen(ctx.session, [found.id])
    return ctx.redirect(f"core.{ctx.area}.problem", problem_id=to_public(PREFIX, found.id))


def _state(found: ProblemRecord) -> str:
    if found.cleared_at:
        return "solved"
    if found.dismissed_at:
        return "dismissed"
    return "critical" if found.count >= found.critical_after else "open"


def _actions(ctx: PageContext, found: ProblemRecord, state: str) -> list[Action]:
    here = ctx.url(f"core.{ctx.area}.problem", problem_id=to_public(PREFIX, found.id))
    may_change = _MANAGE.format(area=ctx.area) in ctx.who.permissions
    is_own = problem_service.is_own(ctx.session, found)
    actions = []
    if may_change and is_own and state == "dismissed":
        actions.append(Action(ctx.t("core.problems.reopen"), f"{here}/reopen", "bell"))
    elif may_change and is_own and state != "solved":
        actions.append(Action(ctx.t("core.problems.dismiss"), f"{here}/dismiss", "bell-off"))
    if found.url and is_own and state != "solved":
        actions.append(Action(ctx.t("core.problems.go"), found.url, "arrow-right", "primary", is_post=False))
    return actions
