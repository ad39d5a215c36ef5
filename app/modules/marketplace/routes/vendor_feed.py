"""The page of one feed: what it is, its imports and rules, and what can be done with it."""

from typing import Annotated
from uuid import UUID

from fastapi import Form, Response

from app.core.ids import to_public
from app.modules.marketplace.enums import ErrorPolicy
from app.modules.marketplace.models.feed import Feed
from app.modules.marketplace.routes.vendor import OUTCOME_TONES
from app.modules.marketplace.services import (
    feed_edit_service,
    feed_rule_service,
    feed_service,
    import_service,
)
from app.modules.marketplace.services.feed_rule_service import RULE_PREFIX
from app.modules.marketplace.services.feed_service import FEED_PREFIX
from app.modules.marketplace.services.import_service import IMPORT_PREFIX, ImportRequest, outcome_of
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.job_view import ACTIVE
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_EDIT, _IMPORT = "marketplace.feeds.edit", "marketplace.imports.create"
_LAST_IMPORTS = 10


@router.page("marketplace.vendor.feed")
def feed(ctx: PageContext, feed_id: str) -> Response:
    """One feed."""
    found = feed_service.get_feed(ctx.session, public_id(FEED_PREFIX, feed_id))
    here = ctx.url("marketplace.vendor.feed", feed_id=feed_id)
    imports = _imports(ctx, found)
    running = any(row["outcome"] in ACTIVE for row in imports.context["rows"])
    return show_detail(
        ctx,
        Detail(
            found.id,
            found.name,
            [imports, _facts(ctx, found), _mapping(ctx, found, here), _rules(ctx, found)],
            subtitle=ctx.t(f"core.languages.{found.language}"),
            back=(ctx.url("marketplace.vendor.feeds"), ctx.t("marketplace.feeds.title")),
            actions=_actions(ctx, found, here),
            more=_more(ctx, found, here),
            target=feed_id,
            refresh=running,
        ),
    )


@router.action("/feeds/{feed_id}/import", permission=_IMPORT)
def import_now(ctx: PageContext, feed_id: str) -> Response:
    """Fetch the feed's address now."""
    found = feed_service.get_feed(ctx.session, public_id(FEED_PREFIX, feed_id))
    if found.url is None:
        return ctx.redirect_to(ctx.url("marketplace.vendor.new_import") + f"?feed={feed_id}")
    request = ImportRequest(found.language, ErrorPolicy(found.policy), feed_id=found.id, url=found.url)
    row = import_service.start_import(ctx.session, request, user_id=ctx.who.user_id)
    return ctx.redirect("marketplace.vendor.import", import_id=to_public(IMPORT_PREFIX, row.id))


@router.action("/feeds/{feed_id}/move", permission=_EDIT)
def move(ctx: PageContext, feed_id: str, direction: Annotated[str, Form()] = "up") -> Response:
    """Ask the feed before, or after, its neighbour."""
    key = public_id(FEED_PREFIX, feed_id)
    feed_edit_service.move_feed(ctx.session, key, "down" if direction == "down" else "up")
    ctx.flash("success", "marketplace.feed.moved")
    return ctx.redirect("marketplace.vendor.feed", feed_id=feed_id)


def _imports(ctx: PageContext, feed: Feed) -> Block:
    found = import_service.list_imports(ctx.session, limit=_LAST_IMPORTS, feed_id=feed.id)
    rows = [
        {
            "row": one.row,
            "outcome": outcome_of(one),
            "tone": OUTCOME_TONES[outcome_of(one)],
            "url": ctx.url("marketplace.vendor.import", import_id=to_public(IMPORT_PREFIX, one.row.id)),
        }
        for one in found
    ]
    return Block(
        "imports",
        ctx.t("marketplace.feed.imports"),
        template="marketplace/vendor/feed_imports.html",
        context={"rows": rows, "new_url": _new_import(ctx, feed.id)},
        is_flush=bool(rows),
        order=10,
    )


