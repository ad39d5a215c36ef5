"""When connections are at work: their jobs, what a failed one leads to, and the rounds over all vendors."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, or_, select, true, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import SYSTEM, TenantScope, acting_in
from app.core.ids import to_public
from app.modules.gates import find_closed
from app.modules.marketplace.contracts import CheckOutcome, CheckReport
from app.modules.marketplace.enums import ActState
from app.modules.marketplace.exceptions import (
    ChannelError,
    ChannelNotConfiguredError,
    ChannelUnavailableError,
    KeyRefusedError,
    RoleMissingError,
    SchemaDriftError,
)
from app.modules.marketplace.models.channel_call import ChannelCall
from app.modules.marketplace.models.connection import MOST_INTERVAL, Connection
from app.modules.marketplace.models.letzshop_order import ExternalRecord
from app.modules.marketplace.models.outgoing_act import OutgoingAct
from app.modules.marketplace.services.connection_service import (
    CONNECTION_PREFIX,
    get_connection,
    lock_connection,
    name_of,
    problem_key,
)
from app.modules.marketplace.services.export_round_service import open_vendor
from app.modules.menu import page_url
from app.modules.problems import Problem, clear_problem, report_problem
from app.modules.tenancy import facade as tenancy
from app.tasks.dispatcher import dispatch
from app.tasks.ledger import JobRef
from app.tasks.models import Job, JobState

TASKS = "app.modules.marketplace.tasks"
_PORTION = 500
_MOST_JITTER = 10.0  # seconds
_CALL_DAYS, _MOST_CALLS = 14, 500
_MOST_DOUBLINGS = 6
_LOST_AFTER = timedelta(minutes=2)
_TELL_AFTER, _TELL_AGAIN = timedelta(minutes=2), timedelta(hours=1)
_OUTCOMES: dict[type[ChannelError], CheckOutcome] = {
    ChannelNotConfiguredError: CheckOutcome.NOT_CONFIGURED,
    KeyRefusedError: CheckOutcome.BAD_KEY,
    RoleMissingError: CheckOutcome.MISSING_ROLE,
    SchemaDriftError: CheckOutcome.SCHEMA_DRIFT,
}
# What orders that were read disprove. A name that has changed may be of something else.
_DISPROVED = {*_OUTCOMES.values(), CheckOutcome.UNREACHABLE} - {CheckOutcome.SCHEMA_DRIFT}


class Due(NamedTuple):
    """A connection, and whose."""

    id: UUID
    vendor_id: UUID


def start(
    session: Session, connection: Connection, task: str, user_id: UUID | None = None, **options: Any
) -> JobRef:
    """Make the job of a connection, unless one like it is unfinished."""
    return dispatch(
        session,
        f"{TASKS}.{task}",
        kwargs={"connection_id": connection.id},
        vendor_id=connection.vendor_id,
        unique_key=f"marketplace.{task}:{connection.id}",
        created_by=user_id,
        cause="user" if user_id else None,
        **options,
    )


def start_check(session: Session, connection_id: UUID, user_id: UUID | None = None) -> JobRef:
    """Have a connection tested."""
    row = lock_connection(session, connection_id)
    job = start(session, row, "channels.check_connection", user_id)
    row.check_job_id = job.id
    return job


def start_sync(session: Session, connection_id: UUID, user_id: UUID | None = None) -> JobRef:
    """Have the open orders read now."""
    row = lock_connection(session, connection_id)
    job = start(session, row, "channels.sync_connection", user_id)
    row.sync_job_id = job.id
    return job


def start_history(session: Session, connection_id: UUID, user_id: UUID | None = None) -> JobRef:
    """Have the orders of the past read."""
    row = lock_connection(session, connection_id)
    job = start(session, row, "letzshop.process_historical_import", user_id)
    if job.created:
        row.history_read, row.history_done_at = 0, None
    row.history_job_id = job.id
    return job


def resume(session: Session, connection_id: UUID) -> None:
    """Work again at once, as what was in the way may be gone: read the orders, tell what waits."""
    row = lock_connection(session, connection_id)
    row.failures = 0
    start_sync(session, connection_id)
    waiting = OutgoingAct.connection_id == connection_id, OutgoingAct.state == ActState.WAITING
    for act in session.scalars(select(OutgoingAct).where(*waiting)):
        dispatch_act(session, act)


def retry_record(session: Session, record: ExternalRecord, user_id: UUID | None = None) -> JobRef:
    """Have an order read anew and taken in once more."""
    return dispatch(
        session,
        f"{TASKS}.channels.read_record",
        kwargs={"record_id": record.id},
        vendor_id=record.vendor_id,
        unique_key=f"marketplace.read:{record.id}",
        created_by=user_id,
    )


def dispatch_act(session: Session, act: OutgoingAct, run_after: datetime | None = None) -> None:
    """Make the job that may send an act from now on, in place of the one that might before."""
    act.due_at = run_after or clock.now()
    act.job_id = dispatch(
        session,
        f"{TASKS}.channels.send_act",
        kwargs={"act_id": act.id},
        vendor_id=act.vendor_id,
        run_after=act.due_at,
    ).id


def start_telling(session: Session, connection: Connection, what: Literal["parked", "refused"]) -> None:
    """Have the shop's people told of what waits for them: once for all that comes within a moment, and once an hour."""
    told_at: datetime | None = getattr(connection, f"{what}_told_at")
    at = clock.now() + _TELL_AFTER
    dispatch(
        session,
        f"{TASKS}.channels.tell_{what}",
        kwargs={"connection_id": connection.id},
        vendor_id=connection.vendor_id,
        unique_key=f"marketplace.tell_{what}:{connection.id}",
        run_after=max(at, told_at + _TELL_AGAIN) if told_at else at,
    )


