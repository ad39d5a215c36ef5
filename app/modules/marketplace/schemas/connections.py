"""Connections to marketplaces in the API."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from app.modules.api import Input, ListQuery, example

_ID, _RECORD = "con_01m838cj1be8a8mtx8xj3yxfvz", "xor_01m838cj1be8a8mtx8xj3yxfvz"
_ORDER = "ord_01m838cj1be8a8mtx8xj3yxfvz"
UnitWord = Literal["open", "available", "unavailable", "returned", "unknown"]


class CheckFinding(BaseModel):
    """A difference between what is expected of the marketplace and what is there: missing, deprecated or extra."""

    kind: str
    name: str
    detail: str


class ConnectionDetails(BaseModel):
    """A vendor's link to a marketplace."""

    model_config = example(
        id=_ID,
        connector="letzshop",
        is_on=True,
        interval_seconds=180,
        connected_at="2026-11-20T09:00:00Z",
        checked_at="2026-11-23T05:50:00Z",
        check_outcome="ok",
        check_detail="",
        check_findings=[],
        synced_at="2026-11-23T07:00:00Z",
        next_sync_at="2026-11-23T07:03:00Z",
        failures=0,
        history_done_at="2026-11-20T09:10:00Z",
        history_read=412,
        version=7,
    )

    id: str
    connector: str = Field(description="The code of the connector; also the channel of its orders.")
    is_on: bool
    interval_seconds: int = Field(description="How often open orders are asked for.")
    connected_at: datetime
    checked_at: datetime | None
    check_outcome: (
        Literal["ok", "not_configured", "unreachable", "bad_key", "missing_role", "schema_drift"] | None
    )
    check_detail: str
    check_findings: list[CheckFinding]
    synced_at: datetime | None
    next_sync_at: datetime | None
    failures: int = Field(description="Syncs in a row that failed.")
    history_done_at: datetime | None
    history_read: int
    version: int


class ConnectionChange(Input):
    """What can be changed of a connection."""

    model_config = example(interval_seconds=300)

    is_on: bool | None = Field(None, strict=True)
    interval_seconds: int | None = Field(None, ge=60, le=3600)


class ConnectionQuery(ListQuery):
    """Order of the list of connections."""

    sort: Literal["connected_at", "-connected_at"] = "connected_at"


class RecordItem(BaseModel):
    """An order as the marketplace says it. `fault` says why it could not be taken in."""

    model_config = example(
        id=_RECORD,
        external_id="gwpLrWz1",
        number="H24680135790",
        order_id=_ORDER,
        units={"u-1": "available", "u-2": "open"},
        is_open=True,
        revision=2,
        placed_at="2026-11-23T06:40:00Z",
        seen_at="2026-11-23T07:00:00Z",
        fault=None,
        attempts=0,
        drift=None,
    )

    id: str
    external_id: str
    number: str
    order_id: str | None
    units: dict[str, UnitWord]
    is_open: bool
    revision: int = Field(description="How many different things were said of it.")
    placed_at: datetime | None
    seen_at: datetime
    fault: str | None
    attempts: int
    drift: list[dict[str, Any]] | None = Field(
        description="Units of which the two sides say different things."
    )


class RecordQuery(ListQuery):
    """Filters and order of the list of a connection's orders."""

    needs: list[Literal["parked", "open", "drift"]] | None = Field(None, max_length=3)
    sort: Literal["created_at", "-created_at"] = "-created_at"


class ActItem(BaseModel):
    """Something that a marketplace is told: decisions on units, tracking, or what came back."""

    model_config = example(
        id="oac_01m838cj1be8a8mtx8xj3yxfvz",
        record_id=_RECORD,
        order_id=_ORDER,
        kind="decide",
        payload={"units": {"u-1": True, "u-2": False}},
        state="done",
        attempts=1,
        due_at="2026-11-23T07:01:00Z",
        last_error_code=None,
        last_error="",
        done_at="2026-11-23T07:01:02Z",
        created_at="2026-11-23T07:01:00Z",
    )

    id: str
    record_id: str
    order_id: str | None
    kind: Literal["decide", "track", "return"]
    payload: dict[str, Any]
    state: Literal["waiting", "done", "refused"] = Field(
        description="`refused`: given up until it is tried again."
    )
    attempts: int
    due_at: datetime
    last_error_code: str | None
    last_error: str
    done_at: datetime | None
    created_at: datetime


class ActQuery(ListQuery):
    """Filters and order of the list of what a marketplace is told."""

    state: list[Literal["waiting", "done", "refused"]] | None = Field(None, max_length=3)
    sort: Literal["created_at", "-created_at"] = "-created_at"


class StartedJob(BaseModel):
    """The job that does the work."""

    model_config = example(job_id="job_01m838cj1be8a8mtx8xj3yxfvz")

    job_id: Annotated[str, Field(max_length=64)]
