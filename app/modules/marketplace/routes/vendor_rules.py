"""Rules: the list in their order, and the page of one."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Response
from sqlalchemy.orm import Session

from app.core.ids import to_public
from app.modules.marketplace.models.feed import FeedRule
from app.modules.marketplace.services import feed_rule_service, feed_service, rule_words
from app.modules.marketplace.services.feed_rule_service import RULE_PREFIX, stored_draft
from app.modules.marketplace.services.feed_service import FEED_PREFIX
from app.modules.marketplace.services.rule_preview_service import preview
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import BulkAction, BulkOutcome, Column, Filter, Link, ListSpec, View
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_EDIT = "marketplace.feeds.edit"
STAGES = ("import", "export")


def _each(act: Callable[[Session, UUID], None]) -> Callable[[Session, Sequence[UUID]], BulkOutcome]:
    def apply(session: Session, ids: Sequence[UUID]) -> BulkOutcome:
        for rule_id in ids:
            act(session, rule_id)
        return BulkOutcome(len(ids), {})

    return apply


mount_list(
    router,
    ListSpec(
        page_id="marketplace.vendor.rules",
        texts="marketplace.rules",
        select=lambda _session, _language: feed_rule_service.select_rules(),
        key=FeedRule.id,
        columns=(
            Column("name", "marketplace.fields.name", sort=FeedRule.name, is_wide=True),
            Column("position", "marketplace.fields.order", "number", sort=FeedRule.position),
            Column("stage", "marketplace.fields.stage", text_prefix="marketplace.stages"),
            Column("kind", "marketplace.fields.action", text_prefix="marketplace.rule_kinds"),
            Column("feed_name", "marketplace.fields.feed"),
            Column("language", "marketplace.fields.language", text_prefix="core.languages"),
            Column(
                "is_active",
                "marketplace.fields.state",
                "badge",
                value=lambda row: "on" if row.is_active else "off",
                text_prefix="marketplace.rule_states",
                tones={"on": "success", "off": "neutral"},
            ),
        ),
        default_sort="position",
        search=lambda words: FeedRule.name.icontains(words, autoescape=True),
        filters=(
            Filter(
                "stage",
                "marketplace.fields.stage",
                lambda values: FeedRule.stage.in_(values),
                options=[(stage, f"marketplace.stages.{stage}") for stage in STAGES],
            ),
        ),
        bulk=(
            BulkAction(
                "on",
                "marketplace.rules.switch_on",
                _EDIT,
                _each(lambda session, key: feed_rule_service.switch_rule(session, key, True)),
                icon="play",
            ),
            BulkAction(
                "off",
                "marketplace.rules.switch_off",
                _EDIT,
                _each(lambda session, key: feed_rule_service.switch_rule(session, key, False)),
                icon="pause",
            ),
            BulkAction(
                "delete",
                "marketplace.rules.delete",
                _EDIT,
                _each(feed_rule_service.delete_rule),
                icon="trash-2",
                in_read_only=True,
                is_danger=True,
            ),
        ),
        views=tuple(View(stage, f"marketplace.stages.{stage}", f"stage={stage}") for stage in STAGES),
        actions=(
            Link("marketplace.rules.new_export", "marketplace.vendor.new_export_rule", _EDIT, "plus"),
            Link("marketplace.rules.new", "marketplace.vendor.new_rule", _EDIT, "plus"),
        ),
        row_page="marketplace.vendor.rule",
        row_id="rule_id",
        prefix=RULE_PREFIX,
        icon="list-checks",
        has_intro=True,
    ),
)


@router.page("marketplace.vendor.rule")
def rule(ctx: PageContext, rule_id: str, effect: str = "") -> Response:
    """One rule in words; with ``effect`` also what it does to the rows there are."""
    row = feed_rule_service.get_rule(ctx.session, public_id(RULE_PREFIX, rule_id))
    here = ctx.url("marketplace.vendor.rule", rule_id=rule_id)
    says = Block(
        "rule",
        ctx.t("marketplace.rule.says"),
        template="marketplace/vendor/rule_words.html",
        context={
            "conditions": [rule_words.condition_text(ctx.language, one) for one in row.conditions],
            "is_any": row.match == "any",
            "action": rule_words.action_text(ctx.language, row.action),
            "effect_url": None if effect else f"{here}?effect=yes",
        },
        order=10,
    )
    blocks = [says, _facts(ctx, row)]
    if effect:
        blocks.append(_effect_block(ctx, preview(ctx.session, stored_draft(row), rule_id=row.id)))
    state = ("success", "on") if row.is_active else ("neutral", "off")
    may_edit = _EDIT in ctx.who.permissions
    return show_detail(
        ctx,
        Detail(
            row.id,
            row.name,
            blocks,
            back=(ctx.url("marketplace.vendor.rules"), ctx.t("marketplace.rules.title")),
            badges=[(state[0], ctx.t(f"marketplace.rule_states.{state[1]}"))],
            actions=_actions(ctx, row, here) if may_edit else (),
            more=_more(ctx, row, here) if may_edit else (),
            target=rule_id,
        ),
    )


@router.action("/feed-rules/{rule_id}/switch", permission=_EDIT)
def switch(ctx: PageContext, rule_id: str, on: Annotated[str, Form()] = "") -> Response:
    """Turn a rule on or off."""
    feed_rule_service.switch_rule(ctx.session, public_id(RULE_PREFIX, rule_id), bool(on))
    ctx.flash("success", "marketplace.rule.switched_on" if on else "marketplace.rule.switched_off")
    return ctx.redirect("marketplace.vendor.rule", rule_id=rule_id)


@router.action("/feed-rules/{rule_id}/move", permission=_EDIT)
def move(ctx: PageContext, rule_id: str, direction: Annotated[str, Form()] = "up") -> Response:
    """Apply a rule before, or after, its neighbour."""
    key = public_id(RULE_PREFIX, rule_id)
    feed_rule_service.move_rule(ctx.session, key, "down" if direction == "down" else "up")
    ctx.flash("success", "marketplace.rule.moved")
    return ctx.redirect("marketplace.vendor.rule", rule_id=rule_id)


@router.action("/feed-rules/{rule_id}/copy", permission=_EDIT)
def copy(ctx: PageContext, rule_id: str) -> Response:
    """A second rule like this one, off."""
    key = public_id(RULE_PREFIX, rule_id)
    made = feed_rule_service.copy_rule(ctx.session, key, language=ctx.language)
    return ctx.redirect("marketplace.vendor.rule_edit", rule_id=to_public(RULE_PREFIX, made.id))


@router.action("/feed-rules/{rule_id}/delete", permission=_EDIT, in_read_only=True)
def delete(ctx: PageContext, rule_id: str) -> Response:
    """Remove a rule."""
    feed_rule_service.delete_rule(ctx.session, public_id(RULE_PREFIX, rule_id))
    ctx.flash("success", "marketplace.rule.deleted")
    return ctx.redirect("marketplace.vendor.rules")


def _effect_block(ctx: PageContext, found: Any) -> Block:
    """What a rule does to the rows there are."""
    return Block(
        "effect",
        ctx.t("marketplace.rule.effect"),
        template="marketplace/vendor/rule_effect.html",
        context={"found": found},
        column="full",
        order=20,
    )


def _facts(ctx: PageContext, row: FeedRule) -> Block:
    facts = [Fact(ctx.t("marketplace.fields.stage"), ctx.t(f"marketplace.stages.{row.stage}"))]
    if row.stage == "import":
        feed = feed_service.get_feed(ctx.session, row.feed_id) if row.feed_id else None
        url = ctx.url("marketplace.vendor.feed", feed_id=to_public(FEED_PREFIX, feed.id)) if feed else None
        name = feed.name if feed else ctx.t("marketplace.rule.all_feeds")
        facts.append(Fact(ctx.t("marketplace.fields.feed"), name, url=url))
    else:
        key = f"core.languages.{row.language}" if row.language else "marketplace.rule.all_languages"
        facts.append(Fact(ctx.t("marketplace.fields.language"), ctx.t(key)))
    facts += [
        Fact(ctx.t("marketplace.fields.order"), row.position, "number"),
        Fact(ctx.t("marketplace.fields.updated_at"), row.updated_at, "datetime"),
    ]
    return Block("facts", ctx.t("marketplace.rule.facts"), facts, column="side", order=10)


def _actions(ctx: PageContext, row: FeedRule, here: str) -> list[Action]:
    edit = Action(ctx.t("marketplace.rule.edit"), f"{here}/edit", "pencil", "primary", is_post=False)
    if row.is_active:
        return [Action(ctx.t("marketplace.rules.switch_off"), f"{here}/switch", "pause"), edit]
    text = ctx.t("marketplace.rules.switch_on")
    return [Action(text, f"{here}/switch", "play", fields={"on": "yes"}), edit]


def _more(ctx: PageContext, row: FeedRule, here: str) -> list[Action]:
    rules = feed_rule_service.list_rules(ctx.session, "import" if row.stage == "import" else "export")
    more = []
    if row != rules[0]:
        text = ctx.t("marketplace.feed.move_up")
        more.append(Action(text, f"{here}/move", "arrow-up", fields={"direction": "up"}))
    if row != rules[-1]:
        text = ctx.t("marketplace.feed.move_down")
        more.append(Action(text, f"{here}/move", "arrow-down", fields={"direction": "down"}))
    return [
        *more,
        Action(ctx.t("marketplace.rule.copy"), f"{here}/copy", "copy"),
        Action(ctx.t("marketplace.rules.delete"), f"{here}/delete", "trash-2", "danger"),
    ]