def find_lost_acts(session: Session, connection_id: UUID) -> Sequence[OutgoingAct]:
    """Acts that wait while nobody is about to send them."""
    statement = (
        select(OutgoingAct)
        .join(Job, Job.id == OutgoingAct.job_id, isouter=True)
        .where(
            OutgoingAct.connection_id == connection_id,
            OutgoingAct.state == ActState.WAITING,
            OutgoingAct.due_at < clock.now() - _LOST_AFTER,
            func.coalesce(Job.state, "").not_in((JobState.QUEUED, JobState.RUNNING)),
        )
        .order_by(OutgoingAct.id)
        .limit(_PORTION)
    )
    return session.scalars(statement).all()


def note_success(session: Session, connection_id: UUID) -> None:
    """The marketplace answers."""
    row = lock_connection(session, connection_id)
    row.failures, row.synced_at = 0, clock.now()
    if row.check_outcome in _DISPROVED:
        row.check_outcome, row.check_detail = CheckOutcome.OK, ""
    clear_problem(session, problem_key(row), vendor_id=row.vendor_id)


def note_failure(session: Session, connection_id: UUID, error: ChannelError) -> None:
    """The marketplace does not answer as it should: people are told, and it is asked less often."""
    row = lock_connection(session, connection_id)
    row.failures += 1
    outcome = _OUTCOMES.get(type(error))
    if outcome is not None:
        row.check_outcome, row.check_detail, row.checked_at = outcome, error.detail, clock.now()
    waited = row.interval_seconds * 2 ** min(row.failures - 1, _MOST_DOUBLINGS)
    asked = error.retry_after if isinstance(error, ChannelUnavailableError) else 0.0
    if row.is_on:
        pause = max(min(waited, MOST_INTERVAL), min(asked, MOST_INTERVAL))
        row.next_sync_at = clock.now() + timedelta(seconds=pause)
    vendor = tenancy.find_vendor(vendor_id=row.vendor_id)
    url = page_url(
        "marketplace.vendor.connection",
        vendor_code=vendor.code if vendor else "",
        connection_id=to_public(CONNECTION_PREFIX, row.id),
    )
    problem = Problem(
        problem_key(row), "marketplace.problems.channel", {"name": name_of(row)}, error.detail, url
    )
    report_problem(session, problem, vendor_id=row.vendor_id)
    if outcome is CheckOutcome.SCHEMA_DRIFT:
        _tell_operator(session, row, error.detail)


def _tell_operator(session: Session, row: Connection, detail: str) -> None:
    """A marketplace that has changed is the operator's to put right, once for all shops."""
    url = page_url("marketplace.admin.hub", tab="settings")
    params = {"name": name_of(row)}
    with acting_in(session, SYSTEM):
        report_problem(
            session, Problem(_schema_key(row), "marketplace.problems.schema", params, detail[:500], url)
        )


def _schema_key(row: Connection) -> str:
    return f"marketplace.schema:{row.connector}"


