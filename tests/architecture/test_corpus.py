"""How much is planted: enough violations in enough classes, at least one for each rule that verify knows."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from app.modules.verify import __file__ as verify_file
from app.modules.verify import imports
from tests.architecture import test_imports, test_planted_code, test_planted_declarations
from tests.framework import test_module_pages

CLASSES = {
    "import borders": {*imports.RULES} - {"import-cycle"},
    "import cycles": {"import-cycle"},
    "vocabulary of folders": {
        *("module-vocabulary", "vague-name", "migration-name", "sdk-reexports"),
        *("missing-init", "missing-definition", "missing-readme", "missing-tests"),
    },
    "scopes of tables": {"table-scope", "vendor-unique-key"},
    "personal data": {"personal-undeclared", "personal-column"},
    "foreign keys": {
        *("foreign-key-border", "vendor-foreign-key", "vendor-anchor", "plain-set-null"),
        "foreign-relationship",
    },
    "SQL in strings": {"foreign-table", "copy-into-table", "migration-imports"},
    "routes": {"plain-router", "route-area", "route-undeclared", "route-unregistered"},
    "permissions": {"permission-missing", "permission-name", "permission-undeclared"},
    "features of plans": {"feature-name", "feature-usage", "feature-undeclared"},
    "pages": {
        *("page-icon", "page-name", "page-twice", "page-undeclared", "page-without-function"),
        *("dead-path", "list-part", "menu-key"),
    },
    "tasks": {"task-base", "task-name", "task-queue", "tasks-path"},
    "schedules": {"schedule-name", "schedule-task", "schedule-time"},
    "ways round the ledger": {"ledger-bypass"},
    "transactions": {"commit-in-code"},
    "clocks": {"wall-clock", "server-now"},
    "calls to the outside": {"direct-http"},
    "output": {"print"},
    "money": {"money-float"},
    "size": {"budget", "budget-exception"},
    "templates": {"template-syntax", "template-missing", "inline-code", "unknown-class"},
    "messages": {"message-missing", "message-placeholder", "message-file"},
    "wording": {"message-word", "message-untranslated"},
    "documents": {"stale-docs"},
}
_OF_THE_GATE_ITSELF = {"imports-unchecked", "not-importable"}
_KEBAB = re.compile(r"[a-z]+(?:-[a-z]+)+")
Test = Callable[..., None]
# Tests whose parameters are violations, with the place of the rule among them.
_BY_PARAMETER: list[tuple[Test, int]] = [
    (test_imports.test_one_import, 2),
    (test_planted_code.test_a_planted_violation_is_found, 0),
    (test_planted_declarations.test_a_planted_table_is_found, 0),
    (test_planted_declarations.test_a_planted_foreign_key_is_found, 0),
    (test_planted_declarations.test_a_planted_personal_column_is_found, 0),
    (test_planted_declarations.test_a_planted_definition_is_found, 0),
    (test_planted_declarations.test_a_planted_route_is_found, 0),
    (test_planted_declarations.test_a_planted_template_is_found, 0),
]
# Tests that plant one rule's violation in each of their parameters, or one where they have none.
_BY_RULE: list[tuple[Test, str]] = [
    (test_imports.test_cycles_are_found_each_once, "import-cycle"),
    (test_planted_code.test_sql_that_names_a_foreign_table_is_found, "foreign-table"),
    (test_planted_code.test_a_foreign_table_in_an_f_string_is_found, "foreign-table"),
    (test_planted_code.test_a_migration_of_a_foreign_table_is_found, "foreign-table"),
    (test_planted_code.test_exceptions_from_the_budget_only_shrink, "budget-exception"),
    (test_planted_code.test_a_module_with_code_needs_readme_and_tests, "missing-readme"),
    (test_planted_code.test_a_module_with_code_needs_readme_and_tests, "missing-tests"),
    (test_planted_code.test_a_route_file_of_no_area_is_found, "module-vocabulary"),
    (test_planted_code.test_set_null_in_sql_text_is_found, "plain-set-null"),
    (test_planted_declarations.test_a_page_named_after_another_area_is_found, "page-name"),
    (test_planted_declarations.test_messages_are_the_same_in_each_language, "message-placeholder"),
    (test_planted_declarations.test_messages_are_the_same_in_each_language, "message-file"),
    (
        test_planted_declarations.test_english_in_another_language_is_found_unless_a_note_says_why,
        "message-untranslated",
    ),
    (test_planted_declarations.test_a_word_that_helps_nobody_is_found, "message-word"),
    (test_planted_declarations.test_an_error_code_without_a_text_is_found, "message-missing"),
    (test_module_pages.test_a_changed_missing_or_foreign_page_is_stale_and_put_right, "stale-docs"),
]


def _parameters(test: Test) -> list[Any]:
    marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
    return list(marks[0].args[1]) if marks else [None]


def planted() -> Iterator[str]:
    """The rule of every planted violation."""
    for test, place in _BY_PARAMETER:
        yield from (values[place] for values in _parameters(test) if values[place] is not None)
    for test, rule in _BY_RULE:
        yield from (rule for _ in _parameters(test))


def known_rules() -> set[str]:
    """Every rule that stands in the sources of verify."""
    found = {"print", "budget"}
    for path in _sources():
        texts = (
            node.value
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Constant)
        )
        found |= {text for text in texts if isinstance(text, str) and _KEBAB.fullmatch(text)}
    return found - _OF_THE_GATE_ITSELF


def _sources() -> list[Path]:
    return [path for path in sorted(Path(verify_file).parent.glob("*.py")) if path.stem != "report"]


def test_at_least_60_violations_of_at_least_12_classes_are_planted() -> None:
    rules = Counter(planted())
    by_class = {name: sum(rules[rule] for rule in members) for name, members in CLASSES.items()}
    print(f"{rules.total()} violations of {len(rules)} rules in {len(by_class)} classes: {by_class}")
    assert rules.total() >= 60
    assert len([name for name, count in by_class.items() if count]) >= 12
    assert all(by_class.values()), by_class


def test_every_rule_is_planted_and_belongs_to_one_class() -> None:
    rules = set(planted())
    assert known_rules() == rules
    assert sorted(rules) == sorted(rule for members in CLASSES.values() for rule in members)
