"""Connections to marketplaces in the API: their orders, and what is told."""

from typing import Annotated, Any

from fastapi import Query

from app.core.ids import to_public
from app.modules.api import ApiContext, ApiRouter, Page, key_of
from app.modules.api.answers import shown
from app.modules.api.jobs import JOB_PREFIX
from app.modules.api.pages import read_spec
from app.modules.marketplace.exceptions import RecordNotFoundError
from app.modules.marketplace.models.connection import Connection
from app.modules.marketplace.models.letzshop_order import ExternalRecord
from app.modules.marketplace.schemas.connections import (
    ActItem,
    ActQuery,
    ConnectionChange,
    ConnectionDetails,
    ConnectionQuery,
    RecordItem,
    RecordQuery,
    StartedJob,
)
from app.modules.marketplace.services import (
    act_service,
    connection_edit_service,
    connection_job_service,
    connection_service,
    record_service,
)
from app.modules.marketplace.services.act_service import ACT_PREFIX
from app.modules.marketplace.services.connection_list_service import CONNECTIONS, acts_of, records_of
from app.modules.marketplace.services.connection_part_service import TELL
from app.modules.marketplace.services.connection_service import CONNECTION_PREFIX
from app.modules.marketplace.services.record_service import RECORD_PREFIX
from app.tasks.ledger import JobRef

router = ApiRouter()

_VIEW, _MANAGE = "marketplace.connections.view", "marketplace.connections.manage"
_ONE = "/connections/{connection_id}"


@router.vendor("GET", "/connections", permission=_VIEW)
def connections_list(ctx: ApiContext, query: Annotated[ConnectionQuery, Query()]) -> Page[ConnectionDetails]:
    """List connections."""
    return read_spec(ctx, CONNECTIONS, query, _shown)


@router.vendor("GET", _ONE, permission=_VIEW)
def connections_get(ctx: ApiContext, connection_id: str) -> ConnectionDetails:
    """Get a connection."""
    return _shown(_own(ctx, connection_id))


@router.vendor("PATCH", _ONE, permission=_MANAGE, needs_version=True)
def connections_update(ctx: ApiContext, connection_id: str, change: ConnectionChange) -> ConnectionDetails:
    """Turn a connection on or off, or say how often orders are asked for."""
    row = _own(ctx, connection_id)
    ctx.check_version(row.version)
    given = change.model_dump(exclude_none=True)
    return _shown(connection_service.change_connection(ctx.session, row.id, **given))


@router.vendor("POST", f"{_ONE}/check", permission=_VIEW, status=202, needs_key=True)
def connections_check(ctx: ApiContext, connection_id: str) -> StartedJob:
    """Test a connection. Location leads to the job; the connection then says what was found."""
    row = _own(ctx, connection_id)
    return _started(ctx, connection_job_service.start_check(ctx.session, row.id, ctx.principal.user_id))


@router.vendor("POST", f"{_ONE}/sync", permission=_MANAGE, status=202, needs_key=True)
def connections_sync(ctx: ApiContext, connection_id: str) -> StartedJob:
    """Read the open orders now. Location leads to the job."""
    row = _own(ctx, connection_id)
    return _started(ctx, connection_job_service.start_sync(ctx.session, row.id, ctx.principal.user_id))


@router.vendor("POST", f"{_ONE}/history", permission=_MANAGE, status=202, needs_key=True)
def connections_history(ctx: ApiContext, connection_id: str) -> StartedJob:
    """Read the orders of the past. Location leads to the job."""
    row = _own(ctx, connection_id)
    return _started(ctx, connection_job_service.start_history(ctx.session, row.id, ctx.principal.user_id))


@router.vendor("GET", f"{_ONE}/records", permission=_VIEW)
def connection_records_list(
    ctx: ApiContext, connection_id: str, query: Annotated[RecordQuery, Query()]
) -> Page[RecordItem]:
    """List the orders of a connection as the marketplace says them."""
    return read_spec(ctx, records_of(_own(ctx, connection_id).id), query, _shown_record)


@router.vendor("POST", f"{_ONE}/records/{{record_id}}/retry", permission=_MANAGE, status=202, needs_key=True)
def connection_records_retry(ctx: ApiContext, connection_id: str, record_id: str) -> StartedJob:
    """Read an order anew and take it in once more. Location leads to the job."""
    record = _record(ctx, connection_id, record_id)
    return _started(ctx, connection_job_service.retry_record(ctx.session, record, ctx.principal.user_id))


@router.vendor("POST", f"{_ONE}/records/{{record_id}}/tell-again", permission=TELL, needs_key=True)
def connection_records_tell(ctx: ApiContext, connection_id: str, record_id: str) -> RecordItem:
    """Tell the marketplace what it says otherwise of the order's units; what waits to be told is not told twice."""
    record = _record(ctx, connection_id, record_id)
    connection_edit_service.tell_again(ctx.session, record.id, by=ctx.principal.user_id)
    return _shown_record(record)


@router.vendor("GET", f"{_ONE}/acts", permission=_VIEW)
def connection_acts_list(
    ctx: ApiContext, connection_id: str, query: Annotated[ActQuery, Query()]
) -> Page[ActItem]:
    """List what the marketplace is or was told."""
    return read_spec(ctx, acts_of(_own(ctx, connection_id).id), query, _shown_act)


@router.vendor("POST", f"{_ONE}/acts/{{act_id}}/retry", permission=_MANAGE)
def connection_acts_retry(ctx: ApiContext, connection_id: str, act_id: str) -> ActItem:
    """Tell the marketplace again what was given up."""
    row, key = _own(ctx, connection_id), key_of(ACT_PREFIX, act_id)
    return _shown_act(act_service.retry_act(ctx.session, key, connection_id=row.id))


def _own(ctx: ApiContext, connection_id: str) -> Connection:
    return connection_service.get_connection(ctx.session, key_of(CONNECTION_PREFIX, connection_id))


def _record(ctx: ApiContext, connection_id: str, record_id: str) -> ExternalRecord:
    record = record_service.get_record(ctx.session, key_of(RECORD_PREFIX, record_id))
    if record.connection_id != _own(ctx, connection_id).id:
        raise RecordNotFoundError
    return record


def _started(ctx: ApiContext, job: JobRef) -> StartedJob:
    public_id = to_public(JOB_PREFIX, job.id)
    ctx.location(f"/vendor/jobs/{public_id}")
    return StartedJob(job_id=public_id)


def _shown(row: Any) -> ConnectionDetails:
    return shown(ConnectionDetails, row, CONNECTION_PREFIX)


def _shown_record(row: Any) -> RecordItem:
    order_id = to_public("ord", row.order_id) if row.order_id else None
    return shown(RecordItem, row, RECORD_PREFIX, order_id=order_id)


def _shown_act(row: Any) -> ActItem:
    order_id = to_public("ord", row.order_id) if row.order_id else None
    record_id = to_public(RECORD_PREFIX, row.record_id)
    return shown(ActItem, row, ACT_PREFIX, order_id=order_id, record_id=record_id)
