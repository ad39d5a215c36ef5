"""Personal data: every table says which of its columns are about a person, and how they go."""

from collections.abc import Iterator

from sqlalchemy.schema import Table

from app.core.tables import ERASE, NOT_PERSONAL, Personal
from app.modules.personal import can_be_emptied, personal_columns, subject_of
from app.modules.verify.project import Project
from app.modules.verify.report import Finding
from app.modules.verify.tables import place_of


def check_personal(project: Project) -> Iterator[Finding]:
    """Every table declares its personal columns, and what is to be erased can be found and emptied."""
    for table in project.tables:
        path, line = place_of(project, table)
        personal: Personal | None = table.info.get("personal")
        if personal is None:
            yield project.finding(
                path,
                line,
                "personal-undeclared",
                f"Table {table.name} declares no __personal__.",
                "Personal({column: ERASE or KEEP(reason)}, subject=…), or NOT_PERSONAL.",
            )
        elif personal != NOT_PERSONAL:
            for message, fix in (*_unnamed(table, personal), *_unreachable(table, personal)):
                yield project.finding(path, line, "personal-column", message, fix)


def _unnamed(table: Table, personal: Personal) -> Iterator[tuple[str, str]]:
    impersonal: tuple[str, ...] = table.info["impersonal"]
    for column in personal_columns(table):
        if column.name not in (*personal.columns, *impersonal):
            yield (
                f"{table.name}.{column.name} is declared neither personal nor not.",
                "Name it in Personal(…) with ERASE or KEEP(reason), or in __impersonal__.",
            )
    named = {*personal.columns, *personal.mentions, *personal.targets, *personal.handles, *impersonal}
    for name in sorted(named - set(table.c.keys())):
        yield f"{table.name} has no column {name}.", "Name columns of the table."
    for name in sorted(set(personal.columns) & set(impersonal)):
        yield f"{table.name}.{name} is declared both personal and not.", "Decide."


def _unreachable(table: Table, personal: Personal) -> Iterator[tuple[str, str]]:
    erased = [name for name, how in personal.columns.items() if how == ERASE and name in table.c]
    if erased and personal.subject is None and not (personal.mentions or personal.targets):
        yield (
            f"Nobody can say whose the rows of {table.name} are.",
            "Name the column that leads to the person in `subject`, or texts that say it in `mentions` or `targets`.",
        )
    if personal.subject is not None and subject_of(table, personal) is None:
        yield (
            f"{table.name}.{personal.subject} leads to no person.",
            "`subject` is `id`, or a column with a foreign key.",
        )
    if erased and "U" not in table.info["verbs"]:
        yield (
            f"{', '.join(erased)} of {table.name} cannot be erased: the application may not update the table.",
            "Declare KEEP(reason), or add U to __verbs__.",
        )
    for name in erased:
        if not can_be_emptied(table.c[name]):
            yield f"{table.name}.{name} cannot be emptied.", "Let it be null, or KEEP(reason)."
