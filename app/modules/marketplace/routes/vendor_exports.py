"""Exports of the catalogue: the list, asking for one, its page and its file."""

from collections.abc import Mapping
from typing import Any

from fastapi import Response
from fastapi.responses import FileResponse

from app.core.i18n import LANGUAGES
from app.core.ids import to_public
from app.modules.marketplace.exceptions import ExportNotFoundError
from app.modules.marketplace.models.feed_export import FeedExport
from app.modules.marketplace.routes.vendor import LANGUAGE_OPTIONS, OUTCOME_TONES
from app.modules.marketplace.services import (
    export_sending_service,
    export_service,
    feed_export_service,
    feed_settings_service,
)
from app.modules.marketplace.services.export_diff import finding_text
from app.modules.marketplace.services.feed_export_service import EXPORT_PREFIX, ExportWithJob
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pagekit.job_view import ACTIVE, JobView
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.facade import user_names

router = AreaRouter("vendor")

_CREATE, _VIEW = "marketplace.exports.create", "marketplace.exports.view"
_PREVIEW_ROWS = 5
_KINDS = ("new", "changed", "gone")

mount_list(
    router,
    ListSpec(
        page_id="marketplace.vendor.exports",
        texts="marketplace.exports",
        select=lambda _session, _language: feed_export_service.select_exports(),
        key=FeedExport.id,
        columns=(
            Column("file_name", "marketplace.fields.file", is_wide=True),
            Column(
                "outcome",
                "marketplace.fields.state",
                "badge",
                text_prefix="marketplace.outcomes",
                tones=OUTCOME_TONES,
            ),
            Column("language", "marketplace.fields.language", text_prefix="core.languages"),
            Column("rows", "marketplace.fields.products", "number", sort=FeedExport.rows),
            Column("excluded", "marketplace.fields.excluded", "number", is_default=False),
            Column("created_at", "marketplace.fields.started", "datetime", sort=FeedExport.created_at),
            Column("sent_at", "marketplace.fields.sent", "datetime"),
        ),
        default_sort="-created_at",
        filters=(
            Filter(
                "language",
                "marketplace.fields.language",
                lambda values: FeedExport.language.in_(values),
                options=LANGUAGE_OPTIONS,
            ),
        ),
        actions=(
            Link("marketplace.export_links.title", "marketplace.vendor.export_links", _VIEW, "link"),
            Link("marketplace.new_export.title", "marketplace.vendor.new_export", _CREATE, "file-down"),
        ),
        row_page="marketplace.vendor.export",
        row_id="export_id",
        prefix=EXPORT_PREFIX,
        icon="file-down",
        has_intro=True,
        is_running=lambda row: row.outcome in ACTIVE,
    ),
)


def _language(ctx: PageContext) -> str:
    asked = ctx.request.query_params.get("language", "")
    return asked if asked in LANGUAGES else feed_settings_service.default_language(ctx.session)


def _preview(ctx: PageContext) -> Mapping[str, Any]:
    chosen, url = _language(ctx), ctx.url("marketplace.vendor.new_export")
    tabs = [(ctx.t(f"core.languages.{code}"), f"{url}?language={code}", code == chosen) for code in LANGUAGES]
    preview = export_service.preview_export(ctx.session, language=chosen, limit=_PREVIEW_ROWS)
    return {"preview": preview, "preview_tabs": tabs, "preview_language": chosen}


def _start(ctx: PageContext, values: Mapping[str, Any]) -> str:
    row = feed_export_service.start_export(
        ctx.session,
        vendor_id=ctx.vendor.id,
        vendor_code=ctx.vendor.code,
        language=values["language"],
        user_id=ctx.who.user_id,
    )
    return ctx.url("marketplace.vendor.export", export_id=to_public(EXPORT_PREFIX, row.id))


mount_form(
    router,
    FormSpec(
        "marketplace.vendor.new_export",
        "marketplace.new_export",
        (
            Field(
                "language",
                "marketplace.fields.language",
                "select",
                options=LANGUAGE_OPTIONS,
                hint_key="marketplace.new_export.language_hint",
            ),
        ),
        _start,
        load=lambda ctx: {"language": _language(ctx)},
        back=lambda ctx: (ctx.url("marketplace.vendor.exports"), ctx.t("marketplace.exports.title")),
        has_intro=True,
        template="marketplace/vendor/new_export.html",
        in_read_only=True,
        extra=_preview,
    ),
)


