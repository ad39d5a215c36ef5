"""Feeds, rules and completeness in the API."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.modules.api import Fields, Input, ListQuery, Versioned, WebAddress, example, left_out
from app.modules.catalog.contracts import ProductCheck
from app.modules.marketplace.enums import BlankCells, ErrorPolicy, FeedFormat, MissingRows

_FEED_ID = "fed_01m838cj1be8a8mtx8xj3yxfvz"
_RULE_ID = "frl_01m838cj1be8a8mtx8xj3yxfvz"
Language = Literal["en", "fr", "de", "lb"]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S")]
Hours = Annotated[
    Literal[1, 2, 4, 6, 12, 24] | None, Field(description="Fetched every so many hours; null: never.")
]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
FeedId = Annotated[str, Field(max_length=40)]
Mapping = Annotated[
    dict[
        Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")],
        Annotated[str, Field(max_length=100, pattern=r"^[a-z0-9_]*$")],
    ],
    Field(max_length=500, description="Column of the file to field; an empty text: the column is not used."),
]
_FEED: dict[str, Any] = {
    "name": "Supplier, French",
    "language": "fr",
    "format": "auto",
    "url": "https://shop.example/feed.csv",
    "every_hours": 6,
    "default_currency": "EUR",
    "blank_cells": "clear",
    "missing_rows": "keep",
    "policy": "skip-bad-rows",
}


class FeedDetails(Versioned):
    """Where products come from: an address that is fetched, or files that are sent."""

    model_config = example(
        id=_FEED_ID,
        **_FEED,
        mapping={},
        position=1,
        next_run_at="2026-11-23T13:00:00Z",
        created_at="2026-11-23T07:00:00Z",
        updated_at="2026-11-23T07:00:00Z",
        version=1,
    )

    id: str
    name: str
    language: str
    format: FeedFormat
    url: str | None
    every_hours: int | None
    default_currency: str
    blank_cells: BlankCells
    missing_rows: MissingRows
    policy: ErrorPolicy
    mapping: dict[str, str]
    position: int = Field(description="Of two feeds that give a field, the lower one wins.")
    next_run_at: datetime | None
    created_at: datetime
    updated_at: datetime


class FeedQuery(ListQuery):
    """Filters and order of the list of feeds."""

    language: list[Language] | None = Field(None, max_length=4)
    sort: Literal["position", "-position"] = "position"


class NewFeed(Input):
    """A feed to be made."""

    model_config = example(**_FEED)

    name: Name
    language: Language
    format: FeedFormat = FeedFormat.AUTO
    url: WebAddress | None = None
    every_hours: Hours = None
    default_currency: Currency = "EUR"
    blank_cells: BlankCells = BlankCells.CLEAR
    missing_rows: MissingRows = MissingRows.KEEP
    policy: ErrorPolicy = ErrorPolicy.SKIP_BAD_ROWS
    mapping: Mapping = Field(default_factory=dict)


class FeedChange(Input):
    """What is to be different; what is left out stays. The language stays."""

    model_config = example(every_hours=12)

    name: Name = left_out()
    format: FeedFormat = left_out()
    url: WebAddress | None = left_out()
    every_hours: Hours = left_out()
    default_currency: Currency = left_out()
    blank_cells: BlankCells = left_out()
    missing_rows: MissingRows = left_out()
    policy: ErrorPolicy = left_out()
    mapping: Mapping = left_out()


class FeedRun(Input):
    """An import of the feed's address."""

    model_config = example(is_dry_run=True)

    is_dry_run: bool = Field(False, strict=True, description="Check and count only.")


class RuleCondition(Input):
    """What must hold of a row. ``value`` is a text; of ``one_of`` it is a list."""

    model_config = example(column="brand", op="one_of", value=["Gutt"])

    column: Annotated[str, Field(max_length=100)]
    op: Literal[
        "equals",
        "not_equals",
        "contains",
        "not_contains",
        "starts_with",
        "ends_with",
        "is_empty",
        "is_filled",
        "lt",
        "lte",
        "gt",
        "gte",
        "one_of",
    ]
    value: str | list[str] | None = None


