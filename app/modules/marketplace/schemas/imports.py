"""Imports of feeds in the API."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from app.modules.api import Input, ListQuery, WebAddress, example
from app.modules.marketplace.enums import ErrorPolicy, RowErrorCode, SourceKind
from app.tasks.models import JobState

_ID = "imp_01m838cj1be8a8mtx8xj3yxfvz"


class ImportItem(BaseModel):
    """An import: what was asked for, and what became of it."""

    model_config = example(
        id=_ID,
        status="succeeded",
        feed_id="fed_01m838cj1be8a8mtx8xj3yxfvz",
        job_id="job_01m838cj1be8a8mtx8xj3yxfvz",
        source_kind="url",
        source_name="https://shop.example/feed.csv",
        language="fr",
        policy="skip-bad-rows",
        is_dry_run=False,
        rows=120,
        created=20,
        updated=90,
        unchanged=8,
        excluded=0,
        failed=2,
        missing=0,
        is_not_modified=False,
        undone_at=None,
        seconds=0.4,
        problem_code=None,
        errors_url=f"/api/v1/vendor/imports/{_ID}/errors",
        created_at="2026-11-23T07:00:00Z",
    )

    id: str
    status: JobState | None = Field(description="Of its job; null when that was removed for its age.")
    job_id: str | None
    feed_id: str
    source_kind: SourceKind
    source_name: str
    language: str
    policy: ErrorPolicy
    is_dry_run: bool
    rows: int
    created: int
    updated: int
    unchanged: int
    excluded: int = Field(description="Left out by rules.")
    failed: int
    missing: int = Field(description="Rows that the feed had before and has no longer.")
    is_not_modified: bool = Field(description="The address still has the file that was imported last.")
    undone_at: datetime | None
    seconds: float
    problem_code: str | None = Field(description="What stopped the import as a whole.")
    errors_url: str
    created_at: datetime


class ImportDifference(BaseModel):
    """A field of a product that a trial would change, and what makes it so."""

    model_config = example(
        kind="changed",
        sku="SKU-7",
        title="Chair",
        line=8,
        field="price_cents",
        language=None,
        before=1500,
        after=1499,
        currency="EUR",
        columns=["price"],
        cell="15.00 EUR",
        rules=["Just below"],
    )

    kind: Literal["changed", "new", "missing"] = Field(
        description="`new`: the product would be made, and its title is told; `missing`: the feed has it no longer."
    )
    sku: str
    title: str
    line: int | None = Field(description="Line of the file; in XML the number of the product.")
    field: str
    language: str | None = Field(description="Of texts.")
    before: Any = Field(description="Texts are cut to 200 characters; amounts are cents of `currency`.")
    after: Any
    currency: str | None
    columns: list[str] = Field(description="The file's columns that the field is read from.")
    cell: str = Field(description="What stands there.")
    rules: list[str] = Field(description="Names of the rules that change it.")


class ImportDifferences(BaseModel):
    """The first differences of a trial, at most 20."""

    model_config = example(data=[])

    data: list[ImportDifference]


class ImportQuery(ListQuery):
    """Filters and order of the list of imports."""

    status: list[JobState] | None = Field(None, max_length=5)
    sort: Literal["created_at", "-created_at"] = "-created_at"


class NewImport(Input):
    """An import of the feed at an address, which the platform fetches itself."""

    model_config = example(url="https://shop.example/feed.csv", language="fr")

    url: WebAddress
    language: Literal["en", "fr", "de", "lb"]
    feed_id: str | None = Field(None, max_length=40, description="Without it the first feed of the language.")
    policy: ErrorPolicy = ErrorPolicy.SKIP_BAD_ROWS
    is_dry_run: bool = Field(False, strict=True, description="Check and count only.")


class RowErrorItem(BaseModel):
    """One thing wrong with one row."""

    model_config = example(
        line=7,
        external_id="SKU-7",
        column="price",
        code="price_malformed",
        value="12,50,00",
        message="Write the price as in 12.50 EUR.",
    )

    line: int
    external_id: str | None
    column: str
    code: RowErrorCode
    value: str
    message: str


class RowErrorQuery(ListQuery):
    """Pages of the errors of an import. A page has whole rows: a row with several errors stands there with all."""
