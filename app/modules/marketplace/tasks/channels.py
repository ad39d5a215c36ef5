"""Keeping connections to marketplaces at work: reading orders, telling what was done, testing, comparing."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any
from uuid import UUID

from celery import shared_task
from sqlalchemy.orm import Session

from app.modules.marketplace.contracts import CheckOutcome, CheckReport
from app.modules.marketplace.exceptions import ChannelError, ChannelNotConfiguredError
from app.modules.marketplace.services import (
    act_service,
    connection_job_service,
    connection_service,
    drift_service,
    notice_service,
    order_sync_service,
    record_service,
)
from app.modules.marketplace.services.connection_job_service import Due
from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="platform")
def sync_due_connections(self: ModuleTask) -> dict[str, int]:
    """Have the orders of the connections read whose time has come, by a job for each; returns how many were started."""
    with self.get_db() as session:
        return {
            "started": _round(
                self, session, connection_job_service.list_due, connection_job_service.start_due
            )
        }


@shared_task(base=ModuleTask, bind=True, scope="platform")
def check_connections(self: ModuleTask) -> dict[str, int]:
    """Test every connection that is on, by a job for each; returns how many were started."""
    with self.get_db() as session:
        return {"started": _start_all(self, session, "channels.check_connection")}


@shared_task(base=ModuleTask, bind=True, scope="platform")
def check_drift(self: ModuleTask) -> dict[str, int]:
    """Compare with every marketplace, by a job for each connection; returns how many were started."""
    with self.get_db() as session:
        return {"started": _start_all(self, session, "channels.check_connection_drift")}


@shared_task(base=ModuleTask, bind=True, scope="platform")
def prune_calls(self: ModuleTask) -> dict[str, int]:
    """Forget old calls; returns how many."""
    with self.get_db() as session:
        return {
            "removed": _round(
                self, session, connection_job_service.list_all, connection_job_service.prune_calls
            )
        }


def _start_all(task: ModuleTask, session: Session, name: str) -> int:
    return _round(
        task,
        session,
        connection_job_service.list_on,
        lambda session, due: connection_job_service.start_round(session, due, name),
    )


def _round(
    task: ModuleTask,
    session: Session,
    find: Callable[[Session], Any],
    act: Callable[[Session, Due], int],
) -> int:
    number = 0
    for done, due in enumerate(find(session), 1):
        number += act(session, due)
        task.checkpoint(None, done)
    return number


@contextmanager
def _noting_failure(task: ModuleTask, session: Session, connection_id: UUID) -> Iterator[None]:
    """Put what a marketplace does wrong before people, and let the job fail."""
    try:
        yield
    except ChannelError as error:
        task.discard()
        connection_job_service.note_failure(session, connection_id, error)
        task.checkpoint(None, 0)
        raise


@shared_task(base=ModuleTask, bind=True, scope="vendor", time_limit_seconds=1800.0, in_read_only=False)
def sync_connection(self: ModuleTask, connection_id: str) -> dict[str, int]:
    """Read the open orders of a connection; returns how many are new, changed, the same and parked."""
    key = UUID(connection_id)
    state: dict[str, Any] = {}
    with self.get_db() as session, _noting_failure(self, session, key):
        with closing(order_sync_service.sync(session, key, self.job.checkpoint)) as steps:
            for state in steps:
                self.checkpoint(state, state["seen"], phase="reading")
        return dict(state.get("counts", {}))


@shared_task(base=ModuleTask, bind=True, scope="vendor", in_read_only=False)
def send_act(self: ModuleTask, act_id: str) -> dict[str, str]:
    """Tell a marketplace one thing; returns the state that this has now, or ``idle`` where it was not its turn."""
    key = UUID(act_id)
    with self.get_db() as session:
        work = act_service.begin(session, key, self.job.id)
        if work is None:
            return {"state": "idle"}
        try:
            line = connection_service.open_line(session, act_service.connection_of(session, key))
        except ChannelNotConfiguredError as error:
            return {"state": act_service.end(session, key, work, act_service.Said(None, error))}
        with closing(line):
            self.checkpoint(None, 0)  # no transaction is open during the calls
            said = act_service.tell(line, work)
            connection_service.write_calls(session, line)
            return {"state": act_service.end(session, key, work, said)}


@shared_task(base=ModuleTask, bind=True, scope="vendor", in_read_only=False)
def read_record(self: ModuleTask, record_id: str) -> dict[str, str]:
    """Read one order anew and take it in once more; returns what became of it."""
    with self.get_db() as session:
        record = record_service.get_record(session, UUID(record_id))
        wanted = order_sync_service.Wanted(record.id, record.external_id)
        connection = connection_service.get_connection(session, record.connection_id)
        with closing(connection_service.open_line(session, connection)) as line:
            self.checkpoint(None, 0)
            return {"outcome": order_sync_service.read_again(session, line, wanted, is_again=True)}


@shared_task(base=ModuleTask, bind=True, scope="vendor")
def tell_parked(self: ModuleTask, connection_id: str) -> dict[str, int]:
    """Tell the shop's people of orders that were put aside; returns how many there are."""
    with self.get_db() as session:
        return {"waiting": notice_service.tell_parked(session, UUID(connection_id))}


@shared_task(base=ModuleTask, bind=True, scope="vendor")
def tell_refused(self: ModuleTask, connection_id: str) -> dict[str, int]:
    """Tell the shop's people of messages that a marketplace refused; returns how many there are."""
    with self.get_db() as session:
        return {"waiting": notice_service.tell_refused(session, UUID(connection_id))}


@shared_task(base=ModuleTask, bind=True, scope="vendor")
def check_connection(self: ModuleTask, connection_id: str) -> dict[str, str]:
    """Test a connection; returns the outcome."""
    key = UUID(connection_id)
    with self.get_db() as session:
        connection = connection_service.get_connection(session, key)
        try:
            line = connection_service.open_line(session, connection)
        except ChannelNotConfiguredError as error:
            report = CheckReport(CheckOutcome.NOT_CONFIGURED, error.detail)
        else:
            with closing(line):
                self.checkpoint(None, 0)
                report = line.ask("check", lambda channel: channel.check())
                connection_service.write_calls(session, line)
        connection_job_service.note_check(session, key, report)
        return {"outcome": report.outcome}


@shared_task(base=ModuleTask, bind=True, scope="vendor", time_limit_seconds=1800.0, in_read_only=False)
def check_connection_drift(self: ModuleTask, connection_id: str) -> dict[str, int]:
    """Compare orders and offers with a marketplace; returns how many orders were read, and how many differ."""
    key = UUID(connection_id)
    counts: dict[str, int] = {}
    with self.get_db() as session, _noting_failure(self, session, key):
        with closing(drift_service.check(session, key)) as steps:
            for counts in steps:
                self.checkpoint(None, counts["read"], phase="comparing")
        return counts
