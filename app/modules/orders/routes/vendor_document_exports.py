"""A month's documents for the accountant: asking for an archive, and the journal."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from fastapi import Response
from fastapi.responses import FileResponse

from app.core import clock
from app.core.config import get_settings
from app.core.ids import to_public
from app.core.storage import get_storage
from app.modules.orders.exceptions import DocumentNotFoundError
from app.modules.orders.models.document import DocumentExport
from app.modules.orders.services import document_export_service
from app.modules.orders.services.document_export_service import PREFIX, month_name
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pagekit.job_view import ACTIVE, JobView
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.tasks.models import Job

router = AreaRouter("vendor")

_VIEW = "orders.documents.view"
_ZONE = "Europe/Luxembourg"
_MONTHS = 24
_TONES = {
    "queued": "neutral",
    "running": "info",
    "succeeded": "success",
    "failed": "danger",
    "cancelled": "neutral",
}

mount_list(
    router,
    ListSpec(
        "orders.vendor.document_exports",
        "orders.archives",
        lambda _session, _language: document_export_service.select_exports(),
        DocumentExport.id,
        columns=(
            Column("month", "orders.archives.month", value=lambda row: f"{row.month:%Y-%m}", sort=DocumentExport.month),
            Column("state", "orders.document_fields.state", "badge", text_prefix="orders.archive_states", tones=_TONES),
            Column("documents", "orders.archives.documents", "number", sort=DocumentExport.documents),
            Column("created_at", "orders.document_fields.created_at", "datetime", sort=DocumentExport.created_at),
        ),
        default_sort="-created_at",
        actions=(
            Link("orders.document_pages.new_document_export", "orders.vendor.new_document_export", _VIEW, "plus"),
        ),
        row_page="orders.vendor.document_export",
        row_id="document_export_id",
        prefix=PREFIX,
        icon="archive",
        has_intro=True,
        is_running=lambda row: row.state in ACTIVE,
    ),
)  # fmt: skip


def _months(ctx: PageContext) -> list[tuple[str, str]]:
    day = clock.today(_ZONE).replace(day=1)
    months = []
    for _ in range(_MONTHS):
        months.append((f"{day:%Y-%m}", month_name(ctx.language, day)))
        day = date(day.year - (day.month == 1), (day.month - 2) % 12 + 1, 1)
    return months


def _start(ctx: PageContext, values: Mapping[str, Any]) -> str:
    month = date.fromisoformat(f"{values['month']}-01")
    row = document_export_service.start_archive(ctx.session, ctx.vendor.id, month, ctx.who.user_id)
    return ctx.url("orders.vendor.document_export", document_export_id=to_public(PREFIX, row.id))


mount_form(
    router,
    FormSpec(
        "orders.vendor.new_document_export",
        "orders.new_archive",
        (Field("month", "orders.archives.month", "select", options=_months),),
        _start,
        back=lambda ctx: (ctx.url("orders.vendor.document_exports"), ctx.t("orders.document_pages.document_exports")),
        has_intro=True,
        in_read_only=True,
    ),
)  # fmt: skip


@router.page("orders.vendor.document_export")
def document_export(ctx: PageContext, document_export_id: str) -> Response:
    """How far an archive is, and its files."""
    row, job = document_export_service.get_export(ctx.session, public_id(PREFIX, document_export_id))
    view = JobView.of(job, ctx.t("orders.archives.writing")) if job else None
    url = ctx.url("orders.vendor.document_export", document_export_id=document_export_id)
    actions = []
    if document_export_service.has_file(row):
        actions.append(
            Action(ctx.t("orders.archives.download"), f"{url}/zip", "download", "primary", is_post=False)
        )
    actions.append(Action(ctx.t("orders.archives.journal"), f"{url}/journal", "file-down", is_post=False))
    return show_detail(
        ctx,
        Detail(
            row.id,
            ctx.t("orders.archives.of", month=month_name(ctx.language, row.month)),
            [Block("facts", ctx.t("orders.documents.facts"), _facts(ctx, row, job))],
            back=(ctx.url("orders.vendor.document_exports"), ctx.t("orders.document_pages.document_exports")),
            badges=[(_TONES[job.state], ctx.t(f"orders.archive_states.{job.state}"))] if job else [],
            actions=actions,
            target=document_export_id,
            refresh=view is not None and view.is_active,
        ),
    )


def _facts(ctx: PageContext, row: DocumentExport, job: Job | None) -> list[Fact]:
    return [
        Fact(ctx.t("orders.archives.documents"), row.documents if row.storage_key else None, "number"),
        Fact(ctx.t("orders.archives.size"), row.bytes, "filesize"),
        Fact(ctx.t("orders.document_fields.created_at"), row.created_at, "datetime"),
        Fact(ctx.t("orders.archives.finished_at"), job.finished_at if job else None, "datetime"),
    ]


@router.action("/invoices/archives/{document_export_id}/zip", permission=_VIEW, method="GET")
def download(ctx: PageContext, document_export_id: str) -> Response:
    """The archive."""
    row = document_export_service.get_export(ctx.session, public_id(PREFIX, document_export_id)).row
    if row.storage_key is None:
        raise DocumentNotFoundError
    path = get_storage(get_settings()).path(row.storage_key)
    name = f"documents-{ctx.vendor.code.lower()}-{row.month:%Y-%m}.zip"
    return ctx.finish(FileResponse(path, media_type="application/zip", filename=name))


@router.action("/invoices/archives/{document_export_id}/journal", permission=_VIEW, method="GET")
def journal(ctx: PageContext, document_export_id: str) -> Response:
    """The journal of the month, as it is now."""
    row = document_export_service.get_export(ctx.session, public_id(PREFIX, document_export_id)).row
    text = "".join(document_export_service.journal(ctx.session, row.month))
    headers = {"Content-Disposition": f'attachment; filename="journal-{row.month:%Y-%m}.csv"'}
    return ctx.finish(Response(text, media_type="text/csv; charset=utf-8", headers=headers))
