"""The rules of a vendor: for imports by feed, for exports by language."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.orm import Session

from app.core.errors import FieldError, ValidationFailedError
from app.core.i18n import LANGUAGES, translate
from app.core.ids import new_id, to_public
from app.modules.marketplace.exceptions import RuleNotFoundError, TooManyRulesError
from app.modules.marketplace.models.feed import Feed, FeedRule
from app.modules.marketplace.models.import_job import FeedImport
from app.modules.marketplace.services.feed_change_service import announce_change
from app.modules.marketplace.services.feed_rule_check import MAX_NAME, check_rule
from app.modules.marketplace.services.feed_rules import Rule, RuleSet
from app.modules.tenancy.facade import record_audit

RULE_PREFIX = "frl"
MAX_RULES = 200
Stage = Literal["import", "export"]


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """What people put together. Import rules may be of one feed, export rules of one language; None is all of them."""

    stage: Stage
    rule: Rule
    feed_id: UUID | None = None
    language: str | None = None

    @property
    def values(self) -> Mapping[str, Any]:
        """The columns of the stored rule."""
        return {
            "stage": self.stage,
            "feed_id": self.feed_id if self.stage == "import" else None,
            "language": self.language if self.stage == "export" else None,
            "name": self.rule.name.strip(),
            "match": self.rule.match,
            "conditions": [dict(one) for one in self.rule.conditions],
            "action": dict(self.rule.action),
        }


def import_rules(session: Session, feed_id: UUID) -> RuleSet:
    """The rules that a feed's rows go through, in their order."""
    return rule_set(active_rules(session, "import", feed_id=feed_id))


def export_rules(session: Session, language: str) -> RuleSet:
    """The rules that an export in a language goes through, in their order."""
    return rule_set(active_rules(session, "export", language=language))


def rule_set(rows: Iterable[FeedRule]) -> RuleSet:
    """Stored rules as they are applied."""
    return RuleSet(
        tuple(
            Rule(to_public(RULE_PREFIX, one.id), one.name, one.match, one.conditions, one.action)
            for one in rows
        )
    )


def active_rules(
    session: Session, stage: Stage, *, feed_id: UUID | None = None, language: str | None = None
) -> Sequence[FeedRule]:
    """The rules that are on, for a feed or a language, in their order."""
    concerned = or_(FeedRule.feed_id.is_(None), FeedRule.feed_id == feed_id)
    concerned &= or_(FeedRule.language.is_(None), FeedRule.language == language)
    return [one for one in session.scalars(_ordered(stage).where(concerned)) if one.is_active]


def select_rules() -> Select[Any]:
    """All rules as rows of a list, each with what it does and the name of its feed."""
    return select(
        FeedRule.id,
        FeedRule.name,
        FeedRule.stage,
        FeedRule.language,
        FeedRule.position,
        FeedRule.is_active,
        FeedRule.action["kind"].as_string().label("kind"),
        Feed.name.label("feed_name"),
    ).outerjoin(Feed, Feed.id == FeedRule.feed_id)


def stored_draft(row: FeedRule) -> RuleDraft:
    """A stored rule as people put it together."""
    rule = rule_set([row]).rules[0]
    return RuleDraft("import" if row.stage == "import" else "export", rule, row.feed_id, row.language)


def list_rules(session: Session, stage: str) -> Sequence[FeedRule]:
    """All rules for imports or for exports, in their order."""
    return session.scalars(_ordered(stage)).all()


def get_rule(session: Session, rule_id: UUID) -> FeedRule:
    """One rule. Raises RuleNotFoundError."""
    row = session.scalar(select(FeedRule).where(FeedRule.id == rule_id))
    if row is None:
        raise RuleNotFoundError
    return row


def create_rule(session: Session, draft: RuleDraft, *, vendor_id: UUID) -> FeedRule:
    """Add a rule behind the others. Raises ValidationFailedError (see `check_rule`) and TooManyRulesError."""
    _check(session, draft)
    row = FeedRule(
        id=new_id(), vendor_id=vendor_id, position=_next_position(session, draft.stage), **draft.values
    )
    session.add(row)
    _finish(session, row, "rule_created")
    return row


def change_rule(session: Session, rule_id: UUID, draft: RuleDraft) -> FeedRule:
    """Make a rule say something else; its stage stays. Raises RuleNotFoundError and ValidationFailedError."""
    row = get_rule(session, rule_id)
    _check(session, draft)
    changed = {name: value for name, value in draft.values.items() if getattr(row, name) != value}
    if not changed:
        return row
    forget_fetched(session, row.feed_id)  # also the feed that it no longer is for
    for name, value in changed.items():
        setattr(row, name, value)
    _finish(session, row, "rule_changed", fields=", ".join(sorted(changed)))
    return row


