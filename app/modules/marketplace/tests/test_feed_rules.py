"""Rules by themselves: conditions, actions, rounding, and the trace that explains them."""

from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from app.core.i18n import LANGUAGES
from app.modules.marketplace.services.feed_rule_actions import (
    DIRECTIONS,
    ENDINGS,
    MAX_PRICE_CENTS,
    adjusted,
    rounded,
)
from app.modules.marketplace.services.feed_rule_check import check_rule
from app.modules.marketplace.services.feed_rules import OPS, Rule, RuleSet, compile_conditions

NAMES = ("id", "title", "brand", "price", "product_type")
CELLS = ["A-1", "Oak Chair", "Moselwerk", "15,00 EUR", "Furniture > Chairs"]
EXCLUDE = {"kind": "exclude"}
LOCALES = Path(__file__).parents[1] / "locales"
TEXTS = [{one.id: one.string for one in read_po((LOCALES / f"{name}.po").open())} for name in LANGUAGES]


def when(column: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"column": column, "op": op, "value": value}


def holds(*conditions: dict[str, Any], match: str = "all", cells: list[str] | None = None) -> bool:
    rule = Rule("r", "Rule", match, conditions, EXCLUDE)
    answer = compile_conditions(rule, NAMES)(cells or CELLS)
    apply = RuleSet((rule,)).compile(NAMES)
    assert (apply is not None and not apply(list(cells or CELLS))) is answer
    return answer


def change(action: dict[str, Any], column: str, cells: list[str] | None = None) -> str:
    """The cell after an action that has no condition."""
    now = list(cells or CELLS)
    apply = RuleSet.of([{"action": {"column": column, **action}}]).compile(NAMES)
    assert apply is not None
    assert apply(now)
    assert [old for old, name in zip(cells or CELLS, NAMES, strict=True) if name != column] == [
        new for new, name in zip(now, NAMES, strict=True) if name != column
    ]
    return now[NAMES.index(column)]


@pytest.mark.parametrize(
    ("op", "value", "answer"),
    [
        ("equals", " oak chair", True),
        ("equals", "oak", False),
        ("not_equals", "oak chair", False),
        ("contains", "K CH", True),
        ("not_contains", "pine", True),
        ("starts_with", "OAK", True),
        ("ends_with", "chair", True),
        ("ends_with", "oak", False),
        ("is_empty", None, False),
        ("is_filled", None, True),
        ("one_of", ["Stool", "oak chair"], True),
        ("one_of", ["stool"], False),
    ],
)
def test_texts_are_compared_without_case(op: str, value: Any, answer: bool) -> None:
    assert holds(when("title", op, value)) is answer


@pytest.mark.parametrize(
    ("cell", "op", "value", "answer"),
    [
        ("15,00 EUR", "lt", "15.01", True),
        ("15.00", "lt", "15", False),
        ("15.00", "lte", "15", True),
        ("1 234,50 €", "gt", "1234.49", True),
        ("0", "gte", "0", True),
        ("7", "gte", "7.01", False),
        ("free", "lt", "1", False),
        ("free", "gt", "1", False),
        ("", "lt", "1", False),
    ],
)
def test_prices_are_compared_as_numbers(cell: str, op: str, value: str, answer: bool) -> None:
    assert holds(when("price", op, value), cells=[*CELLS[:3], cell, ""]) is answer


def test_all_or_any_condition_must_hold() -> None:
    yes, no = when("brand", "is_filled"), when("title", "equals", "x")
    assert [holds(yes, yes), holds(yes, no), holds(no, no)] == [True, False, False]
    assert [holds(yes, yes, match="any"), holds(no, yes, match="any"), holds(no, no, match="any")] == [
        True,
        True,
        False,
    ]
    assert holds()
    assert holds(match="any")


def test_a_column_that_is_not_there_is_empty() -> None:
    absent = when("color", "is_empty")
    assert holds(absent)
    assert holds(absent, when("brand", "is_filled"))
    assert not holds(when("color", "equals", "red"), match="any")
    assert not holds(when("color", "equals", "red"), when("brand", "is_filled"))
    assert holds(when("color", "equals", "red"), when("brand", "is_filled"), match="any")
    never = RuleSet.of([{"conditions": [when("color", "is_filled")], "action": EXCLUDE}])
    assert never.compile(NAMES) is None
    assert RuleSet().compile(NAMES) is None


def test_a_text_is_set_with_cells_in_it() -> None:
    assert change({"kind": "set", "value": "{brand} {title}"}, "title") == "Moselwerk Oak Chair"
    assert change({"kind": "set", "value": "{color} {title} {Nothing}"}, "title") == "Oak Chair {Nothing}"
    assert change({"kind": "set", "value": ""}, "brand") == ""
    gap = change({"kind": "set", "value": "{title} {brand} new"}, "title", ["1", "Chair", "  ", "1", ""])
    assert gap == "Chair new"


