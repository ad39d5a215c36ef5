"""The list of imports for programs."""

from typing import Any

from sqlalchemy import Select, select

from app.modules.marketplace.models.import_job import FeedImport
from app.modules.pagekit.lists import Column, Filter, ListSpec
from app.tasks.models import Job, JobState


def select_imports() -> Select[Any]:
    """Imports with the state of their jobs."""
    return select(*FeedImport.__table__.columns, Job.state).outerjoin(Job, Job.id == FeedImport.job_id)


IMPORTS = ListSpec(
    page_id="marketplace.vendor.imports",
    texts="marketplace.imports",
    select=lambda _session, _language: select_imports(),
    key=FeedImport.id,
    # Keys are made in the order of time, and have an index.
    columns=(Column("created_at", "marketplace.imports.created_at", "datetime", sort=FeedImport.id),),
    default_sort="-created_at",
    filters=(
        Filter(
            "status",
            "marketplace.imports.state",
            lambda values: Job.state.in_(values),
            options=[(state.value, f"ui.state.{state.value}") for state in JobState],
        ),
    ),
)