_RULE: dict[str, Any] = {
    "name": "Round prices",
    "stage": "import",
    "feed_id": None,
    "language": None,
    "match": "all",
    "conditions": [{"column": "brand", "op": "one_of", "value": ["Gutt"]}],
    "action": {"kind": "round_price", "column": "price", "ending": "99", "direction": "nearest"},
}
Action = Annotated[
    dict[str, Any],
    Field(
        max_length=10,
        description="`kind` (set, replace, map, round_price, exclude) and what that kind needs.",
        json_schema_extra={"examples": [_RULE["action"]]},
    ),
]


class RuleDetails(Versioned):
    """If the conditions hold for a row, its cells are changed, or the row is left out."""

    model_config = example(
        id=_RULE_ID,
        **_RULE,
        position=1,
        is_active=True,
        created_at="2026-11-23T07:00:00Z",
        updated_at="2026-11-23T07:00:00Z",
        version=1,
    )

    id: str
    name: str
    stage: Literal["import", "export"]
    feed_id: str | None = Field(description="Of import rules; null: all feeds.")
    language: str | None = Field(description="Of export rules; null: all languages.")
    match: Literal["all", "any"]
    conditions: list[dict[str, Any]]
    action: dict[str, Any]
    position: int
    is_active: bool
    created_at: datetime
    updated_at: datetime


class RuleQuery(ListQuery):
    """Filters and order of the list of rules."""

    stage: list[Literal["import", "export"]] | None = Field(None, max_length=2)
    sort: Literal["position", "-position"] = "position"


class NewRule(Input):
    """A rule to be made, or to be tried."""

    model_config = example(**_RULE)

    name: Name
    stage: Literal["import", "export"]
    feed_id: FeedId | None = None
    language: Language | None = None
    match: Literal["all", "any"] = "all"
    conditions: list[RuleCondition] = Field(default_factory=list, max_length=20)
    action: Action


class RuleChange(Input):
    """What is to be different; what is left out stays. The stage stays."""

    model_config = example(is_active=False)

    name: Name = left_out()
    feed_id: FeedId | None = left_out()
    language: Language | None = left_out()
    match: Literal["all", "any"] = left_out()
    conditions: list[RuleCondition] = left_out(max_length=20)
    action: Action = left_out()
    is_active: bool = left_out(strict=True)


class CellChangeItem(BaseModel):
    """A cell that a rule changes."""

    column: str
    before: str
    after: str


class EffectExample(BaseModel):
    """A row that a rule changes, or leaves out."""

    external_id: str
    title: str
    is_excluded: bool
    changes: list[CellChangeItem]


class RuleEffect(BaseModel):
    """What a rule would do to the rows there are."""

    model_config = example(rows_looked_at=2, matched=1, changed=0, excluded=1, is_complete=True, examples=[])

    rows_looked_at: int
    matched: int
    changed: int
    excluded: int
    is_complete: bool = Field(description="Whether all rows were looked at.")
    examples: list[EffectExample]


class MissingItem(BaseModel):
    """Something that a channel asks for, and how many products lack it."""

    check: ProductCheck
    is_required: bool
    missing: int


class CompletenessQuery(BaseModel):
    """The channel, and the language of the texts that are looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: Literal["google", "letzshop"] = "google"
    language: Language = Field("fr", description="Of the texts.")
    fields: Fields = None


class CompletenessReport(BaseModel):
    """The products on sale as a channel sees them."""

    model_config = example(
        channel="google",
        language="fr",
        total=2,
        complete=1,
        percent=50,
        items=[{"check": "image", "is_required": True, "missing": 1}],
    )

    channel: str
    language: str
    total: int
    complete: int
    percent: int
    items: list[MissingItem]
