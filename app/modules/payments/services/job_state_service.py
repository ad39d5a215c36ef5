"""Whether work that a record waits for goes on."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.tasks.models import Job, JobState


def is_unfinished(session: Session, job_id: UUID | None) -> bool:
    """Whether a job that the session may see is queued or running."""
    if job_id is None:
        return False
    state = session.scalar(select(Job.state).where(Job.id == job_id))
    return state in (JobState.QUEUED, JobState.RUNNING)
