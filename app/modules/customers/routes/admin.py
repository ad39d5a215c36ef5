"""Customers of all vendors, for the operator: found and opened for a reason, which is noted."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Form, Response

from app.core.ids import to_public
from app.modules.customers.enums import RequestKind
from app.modules.customers.services import data_request_service, detail_service, lookup_service
from app.modules.customers.services.customer_service import PREFIX, get_row
from app.modules.customers.services.data_request_service import REQUEST_PREFIX
from app.modules.pagekit.details import Action, Detail, show_detail
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("admin")

_VIEW, _DATA = "customers.customers.view", "customers.data.manage"
_MAX_REASON = 300


@router.page("customers.admin.customers")
def customers(ctx: PageContext) -> Response:
    """Whom to look for, and why."""
    return _lookup(ctx, "", lookup_service.reason_of(ctx) or "")


@router.action("/customers/search", permission=_VIEW, in_read_only=True)
def search(
    ctx: PageContext, words: Annotated[str, Form()] = "", reason: Annotated[str, Form()] = ""
) -> Response:
    """Who was found."""
    words, reason = _plain(words), _plain(reason)
    errors = {}
    if len(words) < lookup_service.SHORTEST:
        errors["words"] = ctx.t("customers.lookup.words_short")
    if not reason:
        errors["reason"] = ctx.t("customers.lookup.reason_missing")
    if errors:
        return _lookup(ctx, words, reason, errors=errors)
    found = lookup_service.look_up(ctx.session, words, reason)
    lookup_service.keep_reason(ctx, reason)
    rows = [
        {"row": row, "url": ctx.url("customers.admin.customer", customer_id=to_public(PREFIX, row.id))}
        for row in found
    ]
    return _lookup(ctx, words, reason, rows=rows)


def _lookup(ctx: PageContext, words: str, reason: str, **more: Any) -> Response:
    context = {
        "errors": {},
        "rows": None,
        "words": words,
        "reason": reason,
        "most": lookup_service.MOST,
        **more,
    }
    return ctx.render(
        "customers/lookup.html",
        status=422 if context["errors"] else 200,
        title=ctx.t("customers.pages.customers"),
        search_url=f"{ctx.url('customers.admin.customers')}/search",
        **context,
    )


@router.page("customers.admin.customer")
def customer(ctx: PageContext, customer_id: str) -> Response:
    """One customer, or first the question why."""
    found = get_row(ctx.session, public_id(PREFIX, customer_id))
    reason = lookup_service.reason_of(ctx)
    if reason is None:
        return _ask_reason(ctx)
    lookup_service.note_view(ctx.session, found, reason)
    blocks = [
        detail_service.contact_block(ctx, found),
        detail_service.spend_block(ctx, found),
        detail_service.addresses_block(ctx, found, can_edit=False),
        detail_service.consents_block(ctx, found, can_edit=False),
        *filter(None, [detail_service.data_block(ctx, found)]),
    ]
    actions = []
    if _DATA in ctx.who.permissions and found.erased_at is None and found.merged_into_id is None:
        url = ctx.url("customers.admin.erase_customer", customer_id=customer_id)
        actions = [Action(ctx.t("customers.actions.erase"), url, "trash-2", is_post=False)]
    return show_detail(
        ctx,
        Detail(
            found.id,
            detail_service.title_of(ctx, found),
            blocks,
            subtitle=lookup_service.vendor_name(ctx.session, found.vendor_id),
            back=(ctx.url("customers.admin.customers"), ctx.t("customers.pages.customers")),
            badges=detail_service.badges(ctx, found),
            actions=actions,
            target=customer_id,
            notice=detail_service.notice(ctx, found),
        ),
    )


@router.action("/customers/{customer_id}/open", permission=_VIEW, in_read_only=True)
def open_customer(ctx: PageContext, customer_id: str, reason: Annotated[str, Form()] = "") -> Response:
    """Say why, then see."""
    get_row(ctx.session, public_id(PREFIX, customer_id))
    if not (said := _plain(reason)):
        return _ask_reason(ctx, ctx.t("customers.lookup.reason_missing"))
    lookup_service.keep_reason(ctx, said)
    return ctx.redirect("customers.admin.customer", customer_id=customer_id)


def _ask_reason(ctx: PageContext, error: str | None = None) -> Response:
    customer_id = ctx.path["customer_id"]
    return ctx.render(
        "customers/reason.html",
        status=422 if error else 200,
        title=ctx.t("customers.pages.customer"),
        open_url=f"{ctx.url('customers.admin.customer', customer_id=customer_id)}/open",
        back=(ctx.url("customers.admin.customers"), ctx.t("customers.pages.customers")),
        errors={"reason": error} if error else {},
    )


def _plain(text: str) -> str:
    return text.replace("\x00", "").strip()[:_MAX_REASON]


def _erase(ctx: PageContext, values: Mapping[str, Any]) -> str:
    found = get_row(ctx.session, public_id(PREFIX, ctx.path["customer_id"]))
    request = data_request_service.ask(
        ctx.session,
        found,
        RequestKind.ERASE,
        user_id=ctx.who.user_id,
        reason=values["reason"],
        needs_second=True,
    )
    return ctx.url("customers.admin.request", data_request_id=to_public(REQUEST_PREFIX, request.id))


mount_form(
    router,
    FormSpec(
        "customers.admin.erase_customer",
        "customers.ask_erase",
        (Field("reason", "customers.fields.reason", "textarea", max_length=500),),
        _erase,
        back=lambda ctx: (
            ctx.url("customers.admin.customer", customer_id=ctx.path["customer_id"]),
            ctx.t("customers.pages.customer"),
        ),
        has_intro=True,
        is_danger=True,
    ),
)
