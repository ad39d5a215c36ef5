"""Sessions, units of work and bulk loading on PostgreSQL.

Every transaction runs under one of three roles with the settings that the row-level policies read; both are set
by one statement when the transaction begins. Without a scope there are no rows and no writes.
"""

import hashlib
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
import structlog
from psycopg.pq import ConnStatus
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.orm import Session, SessionTransaction

from app.core.config import get_settings
from app.core.errors import ConfigurationError
from app.core.roles import IDENTITY, PLATFORM, TENANT

log = structlog.get_logger(__name__)

# To the driver as it is: every transaction begins with it.
_SET = (
    "SELECT set_config('role', %(role)s, true), set_config('app.vendor_id', %(vendor_id)s, true), "
    "set_config('app.company_id', %(company_id)s, true), set_config('app.platform_ids', %(platform_ids)s, true), "
    "set_config('app.vendor_ids', %(vendor_ids)s, true), set_config('app.company_ids', %(company_ids)s, true), "
    "set_config('statement_timeout', %(statement_timeout)s, true), pg_backend_pid() AS backend_pid"
)
_PREPARE_AFTER = 5  # uses of a statement by one connection
_CONNECT_SECONDS = 5
# A server that is cut off sends no word of it: without these a query would wait for as long as the kernel repeats
# itself, about a quarter of an hour. Unix sockets ignore them.
_UNLESS_CUT_OFF = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds
}
_MAX_SESSION_NAME = 63  # bytes
COPY_NULL = "\x01"
"""What stands for null in `copy_line`: no text may be this."""
_NOTHING = {"vendor_id": "", "company_id": "", "platform_ids": "", "vendor_ids": "", "company_ids": ""}


def _array(ids: Iterable[UUID]) -> str:
    return "{" + ",".join(str(key) for key in ids) + "}"


@dataclass(frozen=True, slots=True)
class TenantScope:
    """One vendor's rows, to read and write."""

    vendor_id: UUID
    company_id: UUID | None = None

    def settings(self) -> dict[str, str]:
        """Role and settings of the transaction."""
        company = str(self.company_id) if self.company_id else ""
        return {**_NOTHING, "role": TENANT, "vendor_id": str(self.vendor_id), "company_id": company}


@dataclass(frozen=True, slots=True)
class PlatformScope:
    """The operator's view: rows of the given platforms, their vendors and companies; vendor rows read only."""

    platform_ids: tuple[UUID, ...]
    vendor_ids: tuple[UUID, ...]
    company_ids: tuple[UUID, ...] = ()

    def settings(self) -> dict[str, str]:
        """Role and settings of the transaction."""
        return {
            **_NOTHING,
            "role": PLATFORM,
            "platform_ids": _array(self.platform_ids),
            "vendor_ids": _array(self.vendor_ids),
            "company_ids": _array(self.company_ids),
        }


@dataclass(frozen=True, slots=True)
class SystemScope:
    """All platforms: super admins and the platform's own work."""

    def settings(self) -> dict[str, str]:
        """Role and settings of the transaction."""
        return {**_NOTHING, "role": PLATFORM, "platform_ids": "*"}


@dataclass(frozen=True, slots=True)
class IdentityScope:
    """Users, sessions, memberships and other secrets; nothing else."""

    def settings(self) -> dict[str, str]:
        """Role and settings of the transaction."""
        return {**_NOTHING, "role": IDENTITY}


Scope = TenantScope | PlatformScope | SystemScope | IdentityScope
SYSTEM = SystemScope()


