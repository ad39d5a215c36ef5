"""A record as developers want to see it: its ids, what is stored, and where programs read it."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, is_dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import inspect, select

from app.core.database import IdentityScope, acting_in
from app.core.ids import from_public
from app.core.logging import mask
from app.core.tables import Base, TableScope
from app.modules.api import ROOT
from app.modules.api.serving import operations
from app.modules.base import PageDef
from app.modules.pages import PageContext
from app.modules.registry import modules

_PERMISSION = "raw_data.read"  # of the module that owns the areas, one for each


@dataclass(frozen=True, slots=True)
class RawData:
    """``json`` is None where the page gives none; ``api`` where no operation reads the record."""

    ids: Mapping[str, str]
    json: str | None
    api: str | None


def raw_data(ctx: PageContext, record_id: UUID, target: str | None, record: Any) -> RawData | None:
    """What the drawer of a record's page shows; None for those who may not see it.

    ``record``: a mapped row, a dataclass or a mapping; without one it is the row that the page's address names.
    Secrets in it are masked.
    """
    if not any(code.endswith(_PERMISSION) for code in ctx.who.permissions):
        return None
    ids = {"id": str(record_id), **({"public_id": target} if target else {})}
    record = _row(ctx) if record is None else record
    text = None if record is None else orjson.dumps(_plain(record), option=orjson.OPT_INDENT_2).decode()
    return RawData(ids, text, _address(ctx.page, target) if ctx.page and target else None)


def _row(ctx: PageContext) -> Mapping[str, Any] | None:
    """By the id at the end of the address; None where it is no id of a table."""
    name = _last_name(ctx.page.path) if ctx.page else ""
    prefix, table_name = _tables().get(name, ("", ""))
    key = from_public(prefix, ctx.path.get(name, "")) if table_name else None
    if key is None:
        return None
    table = Base.metadata.tables[table_name]
    statement = select(table).where(table.c.id == key)
    # The page has found the record already, so the reader may see it; such tables have no other reader.
    is_secret = table.info["scope"] is TableScope.IDENTITY
    with acting_in(ctx.session, IdentityScope()) if is_secret else nullcontext():
        row = ctx.session.execute(statement).mappings().one_or_none()
    return None if row is None else dict(row)


@lru_cache(maxsize=1)
def _tables() -> Mapping[str, tuple[str, str]]:
    """Prefix and table of each id's name."""
    return {name: found for module in modules().values() for name, found in module.public_ids.items()}


def _last_name(path: str) -> str:
    return path.rpartition("/")[2].strip("{}")


def _plain(record: Any) -> Any:
    if isinstance(record, Mapping):
        values = dict(record)
    elif is_dataclass(record) and not isinstance(record, type):
        values = asdict(record)
    else:
        values = {column.key: getattr(record, column.key) for column in inspect(type(record)).column_attrs}
    return mask(orjson.loads(orjson.dumps(values, default=_simple, option=orjson.OPT_NON_STR_KEYS)))


def _simple(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return value._asdict() if hasattr(value, "_asdict") else str(value)


def _address(page: PageDef, target: str) -> str | None:
    """By the name that the record's id has in the page's address and in the operation's."""
    name = page.path.rpartition("/")[2]
    path = _readers().get((page.area, name))
    return ROOT + path.replace(name, target) if path else None


@lru_cache(maxsize=1)
def _readers() -> Mapping[tuple[str, str], str]:
    return {
        (one.area, one.path.rpartition("/")[2]): one.address
        for _, one in operations().values()
        if one.method == "GET" and one.path.endswith("}")
    }
