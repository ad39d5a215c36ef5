"""Exports in the API."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.modules.api import Input, ListQuery, example

_ID = "exp_01m838cj1be8a8mtx8xj3yxfvz"
Outcome = Literal["queued", "running", "succeeded", "failed", "cancelled", "held", "unchanged", "forgotten"]


class ExportItem(BaseModel):
    """An export: one file in one language, and what became of it."""

    model_config = example(
        id=_ID,
        language="fr",
        file_name="MINETT_letzshop_export_fr.tsv",
        outcome="succeeded",
        rows=120,
        excluded=2,
        bytes=48210,
        sent_at="2026-11-23T04:31:00Z",
        created_at="2026-11-23T04:30:00Z",
    )

    id: str
    language: str
    file_name: str
    outcome: Outcome = Field(
        description="Of its job; or `held` (it waits to be confirmed), or `unchanged` (not sent again)."
    )
    rows: int
    excluded: int
    bytes: int | None
    sent_at: datetime | None
    created_at: datetime


class Differences(BaseModel):
    """How many products differ from the file that was sent before."""

    new: int
    changed: int
    gone: int


class Finding(BaseModel):
    """Something that the guard objects to."""

    code: str
    column: str
    before: int
    now: int


class ExportDetails(ExportItem):
    """An export with what the guard found and how it differs from the file that was sent before."""

    model_config = example(
        id=_ID,
        language="fr",
        file_name="MINETT_letzshop_export_fr.tsv",
        outcome="succeeded",
        rows=120,
        excluded=2,
        bytes=48210,
        sent_at="2026-11-23T04:31:00Z",
        created_at="2026-11-23T04:30:00Z",
        job_id="job_01m838cj1be8a8mtx8xj3yxfvz",
        differences={"new": 3, "changed": 12, "gone": 0},
        findings=[],
    )

    job_id: str | None
    differences: Differences | None
    findings: list[Finding]


class ExportQuery(ListQuery):
    """Filters and order of the list of exports."""

    language: list[Literal["en", "fr", "de", "lb"]] | None = Field(None, max_length=4)
    sort: Literal["created_at", "-created_at"] = "-created_at"


class NewExport(Input):
    """An export of the catalogue in one language."""

    model_config = example(language="fr")

    language: Literal["en", "fr", "de", "lb"]


class ExportLink(BaseModel):
    """The address at which others fetch the file that was sent last."""

    model_config = example(language="fr", address="https://wizamart.example/feeds/AaZ0")

    language: Annotated[str, Field(max_length=2)]
    address: str


class ExportLinks(BaseModel):
    """The addresses of all languages."""

    model_config = example(data=[{"language": "fr", "address": "https://wizamart.example/feeds/AaZ0"}])

    data: list[ExportLink]
