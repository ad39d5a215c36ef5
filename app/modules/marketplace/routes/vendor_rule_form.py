"""The form of a rule, with a preview of what it would do before it is saved."""

from typing import Any

from fastapi import Response
from starlette.datastructures import FormData

from app.core.i18n import LANGUAGES
from app.core.ids import from_public, new_id, to_public
from app.modules import idempotency
from app.modules.marketplace.adapters.columns import COLUMNS
from app.modules.marketplace.models.feed import FeedRule
from app.modules.marketplace.services import feed_rule_service, feed_service, rule_form_service
from app.modules.marketplace.services.feed_rule_actions import DIRECTIONS, ENDINGS, KINDS, PRICE_COLUMNS
from app.modules.marketplace.services.feed_rule_check import WRITABLE, check_rule
from app.modules.marketplace.services.feed_rule_service import RULE_PREFIX, RuleDraft, Stage, stored_draft
from app.modules.marketplace.services.feed_rules import MATCHES, OPS
from app.modules.marketplace.services.feed_service import FEED_PREFIX
from app.modules.marketplace.services.rule_preview_service import preview
from app.modules.pagekit.form_page import FormValues
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_EDIT = "marketplace.feeds.edit"
_MAX_TYPED = 200_000
Typed = dict[str, str]


@router.page("marketplace.vendor.new_rule")
def new_rule(ctx: PageContext) -> Response:
    """The form of a new rule for imports."""
    return _show(ctx, _blank(ctx, "import"))


@router.page("marketplace.vendor.new_export_rule")
def new_export_rule(ctx: PageContext) -> Response:
    """The form of a new rule for exports."""
    return _show(ctx, _blank(ctx, "export"))


@router.page("marketplace.vendor.rule_edit")
def rule_edit(ctx: PageContext, rule_id: str) -> Response:
    """The form of a rule."""
    row = feed_rule_service.get_rule(ctx.session, public_id(RULE_PREFIX, rule_id))
    draft = stored_draft(row)
    typed = rule_form_service.typed_of(draft.rule)
    typed |= {"feed": to_public(FEED_PREFIX, row.feed_id) if row.feed_id else ""}
    typed |= {"language": row.language or "", "version": str(row.version), "stage": draft.stage}
    return _show(ctx, typed, row=row)


@router.action("/feed-rules/new", permission=_EDIT)
def create_rule(ctx: PageContext, form: FormValues) -> Response:
    """Save a new rule for imports, or show what it would do."""
    return _send(ctx, "import", form)


@router.action("/feed-rules/new-export", permission=_EDIT)
def create_export_rule(ctx: PageContext, form: FormValues) -> Response:
    """Save a new rule for exports, or show what it would do."""
    return _send(ctx, "export", form)


@router.action("/feed-rules/{rule_id}/edit", permission=_EDIT)
def change_rule(ctx: PageContext, rule_id: str, form: FormValues) -> Response:
    """Save a rule, or show what it would do."""
    row = feed_rule_service.get_rule(ctx.session, public_id(RULE_PREFIX, rule_id))
    return _send(ctx, "import" if row.stage == "import" else "export", form, row=row)


def _send(ctx: PageContext, stage: Stage, form: FormData, *, row: FeedRule | None = None) -> Response:
    typed = {name: _text(value) for name, value in form.items() if isinstance(value, str)}
    typed["stage"] = stage
    rows = _rows(row)
    rule = rule_form_service.rule_of(typed, _kind(ctx, row), rows)
    feed_id = from_public(FEED_PREFIX, typed.get("feed", "")) if typed.get("feed") else None
    if feed_id:
        feed_service.get_feed(ctx.session, feed_id)
    language = typed.get("language") or None
    draft = RuleDraft(stage, rule, feed_id, language if language in LANGUAGES else None)
    errors: dict[str, str] = {}
    for error in check_rule(rule):
        control = rule_form_service.control_of(error, typed, rows)
        errors.setdefault(control, ctx.t(error.message_key, **error.params))
    if errors:
        return _show(ctx, typed, row=row, errors=errors, status=422)
    if "preview" in form:
        found = preview(ctx.session, draft, rule_id=row.id if row else None)
        return _show(ctx, typed, row=row, found=found)
    if row is not None and typed.get("version") != str(row.version):
        stale = {"name": ctx.t("marketplace.rule.stale")}
        return _show(ctx, typed | {"version": str(row.version)}, row=row, errors=stale, status=409)
    return _save(ctx, draft, typed, row)


