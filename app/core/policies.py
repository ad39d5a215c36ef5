"""Row-level security generated from the scope that each table declares.

Policies compare columns with settings only (``app.vendor_id``, ``app.company_id``, ``app.platform_ids`` and, for
platform admins who see part of the platforms, ``app.vendor_ids`` and ``app.company_ids``). A setting that
was never set is NULL and one of an ended transaction is '': both mean no rows.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.schema import Table

from app.core.errors import ConfigurationError
from app.core.roles import IDENTITY, PLATFORM, TENANT
from app.core.tables import Search, TableScope

_VERBS = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE"}
_SEES_ALL = "current_setting('app.platform_ids', true) = '*'"


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy of one role on one table; ``verbs`` out of SIUD are granted with it."""

    role: str
    verbs: str
    using: str
    check: str | None = None  # of new rows, where it differs from ``using``


def _equals(column: str, setting: str) -> str:
    return f"{column} = nullif(current_setting('{setting}', true), '')::uuid"


def _among(column: str, setting: str) -> str:
    listed = f"{column} = ANY (nullif(current_setting('{setting}', true), '')::uuid[])"
    return f"CASE WHEN {_SEES_ALL} THEN true ELSE coalesce({listed}, false) END"


def table_policies(table: Table) -> list[Policy]:
    """The policies that the table's declared scope asks for; ConfigurationError where none is declared."""
    scope: TableScope | None = table.info.get("scope")
    column: str = table.info.get("scope_column") or ""
    verbs: str = table.info.get("verbs", "SIUD")
    if scope is None:
        raise ConfigurationError(
            f"Table {table.name} declares no __scope__. Choose one of {', '.join(TableScope)}."
        )
    policies: list[Policy] = []
    if scope is TableScope.VENDOR:
        policies += [
            Policy(TENANT, verbs, _equals(column, "app.vendor_id")),
            Policy(PLATFORM, "S", _among(column, "app.vendor_ids")),
        ]
    elif scope is TableScope.VENDOR_OR_PLATFORM:
        platform = _among(column, "app.vendor_ids")
        policies += [
            Policy(TENANT, verbs, _equals(column, "app.vendor_id")),
            # An admin of some platforms may add a row without a vendor (an audit entry), but not read others'.
            Policy(PLATFORM, verbs, platform, f"{column} IS NULL OR {platform}"),
        ]
    elif scope is TableScope.COMPANY:
        policies += [
            Policy(TENANT, verbs, _equals(column, "app.company_id")),
            Policy(PLATFORM, "S", _among(column, "app.company_ids")),
        ]
    elif scope is TableScope.PLATFORM:
        policies.append(Policy(PLATFORM, verbs, _among(column, "app.platform_ids")))
    elif scope is TableScope.GLOBAL:
        policies += [Policy(TENANT, "S", "true"), Policy(PLATFORM, verbs, _SEES_ALL)]
    else:
        policies.append(Policy(IDENTITY, verbs, "true"))
    if table.info.get("identity_reads") or (scope is TableScope.GLOBAL):
        policies.append(Policy(IDENTITY, "S", "true"))
    return policies


def policy_name(table: Table, policy: Policy) -> str:
    """The policy's name in the database, one per table and role."""
    return f"{table.name}_{policy.role.removeprefix('wizamart_')}"


def _commands(table: Table, policy: Policy) -> Iterator[str]:
    yield (
        f'CREATE POLICY "{policy_name(table, policy)}" ON "{table.name}" FOR ALL TO {policy.role} '
        f"USING ({policy.using}) WITH CHECK ({policy.check or policy.using})"
    )
    verbs = ", ".join(_VERBS[verb] for verb in policy.verbs)
    yield f'GRANT {verbs} ON "{table.name}" TO {policy.role}'


def search_function(table: Table) -> str | None:
    """SQL of the table's search function, where it declares ``__search__``.

    Text operators are not leakproof, so under a policy PostgreSQL may not use their index; the function
    runs as owner, carries the vendor condition inside and gives away ids only. The limit stands outside of the
    search: next to it, the planner would rather read the table than the index.
    """
    search: Search | None = table.info.get("search")
    if search is None:
        return None
    return f"""
        CREATE OR REPLACE FUNCTION "search_{table.name}"(query tsquery, max_rows integer)
        RETURNS TABLE (id uuid) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
            WITH found AS MATERIALIZED (
                SELECT t."{search.key}" FROM public."{table.name}" t
                WHERE t.vendor_id = nullif(current_setting('app.vendor_id', true), '')::uuid
                  AND t."{search.vector}" @@ query
            )
            SELECT "{search.key}" FROM found LIMIT max_rows
        $$"""


def drop_search_function(table: Table) -> str | None:
    """SQL that removes what ``search_function`` made."""
    if table.info.get("search") is None:
        return None
    return f'DROP FUNCTION IF EXISTS "search_{table.name}"(tsquery, integer)'


def table_statements(table: Table) -> list[str]:
    """Everything that secures one table, to be run as its owner."""
    statements = [f'ALTER TABLE "{table.name}" ENABLE ROW LEVEL SECURITY']
    for policy in table_policies(table):
        statements += _commands(table, policy)
    function = search_function(table)
    if function:
        signature = f'"search_{table.name}"(tsquery, integer)'
        statements += [
            function,
            f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC",
            f"GRANT EXECUTE ON FUNCTION {signature} TO {TENANT}",
        ]
    return statements


_KNOWN = text(
    """
    SELECT c.relname AS name,
           (SELECT obj_description(p.oid, 'pg_policy') FROM pg_policy p
            WHERE p.polrelid = c.oid AND obj_description(p.oid, 'pg_policy') IS NOT NULL LIMIT 1) AS digest
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    """
)
_POLICIES = text("SELECT policyname FROM pg_policies WHERE schemaname = 'public' AND tablename = :name")


def secure_tables(connection: Connection, tables: Iterable[Table]) -> list[str]:
    """Bring grants and policies of existing tables to what they declare; returns the names of changed tables.

    A digest of the wanted statements is kept as the comment of a policy, so an unchanged table costs nothing.
    """
    known = {row.name: row.digest for row in connection.execute(_KNOWN)}
    changed = []
    for table in tables:
        if table.name not in known:
            continue
        wanted = table_statements(table)
        digest = hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:16]
        if known[table.name] == digest:
            continue
        for old in connection.execute(_POLICIES, {"name": table.name}).scalars():
            connection.exec_driver_sql(f'DROP POLICY "{old}" ON "{table.name}"')
        connection.exec_driver_sql(f'REVOKE ALL ON "{table.name}" FROM {TENANT}, {PLATFORM}, {IDENTITY}')
        for statement in wanted:
            connection.exec_driver_sql(statement)
        first = policy_name(table, table_policies(table)[0])
        connection.exec_driver_sql(f'COMMENT ON POLICY "{first}" ON "{table.name}" IS \'{digest}\'')
        changed.append(table.name)
    return changed
