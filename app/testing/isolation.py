"""The proof that the database keeps tenants apart: every table, every verb, from every wrong place.

Runs in a scratch database of its own. Foreign keys and checks are taken off there, so that one row per tenant and
table can be made from the column types alone: what is proved are roles, grants and policies.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, String, Text, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import Column, Table

from app.core.database import IdentityScope, PlatformScope, Scope, TenantScope, enter_scope
from app.core.policies import Policy, policy_name, table_policies
from app.core.roles import IDENTITY, LOGIN, PLATFORM, TENANT
from app.core.tables import Base, TableScope

OURS, THEIRS = uuid4(), uuid4()  # two vendors, companies and platforms at once: ids of nothing else
_WORD = "probe"
_VERBS = ("select", "insert", "update", "delete", "upsert")


@dataclass(slots=True)
class TableReport:
    """What was tried on the tables and what came of it. Every list must stay empty."""

    tables: int = 0
    attempts: int = 0
    leaks: list[str] = field(default_factory=list)
    blind_spots: list[str] = field(default_factory=list)  # where a row's own tenant does not see it either
    policies_dropped: int = 0
    policies_unnoticed: list[str] = field(default_factory=list)
    functions: int = 0


def prove_tables(login: Engine, superuser: Engine) -> TableReport:
    """Try {select, insert, update, delete, upsert} x {no context, foreign vendor, foreign platform} on every table,
    then open and drop each policy once and see that the same tries notice it."""
    report = TableReport()
    tables = list(Base.metadata.sorted_tables)
    _take_off_constraints(superuser, tables)
    for table in tables:
        with superuser.begin() as connection:
            connection.execute(insert(table), [_row(table, OURS), _row(table, THEIRS)])
    for table in tables:
        report.tables += 1
        leaks, attempts = _try_table(login, table)
        report.leaks += leaks
        report.attempts += attempts
        report.blind_spots += _blind_spots(login, table)
        for policy in table_policies(table):
            report.policies_dropped += 1
            if not _is_noticed(login, superuser, table, policy):
                report.policies_unnoticed.append(policy_name(table, policy))
    for table in tables:
        if table.info.get("search"):
            report.functions += 1
            report.leaks += _try_search(login, table)
    return report


def _take_off_constraints(superuser: Engine, tables: Iterable[Table]) -> None:
    with superuser.begin() as connection:
        for row in connection.execute(
            text(
                "SELECT conrelid::regclass::text AS name, conname FROM pg_constraint "
                "WHERE contype IN ('f', 'c') AND connamespace = 'public'::regnamespace AND conparentid = 0 "
                "ORDER BY contype DESC"
            )
        ).all():
            connection.exec_driver_sql(f'ALTER TABLE {row.name} DROP CONSTRAINT IF EXISTS "{row.conname}"')
        for table in tables:
            connection.exec_driver_sql(f'TRUNCATE TABLE "{table.name}"')


def _row(table: Table, tenant: UUID) -> dict[str, Any]:
    """A row of a tenant, made from the column types."""
    row = {
        column.name: _value(column)
        for column in table.columns
        if column.computed is None and column.identity is None
    }
    scope_column = table.info["scope_column"]
    if scope_column:
        row[scope_column] = tenant
    return row


def _value(column: Column[Any]) -> Any:
    kind = column.type
    if isinstance(kind, TSVECTOR):
        return f"'{_WORD}':1"
    if isinstance(kind, ARRAY):
        return []
    if isinstance(kind, JSONB):
        return {}
    if isinstance(kind, (String, Text)):
        return uuid4().hex
    made = {
        UUID: uuid4(),
        int: uuid4().int % 30_000,
        bool: False,
        datetime: datetime.now(UTC),
        date: datetime.now(UTC).date(),
        bytes: uuid4().bytes,
    }
    return made.get(kind.python_type, 0)


def _wrong_places(table: Table) -> list[tuple[str, Scope | None]]:
    """Scopes from which rows of THEIRS must be neither seen nor changed."""
    places: list[tuple[str, Scope | None]] = [
        ("no context", None),
        ("foreign vendor", TenantScope(OURS, OURS)),
        ("foreign platform", PlatformScope((OURS,), (OURS,), (OURS,))),
    ]
    if table.info["scope"] is not TableScope.IDENTITY and not table.info["identity_reads"]:
        places.append(("identity", IdentityScope()))
    return places


def _try_table(login: Engine, table: Table) -> tuple[list[str], int]:
    leaks, attempts = [], 0
    for place, scope in _wrong_places(table):
        for verb in _VERBS:
            if verb == "select" and table.info["scope"] is TableScope.GLOBAL:
                continue
            attempts += 1
            with login.connect() as connection, connection.begin() as transaction:
                if scope is not None:
                    enter_scope(connection, scope)
                if _gets_through(connection, table, verb):
                    leaks.append(f"{table.name}: {verb} from {place}")
                transaction.rollback()
    return leaks, attempts


def _gets_through(connection: Connection, table: Table, verb: str) -> bool:
    """Whether the verb reaches a row of THEIRS."""
    column = table.columns[table.info["scope_column"]] if table.info["scope_column"] else None
    theirs = (column == THEIRS) if column is not None else text("true")
    try:
        if verb == "select":
            return connection.execute(select(func.count()).select_from(table).where(theirs)).scalar_one() > 0
        if verb == "insert":
            return connection.execute(insert(table).values(_row(table, THEIRS))).rowcount > 0
        if verb == "delete":
            return connection.execute(table.delete().where(theirs)).rowcount > 0
        some = next(one for one in table.columns if one.computed is None and one.identity is None)
        if verb == "update":
            return connection.execute(table.update().where(theirs).values({some.name: some})).rowcount > 0
        key = [one.name for one in table.primary_key.columns]
        statement = insert(table).values(_row(table, THEIRS))
        statement = statement.on_conflict_do_update(index_elements=key, set_={key[0]: table.c[key[0]]})
        return connection.execute(statement).rowcount > 0
    except DBAPIError:
        return False


def _right_places(table: Table) -> Iterator[tuple[str, Scope]]:
    """For each role with a policy, a scope in which a row of OURS must be seen."""
    places: dict[str, Scope] = {
        TENANT: TenantScope(OURS, OURS),
        PLATFORM: PlatformScope((OURS,), (OURS,), (OURS,)),
        IDENTITY: IdentityScope(),
    }
    for policy in table_policies(table):
        if table.info["scope"] is TableScope.GLOBAL and policy.role == PLATFORM:
            continue  # the operator of part of the platforms has no part in what belongs to all
        yield policy.role, places[policy.role]


def _sees_own(login: Engine, table: Table, scope: Scope) -> bool:
    column = table.columns[table.info["scope_column"]] if table.info["scope_column"] else None
    ours = (column == OURS) if column is not None else text("true")
    with login.connect() as connection, connection.begin():
        enter_scope(connection, scope)
        try:
            return connection.execute(select(func.count()).select_from(table).where(ours)).scalar_one() > 0
        except DBAPIError:
            return False


def _blind_spots(login: Engine, table: Table) -> list[str]:
    return [
        f"{table.name} as {role}"
        for role, scope in _right_places(table)
        if not _sees_own(login, table, scope)
    ]


def _is_noticed(login: Engine, superuser: Engine, table: Table, policy: Policy) -> bool:
    """Open the policy: a leak must show. One that is open by design is dropped: its role must go blind."""
    name = policy_name(table, policy)
    change = f'ALTER POLICY "{name}" ON "{table.name}"'
    restore = f"{change} USING ({policy.using}) WITH CHECK ({policy.check or policy.using})"
    if policy.using != "true":
        with superuser.begin() as connection:
            connection.exec_driver_sql(f"{change} USING (true) WITH CHECK (true)")
        noticed = bool(_try_table(login, table)[0])
    else:
        restore = f'CREATE POLICY "{name}" ON "{table.name}" FOR ALL TO {policy.role} USING (true) WITH CHECK (true)'
        with superuser.begin() as connection:
            connection.exec_driver_sql(f'DROP POLICY "{name}" ON "{table.name}"')
        noticed = bool(_blind_spots(login, table))
    with superuser.begin() as connection:
        connection.exec_driver_sql(restore)
    return noticed


def _try_search(login: Engine, table: Table) -> list[str]:
    """A search function must find the tenant's own row and nothing from anywhere else."""
    call = text(f"SELECT count(*) FROM \"search_{table.name}\"('{_WORD}'::tsquery, 100)")
    found: dict[str, int] = {}
    places: list[tuple[str, Scope | None]] = [*_wrong_places(table), ("own vendor", TenantScope(THEIRS))]
    for place, scope in places:
        with login.connect() as connection, connection.begin():
            if scope is not None:
                enter_scope(connection, scope)
            try:
                found[place] = connection.execute(call).scalar_one()
            except DBAPIError:
                found[place] = 0
    expected = {"own vendor": 1, "foreign vendor": 1}  # the foreign vendor finds its own row, and only that
    return [
        f"search_{table.name} from {place}: {count} rows"
        for place, count in found.items()
        if count != expected.get(place, 0)
    ]


def application_role(login: Engine) -> str:
    """The role the proof runs as; it must be the application's own."""
    with login.connect() as connection:
        role = connection.execute(text("SELECT session_user")).scalar_one()
    assert role == LOGIN, f"the proof ran as {role}"
    return str(role)