def _save(ctx: PageContext, draft: RuleDraft, typed: Typed, row: FeedRule | None) -> Response:
    token = typed.get("form_token") or str(new_id())
    before = idempotency.once(ctx, token)
    if before is not None:
        return ctx.redirect_to(before)
    if row is None:
        saved = feed_rule_service.create_rule(ctx.session, draft, vendor_id=ctx.vendor.id)
    else:
        saved = feed_rule_service.change_rule(ctx.session, row.id, draft)
    url = ctx.url("marketplace.vendor.rule", rule_id=to_public(RULE_PREFIX, saved.id))
    idempotency.keep(ctx, token, url)
    ctx.flash("success", "marketplace.rule.saved")
    return ctx.redirect_to(url)


def _show(
    ctx: PageContext,
    typed: Typed,
    *,
    row: FeedRule | None = None,
    errors: dict[str, str] | None = None,
    found: Any = None,
    status: int = 200,
) -> Response:
    kind = _kind(ctx, row)
    path = ctx.request.url.path
    tabs = [(ctx.t(f"marketplace.rule_kinds.{one}"), f"{path}?kind={one}", one == kind) for one in KINDS]
    rules, title = ctx.url("marketplace.vendor.rules"), ctx.t("marketplace.rules.title")
    back = (rules, title)
    if row is not None:
        back = (ctx.url("marketplace.vendor.rule", rule_id=to_public(RULE_PREFIX, row.id)), row.name)
    return ctx.render(
        "marketplace/vendor/rule_form.html",
        status=status,
        title=row.name if row else None,
        stage=typed["stage"],
        kind=kind,
        kind_fields=rule_form_service.KIND_FIELDS[kind],
        tabs=tabs,
        back=back,
        action=f"{path}?kind={kind}",
        typed=typed,
        errors=errors or {},
        rows=range(_rows(row)),
        found=found,
        form_token=typed.get("form_token") or str(new_id()),
        **_options(ctx, kind),
    )


def _options(ctx: PageContext, kind: str) -> dict[str, Any]:
    feeds = [(to_public(FEED_PREFIX, one.id), one.name) for one in feed_service.list_feeds(ctx.session)]
    writable = PRICE_COLUMNS if kind == "round_price" else WRITABLE
    return {
        "feeds": [("", ctx.t("marketplace.rule.all_feeds")), *feeds],
        "languages": [
            ("", ctx.t("marketplace.rule.all_languages")),
            *((code, ctx.t(f"core.languages.{code}")) for code in LANGUAGES),
        ],
        "columns": COLUMNS,
        "writable": [("", "–"), *((name, name) for name in writable)],
        "ops": [(op, ctx.t(f"marketplace.rule_ops.{op}")) for op in OPS],
        "matches": [(one, ctx.t(f"marketplace.rule_matches.{one}")) for one in MATCHES],
        "endings": [(one, ctx.t(f"marketplace.endings.{one}")) for one in ENDINGS],
        "directions": [(one, ctx.t(f"marketplace.directions.{one}")) for one in DIRECTIONS],
    }


def _kind(ctx: PageContext, row: FeedRule | None) -> str:
    asked = ctx.request.query_params.get("kind") or (row.action["kind"] if row else "")
    return asked if asked in KINDS else "set"


def _blank(ctx: PageContext, stage: Stage) -> Typed:
    return {"stage": stage, "match": "all", "feed": ctx.request.query_params.get("feed", ""), "ending": "99"}


def _rows(row: FeedRule | None) -> int:
    return max(rule_form_service.CONDITIONS, len(row.conditions) if row else 0)


def _text(value: str) -> str:
    return value.replace("\x00", "").replace("\r\n", "\n").strip()[:_MAX_TYPED]