def note_check(session: Session, connection_id: UUID, report: CheckReport) -> None:
    """Keep what a test found; a good one ends the connection's problem."""
    row = lock_connection(session, connection_id)
    row.checked_at, row.check_outcome = clock.now(), report.outcome
    row.check_detail = report.detail
    row.check_findings = [
        {"kind": one.kind, "name": one.name, "detail": one.detail} for one in report.findings
    ]
    if report.outcome == CheckOutcome.OK:
        clear_problem(session, problem_key(row), vendor_id=row.vendor_id)
        with acting_in(session, SYSTEM):
            clear_problem(session, _schema_key(row))
    elif report.outcome == CheckOutcome.SCHEMA_DRIFT:
        missing = ", ".join(one.name for one in report.findings if one.kind == "missing")
        _tell_operator(session, row, missing or report.detail)


def list_due(session: Session) -> Sequence[Due]:
    """The connections whose time has come, those that wait longest first. Needs the system scope."""
    rows = session.execute(
        select(Connection.id, Connection.vendor_id)
        .where(Connection.next_sync_at <= clock.now())
        .order_by(Connection.next_sync_at, Connection.id)
        .limit(_PORTION)
    )
    return [Due(*row) for row in rows]


def list_on(session: Session) -> Sequence[Due]:
    """All connections that are on, by vendor. Needs the system scope."""
    return _listed(session, Connection.is_on.is_(True))


def list_all(session: Session) -> Sequence[Due]:
    """All connections, by vendor. Needs the system scope."""
    return _listed(session, true())


def _listed(session: Session, where: ColumnElement[bool]) -> list[Due]:
    statement = select(Connection.id, Connection.vendor_id).where(where)
    rows = session.execute(statement.order_by(Connection.vendor_id, Connection.id))
    return [Due(*row) for row in rows]


def is_open(session: Session, vendor_id: UUID) -> bool:
    """Whether work may be begun for a vendor by itself. Needs the system scope."""
    if open_vendor(vendor_id) is None:
        return False
    with acting_in(session, TenantScope(vendor_id)):
        return find_closed(session, vendor_id) is None


def start_due(session: Session, due: Due) -> bool:
    """Start the sync of a due connection and say when the next one is. Needs the system scope.

    They begin a little apart, so that not all vendors ask at the same second.
    """
    may_run = is_open(session, due.vendor_id)
    with acting_in(session, TenantScope(due.vendor_id)):
        statement = select(Connection).where(Connection.id == due.id).with_for_update(skip_locked=True)
        row = session.scalar(statement.execution_options(populate_existing=True))
        if row is None or row.next_sync_at is None or row.next_sync_at > clock.now():
            return False
        row.next_sync_at = clock.now() + timedelta(seconds=row.interval_seconds) if row.is_on else None
        if not may_run or not row.is_on:
            return False
        jitter = timedelta(seconds=random.uniform(0, _MOST_JITTER))  # noqa: S311
        job = start(session, row, "channels.sync_connection", run_after=clock.now() + jitter)
        row.sync_job_id = job.id
        return job.created


def start_round(session: Session, due: Due, task: str) -> bool:
    """Start another job of a connection. Needs the system scope."""
    if not is_open(session, due.vendor_id):
        return False
    with acting_in(session, TenantScope(due.vendor_id)):
        return start(session, get_connection(session, due.id), task).created


def prune_calls(session: Session, due: Due) -> int:
    """Forget a connection's calls older than 14 days, and all but the last 500; how many. Needs the system scope."""
    mine = select(ChannelCall.id).where(ChannelCall.connection_id == due.id)
    beyond = mine.order_by(ChannelCall.id.desc()).offset(_MOST_CALLS)
    is_old = ChannelCall.at < clock.system_now() - timedelta(days=_CALL_DAYS)
    gone = delete(ChannelCall).where(or_(ChannelCall.id.in_(mine.where(is_old)), ChannelCall.id.in_(beyond)))
    with acting_in(session, TenantScope(due.vendor_id)):
        result = session.connection().execute(gone, execution_options={"preserve_rowcount": True})
    return result.rowcount


def note_history(session: Session, connection_id: UUID, *, read: int, is_done: bool) -> None:
    """How far the import of the past has come."""
    done_at = clock.now() if is_done else None
    session.execute(
        update(Connection)
        .where(Connection.id == connection_id)
        .values(history_read=read, history_done_at=done_at)
    )
