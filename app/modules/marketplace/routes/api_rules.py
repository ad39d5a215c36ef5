"""Rules in the API."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Query

from app.core.errors import ValidationFailedError
from app.core.ids import to_public
from app.modules.api import ApiContext, ApiRouter, Page, key_of
from app.modules.api.answers import shown
from app.modules.api.pages import read_spec
from app.modules.marketplace.models.feed import FeedRule
from app.modules.marketplace.schemas.feeds import NewRule, RuleChange, RuleDetails, RuleEffect, RuleQuery
from app.modules.marketplace.services import feed_rule_service, feed_service
from app.modules.marketplace.services.api_list_service import RULES
from app.modules.marketplace.services.feed_rule_check import check_rule
from app.modules.marketplace.services.feed_rule_service import RULE_PREFIX, RuleDraft, stored_draft
from app.modules.marketplace.services.feed_rules import FILLED_OPS, Rule
from app.modules.marketplace.services.feed_service import FEED_PREFIX
from app.modules.marketplace.services.rule_preview_service import preview

router = ApiRouter()

_VIEW, _EDIT = "marketplace.feeds.view", "marketplace.feeds.edit"


@router.vendor("GET", "/feed-rules", permission=_VIEW)
def rules_list(ctx: ApiContext, query: Annotated[RuleQuery, Query()]) -> Page[RuleDetails]:
    """List rules, in the order in which they are applied."""
    return read_spec(ctx, RULES, query, _shown)


@router.vendor("GET", "/feed-rules/{rule_id}", permission=_VIEW)
def rules_get(ctx: ApiContext, rule_id: str) -> RuleDetails:
    """Get a rule."""
    return _shown(feed_rule_service.get_rule(ctx.session, key_of(RULE_PREFIX, rule_id)))


@router.vendor("POST", "/feed-rules", permission=_EDIT, status=201)
def rules_create(ctx: ApiContext, rule: NewRule) -> RuleDetails:
    """Make a rule; it is applied after the others."""
    made = feed_rule_service.create_rule(ctx.session, _draft(ctx, rule.model_dump()), vendor_id=ctx.vendor.id)
    ctx.location(f"/vendor/feed-rules/{to_public(RULE_PREFIX, made.id)}")
    return _shown(made)


@router.vendor("POST", "/feed-rule-previews", permission=_EDIT, in_read_only=True)
def rules_preview(ctx: ApiContext, rule: NewRule) -> RuleEffect:
    """Try a rule on the rows there are, without saving it."""
    draft = _draft(ctx, rule.model_dump())
    if errors := check_rule(draft.rule):
        raise ValidationFailedError(errors=errors)
    return RuleEffect.model_validate(asdict(preview(ctx.session, draft)), from_attributes=True)


@router.vendor("PATCH", "/feed-rules/{rule_id}", permission=_EDIT, needs_version=True)
def rules_update(ctx: ApiContext, rule_id: str, change: RuleChange) -> RuleDetails:
    """Change a rule, or switch it on or off."""
    row = _own(ctx, rule_id)
    given = change.model_dump(exclude_unset=True)
    is_active = given.pop("is_active", None)
    if given:
        feed_rule_service.change_rule(ctx.session, row.id, _draft(ctx, given, row))
    if is_active is not None:
        feed_rule_service.switch_rule(ctx.session, row.id, is_active)
    return _shown(row)


@router.vendor("DELETE", "/feed-rules/{rule_id}", permission=_EDIT, needs_version=True, in_read_only=True)
def rules_delete(ctx: ApiContext, rule_id: str) -> None:
    """Remove a rule."""
    feed_rule_service.delete_rule(ctx.session, _own(ctx, rule_id).id)


def _own(ctx: ApiContext, public: str) -> FeedRule:
    row = feed_rule_service.get_rule(ctx.session, key_of(RULE_PREFIX, public))
    ctx.check_version(row.version)
    return row


def _draft(ctx: ApiContext, given: dict[str, Any], row: FeedRule | None = None) -> RuleDraft:
    """The rule that is wanted: what is given, and of a stored one all else."""
    present = stored_draft(row) if row else None
    stage = present.stage if present else given["stage"]
    feed_id = present.feed_id if present else None
    if "feed_id" in given:
        feed_id = key_of(FEED_PREFIX, given["feed_id"]) if given["feed_id"] else None
        if feed_id:
            feed_service.get_feed(ctx.session, feed_id)
    rule = Rule(
        "",
        given.get("name", present.rule.name if present else ""),
        given.get("match", present.rule.match if present else "all"),
        [_plain(one) for one in given.get("conditions", present.rule.conditions if present else ())],
        given.get("action", present.rule.action if present else {}),
    )
    return RuleDraft(stage, rule, feed_id, given.get("language", present.language if present else None))


def _plain(condition: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without a value where the comparison takes none."""
    takes_none = condition["op"] in FILLED_OPS
    return {name: value for name, value in condition.items() if name != "value" or not takes_none}


def _shown(row: Any) -> RuleDetails:
    return shown(
        RuleDetails, row, RULE_PREFIX, feed_id=to_public(FEED_PREFIX, row.feed_id) if row.feed_id else None
    )
