"""Rules: if the conditions hold for a row, its cells are changed, or the row is left out. Cells are texts by column.

Pure: nothing here knows the database. Texts are compared without regard to case and the blanks around them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from app.modules.marketplace.services.feed_rule_actions import (
    Places,
    action_reads,
    action_writes,
    compile_action,
    number_of,
)

Apply = Callable[[list[str]], bool]
Holds = Callable[[Sequence[str]], bool]
_Test = Callable[[str], bool]

TEXT_OPS = ("equals", "not_equals", "contains", "not_contains", "starts_with", "ends_with")
FILLED_OPS = ("is_empty", "is_filled")
NUMBER_OPS = ("lt", "lte", "gt", "gte")
OPS = (*TEXT_OPS, *FILLED_OPS, *NUMBER_OPS, "one_of")
MATCHES = ("all", "any")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``conditions`` are objects with column, op (OPS) and value: a text, for ``one_of`` a list of texts;
    ``match``: whether all or any of them must hold; none: the rule is for every row. ``action`` is an object with kind
    (`feed_rule_actions.KINDS`) and what that kind needs.
    """

    id: str
    name: str
    match: str
    conditions: Sequence[Mapping[str, Any]]
    action: Mapping[str, Any]

    @classmethod
    def of(cls, given: "Rule | Mapping[str, Any]") -> "Rule":
        """The rule of a plain object with these fields; ``id`` and ``name`` may be missing."""
        if isinstance(given, Rule):
            return given
        return cls(
            str(given.get("id", "")),
            given.get("name", ""),
            given.get("match", "all"),
            given.get("conditions", ()),
            given["action"],
        )

    @property
    def reads(self) -> frozenset[str]:
        """The columns that it looks at."""
        return frozenset(one["column"] for one in self.conditions) | action_reads(self.action)

    @property
    def writes(self) -> str | None:
        """The column that it changes; None when it leaves rows out."""
        return action_writes(self.action)


class Step(NamedTuple):
    """What one rule did to a row: the column's cell before and after. ``column`` is "" where it left the row out."""

    rule_id: str
    rule_name: str
    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules in their order."""

    rules: tuple[Rule, ...] = ()

    @classmethod
    def of(cls, rules: Iterable[Rule | Mapping[str, Any]]) -> "RuleSet":
        """The set of rules, or of plain objects (see `Rule.of`), in this order."""
        return cls(tuple(Rule.of(rule) for rule in rules))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are written to, which need not be in the file."""
        return tuple(sorted({rule.writes for rule in self.rules if rule.writes}))

    @property
    def digest(self) -> bytes:
        """Differs when what the rules do may differ; their names and ids do nothing. Empty without rules."""
        if not self.rules:
            return b""
        parts = [[rule.match, list(rule.conditions), rule.action] for rule in self.rules]
        return blake2b(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()

    def compile(self, names: Sequence[str]) -> Apply | None:
        """A function that changes the cells of a row, which are in the order of ``names``, in place.

        It answers whether the row stays; the cells of one that does not are as the rules before left them. None when
        nothing can apply to these columns.
        """
        places = {name: place for place, name in enumerate(names)}
        plan = tuple(part for rule in self.rules if (part := _compile(rule, places)) is not None)
        if not plan:
            return None

        def apply(cells: list[str]) -> bool:
            for holds, act in plan:
                if holds is None or holds(cells):
                    if act is None:
                        return False
                    act(cells)
            return True

        return apply

    def trace(self, names: Sequence[str], cells: Sequence[str]) -> list[Step]:
        """What each rule changes in a row, in their order; a row that is left out ends with a step without column."""
        now = list(cells)
        steps = []
        for rule in self.rules:
            apply = RuleSet((rule,)).compile(names)
            if apply is None:
                continue
            before = list(now)
            if not apply(now):
                steps.append(Step(rule.id, rule.name, "", "", ""))
                break
            steps += [
                Step(rule.id, rule.name, name, old, new)
                for name, old, new in zip(names, before, now, strict=True)
                if old != new
            ]
        return steps


def compile_conditions(rule: Rule, names: Sequence[str]) -> Holds:
    """Whether a rule's conditions hold for the cells of a row, which are in the order of ``names``."""
    holds = _conditions(rule, {name: place for place, name in enumerate(names)})
    if isinstance(holds, bool):
        answer = holds
        return lambda _cells: answer
    return holds


def _compile(rule: Rule, places: Places) -> tuple[Holds | None, Callable[[list[str]], None] | None] | None:
    """Condition (None: always) and action (None: leave the row out); None for a rule that never does anything."""
    holds = _conditions(rule, places)
    if holds is False:
        return None
    condition = None if holds is True else holds
    if rule.writes is None:
        return condition, None
    if rule.writes not in places:
        return None
    return condition, compile_action(rule.action, places)


def _conditions(rule: Rule, places: Places) -> Holds | bool:
    """The conditions as one function; True or False where the columns decide already."""
    tests: list[Holds] = []
    must_all = rule.match == "all"
    for condition in rule.conditions:
        test = _test(condition["op"], condition.get("value"))
        place = places.get(condition["column"])
        if place is not None:
            tests.append(_at(place, test))
        elif test("") is not must_all:
            return not must_all
    if not tests:
        return must_all or not rule.conditions
    if len(tests) == 1:
        return tests[0]
    return _all(tests) if must_all else _any(tests)


def _at(place: int, test: _Test) -> Holds:
    return lambda cells: test(cells[place])


def _all(tests: Sequence[Holds]) -> Holds:
    def holds(cells: Sequence[str]) -> bool:
        for test in tests:  # noqa: SIM110 - all() over a generator takes twice as long
            if not test(cells):
                return False
        return True

    return holds


def _any(tests: Sequence[Holds]) -> Holds:
    def holds(cells: Sequence[str]) -> bool:
        for test in tests:  # noqa: SIM110
            if test(cells):
                return True
        return False

    return holds


def _test(op: str, value: Any) -> _Test:
    """What an operator asks of a cell."""
    if op in NUMBER_OPS:
        return _number_test(op, value)
    if op == "one_of":
        words = frozenset(plain(word) for word in value)
        return lambda cell: plain(cell) in words
    word = plain(value or "")
    tests: dict[str, _Test] = {
        "equals": lambda cell: plain(cell) == word,
        "not_equals": lambda cell: plain(cell) != word,
        "contains": lambda cell: word in cell.casefold(),
        "not_contains": lambda cell: word not in cell.casefold(),
        "starts_with": lambda cell: plain(cell).startswith(word),
        "ends_with": lambda cell: plain(cell).endswith(word),
        "is_empty": lambda cell: not cell or cell.isspace(),
        "is_filled": lambda cell: not (not cell or cell.isspace()),
    }
    return tests[op]


def _number_test(op: str, value: str) -> _Test:
    """A cell that is no number is neither above nor below anything."""
    edge = number_of(value)
    if edge is None:
        raise ValueError(f"{value!r} is no number")

    def compare(cell: str) -> bool:
        number = number_of(cell)
        if number is None:
            return False
        if op == "lt":
            return number < edge
        if op == "lte":
            return number <= edge
        return number > edge if op == "gt" else number >= edge

    return compare


def plain(text: str) -> str:
    """A text as it is compared."""
    return text.strip().casefold()
