"""The one door to background work."""

from collections.abc import Mapping
from typing import Any, Unpack
from uuid import UUID

from sqlalchemy.orm import Session

from app.core import clock
from app.tasks.errors import MissingTenantError
from app.tasks.ledger import JobOptions, JobRef, enqueue
from app.tasks.ports import framework
from app.tasks.wakeups import wake_after_commit

Argument = str | int | float | bool | UUID | None


def dispatch(
    session: Session,
    task_name: str,
    /,
    *,
    kwargs: Mapping[str, Argument] | None = None,
    vendor_id: UUID | None = None,
    **options: Unpack[JobOptions],
) -> JobRef:
    """Write a job in the caller's transaction and, once that is committed, wake a worker.

    Nothing is written or sent when the transaction is rolled back. ``kwargs`` are the task's arguments: scalars and
    ids, nothing larger. With a ``unique_key`` whose job is unfinished, that job is returned.
    Raises UnknownTaskError, MissingTenantError, and TypeError for an argument of another type.
    """
    task = framework().find_task(task_name)
    if task.scope == "vendor" and vendor_id is None:
        raise MissingTenantError(f"{task_name} works for one vendor: say vendor_id.")
    merged: JobOptions = {"queue": task.queue, "module": task.module, "max_attempts": task.max_attempts}
    merged |= options
    ref = enqueue(session, task_name, args=_plain(kwargs or {}), vendor_id=vendor_id, options=merged)
    if ref.created and merged.get("run_after", clock.now()) <= clock.now():
        wake_after_commit(session, merged["queue"])
    return ref


def _plain(kwargs: Mapping[str, Argument]) -> dict[str, Any]:
    for name, value in kwargs.items():
        if not isinstance(value, str | int | float | bool | UUID | None):
            raise TypeError(
                f"Argument {name!r} is a {type(value).__name__}; a job takes scalars and ids only."
            )
    return {name: str(value) if isinstance(value, UUID) else value for name, value in kwargs.items()}
