"""Declared tables: scopes, keys and money. The database refuses what these declarations say."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import BigInteger, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.schema import Table

from app.core.tables import TableScope
from app.modules.registry import requirements
from app.modules.verify.project import Project, Source, last_name
from app.modules.verify.report import Finding


def place_of(project: Project, table: Table) -> tuple[Path, int]:
    """File and line where a table is declared."""
    source = project.by_name.get(table.info["python_module"])
    if source is None:
        return project.root / table.info["python_module"], 1
    for text in source.all(ast.Constant):
        if text.value == table.name:
            return source.path, text.lineno
    return source.path, 1


def _finding(project: Project, table: Table, rule: str, message: str, fix: str) -> Finding:
    path, line = place_of(project, table)
    return project.finding(path, line, rule, message, fix)


def check_scopes(project: Project) -> Iterator[Finding]:
    """Every table declares whose rows it holds, and has the column that the policies compare."""
    for table in project.tables:
        scope, column = table.info.get("scope"), table.info.get("scope_column")
        if scope is None:
            yield _finding(
                project,
                table,
                "table-scope",
                f"Table {table.name} declares no __scope__.",
                f"Choose one of TableScope: {', '.join(TableScope)}.",
            )
        elif column is not None and column not in table.c:
            yield _finding(
                project,
                table,
                "table-scope",
                f"Table {table.name} of scope {scope} has no column {column}.",
                f"Add {column} or name the column in __scope_column__.",
            )
        elif column is not None and scope is TableScope.VENDOR and table.c[column].nullable:
            yield _finding(
                project,
                table,
                "table-scope",
                f"{table.name}.{column} may be null.",
                "Rows of vendors name their vendor; use vendor_or_platform for the others.",
            )


def check_unique_keys(project: Project) -> Iterator[Finding]:
    """Unique keys of vendor tables carry the vendor, or one vendor could learn what another has."""
    for table in project.tables:
        column = table.info.get("scope_column")
        if table.info.get("scope") is not TableScope.VENDOR or column == "id":
            continue
        uniques = [set(key.columns.keys()) for key in table.constraints if isinstance(key, UniqueConstraint)]
        uniques += [set(index.columns.keys()) for index in table.indexes if index.unique]
        for names in uniques:
            if column not in names:
                yield _finding(
                    project,
                    table,
                    "vendor-unique-key",
                    f"A unique key of {table.name} over {', '.join(sorted(names))} lacks {column}.",
                    f"Put {column} first in the key.",
                )


def _foreign_keys(project: Project) -> Iterator[tuple[Table, ForeignKeyConstraint, str]]:
    for table in project.tables:
        for key in table.constraints:
            if isinstance(key, ForeignKeyConstraint):
                yield table, key, key.elements[0].target_fullname.rpartition(".")[0]


def check_foreign_keys(project: Project) -> Iterator[Finding]:
    """Foreign keys point at required modules, keep to one vendor, and never null the vendor."""
    tables = {table.name: table for table in project.tables}
    for table, key, name in _foreign_keys(project):
        owner, target_owner = project.table_owners[table.name], project.table_owners.get(name)
        if target_owner is not None and not _may_point(project, owner, target_owner):
            yield _finding(
                project,
                table,
                "foreign-key-border",
                f"Table {table.name} of {owner} has a foreign key to {name} of {target_owner}.",
                "Point at tables of modules in `requires` only, or keep the plain id.",
            )
        if (key.ondelete or "").strip().upper() == "SET NULL" and len(key.elements) > 1:
            yield _finding(
                project,
                table,
                "plain-set-null",
                f"Deleting a row of {name} would null all of {', '.join(key.column_keys)} in {table.name}.",
                'Name the column: ondelete="SET NULL (column)".',
            )
        if name in tables:
            yield from _vendor_keys(project, table, key, tables[name])


def _may_point(project: Project, owner: str, target: str) -> bool:
    if owner in project.modules:
        return (
            target == owner
            or target in requirements(project.modules[owner], project.modules)
            or target == "framework"
        )
    return target in (owner, "tasks" if owner == "framework" else owner)


def _vendor_keys(
    project: Project, table: Table, key: ForeignKeyConstraint, target: Table
) -> Iterator[Finding]:
    if {table.info.get("scope"), target.info.get("scope")} != {TableScope.VENDOR}:
        return
    columns = [element.target_fullname.rpartition(".")[2] for element in key.elements]
    pair = (table.info.get("scope_column"), target.info.get("scope_column"))
    if pair not in list[tuple[object, object]](zip(key.column_keys, columns, strict=True)):
        yield _finding(
            project,
            table,
            "vendor-foreign-key",
            f"A foreign key of {table.name} to {target.name} lacks {pair[0]}: it could cross vendors.",
            f'ForeignKeyConstraint(["{pair[0]}", …], ["{target.name}.{pair[1]}", …]).',
        )
    keys = [
        set(one.columns.keys())
        for one in target.constraints
        if isinstance(one, UniqueConstraint | PrimaryKeyConstraint)
    ]
    if set(columns) not in keys:
        yield _finding(
            project,
            target,
            "vendor-anchor",
            f"{target.name} is referenced by {', '.join(columns)} but has no such unique key.",
            f"Add UniqueConstraint({', '.join(repr(column) for column in columns)}).",
        )


def check_money_columns(project: Project) -> Iterator[Finding]:
    """Amounts are whole cents."""
    for table in project.tables:
        for column in table.c:
            if column.name.endswith("_cents") and not isinstance(column.type, Integer | BigInteger):
                yield _finding(
                    project,
                    table,
                    "money-float",
                    f"{table.name}.{column.name} has type {column.type}.",
                    "Store whole cents: Mapped[int].",
                )


def check_relationships(project: Project) -> Iterator[Finding]:
    """relationship() stays inside a module."""
    classes: dict[str, set[str]] = {}
    for source in project.of_modules("models"):
        for node in source.all(ast.ClassDef):
            classes.setdefault(node.name, set()).add(source.owner)
    for source in project.of_modules():
        for call, text in _relationships(source):
            for name, owners in classes.items():
                if name in text and source.owner not in owners:
                    yield project.finding(
                        source,
                        call.lineno,
                        "foreign-relationship",
                        f"relationship() to {name} of module {', '.join(sorted(owners))}.",
                        "Keep the id and ask the other module's facade.",
                    )


def _relationships(source: Source) -> Iterator[tuple[ast.Call, set[str]]]:
    """Calls of relationship() with the names in their arguments and annotations."""
    statements: list[ast.AnnAssign | ast.Assign] = [*source.all(ast.AnnAssign), *source.all(ast.Assign)]
    for statement in statements:
        call = statement.value
        if isinstance(call, ast.Call) and last_name(call.func) == "relationship":
            yield call, {name for node in ast.walk(statement) for name in _names(node)}


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return re.findall(r"\w+", node.value) if is_text else []  # type: ignore[attr-defined]
