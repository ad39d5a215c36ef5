"""The JSON API: modules register operations; the framework admits the caller by key, opens the unit of work and turns
what the operation gives into an answer. Conventions are in ``docs/api/README.md``.

An operation is a plain function in a module's ``routes/api.py``. Its annotations are the documentation and the check
of what comes in; it returns a model of the module's ``schemas/``.
"""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NotRequired,
    TypedDict,
    TypeVar,
    Unpack,
    get_args,
    get_origin,
)
from uuid import UUID

from fastapi import Request
from fastapi.params import Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator
from sqlalchemy.orm import Session

from app.core.errors import FieldError, NotFoundError
from app.core.i18n import translate
from app.core.ids import from_public
from app.modules.api.problems import BadParameterError, StaleError
from app.modules.base import Area
from app.modules.principal import Principal, VendorRef

ROOT = "/api/v1"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TAG = re.compile(r'"([0-9]{1,17})(?:-[0-9a-f]{16})?"')
Method = Literal["GET", "POST", "PATCH", "PUT", "DELETE"]
OperationFunction = Callable[..., Any]
T = TypeVar("T")


class Input(BaseModel):
    """Base of bodies: what is not declared is refused, and so are texts that PostgreSQL cannot take."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and "\x00" in one:
                raise ValueError("leave out the character U+0000")
        return value


def left_out(**limits: Any) -> Any:
    """A field of a change that may be left out; then it stays as it is (``model_dump(exclude_unset=True)``)."""
    return Field(default_factory=lambda: None, **limits)


def _day(value: Any) -> Any:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("write the day as YYYY-MM-DD")
    return value


Day = Annotated[date, BeforeValidator(_day)]
"""A calendar day in the query; not what else could be read as one."""


def _whole(value: Any) -> Any:
    if isinstance(value, str | bool):
        raise ValueError("write a whole number")
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""A whole number in a body is what JSON Schema takes for one: 5 and 5.0, not "5" nor true. Stands after the limits."""

Cents = Annotated[int, Field(ge=0, le=10**12), WHOLE]
"""An amount in a body; may be nought."""

PositiveCents = Annotated[int, Field(gt=0, le=10**12), WHOLE]
"""An amount in a body that is more than nought."""


WebAddress = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2000,
        pattern=r"^[Hh][Tt][Tt][Pp][Ss]?://.",
        json_schema_extra={"format": "uri"},
    ),
]
"""An address on the open internet; the service that calls it says what else it refuses."""


def example(**values: Any) -> ConfigDict:
    """The ``model_config`` of a model with an example of it, which the description of operations shows."""
    return ConfigDict(json_schema_extra={"examples": [values]})


Fields = Annotated[
    str | None,
    Field(
        description="Only these fields of what the answer tells, with commas between.",
        max_length=1000,
        json_schema_extra={"format": "field-names"},
    ),
]
"""The parameter ``fields`` of every operation that reads."""


class ListQuery(BaseModel):
    """Base of the query parameters of lists: a page of a list, and what to add to it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: int = Field(25, ge=1, le=100, description="Rows on the page.")
    cursor: str | None = Field(
        None,
        description="`next_cursor` or `prev_cursor` of another page of the same list.",
        max_length=2000,
        json_schema_extra={"format": "cursor"},
    )
    include: Literal["total_count"] | None = Field(None, description="Also count all rows of the list.")
    fields: Fields = None

    @property
    def counts(self) -> bool:
        """Whether the caller wants the number of all rows."""
        return self.include == "total_count"


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    data: list[T]
    next_cursor: str | None = Field(None, description="Cursor of the page after this one.")
    prev_cursor: str | None = Field(None, description="Cursor of the page before this one.")
    has_more: bool = Field(description="Whether there are rows after this page.")
    total_count: int | None = Field(None, description="Rows of the whole list, where `include` asked for it.")


class Versioned(BaseModel):
    """Base of what is changed with If-Match: the answer carries the version as its ETag."""

    version: int = Field(description="Rises with every change; the number in the ETag.")


@dataclass(slots=True)
class ApiContext:
    """Handed to every operation; ``session`` is in the caller's scope and committed when the operation returned."""

    request: Request
    session: Session
    principal: Principal
    key_id: UUID
    language: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def vendor(self) -> VendorRef:
        """The vendor of the key; operations of the vendor area only."""
        assert self.principal.vendor is not None
        return self.principal.vendor

    @property
    def area(self) -> Area:
        """The area of the key."""
        return "vendor" if self.principal.vendor else "admin"

    @property
    def if_match(self) -> int | None:
        """The version that the caller wants to change; None where any will do. Raises BadParameterError."""
        tag = self.request.headers.get("if-match", "*").strip()
        if tag == "*":
            return None
        found = _TAG.fullmatch(tag)
        if found is None:
            raise BadParameterError(
                errors=[FieldError("?If-Match", "tag", "errors.framework.tag_refused", {})]
            )
        return int(found[1])

    def check_version(self, current: int) -> int:
        """``current`` where it is the version that the caller means. Raises StaleError when it is another."""
        if self.if_match not in (None, current):
            raise StaleError
        return current

    def t(self, key: str, /, **params: Any) -> str:
        """The text of a message key in the caller's language."""
        return translate(self.language, key, **params)

    def location(self, path: str) -> None:
        """Say where the thing is that was made; ``path`` is relative to the API's root."""
        self.headers["Location"] = ROOT + path


def id_pattern(prefix: str) -> str:
    """The form of public ids with a prefix, for fields of bodies and for the description."""
    return f"^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$"


def key_of(prefix: str, text: str) -> UUID:
    """The key behind a public id; NotFoundError when it is none."""
    key = from_public(prefix, text)
    if key is None:
        raise NotFoundError
    return key


