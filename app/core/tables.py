"""What every table is made of: the declarative base, the mixins, and the declared scope behind row-level security.

A table says whom its rows belong to with ``__scope__``; ``app/core/policies.py`` turns that into grants and
policies. A table without a scope does not get past ``wizamart modules verify``, nor past ``migrate``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Final, Literal
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, LargeBinary, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from sqlalchemy.schema import Table

from app.core import clock
from app.core.ids import new_id

_NAMING = {
    "pk": "pk_%(table_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
}


class TableScope(StrEnum):
    """Whose rows a table holds, and so which database role sees which of them."""

    VENDOR = "vendor"
    VENDOR_OR_PLATFORM = "vendor_or_platform"
    COMPANY = "company"
    PLATFORM = "platform"
    GLOBAL = "global"
    IDENTITY = "identity"


SCOPE_COLUMNS: dict[TableScope, str | None] = {
    TableScope.VENDOR: "vendor_id",
    TableScope.VENDOR_OR_PLATFORM: "vendor_id",
    TableScope.COMPANY: "company_id",
    TableScope.PLATFORM: "platform_id",
    TableScope.GLOBAL: None,
    TableScope.IDENTITY: None,
}


@dataclass(frozen=True, slots=True)
class Search:
    """What a table's search function looks in (a tsvector column), and which id column it gives away."""

    vector: str
    key: str = "id"


ERASE: Final[Literal["erase"]] = "erase"
"""A personal column that is emptied when the person is erased."""


@dataclass(frozen=True, slots=True)
class Keep:
    """A personal column that stays when the person is erased, and the law or the need behind that."""

    reason: str


KEEP = Keep


@dataclass(frozen=True, slots=True)
class Personal:
    """Which columns of a table say something of a person, and which person a row is about.

    ``subject``: the column that names the person's row: ``id`` in the table of persons itself, else a foreign key, to
    it or to a table that has a subject in turn. ``handles``: personal texts that only this person has, such as an
    e-mail address. Rows without a subject are found by what they say: ``mentions`` are the texts, JSON or bytes in
    which a handle may stand, ``targets`` those in which the public id of a row of the person's may stand.
    """

    columns: Mapping[str, Literal["erase"] | Keep]
    subject: str | None = None
    handles: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


NOT_PERSONAL = Personal({})
"""No column of the table is about a person."""


class Base(DeclarativeBase):
    """Base of all mapped tables.

    ``__scope__``: required. ``__scope_column__``: the column compared with the setting, where it is not the
    scope's usual one (the vendors table compares its own ``id``). ``__verbs__``: what application roles may do,
    out of S(elect) I(nsert) U(pdate) D(elete); ``"SI"`` makes a table append-only. ``__identity_reads__``:
    the identity role may look rows up to find out who and where a request is.
    ``__search__``: a search function over the table is generated (see ``policies.py``).
    ``__personal__``: required. Unless it is ``NOT_PERSONAL``, each text, JSON, array, bytes and date column is named
    there or in ``__impersonal__``; other columns may be.
    """

    metadata = MetaData(naming_convention=_NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
        str: Text(),
        int: BigInteger(),
        bytes: LargeBinary(),
        dict[str, Any]: JSONB(),
        list[Any]: JSONB(),
        list[str]: ARRAY(Text()),
    }

    __scope__: ClassVar[TableScope]
    __scope_column__: ClassVar[str | None] = None
    __verbs__: ClassVar[str] = "SIUD"
    __identity_reads__: ClassVar[bool] = False
    __search__: ClassVar[Search | None] = None
    __personal__: ClassVar[Personal | None] = None
    __impersonal__: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        table = cls.__dict__.get("__table__")
        if isinstance(table, Table):
            scope = getattr(cls, "__scope__", None)
            table.info.update(
                scope=scope,
                scope_column=cls.__scope_column__ or (SCOPE_COLUMNS[scope] if scope else None),
                verbs=cls.__verbs__,
                identity_reads=cls.__identity_reads__,
                search=cls.__search__,
                personal=cls.__personal__,
                impersonal=cls.__impersonal__,
                python_module=cls.__module__,
            )


class Keyed:
    """A UUIDv7 primary key made in Python."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-100)


class Timestamped:
    """When a row was made and last changed (UTC, business time)."""

    created_at: Mapped[datetime] = mapped_column(default=clock.now, sort_order=90)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now, sort_order=91)


class Versioned(Timestamped):
    """A mutable row: every flush checks and raises ``version``, so that two editors never overwrite each other."""

    version: Mapped[int] = mapped_column(default=1, sort_order=92)

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.__dict__.get("version") or cls.version}


class VendorOwned:
    """A row of one vendor."""

    __scope__ = TableScope.VENDOR
    vendor_id: Mapped[UUID] = mapped_column(sort_order=-90)