def test_texts_are_replaced_everywhere() -> None:
    action = {"kind": "replace", "find": "a", "with": "4"}
    assert change(action, "title") == "O4k Ch4ir"
    assert (
        change({"kind": "replace", "find": "OAK", "with": r"\1", "ignore_case": True}, "title") == r"\1 Chair"
    )
    assert change({"kind": "replace", "find": "OAK", "with": "x"}, "title") == "Oak Chair"
    assert change({"kind": "replace", "find": "Oak "}, "title") == "Chair"


def test_values_are_mapped() -> None:
    table = {"furniture > CHAIRS ": "Furniture > Seats"}
    assert change({"kind": "map", "table": table}, "product_type") == "Furniture > Seats"
    assert change({"kind": "map", "table": table, "source": "product_type"}, "brand") == "Furniture > Seats"
    assert change({"kind": "map", "table": {"x": "y"}}, "product_type") == "Furniture > Chairs"
    assert change({"kind": "map", "table": {"x": "y"}, "otherwise": "Other"}, "product_type") == "Other"
    assert change({"kind": "map", "table": {"": "Own"}}, "brand", ["1", "", " ", "", ""]) == "Own"


@pytest.mark.parametrize(
    ("price", "options", "after"),
    [
        ("15,00 EUR", {"ending": "99", "direction": "down"}, "14.99 EUR"),
        ("15,00 EUR", {"ending": "99", "direction": "up"}, "15.99 EUR"),
        ("€ 15.30", {"ending": "95", "direction": "nearest"}, "14.95 EUR"),
        ("15.00", {"ending": "90", "direction": "nearest"}, "14.90"),
        ("15,00 EUR", {"ending": "00", "direction": "nearest"}, "15,00 EUR"),
        ("15.02 chf", {"ending": "05", "direction": "nearest"}, "15.00 CHF"),
        ("15.03 CHF", {"ending": "05", "direction": "nearest"}, "15.05 CHF"),
        ("0.20", {"ending": "99", "direction": "down"}, "0.99"),
        ("10.00", {"ending": "01", "direction": "nearest", "percent": "12.5"}, "11.25"),
        ("10.00", {"ending": "01", "direction": "nearest", "percent": "-10", "fixed": "1,50"}, "10.50"),
        ("10.00", {"ending": "99", "direction": "up", "percent": "20"}, "12.99"),
        ("1.00", {"ending": "01", "direction": "down", "fixed": "-5"}, "0.01"),
        ("0", {"ending": "99", "direction": "up", "fixed": "5"}, "0"),
        ("on request", {"ending": "99", "direction": "up"}, "on request"),
        ("-5.00", {"ending": "99", "direction": "up"}, "-5.00"),
        ("", {"ending": "99", "direction": "up"}, ""),
    ],
)
def test_prices_are_rounded(price: str, options: dict[str, str], after: str) -> None:
    assert change({"kind": "round_price", **options}, "price", [*CELLS[:3], price, ""]) == after


cents = st.integers(0, MAX_PRICE_CENTS)
endings, directions = st.sampled_from(sorted(ENDINGS)), st.sampled_from(DIRECTIONS)


@given(cents, cents, endings, directions)
def test_rounding_is_idempotent_monotone_and_keeps_the_sign(
    one: int, other: int, ending: str, direction: str
) -> None:
    done = rounded(one, ending, direction)
    assert rounded(done, ending, direction) == done
    assert (done > 0) is (one > 0)
    if one <= other:
        assert done <= rounded(other, ending, direction)
    step, first = ENDINGS[ending]
    if one >= first:
        assert abs(done - one) < step
        assert {"up": done >= one, "down": done <= one, "nearest": 2 * abs(done - one) <= step}[direction]
    if one:
        assert (done - first) % step == 0


@given(cents, cents, st.integers(-9_999, 100_000), st.integers(-100_000, 100_000))
def test_adding_a_share_is_monotone_and_keeps_the_sign(
    one: int, other: int, percent: int, fixed: int
) -> None:
    done = adjusted(one, percent, fixed)
    assert (done > 0) is (one > 0)
    if 0 < one <= other:
        assert done <= adjusted(other, percent, fixed)


words = st.text("aAbB 1.,€{}", max_size=6)
columns = st.sampled_from([*NAMES, "color"])
writable = st.sampled_from([*NAMES[1:], "color"])
numbers = st.decimals(0, 99, places=2).map(str)
conditions = st.one_of(
    st.builds(when, columns, st.sampled_from([op for op in OPS if op[:2] not in ("lt", "gt", "on")]), words),
    st.builds(when, columns, st.sampled_from(["lt", "lte", "gt", "gte"]), numbers),
    st.builds(when, columns, st.just("one_of"), st.lists(words, max_size=3)),
)
actions = st.one_of(
    st.just(EXCLUDE),
    st.fixed_dictionaries({"kind": st.just("set"), "column": writable, "value": words}),
    st.fixed_dictionaries(
        {
            "kind": st.just("replace"),
            "column": writable,
            "find": st.text("aAbB", min_size=1, max_size=2),
            "with": words,
            "ignore_case": st.booleans(),
        }
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("map"),
            "column": writable,
            "source": columns,
            "table": st.dictionaries(words, words, max_size=3),
            "otherwise": st.none() | words,
        }
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("round_price"),
            "column": st.just("price"),
            "ending": endings,
            "direction": directions,
            "percent": numbers,
        }
    ),
)
rules = st.builds(
    Rule,
    st.uuids().map(str),
    st.just("Rule"),
    st.sampled_from(["all", "any"]),
    st.lists(conditions, max_size=3),
    actions,
)


