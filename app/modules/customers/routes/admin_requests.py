"""What was asked about people's data, and the second person who agrees."""

from fastapi import Response

from app.core.ids import to_public
from app.modules.customers.enums import RequestKind, RequestState
from app.modules.customers.models.request import DataRequest
from app.modules.customers.services import data_request_service, detail_service, lookup_service
from app.modules.customers.services.customer_service import PREFIX
from app.modules.customers.services.data_request_service import REQUEST_PREFIX, VENDORS
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, ListSpec, View
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.facade import user_names

router = AreaRouter("admin")

_DATA = "customers.data.manage"
_F = "customers.fields"
_TONES = {"waiting": "warning", "agreed": "success", "refused": "neutral"}

mount_list(
    router,
    ListSpec(
        "customers.admin.requests",
        "customers.requests",
        data_request_service.select_requests,
        DataRequest.id,
        columns=(
            Column("vendor_name", f"{_F}.vendor", sort=VENDORS.c.name, is_wide=True),
            Column("vendor_code", f"{_F}.vendor_code", "code"),
            Column("kind", f"{_F}.kind", "badge", text_prefix="customers.kinds"),
            Column("state", f"{_F}.state", "badge", text_prefix="customers.states", tones=_TONES),
            Column("created_at", f"{_F}.asked_at", "datetime", sort=DataRequest.created_at),
            Column("decided_at", f"{_F}.decided_at", "datetime", is_default=False),
        ),
        default_sort="-created_at",
        filters=(
            Filter(
                "state",
                f"{_F}.state",
                lambda chosen: DataRequest.state.in_(chosen),
                options=[(one.value, f"customers.states.{one}") for one in RequestState],
            ),
            Filter(
                "kind",
                f"{_F}.kind",
                lambda chosen: DataRequest.kind.in_(chosen),
                options=[(one.value, f"customers.kinds.{one}") for one in RequestKind],
            ),
        ),
        views=(View("waiting", "customers.requests.views.waiting", "state=waiting"),),
        row_page="customers.admin.request",
        row_id="data_request_id",
        prefix=REQUEST_PREFIX,
        icon="shield-check",
        has_intro=True,
    ),
)


@router.page("customers.admin.request")
def request(ctx: PageContext, data_request_id: str) -> Response:
    """What was asked, by whom and why, and what came of it."""
    found = data_request_service.get_request(ctx.session, public_id(REQUEST_PREFIX, data_request_id))
    row = found.row
    names = user_names(ctx.session, {one for one in (row.asked_by, row.decided_by) if one})
    customer_url = ctx.url("customers.admin.customer", customer_id=to_public(PREFIX, row.customer_id))
    facts = [
        Fact(ctx.t(f"{_F}.vendor"), lookup_service.vendor_name(ctx.session, row.vendor_id)),
        Fact(ctx.t(f"{_F}.customer"), to_public(PREFIX, row.customer_id), "link", customer_url),
        Fact(ctx.t(f"{_F}.asked_by"), names.get(row.asked_by)),
        Fact(ctx.t(f"{_F}.asked_at"), row.created_at, "datetime"),
        Fact(ctx.t(f"{_F}.reason"), row.reason or None),
        Fact(ctx.t(f"{_F}.decided_by"), names.get(row.decided_by) if row.decided_by else None),
        Fact(ctx.t(f"{_F}.decided_at"), row.decided_at, "datetime"),
    ]
    blocks = [Block("facts", ctx.t("customers.requests.facts"), facts, order=10)]
    if row.counts:
        counted = [Fact(name, count, "number") for name, count in sorted(row.counts.items())]
        blocks.append(Block("counts", ctx.t("customers.requests.counts"), counted, column="side", order=10))
    is_active = found.state in ("queued", "running")
    return show_detail(
        ctx,
        Detail(
            row.id,
            ctx.t(f"customers.kinds.{row.kind}"),
            blocks,
            back=(ctx.url("customers.admin.requests"), ctx.t("customers.pages.requests")),
            badges=[
                (
                    detail_service.STATE_TONES.get(found.state, "neutral"),
                    ctx.t(f"customers.states.{found.state}"),
                )
            ],
            actions=_actions(ctx, data_request_id, row),
            target=data_request_id,
            notice=_notice(ctx, row),
            refresh=is_active,
        ),
    )


@router.action("/customers/requests/{data_request_id}/agree", permission=_DATA)
def agree(ctx: PageContext, data_request_id: str) -> Response:
    """The second person agrees: the work begins."""
    return _decide(ctx, data_request_id, is_agreed=True)


@router.action("/customers/requests/{data_request_id}/refuse", permission=_DATA)
def refuse(ctx: PageContext, data_request_id: str) -> Response:
    """Nothing is done."""
    return _decide(ctx, data_request_id, is_agreed=False)


def _decide(ctx: PageContext, data_request_id: str, *, is_agreed: bool) -> Response:
    row, _ = data_request_service.get_request(ctx.session, public_id(REQUEST_PREFIX, data_request_id))
    data_request_service.decide(ctx.session, row, user_id=ctx.who.user_id, is_agreed=is_agreed)
    ctx.flash("success", "customers.done.agreed" if is_agreed else "customers.done.refused")
    return ctx.redirect("customers.admin.request", data_request_id=data_request_id)


def _actions(ctx: PageContext, data_request_id: str, row: DataRequest) -> list[Action]:
    if row.state != RequestState.WAITING:
        return []
    url = ctx.url("customers.admin.request", data_request_id=data_request_id)
    refusal = Action(ctx.t("customers.actions.refuse"), f"{url}/refuse", "x")
    if row.asked_by == ctx.who.user_id:
        return [refusal]
    sure = ctx.t("customers.requests.sure")
    agreement = Action(ctx.t("customers.actions.agree"), f"{url}/agree", "check", "danger", confirm=sure)
    return [agreement, refusal]


def _notice(ctx: PageContext, row: DataRequest) -> tuple[str, str] | None:
    if row.state != RequestState.WAITING:
        return None
    is_own = row.asked_by == ctx.who.user_id
    return "info", ctx.t("customers.requests.own" if is_own else "customers.requests.wait")
