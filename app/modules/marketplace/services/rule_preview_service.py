"""What a rule would do to the rows there are, before it is saved."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.i18n import LANGUAGES
from app.modules.catalog import facade as catalog
from app.modules.marketplace.models.marketplace_product import MarketplaceProduct
from app.modules.marketplace.services import feed_service
from app.modules.marketplace.services.export_service import CELLS
from app.modules.marketplace.services.feed_rule_service import RuleDraft, active_rules, rule_set
from app.modules.marketplace.services.feed_rules import Rule, RuleSet, compile_conditions

MAX_ROWS = 100_000
MAX_SECONDS = 2.0
_ROWS_PER_FETCH = 1000
_SHOWN = ("id", "title")


class CellChange(NamedTuple):
    """A cell that the rule changes."""

    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Example:
    """A row that the rule changes, or leaves out (then without changes)."""

    external_id: str
    title: str
    changes: tuple[CellChange, ...]
    is_excluded: bool


@dataclass(slots=True)
class Preview:
    """How many rows were looked at; for how many the conditions hold, and what became of those.

    ``is_complete``: all rows were looked at, not only as many as time and MAX_ROWS allow.
    """

    rows_looked_at: int = 0
    matched: int = 0
    changed: int = 0
    excluded: int = 0
    examples: list[Example] = field(default_factory=list)
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class _Bounds:
    examples: int
    deadline: float

    def are_reached(self, rows: int) -> bool:
        """Whether to stop after so many rows; the clock is read once in a while."""
        return rows == MAX_ROWS or (rows % _ROWS_PER_FETCH == 0 and time.monotonic() > self.deadline)


def preview(session: Session, draft: RuleDraft, *, rule_id: UUID | None = None, limit: int = 20) -> Preview:
    """Try a rule on the last rows of its feed (or all feeds), or on the products of an export, without saving it.

    It sees the cells as the active rules before it leave them: with ``rule_id`` those before that one, else all.
    ``limit``: examples. The rule must have passed `check_rule`.
    """
    found = Preview()
    bounds = _Bounds(limit, time.monotonic() + MAX_SECONDS)
    for feed_id, language in _places(session, draft):
        rules = active_rules(session, draft.stage, feed_id=feed_id, language=language)
        position = next((place for place, one in enumerate(rules) if one.id == rule_id), len(rules))
        before, all_active = rule_set(rules[:position]), rule_set(rules)
        names = _names(RuleSet((*all_active.rules, draft.rule)))
        if draft.stage == "import":
            assert feed_id is not None
            rows = _staged_rows(session, feed_id, names, all_active)
        else:
            rows = _exported_rows(session, language or "", names)
        _look(found, rows, names, before, draft.rule, bounds)
        if not found.is_complete:
            break
    return found


def _places(session: Session, draft: RuleDraft) -> list[tuple[UUID | None, str | None]]:
    """The feeds, or the languages of exports, that the rule is for."""
    if draft.stage == "import":
        feeds = feed_service.list_feeds(session)
        return [(one.id, None) for one in feeds if draft.feed_id in (None, one.id)]
    return [(None, language) for language in LANGUAGES if draft.language in (None, language)]


def _names(rules: RuleSet) -> list[str]:
    """The columns that have to be read."""
    used = set(rules.columns).union(*(rule.reads for rule in rules.rules))
    return [*_SHOWN, *sorted(used.difference(_SHOWN))]


def _staged_rows(
    session: Session, feed_id: UUID, names: Sequence[str], active: RuleSet
) -> Iterator[list[str]]:
    """The cells of a feed's rows before rules. Of those that the feed lost, only what the rules themselves left out."""
    row = MarketplaceProduct
    columns = [row.raw[name].as_string() for name in names]
    statement = (
        select(row.missing_since, row.external_id, *columns)
        .where(row.feed_id == feed_id)
        .order_by(row.external_id)
        .limit(MAX_ROWS + 1)
    )
    apply = active.compile(names)
    for missing_since, _, *cells in session.execute(
        statement, execution_options={"yield_per": _ROWS_PER_FETCH}
    ):
        texts = [cell or "" for cell in cells]
        if missing_since is None or (apply is not None and not apply(list(texts))):
            yield texts


def _exported_rows(session: Session, language: str, names: Sequence[str]) -> Iterator[list[str]]:
    cells = [CELLS.get(name) for name in names]
    export = catalog.open_preview(session, language=language, limit=MAX_ROWS + 1)
    for product in export.rows:
        yield [cell(product) if cell else "" for cell in cells]


def _look(
    found: Preview,
    rows: Iterator[list[str]],
    names: Sequence[str],
    before: RuleSet,
    rule: Rule,
    bounds: _Bounds,
) -> None:
    prepare, holds, apply = (
        before.compile(names),
        compile_conditions(rule, names),
        RuleSet((rule,)).compile(names),
    )
    for cells in rows:
        if bounds.are_reached(found.rows_looked_at):
            found.is_complete = False
            return
        found.rows_looked_at += 1
        if (prepare is not None and not prepare(cells)) or not holds(cells):
            continue
        found.matched += 1
        now = list(cells)
        stays = apply is None or apply(now)
        if stays and now == cells:
            continue
        found.changed += stays
        found.excluded += not stays
        if len(found.examples) < bounds.examples:
            found.examples.append(_example(names, cells, now, stays))


def _example(names: Sequence[str], before: Sequence[str], after: Sequence[str], stays: bool) -> Example:
    cells = zip(names, before, after, strict=True)
    changes = tuple(CellChange(name, old, new) for name, old, new in cells if old != new)
    return Example(before[0], before[1], changes, not stays)
