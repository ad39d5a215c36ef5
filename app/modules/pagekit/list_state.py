"""The state of a list is its address: read from the query string, written back to it."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson

from app.modules.pagekit.lists import PAGE_SIZES, Filter, ListSpec

_LONGEST_QUERY = 200
_LONGEST_VALUE = 100
_MOST_VALUES = 20
_YEARS = range(1, 9000)


@dataclass(frozen=True, slots=True)
class Place:
    """Beside which row a page begins: the row's sort value and id, and on which side of it the page lies."""

    value: Any
    key: str
    is_before: bool = False

    def encode(self) -> str:
        """As it stands in an address."""
        return (
            base64.urlsafe_b64encode(orjson.dumps([self.value, self.key], default=str)).decode().rstrip("=")
        )

    @classmethod
    def decode(cls, text: str, *, is_before: bool) -> "Place | None":
        """None for anything that ``encode`` did not make."""
        try:
            value, key = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (ValueError, TypeError):
            return None
        if not isinstance(key, str) or isinstance(value, dict | list):
            return None
        return cls(value, key, is_before)


@dataclass(frozen=True, slots=True)
class ListState:
    """Search, filters, order, columns and page of a list, all checked against its spec."""

    query: str = ""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sort: str = ""
    columns: tuple[str, ...] = ()
    size: int = PAGE_SIZES[0]
    place: Place | None = None
    number: int = 1

    @classmethod
    def parse(
        cls, spec: ListSpec, items: Sequence[tuple[str, str]], choices: Mapping[str, Sequence[str]]
    ) -> "ListState":
        """The state that query items ask for; what the spec does not know is left out.

        ``choices``: the allowed values of each choice filter.
        """
        given: dict[str, list[str]] = {}
        for name, value in items:
            given.setdefault(name, []).append(value.strip()[:_LONGEST_QUERY].replace("\x00", ""))
        first = {name: values[0] for name, values in given.items() if values[0]}
        known = {column.name for column in spec.columns}
        sort = first.get("sort", "")
        size, number = first.get("size", ""), first.get("page", "")
        return cls(
            query=first.get("q", "") if spec.search else "",
            filters={
                filter_.name: values
                for filter_ in spec.filters
                if (values := _allowed(filter_, given.get(filter_.name, ()), choices.get(filter_.name, ())))
            },
            sort=sort if sort.removeprefix("-") in spec.sorts() else spec.default_sort,
            columns=tuple(name for name in ",".join(given.get("columns", ())).split(",") if name in known),
            size=int(size) if size.isdecimal() and int(size[:4]) in PAGE_SIZES else PAGE_SIZES[0],
            place=_place(first),
            number=max(2, int(number[:6])) if number.isdecimal() and _place(first) else 1,
        )

    def shown(self, spec: ListSpec) -> list[str]:
        """Names of the columns on the page, in the spec's order; the first one always."""
        chosen = self.columns or tuple(column.name for column in spec.columns if column.is_default)
        return [
            column.name for number, column in enumerate(spec.columns) if number == 0 or column.name in chosen
        ]

    def items(self, spec: ListSpec) -> list[tuple[str, str]]:
        """Query items of this state without the page: what a saved view keeps."""
        found = [("q", self.query)] if self.query else []
        found += [(name, value) for name, values in self.filters.items() for value in values]
        if self.sort != spec.default_sort:
            found.append(("sort", self.sort))
        if self.columns:
            found.append(("columns", ",".join(self.columns)))
        if self.size != PAGE_SIZES[0]:
            found.append(("size", str(self.size)))
        return found

    def to_query(self, spec: ListSpec) -> str:
        """The query string of this state, its page included."""
        found = self.items(spec)
        if self.place:
            found.append(("before" if self.place.is_before else "after", self.place.encode()))
            if self.number > 1:
                found.append(("page", str(self.number)))
        return urlencode(found)

    def at(self, place: Place | None, number: int) -> "ListState":
        """Another page of the same list."""
        return replace(self, place=place, number=max(1, number))

    def without(self, name: str, value: str) -> "ListState":
        """The first page without one applied value of a filter (or without the search, named ``q``)."""
        filters = {
            other: tuple(item for item in values if (other, item) != (name, value))
            for other, values in self.filters.items()
        }
        return replace(
            self,
            query="" if name == "q" else self.query,
            filters={other: values for other, values in filters.items() if values},
            place=None,
            number=1,
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether a search or filter leaves rows out."""
        return bool(self.query or self.filters)


def origin(spec: ListSpec, state: ListState) -> str:
    """A list in a state, as records' addresses name where one came from."""
    query = state.to_query(spec)
    return f"{spec.page_id}?{query}" if query else spec.page_id


def parse_query(query: str) -> list[tuple[str, str]]:
    """A query string as items."""
    return parse_qsl(query, keep_blank_values=False, max_num_fields=100)


def _allowed(filter_: Filter, values: Sequence[str], choices: Sequence[str]) -> tuple[str, ...]:
    if filter_.kind == "choice":
        return tuple(dict.fromkeys(value for value in values if value in choices))[:_MOST_VALUES]
    return tuple(value[:_LONGEST_VALUE] for value in values[:1] if value and _fits(filter_, value))


def _fits(filter_: Filter, value: str) -> bool:
    if filter_.kind == "text":
        return True
    try:
        # Filters reckon with the day after; the calendar of Python and PostgreSQL must go on that far.
        return date.fromisoformat(value).year in _YEARS
    except ValueError:
        return False


def _place(first: Mapping[str, str]) -> Place | None:
    if "before" in first:
        return Place.decode(first["before"], is_before=True)
    return Place.decode(first["after"], is_before=False) if "after" in first else None