def delete_rule(session: Session, rule_id: UUID) -> None:
    """Remove a rule. Raises RuleNotFoundError."""
    row = get_rule(session, rule_id)
    session.delete(row)
    _finish(session, row, "rule_deleted")


def copy_rule(session: Session, rule_id: UUID, *, language: str) -> FeedRule:
    """A second rule like this one, behind the others and off; ``language``: of its name.

    Raises RuleNotFoundError and TooManyRulesError.
    """
    row = get_rule(session, rule_id)
    copied = ("vendor_id", "stage", "feed_id", "language", "match", "conditions", "action")
    values = {name: getattr(row, name) for name in copied}
    name = translate(language, "marketplace.rules.copy_name", name=row.name)[:MAX_NAME]
    position = _next_position(session, row.stage)
    copy = FeedRule(id=new_id(), name=name, position=position, is_active=False, **values)
    session.add(copy)
    _finish(session, copy, "rule_created")
    return copy


def switch_rule(session: Session, rule_id: UUID, is_active: bool) -> None:
    """Turn a rule on or off. Raises RuleNotFoundError."""
    row = get_rule(session, rule_id)
    if row.is_active is not is_active:
        row.is_active = is_active
        _finish(session, row, "rule_switched_on" if is_active else "rule_switched_off")


def move_rule(session: Session, rule_id: UUID, direction: Literal["up", "down"]) -> None:
    """Let a rule be applied before the one above it, or after the one below. Raises RuleNotFoundError."""
    row = get_rule(session, rule_id)
    rows = list(list_rules(session, row.stage))
    place = rows.index(row)
    other = place - 1 if direction == "up" else place + 1
    if not 0 <= other < len(rows):
        return
    rows[place], rows[other] = rows[other], rows[place]
    for position, one in enumerate(rows, 1):
        one.position = position
    forget_fetched(session, rows[place].feed_id)
    _finish(session, row, "rule_moved")


def forget_fetched(session: Session, feed_id: UUID | None) -> None:
    """Let the next fetch of a feed, or of all (None), bring the file even though it is the one that was imported last.

    Called when what becomes of the rows has changed; an import that runs now does not count as the last one either.
    """
    tags = {"etag": None, "last_modified": None}
    feeds = update(Feed).where(or_(Feed.etag.is_not(None), Feed.last_modified.is_not(None)))
    imports = update(FeedImport).where(
        or_(FeedImport.etag.is_not(None), FeedImport.last_modified.is_not(None))
    )
    if feed_id is not None:
        feeds, imports = feeds.where(Feed.id == feed_id), imports.where(FeedImport.feed_id == feed_id)
    session.execute(feeds.values(tags))
    session.execute(imports.values(tags))


def _ordered(stage: str) -> Any:
    return select(FeedRule).where(FeedRule.stage == stage).order_by(FeedRule.position, FeedRule.id)


def _check(session: Session, draft: RuleDraft) -> None:
    errors = check_rule(draft.rule)
    if draft.language not in (None, *LANGUAGES):
        errors.append(FieldError("language", "unknown", "marketplace.rule_errors.unknown", {}))
    if draft.feed_id and session.scalar(select(Feed.id).where(Feed.id == draft.feed_id)) is None:
        errors.append(FieldError("feed_id", "unknown", "marketplace.rule_errors.unknown", {}))
    if errors:
        raise ValidationFailedError(errors=errors)


def _next_position(session: Session, stage: str) -> int:
    count, last = session.execute(
        select(func.count(), func.max(FeedRule.position)).where(FeedRule.stage == stage)
    ).one()
    if count >= MAX_RULES:
        raise TooManyRulesError(limit=MAX_RULES)
    return (last or 0) + 1


def _finish(session: Session, row: FeedRule, action: str, **details: Any) -> None:
    """Write the change, note who made it, and let the feeds concerned be fetched anew, or written and told at once."""
    session.flush()
    if row.stage == "import":
        forget_fetched(session, row.feed_id)
    else:
        announce_change(session, row.vendor_id)
    target = to_public(RULE_PREFIX, row.id)
    record_audit(
        session, f"marketplace.{action}", vendor_id=row.vendor_id, target=target, name=row.name, **details
    )
