"""Queues and workers as their page shows them: what the ledger knows, and what the workers say of themselves."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.tasks import overview
from app.tasks.inspection import Answer, Worker
from app.tasks.overview import QueueFigures, WorkerProcess


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker (None: it did not answer, but its processes worked lately) with those of its processes that the ledger
    has seen."""

    worker: Worker | None
    host: str
    processes: Sequence[WorkerProcess]


@dataclass(frozen=True, slots=True)
class Workshop:
    """Everything that works, and on what."""

    queues: Sequence[QueueFigures]
    workers: Sequence[WorkerRow]
    answer: Answer


def look(session: Session, answer: Answer) -> Workshop:
    """What the ledger knows, put beside the workers' ``answer``, which was asked for before."""
    seen = overview.worker_processes(session)
    rows = []
    claimed: set[str] = set()
    for worker in answer.workers:
        names = {f"{worker.host}:{pid}" for pid in (worker.pid, *worker.processes)}
        rows.append(WorkerRow(worker, worker.host, [process for process in seen if process.name in names]))
        claimed |= names
    others: dict[str, list[WorkerProcess]] = {}
    for process in seen:
        if process.name not in claimed:
            others.setdefault(process.name.rpartition(":")[0], []).append(process)
    rows += [WorkerRow(None, host, processes) for host, processes in sorted(others.items())]
    return Workshop(overview.queue_figures(session), rows, answer)