def psycopg_url(url: str) -> str:
    """A PostgreSQL URL in the form SQLAlchemy wants for psycopg 3."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def make_engine(url: str, **options: Any) -> Engine:
    """An engine with our JSON codec; one per process and purpose."""
    return create_engine(
        psycopg_url(url),
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        **options,
    )


def session_name(process: str) -> str:
    """How the server lists the sessions of a process ("host:pid"), so that others can tell whose they are.

    PostgreSQL keeps 63 bytes of it; a longer one is told apart by its hash.
    """
    name = f"wizamart:{process}"
    if len(name.encode()) <= _MAX_SESSION_NAME:
        return name
    return f"wizamart:{hashlib.sha256(process.encode()).hexdigest()[:32]}"


def _roll_back(connection: Connection) -> None:
    """Roll back past the driver, which would have the server forget all statements that it has prepared, in case tables
    or types were made in the transaction; under the login role none are. A broken connection is left to the driver."""
    driver = connection.connection.driver_connection
    if driver is not None and driver.pgconn.status == ConnStatus.OK:
        driver.pgconn.exec_(b"ROLLBACK")


@lru_cache(maxsize=1)
def engine() -> Engine:
    """The application's engine, under the login role."""
    settings = get_settings()
    if settings.database_url is None:
        raise ConfigurationError(
            "WIZAMART_DATABASE_URL is not set and no embedded server was started. Run `wizamart up`."
        )
    made = make_engine(
        settings.database_url,
        # One connection for what a thread does, and one for what it may do beside it (`independent_write`). A web
        # process has no more threads than that: who holds a connection, and what others wait for, gets a second.
        pool_size=settings.database_pool_size,
        max_overflow=settings.database_pool_size,
        pool_timeout=10,
        pool_pre_ping=False,
        connect_args={
            "connect_timeout": _CONNECT_SECONDS,
            **_UNLESS_CUT_OFF,
            "application_name": session_name(f"{socket.gethostname()}:{os.getpid()}"),
            "prepare_threshold": _PREPARE_AFTER if settings.database_prepared_statements else None,
        },
    )
    event.listen(made, "rollback", _roll_back)
    return made


def dispose_engine() -> None:
    """Close this process's connections; the next use opens new ones (also to another URL)."""
    if engine.cache_info().currsize:
        engine().dispose()
    engine.cache_clear()


def _forget_engine_in_child() -> None:
    if engine.cache_info().currsize:
        engine().dispose(close=False)
    engine.cache_clear()


os.register_at_fork(after_in_child=_forget_engine_in_child)


def enter_scope(connection: Connection, scope: Scope) -> None:
    """Set role and settings for the rest of the connection's transaction, in one round trip.

    ``connection.info["backend_pid"]`` is the server's process of this transaction, also behind a pooler.
    """
    timeout = f"{get_settings().statement_timeout_seconds}s"
    row = connection.exec_driver_sql(_SET, {**scope.settings(), "statement_timeout": timeout}).one()
    connection.info["backend_pid"] = row.backend_pid


class ScopedSession(Session):
    """A session whose every transaction begins in ``scope``."""

    def __init__(self, bind: Engine, scope: Scope) -> None:
        super().__init__(bind, expire_on_commit=False)
        self.scope = scope
        self.after_commit_calls: list[Callable[[], None]] = []


@event.listens_for(ScopedSession, "after_begin")
def _enter_scope_of_session(
    session: ScopedSession, transaction: SessionTransaction, connection: Connection
) -> None:
    if not transaction.nested:
        enter_scope(connection, session.scope)


@contextmanager
def unit_of_work(scope: Scope) -> Iterator[Session]:
    """One transaction in one scope: committed when the block ends, rolled back when it raises.

    Opened at the edges only (request, command, task); services take the session and never commit.
    """
    session = ScopedSession(engine(), scope)
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.close()
    run_after_commit(session)


independent_write = unit_of_work
"""A transaction of its own beside the caller's, which stays written when the caller's is rolled back.

For failed sign-ins, the audit of denials and the record of job failures only.
"""