@router.page("marketplace.vendor.export")
def export(ctx: PageContext, export_id: str) -> Response:
    """How far an export is, and its file."""
    found = feed_export_service.get_export(ctx.session, public_id(EXPORT_PREFIX, export_id))
    row, job = found
    view = JobView.of(job, ctx.t(f"marketplace.phases.{job.phase or 'waiting'}")) if job else None
    is_active = view is not None and view.is_active
    has_file = feed_export_service.file_of(row) is not None
    is_held = export_sending_service.is_held(ctx.session, row)
    outcome = feed_export_service.outcome_of(found)
    result = Block(
        "export",
        ctx.t("marketplace.export.result"),
        template="marketplace/vendor/export_result.html",
        context={"row": row, "view": view, "has_file": has_file, "outcome": outcome},
        order=10,
    )
    blocks = [*_findings(ctx, row, is_held=is_held), result, *_differences(ctx, row)]
    blocks.append(Block("facts", ctx.t("marketplace.export.facts"), _facts(ctx, found), column="side"))
    return show_detail(
        ctx,
        Detail(
            row.id,
            row.file_name,
            blocks,
            back=(ctx.url("marketplace.vendor.exports"), ctx.t("marketplace.exports.title")),
            badges=[(OUTCOME_TONES[outcome], ctx.t(f"marketplace.outcomes.{outcome}"))],
            actions=_actions(
                ctx, export_id, has_file=has_file, is_active=is_active, may_confirm=is_held and has_file
            ),
            target=export_id,
            refresh=is_active,
        ),
    )


@router.action("/exports/{export_id}/confirm", permission=_CREATE)
def confirm_export(ctx: PageContext, export_id: str) -> Response:
    """Send an export that the guard holds."""
    export_sending_service.confirm_export(ctx.session, public_id(EXPORT_PREFIX, export_id))
    ctx.flash("success", "marketplace.export.sent")
    return ctx.redirect("marketplace.vendor.export", export_id=export_id)


@router.action("/exports/{export_id}/file", permission=_VIEW, method="GET")
def download(ctx: PageContext, export_id: str) -> Response:
    """The file."""
    row = feed_export_service.get_export(ctx.session, public_id(EXPORT_PREFIX, export_id)).row
    path = feed_export_service.file_of(row)
    if path is None:
        raise ExportNotFoundError
    return ctx.finish(
        FileResponse(path, media_type="text/tab-separated-values; charset=utf-8", filename=row.file_name)
    )


@router.action("/exports/{export_id}/cancel", permission=_CREATE, in_read_only=True)
def cancel_export(ctx: PageContext, export_id: str) -> Response:
    """Stop an export."""
    feed_export_service.cancel_export(ctx.session, public_id(EXPORT_PREFIX, export_id))
    return ctx.redirect("marketplace.vendor.export", export_id=export_id)


def _findings(ctx: PageContext, row: FeedExport, *, is_held: bool) -> list[Block]:
    if not row.findings:
        return []
    context = {"texts": [finding_text(ctx.language, one) for one in row.findings], "is_held": is_held}
    title = ctx.t("marketplace.export.findings")
    template = "marketplace/vendor/export_findings.html"
    return [Block("findings", title, template=template, context=context, column="full", order=5)]


def _differences(ctx: PageContext, row: FeedExport) -> list[Block]:
    found = row.differences
    if found is None:
        return []
    columns = sorted({*found["emptied"], *found["altered"]})
    context = {
        "found": found,
        "columns": [(name, found["altered"].get(name, 0), found["emptied"].get(name, 0)) for name in columns],
        "examples": [(kind, found["examples"][kind]) for kind in _KINDS if found["examples"][kind]],
    }
    title, text = ctx.t("marketplace.export.differences"), ctx.t("marketplace.export.differences_text")
    template = "marketplace/vendor/export_differences.html"
    block = Block(
        "differences", title, template=template, context=context, column="full", order=20, text=text
    )
    return [block]


def _actions(
    ctx: PageContext, export_id: str, *, has_file: bool, is_active: bool, may_confirm: bool
) -> list[Action]:
    here = ctx.url("marketplace.vendor.export", export_id=export_id)
    actions = []
    if is_active and _CREATE in ctx.who.permissions:
        actions.append(Action(ctx.t("marketplace.import.cancel"), f"{here}/cancel", "ban"))
    if has_file:
        text = ctx.t("marketplace.export.download")
        actions.append(
            Action(text, f"{here}/file", "download", "secondary" if may_confirm else "primary", is_post=False)
        )
    if may_confirm and _CREATE in ctx.who.permissions:
        sure = ctx.t("marketplace.export.confirm_sure")
        text = ctx.t("marketplace.export.confirm")
        actions.append(Action(text, f"{here}/confirm", "send", "danger", confirm=sure))
    return actions


def _facts(ctx: PageContext, found: ExportWithJob) -> list[Fact]:
    row, job = found
    names = user_names(ctx.session, {row.created_by}) if row.created_by else {}
    return [
        Fact(ctx.t("marketplace.fields.language"), ctx.t(f"core.languages.{row.language}")),
        Fact(ctx.t("marketplace.fields.products"), row.rows, "number"),
        Fact(ctx.t("marketplace.fields.excluded"), row.excluded, "number"),
        Fact(ctx.t("marketplace.fields.size"), row.bytes, "filesize"),
        Fact(ctx.t("marketplace.fields.started"), row.created_at, "datetime"),
        Fact(ctx.t("marketplace.fields.started_by"), names.get(row.created_by) if row.created_by else None),
        Fact(ctx.t("marketplace.fields.finished"), job.finished_at if job else None, "datetime"),
        Fact(ctx.t("marketplace.fields.sent"), row.sent_at, "datetime"),
        Fact(
            ctx.t("marketplace.export_links.title"),
            ctx.t("marketplace.export.show_address"),
            url=ctx.url("marketplace.vendor.export_links"),
        ),
    ]
