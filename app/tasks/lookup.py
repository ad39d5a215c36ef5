"""Looking up one job, for pages that show how far it is."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.tasks.models import Job


def find_job(session: Session, job_id: UUID | None) -> Job | None:
    """A job that the session's scope sees, as it is now; None when there is none or it was pruned."""
    return session.get(Job, job_id, populate_existing=True) if job_id else None