@given(st.lists(rules, max_size=5), st.lists(words, min_size=len(NAMES), max_size=len(NAMES)), numbers)
def test_the_trace_ends_where_the_rules_do(found: list[Rule], cells: list[str], price: str) -> None:
    cells[3] = price
    rule_set = RuleSet.of(found)
    traced = list(cells)
    stays = True
    for step in rule_set.trace(NAMES, cells):
        if step.column:
            place = NAMES.index(step.column)
            assert traced[place] == step.before != step.after
            traced[place] = step.after
        else:
            stays = False
    applied = list(cells)
    apply = rule_set.compile(NAMES)
    assert (apply is None or apply(applied)) is stays
    assert applied == traced


def test_the_digest_differs_with_what_the_rules_do() -> None:
    base: dict[str, Any] = {
        "id": "1",
        "name": "Round",
        "match": "all",
        "conditions": [when("brand", "equals", "x")],
        "action": {"kind": "set", "column": "brand", "value": "y"},
    }
    other = base | {"action": EXCLUDE}
    variants = [
        [],
        [base],
        [base, other],
        [other, base],
        [base | {"match": "any"}],
        [base | {"conditions": [when("brand", "equals", "z")]}],
        [base | {"conditions": []}],
        [base | {"action": {"kind": "set", "column": "brand", "value": "z"}}],
    ]
    assert len({RuleSet.of(rules).digest for rules in variants}) == len(variants)
    assert RuleSet.of([base | {"id": "2", "name": "Other"}]).digest == RuleSet.of([base]).digest
    assert RuleSet().digest == b""
    assert RuleSet.of([base, other]).columns == ("brand",)


def wrong(conditions: Any = (), **action: Any) -> list[tuple[str, str]]:
    found = check_rule(Rule("", "Name", "all", conditions, action))
    for error in found:
        for texts in TEXTS:
            assert texts[error.message_key] % error.params
    return [(error.pointer, error.code) for error in found]


def test_what_people_type_is_checked() -> None:
    assert wrong(kind="exclude") == []
    assert wrong(kind="set", column="brand", value="") == []
    rounding = {"kind": "round_price", "column": "price", "ending": "99", "direction": "up"}
    assert wrong(**rounding, percent="", fixed="-1,50") == []
    assert wrong() == [("action/kind", "missing")]
    assert wrong(kind="delete") == [("action/kind", "unknown")]
    assert wrong(kind="set", column="id", value="x") == [("action/column", "not_writable")]
    assert wrong(kind="set") == [("action/column", "missing"), ("action/value", "missing")]
    assert wrong(**rounding | {"column": "brand"}) == [("action/column", "not_a_price")]
    assert wrong(**rounding | {"ending": "", "direction": "x"}) == [
        ("action/ending", "missing"),
        ("action/direction", "unknown"),
    ]
    assert wrong(**rounding, percent="ten", fixed="1.234") == [
        ("action/percent", "not_a_number"),
        ("action/fixed", "not_a_number"),
    ]
    assert wrong(**rounding, percent="-100") == [("action/percent", "percent")]
    assert wrong(kind="replace", column="title", find="", **{"with": "x"}) == [("action/find", "missing")]
    assert wrong(kind="replace", column="title", find="x", **{"with": "x"}) == [("action/with", "same_text")]
    assert wrong(kind="map", column="title", table={}) == [("action/table", "missing")]
    assert wrong(kind="map", column="title", table={"a": 1}) == [("action/table", "missing")]
    assert wrong(kind="set", column="title", value="x" * 5001) == [("action/value", "too_long")]
    assert wrong(kind="set", column="title", value="\0") == [("action/value", "nul")]


def test_conditions_are_checked() -> None:
    assert wrong([when("brand", "is_empty"), when("price", "lt", "1,50")], kind="exclude") == []
    found = wrong(
        [
            when("", "equals", "x"),
            when("brand", "like", "x"),
            when("brand", "contains", " "),
            when("price", "lt", "cheap"),
            when("price", "gt", ""),
            when("brand", "one_of", ["", " "]),
        ],
        kind="exclude",
    )
    assert found == [
        ("conditions/0/column", "missing"),
        ("conditions/1/op", "unknown"),
        ("conditions/2/value", "missing"),
        ("conditions/3/value", "not_a_number"),
        ("conditions/4/value", "missing"),
        ("conditions/5/value", "missing"),
    ]
    assert wrong([when("brand", "is_empty")] * 21, kind="exclude") == [("conditions", "too_many")]
    name, match = check_rule(Rule("", " ", "some", (), EXCLUDE))
    assert [(name.pointer, name.code), (match.pointer, match.code)] == [
        ("name", "missing"),
        ("match", "unknown"),
    ]
