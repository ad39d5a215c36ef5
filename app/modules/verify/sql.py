"""SQL in strings: only the owner names a table; no COPY into tables with row security."""

import ast
import re
from collections.abc import Iterator

from app.modules.verify.project import Project, Source, last_name
from app.modules.verify.report import Finding

_STATEMENT = re.compile(
    r"\s*(?:select|insert|update|delete|with|merge|copy|truncate|lock|alter|create|drop)\b", re.IGNORECASE
)
_NAMED = r"(?:only\s+)?(?:\"?public\"?\.)?\"?([a-z_][a-z0-9_]*)\"?"
_KEYWORDS = r"(?:from|join|into|using|update|copy|truncate(?:\s+table)?|table|references|on)"
_TABLE_AFTER = re.compile(rf"\b{_KEYWORDS}\s+{_NAMED}", re.IGNORECASE)
_TABLE_AFTER_UPPER = re.compile(
    rf"\b(?:FROM|JOIN|INTO|USING|UPDATE|COPY|TRUNCATE|TABLE|REFERENCES)\s+{_NAMED}"
)
_FROM_LIST = re.compile(r"\bfrom\s+((?:[\w.\"]+(?:\s+(?:as\s+)?\w+)?\s*,\s*)+[\w.\"]+)", re.IGNORECASE)
_COPY = re.compile(r"\bCOPY\s+(?!pg_temp\b)(?:\"?public\"?\.)?\"?([\w{}]+)\"?[^;]*\bFROM\b", re.IGNORECASE)
_SET_NULL = re.compile(
    r"FOREIGN\s+KEY\s*\([^)]*,[^)]*\)[^;]*?ON\s+DELETE\s+SET\s+NULL(?!\s*\()", re.IGNORECASE | re.DOTALL
)
_SECOND_NAMES_TABLE = frozenset(
    {
        "create_index",
        "create_foreign_key",
        "create_unique_constraint",
        "create_check_constraint",
        "drop_constraint",
    }
)


def tables_in(text: str) -> set[str]:
    """Names that stand where SQL names a table; empty for a text that does not look like SQL."""
    if not _STATEMENT.match(text):
        return set(_TABLE_AFTER_UPPER.findall(text))
    found = {name.lower() for name in _TABLE_AFTER.findall(text)}
    for listed in _FROM_LIST.findall(text):
        found.update(item.split()[0].strip('"').rpartition(".")[2].lower() for item in listed.split(","))
    return found


def _may_name(owner: str) -> frozenset[str]:
    return frozenset({owner, "tasks"}) if owner == "framework" else frozenset({owner})


def check_table_names(project: Project) -> Iterator[Finding]:
    """No SQL text, Core table or migration names a table of another owner."""
    owners = project.table_owners
    for source in project.sources:
        if source.is_test:
            continue
        named = [(line, name) for line, text in source.strings for name in sorted(tables_in(text))]
        named += _in_calls(source)
        for line, name in named:
            if name in owners and owners[name] not in _may_name(source.owner):
                yield project.finding(
                    source,
                    line,
                    "foreign-table",
                    f"SQL names {name}, a table of {owners[name]}.",
                    f"Ask the facade of {owners[name]}; for bulk data use its intake.",
                )


def _in_calls(source: Source) -> Iterator[tuple[int, str]]:
    for call in source.all(ast.Call):
        name = last_name(call.func)
        of = call.func.value if isinstance(call.func, ast.Attribute) else None
        if isinstance(of, ast.Name) and of.id == "op":
            position = 1 if name in _SECOND_NAMES_TABLE else 0
        elif name in ("table", "Table"):
            position = 0
        else:
            continue
        if len(call.args) > position:
            argument = call.args[position]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield call.lineno, argument.value


def check_migration_imports(project: Project) -> Iterator[Finding]:
    """A migration stays true when the code moves on, so it imports the kernel only."""
    for source in project.sources:
        if source.part != "migrations" and "/versions/" not in source.path.as_posix():
            continue
        for line, name in source.imported:
            if name.startswith("app.") and not name.startswith("app.core."):
                yield project.finding(
                    source,
                    line,
                    "migration-imports",
                    f"The migration imports {name}, which will change after it.",
                    "Write names and types out in the migration; only app.core may be imported.",
                )


def check_copy(project: Project) -> Iterator[Finding]:
    """PostgreSQL refuses COPY into a table with row security."""
    for source in project.sources:
        for line, text in source.strings:
            for name in _COPY.findall(text):
                if source.is_test and name not in project.table_owners:
                    continue
                if name in project.table_owners or "{" in name:
                    yield project.finding(
                        source,
                        line,
                        "copy-into-table",
                        f"COPY into {'a table named at run time' if '{' in name else name}.",
                        "Use app.core.database.bulk_load() and merge with INSERT … SELECT … ON CONFLICT.",
                    )


def check_set_null(project: Project) -> Iterator[Finding]:
    """Migrations null the reference only, never the vendor."""
    for source in project.sources:
        lines = [line for line, text in source.strings if _SET_NULL.search(text)]
        lines += [call.lineno for call in source.all(ast.Call) if _nulls_all(call)]
        if source.is_test:
            continue
        for line in lines:
            yield project.finding(
                source,
                line,
                "plain-set-null",
                "ON DELETE SET NULL on a key of several columns would null vendor_id too.",
                "Name the column: ON DELETE SET NULL (column).",
            )


def _nulls_all(call: ast.Call) -> bool:
    if last_name(call.func) not in ("create_foreign_key", "ForeignKeyConstraint"):
        return False
    plain = any(
        keyword.arg == "ondelete"
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value == "SET NULL"
        for keyword in call.keywords
    )
    return plain and any(isinstance(part, ast.List | ast.Tuple) and len(part.elts) > 1 for part in call.args)
