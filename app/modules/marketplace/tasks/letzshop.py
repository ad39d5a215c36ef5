"""Long work with marketplaces: the orders of the past, and the directory of shops."""

from collections.abc import Mapping
from contextlib import closing
from typing import Any
from uuid import UUID

from celery import shared_task

from app.core.errors import UnavailableError
from app.modules.marketplace.exceptions import ChannelError, ChannelUnavailableError
from app.modules.marketplace.services import connection_job_service, directory_service, history_service
from app.modules.task_base import ModuleTask


@shared_task(
    base=ModuleTask,
    bind=True,
    scope="vendor",
    time_limit_seconds=6 * 3600.0,
    max_attempts=20,
    in_read_only=False,
)
def process_historical_import(self: ModuleTask, connection_id: str) -> dict[str, int]:
    """Read the orders of the past; returns how many are new, changed, the same and parked.

    Progress counts orders. Goes on after a crash, and when the marketplace answers again, where it was.
    """
    key = UUID(connection_id)
    state: dict[str, Any] | None = self.job.checkpoint
    with self.get_db() as session:
        try:
            with closing(history_service.read_history(session, key, self.job.checkpoint)) as steps:
                for progress in steps:
                    state = progress.state
                    self.checkpoint(state, progress.read, progress.total, phase="reading")
        except ChannelError as error:
            self.discard()
            connection_job_service.note_failure(session, key, error)
            self.checkpoint(state, state["read"] if state else 0)
            if isinstance(error, ChannelUnavailableError):
                raise UnavailableError(error.detail) from error
            raise
        return state["counts"] if state else {}


@shared_task(base=ModuleTask, bind=True, scope="platform", time_limit_seconds=3600.0)
def sync_vendor_directory(
    self: ModuleTask, connector: str = "letzshop", *, only_if_used: bool = False
) -> dict[str, int]:
    """Read a marketplace's directory of shops; returns how many are new, changed and gone. Progress counts shops.

    ``only_if_used``: nobody is asked unless a vendor trades there.
    """
    with self.get_db() as session:
        if only_if_used and not directory_service.is_used(session, connector):
            return {}

        def note(state: Mapping[str, Any], done: int, total: int | None) -> None:
            self.checkpoint(state, done, total, phase="reading")

        return directory_service.sync(session, connector, self.job.checkpoint, note)
