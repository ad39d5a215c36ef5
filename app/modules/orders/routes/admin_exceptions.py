"""Lines of all vendors' orders that wait, for the operator: who sees to which, and another look."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, or_, select
from sqlalchemy.orm import Session

from app.core.database import TenantScope, acting_in
from app.core.ids import from_public, to_public
from app.modules.orders.contracts import By
from app.modules.orders.enums import ExceptionKind, ExceptionStatus, Source
from app.modules.orders.models.exception import OrderException
from app.modules.orders.models.order import Order, OrderLine
from app.modules.orders.services import assign_service, exception_service
from app.modules.orders.services.order_reads import EXCEPTION_PREFIX, VENDORS, matching_of_vendors
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import BulkAction, BulkOutcome, Column, Filter, ListSpec, View
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.facade import user_names

router = AreaRouter("admin")
_F, _MANAGE = "orders.fields", "orders.exceptions.manage"
_NOBODY, _USER = "nobody", "usr"


def _exceptions(*_: object) -> Select[Any]:
    return (
        select(
            OrderException.id,
            OrderException.kind,
            OrderException.status,
            OrderException.match_value,
            OrderException.created_at,
            OrderException.assigned_to,
            OrderLine.title,
            Order.number.label("order_number"),
            Order.confirm_before,
            VENDORS.c.name.label("vendor_name"),
        )
        .join(OrderLine, OrderLine.id == OrderException.line_id)
        .join(Order, Order.id == OrderException.order_id)
        .join(VENDORS, VENDORS.c.id == OrderException.vendor_id)
    )


def _with_names(session: Session, rows: Sequence[Row[Any]]) -> Sequence[Any]:
    names = user_names(session, {row.assigned_to for row in rows if row.assigned_to})
    return [SimpleNamespace(**row._mapping, assignee=names.get(row.assigned_to)) for row in rows]


def _people(ctx: PageContext) -> list[tuple[str, str]]:
    """Nobody, and who sees to something now."""
    found = assign_service.list_assignees(ctx.session)
    return [
        (_NOBODY, ctx.t("orders.admin_exceptions.nobody")),
        *((to_public(_USER, key), name) for key, name in found.items()),
    ]


def _assigned(chosen: Sequence[str]) -> ColumnElement[bool]:
    ids = [key for key in (from_public(_USER, one) for one in chosen) if key]
    is_nobody = OrderException.assigned_to.is_(None) if _NOBODY in chosen else OrderException.id.is_(None)
    return or_(is_nobody, OrderException.assigned_to.in_(ids))


def _retry(session: Session, ids: Sequence[UUID]) -> BulkOutcome:
    """Look again, for each vendor in its own name. What still waits is said to be so."""
    waiting = (OrderException.id.in_(ids), OrderException.status == ExceptionStatus.PENDING)
    found = session.execute(select(OrderException.id, OrderException.vendor_id).where(*waiting)).all()
    for vendor_id in sorted({row.vendor_id for row in found}):
        with acting_in(session, TenantScope(vendor_id)):
            exception_service.retry_exceptions(session, OrderException.id.in_(ids), By(Source.USER))
            session.flush()
    left = set(session.scalars(select(OrderException.id).where(*waiting)))
    return BulkOutcome(len(ids) - len(left), dict.fromkeys(left, "orders.admin_exceptions.still_waits"))


def _take(session: Session, ids: Sequence[UUID], user_id: UUID) -> BulkOutcome:
    """Who presses sees to them."""
    return BulkOutcome(assign_service.assign_many(session, ids, user_id), {})


def _let_go(session: Session, ids: Sequence[UUID]) -> BulkOutcome:
    return BulkOutcome(assign_service.assign_many(session, ids, None), {})


mount_list(
    router,
    ListSpec(
        page_id="orders.admin.exceptions",
        texts="orders.admin_exceptions",
        select=_exceptions,
        key=OrderException.id,
        columns=(
            Column("title", "orders.lines.product", is_wide=True),
            Column("kind", "orders.exceptions.kind", text_prefix="orders.exception_kinds"),
            Column("match_value", "orders.matches.value", "code"),
            Column("vendor_name", f"{_F}.vendor", sort=VENDORS.c.name),
            Column("order_number", "orders.pages.order", "code"),
            Column("confirm_before", f"{_F}.confirm_before", "datetime", sort=Order.confirm_before),
            Column("assignee", "orders.admin_exceptions.assigned_to"),
            Column("created_at", "orders.exceptions.since", "datetime", sort=OrderException.created_at),
            Column("status", f"{_F}.status", text_prefix="orders.exception_status", is_default=False),
        ),
        default_sort="-created_at",
        search=matching_of_vendors,
        filters=(
            Filter(
                "status",
                f"{_F}.status",
                lambda values: OrderException.status.in_(values),
                options=[(one.value, f"orders.exception_status.{one}") for one in ExceptionStatus],
            ),
            Filter("assigned", "orders.admin_exceptions.assigned_to", _assigned, options=_people),
            Filter(
                "kind",
                "orders.exceptions.kind",
                lambda values: OrderException.kind.in_(values),
                options=[(one.value, f"orders.exception_kinds.{one}") for one in ExceptionKind],
            ),
        ),
        views=(
            View("pending", "orders.exception_status.pending", "status=pending"),
            View("nobody", "orders.admin_exceptions.unassigned", "status=pending&assigned=nobody"),
        ),
        bulk=(
            BulkAction("retry", "orders.exceptions.retry", _MANAGE, _retry, icon="refresh-cw"),
            BulkAction("take", "orders.admin_exceptions.take", _MANAGE, icon="user", apply_by=_take),
            BulkAction("let_go", "orders.admin_exceptions.let_go", _MANAGE, _let_go, icon="user-x"),
        ),
        enrich=_with_names,
        row_page="orders.admin.exception",
        row_id="exception_id",
        prefix=EXCEPTION_PREFIX,
        icon="triangle-alert",
        has_intro=True,
    ),
)


def _fields(ctx: PageContext) -> list[Field]:
    people = [
        (to_public(_USER, key), name)
        for key, name in assign_service.list_people(ctx.session, ctx.who.user_id)
    ]
    return [
        Field(
            "assigned_to",
            "orders.admin_exceptions.assigned_to",
            "select",
            is_required=False,
            hint_key="orders.admin_exceptions.assigned_hint",
            options=lambda ctx: [("", ctx.t("orders.admin_exceptions.nobody")), *people],
        )
    ]


def _exception(ctx: PageContext) -> OrderException:
    return assign_service.get_exception(ctx.session, public_id(EXCEPTION_PREFIX, ctx.path["exception_id"]))


def _load(ctx: PageContext) -> Mapping[str, Any]:
    assigned = _exception(ctx).assigned_to
    return {"assigned_to": to_public(_USER, assigned) if assigned else ""}


def _save(ctx: PageContext, values: Mapping[str, Any]) -> str:
    person = from_public(_USER, values["assigned_to"]) if values["assigned_to"] else None
    assign_service.assign(ctx.session, _exception(ctx), person)
    return ctx.url("orders.admin.exceptions", status="pending")


mount_form(
    router,
    FormSpec(
        "orders.admin.exception",
        "orders.admin_exception",
        _fields,
        _save,
        load=_load,
        title=lambda ctx: assign_service.title_of(ctx.session, _exception(ctx)),
        back=lambda ctx: (ctx.url("orders.admin.exceptions"), ctx.t("orders.pages.exceptions")),
        has_intro=True,
    ),
)
