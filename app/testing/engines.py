"""Engines of tests: each has a database of its own, and all of a process share what SQLAlchemy has compiled."""

from typing import Any

from sqlalchemy import Connection, Engine, create_engine

_STATEMENTS = 5_000  # those of all tests; of one application there are some hundred
_first: list[Engine] = []


def sharing_engine(url: str, **options: Any) -> Engine:
    """SQLAlchemy's ``create_engine``, for engines that differ in nothing but address and pool.

    To compile a statement costs more than to run it, and hundreds of tests run the same.
    """
    made = create_engine(url, query_cache_size=_STATEMENTS, **options)
    if not _first:
        _first.append(made)
    shared = _first[0]
    if made is not shared:
        made.dialect.initialize = _learn  # type: ignore[method-assign]
        made.dialect = made.pool._dialect = shared.dialect
        made._compiled_cache = shared._compiled_cache
    return made


def _learn(connection: Connection) -> None:
    """What kind of server it is, asked once."""
    if connection.dialect.server_version_info is None:
        connection.dialect.initialize(connection)
