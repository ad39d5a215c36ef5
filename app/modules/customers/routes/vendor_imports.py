"""Files of customers: the list, sending one, and its page with what it would change."""

from collections.abc import Mapping
from typing import Any

from fastapi import Response

from app.core.i18n import format_number
from app.core.ids import to_public
from app.modules.customers.models.customer_import import CustomerImport
from app.modules.customers.services import import_service
from app.modules.customers.services.import_rows import MAX_BYTES, read_customers
from app.modules.customers.services.import_service import IMPORT_PREFIX
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pagekit.job_view import ACTIVE
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.tasks.models import Job

router = AreaRouter("vendor")

_EDIT, _T = "customers.customers.edit", "customers.imports"
_SHOWN = 200
_TONES = {"open": "info", "applied": "success", "discarded": "neutral"}

mount_list(
    router,
    ListSpec(
        page_id="customers.vendor.imports",
        texts=_T,
        select=import_service.select_imports,
        key=CustomerImport.id,
        columns=(
            Column("name", f"{_T}.name", is_wide=True),
            Column("status", "customers.fields.state", "badge", text_prefix=f"{_T}.states", tones=_TONES),
            *(Column(name, f"{_T}.{name}", "number") for name in ("rows", "added", "changed", "refused")),
            Column("created_at", f"{_T}.created_at", "datetime", sort=CustomerImport.created_at),
        ),
        default_sort="-created_at",
        actions=(Link("customers.pages.new_import", "customers.vendor.new_import", _EDIT, "upload"),),
        row_page="customers.vendor.import",
        row_id="customer_import_id",
        prefix=IMPORT_PREFIX,
        icon="upload",
        has_intro=True,
    ),
)


def _create(ctx: PageContext, values: Mapping[str, Any]) -> str:
    sent = values["file"]
    file = read_customers(sent.file.read(MAX_BYTES + 1))
    name = (sent.filename or "").strip() or "customers.csv"
    row = import_service.create_import(ctx.session, ctx.vendor.id, name, file, user_id=ctx.who.user_id)
    return _url(ctx, to_public(IMPORT_PREFIX, row.id))


mount_form(
    router,
    FormSpec(
        "customers.vendor.new_import",
        "customers.new_import",
        (Field("file", f"{_T}.file", "file", hint_key=f"{_T}.file_hint"),),
        _create,
        back=lambda ctx: (ctx.url("customers.vendor.imports"), ctx.t("customers.pages.imports")),
        has_intro=True,
        max_body_bytes=MAX_BYTES + (64 << 10),
    ),
)


@router.page("customers.vendor.import")
def show_import(ctx: PageContext, customer_import_id: str) -> Response:
    """What a file would change or has changed, and which rows are not taken over."""
    row, job = import_service.get_import(ctx.session, public_id(IMPORT_PREFIX, customer_import_id))
    is_active = row.status == "open" and job is not None and job.state in ACTIVE
    return show_detail(
        ctx,
        Detail(
            row.id,
            row.name,
            _blocks(ctx, row),
            back=(ctx.url("customers.vendor.imports"), ctx.t("customers.pages.imports")),
            badges=((_TONES[row.status], ctx.t(f"{_T}.states.{row.status}")),),
            actions=_actions(ctx, row, customer_import_id) if row.status == "open" and not is_active else (),
            target=customer_import_id,
            notice=_notice(ctx, row, job),
            refresh=is_active,
        ),
    )


def _blocks(ctx: PageContext, row: CustomerImport) -> list[Block]:
    refused = import_service.list_refused(ctx.session, row.id, limit=_SHOWN)
    blocks = [
        Block(
            "figures",
            ctx.t(f"{_T}.figures"),
            [
                Fact(ctx.t(f"{_T}.{name}"), getattr(row, name), "number")
                for name in ("rows", "added", "changed", "refused")
            ],
            order=10,
        ),
        Block(
            "about",
            ctx.t(f"{_T}.about"),
            [
                Fact(ctx.t(f"{_T}.created_at"), row.created_at, "datetime"),
                Fact(ctx.t(f"{_T}.closed_at"), row.closed_at, "datetime"),
                Fact(ctx.t(f"{_T}.ignored"), ", ".join(row.ignored) or None),
            ],
            column="side",
            order=10,
        ),
    ]
    if refused:
        context = {"lines": refused, "left": row.refused - len(refused)}
        blocks.append(
            Block(
                "lines",
                ctx.t(f"{_T}.refused"),
                template="customers/import_lines.html",
                context=context,
                column="full",
                order=20,
            )
        )
    return blocks


def _notice(ctx: PageContext, row: CustomerImport, job: Job | None) -> tuple[str, str] | None:
    if row.status != "open" or job is None:
        return None
    return ("info", ctx.t(f"{_T}.started")) if job.state in ACTIVE else ("danger", ctx.t(f"{_T}.has_failed"))


def _actions(ctx: PageContext, row: CustomerImport, key: str) -> list[Action]:
    here, found = _url(ctx, key), []
    if row.added or row.changed:
        numbers = {name: format_number(ctx.language, getattr(row, name)) for name in ("added", "changed")}
        confirm = ctx.t(f"{_T}.confirm", **numbers)
        found.append(Action(ctx.t(f"{_T}.apply"), f"{here}/apply", "check", "primary", confirm=confirm))
    return [*found, Action(ctx.t(f"{_T}.discard"), f"{here}/discard", "trash-2", "danger")]


@router.action("/customers/imports/{customer_import_id}/apply", permission=_EDIT)
def apply(ctx: PageContext, customer_import_id: str) -> Response:
    """Take the file over."""
    row = import_service.get_import(ctx.session, public_id(IMPORT_PREFIX, customer_import_id)).row
    import_service.start_apply(ctx.session, row, user_id=ctx.who.user_id)
    ctx.flash("success", f"{_T}.{'applied' if row.status == 'applied' else 'started'}")
    return ctx.redirect_to(_url(ctx, customer_import_id))


@router.action("/customers/imports/{customer_import_id}/discard", permission=_EDIT)
def discard(ctx: PageContext, customer_import_id: str) -> Response:
    """Throw the file away."""
    row = import_service.get_import(ctx.session, public_id(IMPORT_PREFIX, customer_import_id)).row
    import_service.discard_import(ctx.session, row)
    ctx.flash("success", f"{_T}.discarded")
    return ctx.redirect("customers.vendor.imports")


def _url(ctx: PageContext, key: str) -> str:
    return ctx.url("customers.vendor.import", customer_import_id=key)
