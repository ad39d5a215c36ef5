"""A person's data in all modules: found, given out and erased as the tables declare it (``app/core/tables.py``).

Nothing here knows a table by name: a new one is reached as soon as it declares whose its rows are. What stands
elsewhere than in columns (files, mails in the outbox) is answered for by who keeps it, through `PERSONAL_DATA`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    LargeBinary,
    Text,
    Time,
    any_,
    case,
    cast,
    false,
    func,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import Session
from sqlalchemy.schema import Column, Table

from app.core.database import SYSTEM, IdentityScope, Scope, TenantScope, acting_in
from app.core.ids import to_public
from app.core.tables import ERASE, NOT_PERSONAL, Base, Personal, TableScope
from app.modules.providers import ProviderPoint
from app.modules.registry import modules

_SHORTEST_HANDLE = 6  # a shorter text stands in too much that has nothing to do with the person


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of one vendor's: the rows of ``table`` with ``ids``, which are one person.

    ``handles``: e-mail addresses and the like, in lower case. ``public_ids``: of all rows that lead to the person.
    ``texts``: what the rows of ``table`` say, names too.
    """

    vendor_id: UUID
    table: str
    ids: tuple[UUID, ...]
    handles: frozenset[str]
    public_ids: frozenset[str]
    texts: frozenset[str]


class PersonalData(Protocol):
    """Answered by modules that keep personal data outside of the declared columns."""

    @staticmethod
    def erase(session: Session, person: Person) -> int:
        """Let it go when the transaction is committed; how many things go. Safe to repeat."""
        ...

    @staticmethod
    def export(session: Session, person: Person) -> Iterable[tuple[str, bytes]]:
        """Files for the person's copy, by name; nothing for what are copies of rows."""
        ...


PERSONAL_DATA: ProviderPoint[PersonalData] = ProviderPoint("framework.personal_data")


def find_person(session: Session, table: str, ids: Iterable[UUID], *, vendor_id: UUID) -> Person:
    """Everything by which the data of a person is found. The session must be in the vendor's scope."""
    person = Person(vendor_id, table, tuple(ids), *[frozenset[str]()] * 3)
    handles: set[str] = set()
    public_ids: set[str] = set()
    prefixes = {name: prefix for module in modules().values() for prefix, name in module.public_ids.values()}
    for one in _personal_tables():
        personal = _declared(one)
        where = _is_about(one, person)
        if where is None or not _leads_to(one, table):
            continue
        with acting_in(session, _scope(one, vendor_id)):
            for name in personal.handles:
                found = session.scalars(select(one.c[name]).where(where, one.c[name].is_not(None)).distinct())
                handles |= {text.lower() for text in found if len(text) >= _SHORTEST_HANDLE}
            if one.name in prefixes:
                keys = session.scalars(select(one.c.id).where(where))
                public_ids |= {to_public(prefixes[one.name], key) for key in keys}
    texts = _texts(session, person, Base.metadata.tables[table])
    return Person(vendor_id, table, person.ids, frozenset(handles), frozenset(public_ids), texts)


def erase_person(session: Session, person: Person) -> dict[str, int]:
    """Empty every column that is declared ``ERASE`` in the rows of a person, in all modules; rows by table.

    All in the session's transaction; files go when it is committed. The session must be in the vendor's scope.
    """
    counts: dict[str, int] = {}
    # Those that stand on others first: they are found by what the others say.
    for table in reversed(_personal_tables()):
        names = [name for name, treatment in _declared(table).columns.items() if treatment == ERASE]
        where = _is_about(table, person)
        if not names or where is None:
            continue
        values: dict[str, Any] = {name: _emptied(table.c[name]) for name in names}
        if "version" in table.c:
            values["version"] = table.c.version + 1
        with acting_in(session, _scope(table, person.vendor_id)):
            done = session.execute(update(table).where(where).values(values))
        counts[str(table.name)] = done.rowcount  # type: ignore[attr-defined]
    for code, keeper in PERSONAL_DATA.by_module():
        counts[f"{code} (files)"] = keeper.erase(session, person)
    session.expire_all()
    return {name: count for name, count in counts.items() if count}


