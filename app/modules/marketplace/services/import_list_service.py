"""Imports as programs see them."""

from typing import Any

from sqlalchemy import Select, select

from app.core.ids import to_public
from app.modules.api import ROOT
from app.modules.api.answers import shown
from app.modules.api.jobs import JOB_PREFIX
from app.modules.marketplace.models.import_job import FeedImport
from app.modules.marketplace.schemas.imports import ImportItem
from app.modules.marketplace.services.feed_service import FEED_PREFIX
from app.modules.marketplace.services.import_service import IMPORT_PREFIX
from app.modules.pagekit.lists import Column, Filter, ListSpec
from app.tasks.models import Job, JobState


def select_imports() -> Select[Any]:
    """Imports with the state of their jobs."""
    columns = (column for column in FeedImport.__table__.columns if column.name != "differences")
    return select(*columns, Job.state).outerjoin(Job, Job.id == FeedImport.job_id)


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


def shown_import(row: Any, state: str | None) -> ImportItem:
    """An import as the API tells it."""
    return shown(
        ImportItem,
        row,
        IMPORT_PREFIX,
        status=state,
        feed_id=to_public(FEED_PREFIX, row.feed_id),
        job_id=to_public(JOB_PREFIX, row.job_id) if row.job_id else None,
        problem_code=row.problem["code"] if row.problem else None,
        errors_url=f"{ROOT}/vendor/imports/{to_public(IMPORT_PREFIX, row.id)}/errors",
    )