class Options(TypedDict):
    """What an operation says besides where it is.

    ``permission``: what the key needs; ``admin_permission``: what the operator's needs, where ``both`` areas have the
    operation and the code is another. ``status``: of success, else 200, or 204 where nothing is returned.
    ``needs_key``: an Idempotency-Key must be sent (it may, with every POST and PATCH). ``needs_version``: so must
    If-Match. ``in_read_only``: a write that a vendor may do also when its subscription has ended.
    """

    permission: str
    admin_permission: NotRequired[str]
    status: NotRequired[int]
    needs_key: NotRequired[bool]
    needs_version: NotRequired[bool]
    in_read_only: NotRequired[bool]


@dataclass(frozen=True)
class Operation:
    """One registered operation. ``gives`` is the model of its answer, None where there is none."""

    name: str
    function: OperationFunction
    area: Area
    method: Method
    path: str
    permission: str
    gives: Any
    status: int
    is_quick: bool = False
    needs_key: bool = False
    needs_version: bool = False
    in_read_only: bool = False

    @property
    def address(self) -> str:
        """Path under the API's root."""
        return f"/{self.area}{self.path}"

    @property
    def takes_key(self) -> bool:
        """Whether an Idempotency-Key is looked at."""
        return self.method in ("POST", "PATCH")

    @property
    def is_read(self) -> bool:
        """Whether it gives something and changes nothing."""
        return self.method == "GET" and self.gives is not None

    @cached_property
    def field_names(self) -> frozenset[str]:
        """What ``fields`` may name: the fields of the answer, or of a row where it is of rows."""
        if not self.is_read:
            return frozenset()
        rows = self.gives.model_fields.get("data")
        model = get_args(rows.annotation)[0] if rows else self.gives
        return frozenset(model.model_fields)

    @property
    def is_list(self) -> bool:
        """Whether the answer is a page of a list."""
        return inspect.isclass(self.gives) and issubclass(self.gives, Page)

    @property
    def has_version(self) -> bool:
        """Whether the answer has a version and so an ETag."""
        return inspect.isclass(self.gives) and "version" in getattr(self.gives, "model_fields", {})

    @cached_property
    def query_model(self) -> type[BaseModel] | None:
        """The model of the query parameters."""
        for parameter in inspect.signature(self.function, eval_str=True).parameters.values():
            model, *marks = get_args(parameter.annotation) or (None,)
            if any(isinstance(mark, Query) for mark in marks):
                assert inspect.isclass(model)
                assert issubclass(model, BaseModel)
                return model
        return None

    @cached_property
    def query_names(self) -> frozenset[str]:
        """The query parameters there are."""
        return frozenset(self._query_fields) | ({"fields"} if self.is_read else frozenset())

    @cached_property
    def repeated_names(self) -> frozenset[str]:
        """The query parameters that may be given several times."""
        return frozenset(
            name
            for name, info in self._query_fields.items()
            if list in {get_origin(kind) for kind in (info.annotation, *get_args(info.annotation))}
        )

    @property
    def _query_fields(self) -> Mapping[str, Any]:
        fields = self.query_model.model_fields if self.query_model else {}
        return {info.alias or name: info for name, info in fields.items()}


class ApiRouter:
    """Collects the operations of one module; stands as ``router`` in ``routes/api.py``."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []

    def vendor(
        self, method: Method, path: str, **options: Unpack[Options]
    ) -> Callable[[OperationFunction], OperationFunction]:
        """Register an operation of a vendor's keys. Its id is ``<module>_<name of the function>``."""
        return self._register(["vendor"], method, path, options)

    def admin(
        self, method: Method, path: str, **options: Unpack[Options]
    ) -> Callable[[OperationFunction], OperationFunction]:
        """Register an operation of the operator's keys. Its id is ``<module>_<name of the function>``."""
        return self._register(["admin"], method, path, options)

    def both(
        self, method: Method, path: str, **options: Unpack[Options]
    ) -> Callable[[OperationFunction], OperationFunction]:
        """Register an operation of a vendor's keys and, with ``admin_`` before its name, of the operator's.

        ``{area}`` in the permission stands for either.
        """
        return self._register(["vendor", "admin"], method, path, options)

    def quick(
        self, path: str, *, permission: str, gives: Any
    ) -> Callable[[OperationFunction], OperationFunction]:
        """Register a read of a vendor's keys that PostgreSQL answers by itself (see ``app/modules/api/reads.py``).

        The function gets the language and the parameters and returns the statement; ``gives`` is the model that
        the statement's JSON has the shape of.
        """

        def register(function: OperationFunction) -> OperationFunction:
            self.operations.append(
                Operation(
                    function.__name__, function, "vendor", "GET", path, permission, gives, 200, is_quick=True
                )
            )
            return function

        return register

    def _register(
        self, areas: Sequence[Area], method: Method, path: str, options: Options
    ) -> Callable[[OperationFunction], OperationFunction]:
        asked: dict[Area, str] = dict.fromkeys(areas, options["permission"])
        asked |= {"admin": options["admin_permission"]} if "admin_permission" in options else {}

        def register(function: OperationFunction) -> OperationFunction:
            gives = inspect.signature(function, eval_str=True).return_annotation
            gives = None if gives in (None, inspect.Signature.empty) else gives
            self.operations += [
                Operation(
                    f"admin_{function.__name__}" if len(areas) > 1 and area == "admin" else function.__name__,
                    function,
                    area,
                    method,
                    path,
                    asked[area].format(area=area),
                    gives,
                    options.get("status", 200 if gives else 204),
                    needs_key=options.get("needs_key", False),
                    needs_version=options.get("needs_version", False),
                    in_read_only=options.get("in_read_only", False),
                )
                for area in areas
            ]
            return function

        return register
