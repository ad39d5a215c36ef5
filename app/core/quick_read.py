"""One statement in a scope, in one round trip: for the few reads that are asked for hundreds of times a second.

Role and settings, the statement and the end of the transaction travel together in libpq's pipeline mode: the server
takes what stands before a sync as one transaction, so ``set_config(…, true)`` holds for the statement and is gone
after it. Row-level security is as everywhere. PostgreSQL makes the bytes that are sent on: no objects in between. A
statement is planned once per connection, whatever its values: it must be one that has the same good plan for all.
"""

import select
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import PoolProxiedConnection

from app.core.config import get_settings
from app.core.database import Scope, engine

_SETTINGS = ("role", "vendor_id", "company_id", "platform_ids", "vendor_ids", "company_ids")
_ENTER = (
    "SELECT "
    + ", ".join(
        f"set_config('{'role' if name == 'role' else f'app.{name}'}', ${place}, true)"
        for place, name in enumerate(_SETTINGS, 1)
    )
    + f", set_config('statement_timeout', ${len(_SETTINGS) + 1}, true)"
    # With a LIMIT that it does not know PostgreSQL would plan anew for every request: half of a short statement's time.
    + ", set_config('plan_cache_mode', 'force_generic_plan', true)"
).encode()
_GRACE_SECONDS = 5  # beyond the statement's own limit, which the server keeps
_MAX_PREPARED = 100  # statements of one connection; more than our code has
_KNOWN = "quick_read"
# psycopg throws prepared statements away after a rollback; a migration changes what they return.
_PREPARE_AGAIN = (b"26000", b"0A000")
_ENDED = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)

Row = tuple[bytes | None, ...]


@dataclass(slots=True)
class _Prepared:
    """The statements that one connection knows by name; ``made`` never repeats a name."""

    names: dict[bytes, bytes]
    made: int = 0

    def new_name(self) -> bytes:
        self.made += 1
        return b"wm_quick_%d" % self.made


def read_row(scope: Scope, statement: bytes, values: Sequence[bytes | None]) -> Row | None:
    """The first row of a SELECT with ``$1`` … in a scope, each column as PostgreSQL writes it; None without rows.

    Raises OperationalError (of SQLAlchemy) when the server does not answer or takes longer than
    ``statement_timeout_seconds``, DBAPIError for anything else.
    """
    settings = scope.settings()
    timeout = b"%ds" % get_settings().statement_timeout_seconds
    entering = [*(settings[name].encode() for name in _SETTINGS), timeout]
    steps: list[tuple[bytes, Sequence[bytes | None]]] = [(_ENTER, entering), (statement, values)]
    connection = engine().pool.connect()
    try:
        results = _ask(connection, steps)
        if _failed(results) in _PREPARE_AGAIN:
            _prepared(connection).names.clear()
            results = _ask(connection, steps)
        return _first_row(results, statement)
    except BaseException:
        connection.invalidate()
        raise
    finally:
        connection.close()


def _prepared(connection: PoolProxiedConnection) -> _Prepared:
    found: _Prepared = connection.info.setdefault(_KNOWN, _Prepared({}))
    return found


def _ask(
    connection: PoolProxiedConnection, steps: Sequence[tuple[bytes, Sequence[bytes | None]]]
) -> list[PGresult]:
    driver = cast("psycopg.Connection[Any]", connection.driver_connection)
    pgconn = driver.pgconn
    if pgconn.status != ConnStatus.OK:
        raise OperationalError(None, None, psycopg.OperationalError("the connection is lost"))
    pgconn.enter_pipeline_mode()
    try:
        for statement, values in steps:
            _send(pgconn, _prepared(connection), statement, values)
        pgconn.pipeline_sync()
        pgconn.flush()
        return _results(pgconn)
    except psycopg.OperationalError as error:
        raise OperationalError(None, None, error) from None
    finally:
        if pgconn.status == ConnStatus.OK:
            pgconn.exit_pipeline_mode()


def _send(pgconn: PGconn, prepared: _Prepared, statement: bytes, values: Sequence[bytes | None]) -> None:
    name = prepared.names.get(statement)
    if name is None:
        if not get_settings().database_prepared_statements or len(prepared.names) >= _MAX_PREPARED:
            pgconn.send_query_params(statement, values)
            return
        name = prepared.names[statement] = prepared.new_name()
        pgconn.send_prepare(name, statement)
    pgconn.send_query_prepared(name, values)


def _results(pgconn: PGconn) -> list[PGresult]:
    # libpq's own waiting would keep the interpreter's lock: no other request of the process would go on meanwhile.
    answer = select.poll()
    answer.register(pgconn.socket, select.POLLIN)
    patience = (get_settings().statement_timeout_seconds + _GRACE_SECONDS) * 1000
    results: list[PGresult] = []
    while True:
        while pgconn.is_busy():
            if not answer.poll(patience):
                raise psycopg.OperationalError("the server does not answer")
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:  # the end of one statement's answers
            if pgconn.status != ConnStatus.OK:
                raise psycopg.OperationalError("the server closed the connection")
            continue
        if result.status == ExecStatus.PIPELINE_SYNC:
            return results
        results.append(result)


def _failed(results: Sequence[PGresult]) -> bytes | None:
    """The SQLSTATE of the first error."""
    for result in results:
        if result.status not in _ENDED:
            return result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) or b""
    return None


def _first_row(results: Sequence[PGresult], statement: bytes) -> Row | None:
    for result in results:
        if result.status not in _ENDED:
            cause = psycopg.errors.error_from_result(result)
            kind = OperationalError if isinstance(cause, psycopg.OperationalError) else DBAPIError
            raise kind(statement.decode(), None, cause)
    answer = results[-1]
    if not answer.ntuples:
        return None
    return tuple(answer.get_value(0, column) for column in range(answer.nfields))