def _facts(ctx: PageContext, feed: Feed) -> Block:
    feeds = feed_service.list_feeds(ctx.session)
    place = ctx.t("marketplace.feed.place", place=feeds.index(feed) + 1, count=len(feeds))
    facts = [
        Fact(ctx.t("marketplace.fields.format"), ctx.t(f"marketplace.formats.{feed.format}")),
        Fact(ctx.t("marketplace.fields.address"), feed.url),
        Fact(
            ctx.t("marketplace.fields.schedule"), ctx.t(f"marketplace.schedules.{feed.every_hours or 'off'}")
        ),
        Fact(ctx.t("marketplace.fields.next_run"), feed.next_run_at, "datetime"),
        Fact(ctx.t("marketplace.fields.rows"), feed_edit_service.count_rows(ctx.session, feed.id), "number"),
        Fact(ctx.t("marketplace.fields.order"), place),
        Fact(ctx.t("marketplace.fields.currency"), feed.default_currency),
        Fact(ctx.t("marketplace.fields.blank_cells"), ctx.t(f"marketplace.blank_cells.{feed.blank_cells}")),
        Fact(
            ctx.t("marketplace.fields.missing_rows"), ctx.t(f"marketplace.missing_rows.{feed.missing_rows}")
        ),
        Fact(ctx.t("marketplace.new_import.policy"), ctx.t(f"marketplace.policies.{feed.policy}")),
    ]
    return Block("facts", ctx.t("marketplace.feed.facts"), facts, column="side", order=10)


def _mapping(ctx: PageContext, feed: Feed, here: str) -> Block:
    context = {"mapping": feed.mapping, "url": f"{here}/mapping" if _EDIT in ctx.who.permissions else None}
    title = ctx.t("marketplace.mapping.title")
    template = "marketplace/vendor/feed_mapping.html"
    return Block("mapping", title, template=template, context=context, order=20, is_flush=bool(feed.mapping))


def _rules(ctx: PageContext, feed: Feed) -> Block:
    rules = feed_rule_service.active_rules(ctx.session, "import", feed_id=feed.id)
    shown = [
        (one, ctx.url("marketplace.vendor.rule", rule_id=to_public(RULE_PREFIX, one.id))) for one in rules
    ]
    return Block(
        "rules",
        ctx.t("marketplace.rules.title"),
        template="marketplace/vendor/feed_rule_names.html",
        context={"rules": shown, "all_url": ctx.url("marketplace.vendor.rules")},
        order=30,
    )


def _actions(ctx: PageContext, feed: Feed, here: str) -> list[Action]:
    actions = []
    if _EDIT in ctx.who.permissions:
        actions.append(Action(ctx.t("marketplace.feed.edit"), f"{here}/edit", "pencil", is_post=False))
    if _IMPORT in ctx.who.permissions and feed.url:
        url, text = _new_import(ctx, feed.id), ctx.t("marketplace.feed.other_file")
        actions += [
            Action(text, url, "upload", is_post=False),
            Action(ctx.t("marketplace.feed.import_now"), f"{here}/import", "download", "primary"),
        ]
    elif _IMPORT in ctx.who.permissions:
        text = ctx.t("marketplace.feed.import_file")
        actions.append(Action(text, _new_import(ctx, feed.id), "upload", "primary", is_post=False))
    return actions


def _more(ctx: PageContext, feed: Feed, here: str) -> list[Action]:
    if _EDIT not in ctx.who.permissions:
        return []
    feeds = feed_service.list_feeds(ctx.session)
    more = []
    if feed != feeds[0]:
        text = ctx.t("marketplace.feed.move_up")
        more.append(Action(text, f"{here}/move", "arrow-up", fields={"direction": "up"}))
    if feed != feeds[-1]:
        text = ctx.t("marketplace.feed.move_down")
        more.append(Action(text, f"{here}/move", "arrow-down", fields={"direction": "down"}))
    delete = Action(ctx.t("marketplace.feed.delete"), f"{here}/delete", "trash-2", "danger", is_post=False)
    return [*more, delete]


def _new_import(ctx: PageContext, feed_id: UUID) -> str:
    return f"{ctx.url('marketplace.vendor.new_import')}?feed={to_public(FEED_PREFIX, feed_id)}"