@contextmanager
def acting_in(session: Session, scope: Scope) -> Iterator[Session]:
    """Work in another scope inside the same transaction; the former role and settings return afterwards.

    This is how the operator writes a vendor's rows: as that vendor, named in the audit log.
    """
    assert isinstance(session, ScopedSession)
    former = session.scope
    if session.in_transaction():
        session.flush()
        # Begins what is within savepoints in its own scope: they fall back to that.
        connection = session.connection()
        session.scope = scope
        enter_scope(connection, scope)
    else:
        session.scope = scope
    try:
        yield session
        session.flush()
    finally:
        session.scope = former
        # After an error the transaction is aborted and will be rolled back: nothing can or need be set.
        if session.is_active and not _is_aborted(session):
            enter_scope(session.connection(), former)


def _is_aborted(session: Session) -> bool:
    driver = session.connection().connection.driver_connection
    assert driver is not None
    return bool(driver.info.transaction_status == 3)


def after_commit(session: Session, call: Callable[[], None]) -> None:
    """Run ``call`` once the session's transaction is committed; never when it is rolled back."""
    assert isinstance(session, ScopedSession)
    session.after_commit_calls.append(call)


def run_after_commit(session: Session) -> None:
    """Run and forget what ``after_commit`` collected. A failing call is logged: the commit stands."""
    assert isinstance(session, ScopedSession)
    calls, session.after_commit_calls = session.after_commit_calls, []
    for call in calls:
        try:
            call()
        except Exception:
            log.exception("after_commit_failed")


def commit_lazily(session: Session) -> None:
    """Let the commit of this transaction not wait for the disk.

    Should the server crash within the next second, the transaction may be as if it had never been: for portions of work
    that note in the same transaction how far they are. Any later commit that waits makes it last.
    """
    session.execute(text("SET LOCAL synchronous_commit = off"))


def bulk_load(
    session: Session, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[object]]
) -> int:
    """COPY ``rows`` into a new temporary table and return their number.

    ``columns`` maps names to SQL types in the order of each row. COPY into a table with row security is
    refused by PostgreSQL, so callers merge from the temporary table with INSERT … SELECT. The table is dropped at
    commit; calling again within the transaction replaces it.
    """
    temporary_table(session, table, columns)
    return copy_rows(session, table, columns, rows)


def temporary_table(session: Session, table: str, columns: Mapping[str, str]) -> None:
    """Make an empty temporary table, dropped at commit, in place of an earlier one; ``columns``: name to SQL type."""
    definition = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    connection = session.connection()
    connection.exec_driver_sql(f'DROP TABLE IF EXISTS pg_temp."{table}"')
    connection.exec_driver_sql(f'CREATE TEMPORARY TABLE "{table}" ({definition}) ON COMMIT DROP')


def copy_text(session: Session, table: str, columns: Iterable[str], lines: bytes) -> None:
    """COPY lines of `copy_line`, each with its line end, into a temporary table.

    Many times as fast as `copy_rows` for the one who calls: the lines can be made before, in another thread.
    """
    names = ", ".join(f'"{name}"' for name in columns)
    driver = session.connection().connection.driver_connection
    assert driver is not None
    statement = f"COPY pg_temp.\"{table}\" ({names}) FROM STDIN (NULL '{COPY_NULL}')"
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(lines)


def copy_line(values: Sequence[str]) -> str:
    """The texts of values, or ``COPY_NULL``, as a line for `copy_text` without its end."""
    line = "\t".join(values)
    if line.count("\t") < len(values):
        return _escaped(line)
    return "\t".join([_escaped(value).replace("\t", "\\t") for value in values])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def copy_array(values: Iterable[str]) -> str:
    """The text of an array of texts, for `copy_line`."""
    quoted = [value.replace("\\", "\\\\").replace('"', '\\"') for value in values]
    return '{"' + '","'.join(quoted) + '"}' if quoted else "{}"


def copy_rows(session: Session, table: str, columns: Iterable[str], rows: Iterable[Sequence[object]]) -> int:
    """COPY ``rows``, whose values are in the order of ``columns``, into a temporary table; their number."""
    names = ", ".join(f'"{name}"' for name in columns)
    driver = session.connection().connection.driver_connection
    assert driver is not None
    count = 0
    with driver.cursor() as cursor, cursor.copy(f'COPY pg_temp."{table}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count
