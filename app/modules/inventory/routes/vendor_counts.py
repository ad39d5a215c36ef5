"""Stock counts: the list, a new one by file or by typing, and a count's page with what it would change."""

from collections.abc import Mapping
from typing import Any

from fastapi import Response

from app.core.errors import FieldError, ValidationFailedError
from app.core.i18n import format_number
from app.core.ids import to_public
from app.modules.inventory.enums import CountStatus
from app.modules.inventory.models.planning import StockCount
from app.modules.inventory.services import count_service, warehouse_service
from app.modules.inventory.services import list_service as lists
from app.modules.inventory.services.count_service import COUNT_PREFIX
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_F, _ADJUST = "inventory.fields", "inventory.stock.adjust"
_MAX_BYTES, _SHOWN_LINES = 4 << 20, 200
TONES = {"open": "info", "applied": "success", "discarded": "neutral"}

mount_list(
    router,
    ListSpec(
        page_id="inventory.vendor.counts",
        texts="inventory.counts",
        select=lists.select_counts,
        key=StockCount.id,
        columns=(
            Column("name", f"{_F}.name", is_wide=True),
            Column("status", f"{_F}.state", "badge", text_prefix="inventory.count_states", tones=TONES),
            Column("lines", f"{_F}.lines", "number"),
            Column("created_at", f"{_F}.created_at", "datetime", sort=StockCount.created_at),
            Column("applied_at", f"{_F}.closed_at", "datetime"),
        ),
        default_sort="-created_at",
        search=lambda words: StockCount.name.icontains(words, autoescape=True),
        filters=(
            Filter(
                "status",
                f"{_F}.state",
                lambda chosen: StockCount.status.in_(chosen),
                options=[(one.value, f"inventory.count_states.{one}") for one in CountStatus],
            ),
        ),
        actions=(
            Link("inventory.pages.count_sheet", "inventory.vendor.count_sheet", _ADJUST, "list-checks"),
            Link("inventory.pages.new_count", "inventory.vendor.new_count", _ADJUST, "plus"),
        ),
        row_page="inventory.vendor.count",
        row_id="count_id",
        prefix=COUNT_PREFIX,
        icon="list-checks",
        has_intro=True,
    ),
)


def _create(ctx: PageContext, values: Mapping[str, Any]) -> str:
    if values["file"] is None and not values["rows"]:
        raise ValidationFailedError(
            errors=[FieldError("file", "required", "inventory.count_file.needed", {})]
        )
    content = values["file"].file.read(_MAX_BYTES) if values["file"] else _typed(values["rows"])
    rows = count_service.read_file(content)
    count = count_service.create_count(
        ctx.session, ctx.vendor.id, values["name"], rows, user_id=ctx.who.user_id
    )
    return ctx.url("inventory.vendor.count", count_id=to_public(COUNT_PREFIX, count.id))


def _typed(rows: str) -> bytes:
    """Lines as people type or scan them: SKU, units, and where wanted warehouse and place."""
    lines = [";".join(line.replace("\t", ";").replace(",", ";").split(";")) for line in rows.split("\n")]
    return ("sku;on_hand;warehouse;bin_location\n" + "\n".join(lines)).encode()


mount_form(
    router,
    FormSpec(
        "inventory.vendor.new_count",
        "inventory.new_count",
        (
            Field("name", f"{_F}.name", max_length=100),
            Field(
                "file",
                "inventory.new_count.file",
                "file",
                is_required=False,
                hint_key="inventory.new_count.file_hint",
            ),
            Field(
                "rows",
                "inventory.new_count.rows",
                "textarea",
                is_required=False,
                max_length=100_000,
                hint_key="inventory.new_count.rows_hint",
            ),
        ),
        _create,
        back=lambda ctx: (ctx.url("inventory.vendor.counts"), ctx.t("inventory.pages.counts")),
        has_intro=True,
        max_body_bytes=_MAX_BYTES,
    ),
)


@router.page("inventory.vendor.count")
def count(ctx: PageContext, count_id: str) -> Response:
    """What a count found, what that would change, and which lines cannot be applied."""
    found = count_service.get_count(ctx.session, public_id(COUNT_PREFIX, count_id))
    is_open = found.status == CountStatus.OPEN
    if is_open:
        count_service.compare(ctx.session, found)
    total, changing, faulty = count_service.count_lines(ctx.session, found.id)
    warehouses = warehouse_service.codes(ctx.session)
    lines = count_service.list_lines(ctx.session, found.id, limit=_SHOWN_LINES)
    figures = {"lines": total, "changing": changing, "faulty": faulty}
    context = {"lines": lines, "warehouses": warehouses, "left": max(total - len(lines), 0)}
    return show_detail(
        ctx,
        Detail(
            found.id,
            found.name,
            (
                Block(
                    "lines",
                    ctx.t("inventory.count.lines"),
                    template="inventory/vendor/count_lines.html",
                    context=context,
                    column="full",
                    order=20,
                ),
                Block(
                    "figures",
                    ctx.t("inventory.blocks.figures"),
                    [Fact(ctx.t(f"{_F}.{name}"), value, "number") for name, value in figures.items()],
                    order=10,
                ),
                Block(
                    "about",
                    ctx.t("inventory.blocks.about"),
                    [
                        Fact(ctx.t(f"{_F}.created_at"), found.created_at, "datetime"),
                        Fact(ctx.t(f"{_F}.closed_at"), found.applied_at, "datetime"),
                    ],
                    column="side",
                    order=10,
                ),
            ),
            back=(ctx.url("inventory.vendor.counts"), ctx.t("inventory.pages.counts")),
            badges=((TONES[found.status], ctx.t(f"inventory.count_states.{found.status}")),),
            actions=_actions(ctx, count_id, changing) if is_open else (),
            target=count_id,
            notice=("warning", ctx.t("inventory.count.has_faults")) if faulty and is_open else None,
        ),
    )


def _actions(ctx: PageContext, count_id: str, changing: int) -> list[Action]:
    if _ADJUST not in ctx.who.permissions:
        return []
    url = ctx.url("inventory.vendor.count", count_id=count_id)
    confirm = ctx.t("inventory.count.confirm", count=format_number(ctx.language, changing))
    return [
        Action(ctx.t("inventory.count.apply"), f"{url}/apply", "check", "primary", confirm=confirm),
        Action(ctx.t("inventory.count.discard"), f"{url}/discard", "trash-2", "danger"),
    ]


@router.action("/inventory/counts/{count_id}/apply", permission=_ADJUST)
def apply(ctx: PageContext, count_id: str) -> Response:
    """Make the stock what was counted."""
    found = count_service.get_count(ctx.session, public_id(COUNT_PREFIX, count_id))
    applied, refused = count_service.apply_count(ctx.session, found, user_id=ctx.who.user_id)
    tone = "warning" if refused else "success"
    ctx.flash(tone, "inventory.count.applied", applied=applied, refused=refused)
    return ctx.redirect("inventory.vendor.count", count_id=count_id)


@router.action("/inventory/counts/{count_id}/discard", permission=_ADJUST)
def discard(ctx: PageContext, count_id: str) -> Response:
    """Throw the count away."""
    count_service.discard_count(
        ctx.session, count_service.get_count(ctx.session, public_id(COUNT_PREFIX, count_id))
    )
    ctx.flash("success", "inventory.count.discarded")
    return ctx.redirect("inventory.vendor.counts")