def read_person(session: Session, person: Person) -> dict[str, list[dict[str, Any]]]:
    """Everything that is stored of a person, rows by table. The session must be in the vendor's scope.

    Of rows that only mention the person, the personal columns; of the person's own, all.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for table in _personal_tables():
        where = _is_about(table, person)
        if where is None:
            continue
        is_own = _leads_to(table, person.table)
        shown = [
            column
            for column in table.columns
            if not isinstance(column.type, TSVECTOR)
            and (is_own or column.name in (*_declared(table).columns, "created_at"))
        ]
        with acting_in(session, _scope(table, person.vendor_id)):
            rows = session.execute(select(*shown).where(where)).mappings().all()
        if rows:
            found[str(table.name)] = [
                {str(name): _plain(value) for name, value in row.items()} for row in rows
            ]
    return found


def personal_columns(table: Table) -> Iterator[Column[Any]]:
    """The columns that must be declared personal or not: texts, JSON, arrays, bytes and dates."""
    for column in table.columns:
        kind = column.type
        is_date = isinstance(kind, Date | Time) and not isinstance(kind, DateTime)
        if isinstance(kind, Text | JSONB | ARRAY | LargeBinary | TSVECTOR) or is_date:
            yield column


def can_be_emptied(column: Column[Any]) -> bool:
    """Whether there is a value that says nothing."""
    return bool(column.nullable) or isinstance(column.type, Text | JSONB | ARRAY | LargeBinary | TSVECTOR)


def subject_of(table: Table, personal: Personal) -> Table | None:
    """The table that ``subject`` leads to: itself for ``id``, else that of its foreign key; None for none."""
    if personal.subject is None or personal.subject not in table.c:
        return None
    if personal.subject == "id":
        return table
    keys = [key for key in table.foreign_keys if key.parent.name == personal.subject]
    return keys[0].column.table if keys else None


def _personal_tables() -> list[Table]:
    return [
        table
        for table in Base.metadata.sorted_tables
        if table.info.get("personal") not in (None, NOT_PERSONAL)
    ]


def _declared(table: Table) -> Personal:
    found: Personal = table.info["personal"]
    return found


def _leads_to(table: Table, root: str) -> bool:
    """Whether a row's subject is, in the end, a row of the table of persons."""
    personal: Personal | None = table.info.get("personal")
    parent = subject_of(table, personal) if personal else None
    if parent is None or parent is table:
        return parent is table and table.name == root
    return _leads_to(parent, root)


def _is_about(table: Table, person: Person) -> ColumnElement[bool] | None:
    """The condition of the rows that are about a person; None where the table has none of such persons."""
    personal = _declared(table)
    conditions: list[ColumnElement[bool]] = []
    parent = subject_of(table, personal)
    if table.name == person.table:
        conditions.append(table.c.id.in_(person.ids))
    elif parent is not None and parent is not table and personal.subject is not None:
        key = next(one for one in table.foreign_keys if one.parent.name == personal.subject)
        inner = _is_about(parent, person) if parent.info.get("personal") else None
        if inner is not None:
            conditions.append(table.c[personal.subject].in_(select(key.column).where(inner)))
    if person.handles:
        conditions += [_holds(table.c[name], person.handles) for name in personal.mentions]
    if person.public_ids:
        conditions += [_holds(table.c[name], person.public_ids) for name in personal.targets]
    if not conditions:
        return None
    return or_(false(), *conditions) & _is_of(table, person.vendor_id)


def _is_of(table: Table, vendor_id: UUID) -> ColumnElement[bool]:
    """The vendor's rows and, where there are such, the operator's own."""
    if "vendor_id" not in table.c:
        return literal(True)
    column: ColumnElement[UUID] = table.c.vendor_id
    return or_(column == vendor_id, column.is_(None)) if table.c.vendor_id.nullable else column == vendor_id


def _holds(column: Column[Any], words: Iterable[str]) -> ColumnElement[bool]:
    text = func.encode(column, "escape") if isinstance(column.type, LargeBinary) else cast(column, Text)
    patterns = ["%" + one.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%" for one in words]
    return func.lower(text).like(any_(literal(sorted(patterns), ARRAY(Text))))


def _scope(table: Table, vendor_id: UUID) -> Scope:
    """Where the rows can be changed: the operator's own stand beside the vendor's."""
    scope = table.info["scope"]
    if scope is TableScope.IDENTITY:
        return IdentityScope()
    return TenantScope(vendor_id) if scope is TableScope.VENDOR else SYSTEM


def _emptied(column: Column[Any]) -> ColumnElement[Any]:
    if column.nullable:
        return null()
    kind = column.type
    if isinstance(kind, JSONB):
        # The values themselves: a text cast to JSONB would be stored as a JSON string.
        return case((func.jsonb_typeof(column) == "array", cast([], JSONB)), else_=cast({}, JSONB))
    if isinstance(kind, ARRAY | TSVECTOR):
        return cast("{}" if isinstance(kind, ARRAY) else "", kind)
    return literal("" if isinstance(kind, Text) else b"", kind)


def _texts(session: Session, person: Person, table: Table) -> frozenset[str]:
    columns = [table.c[name] for name in _declared(table).columns if isinstance(table.c[name].type, Text)]
    rows = session.execute(select(*columns).where(table.c.id.in_(person.ids))).all()
    return frozenset(text for row in rows for text in row if text)


def _plain(value: Any) -> Any:
    """As JSON can say it."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
