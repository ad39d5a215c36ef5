"""The ledger of the stock."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import ColumnElement, literal

from app.modules.catalog import facade as catalog
from app.modules.inventory.enums import MovementKind, Reason
from app.modules.inventory.models.level import Movement
from app.modules.inventory.services import list_service as lists
from app.modules.inventory.services.warehouse_service import WAREHOUSE_PREFIX, warehouse_options
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, Link, ListSpec
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_F = "inventory.fields"
KIND_TONES = {
    "reserve": "info",
    "release": "neutral",
    "fulfil": "success",
    "adjust": "warning",
    "set": "warning",
    "import": "neutral",
    "return": "info",
    "transfer": "neutral",
    "receive": "success",
}


def _day(text: str) -> datetime:
    found = date.fromisoformat(text)
    return datetime(found.year, found.month, found.day, tzinfo=UTC)


def _since(chosen: Sequence[str]) -> ColumnElement[bool]:
    return Movement.at >= _day(chosen[0])


def _of_product(chosen: Sequence[str]) -> ColumnElement[bool]:
    return Movement.product_id == catalog.product_id_of(literal(chosen[0]))


def _until(chosen: Sequence[str]) -> ColumnElement[bool]:
    return Movement.at < _day(chosen[0]) + timedelta(days=1)


mount_list(
    router,
    ListSpec(
        page_id="inventory.vendor.history",
        texts="inventory.history",
        select=lists.select_movements,
        key=Movement.id,
        columns=(
            Column("at", "inventory.fields.at", "datetime", sort=Movement.at),
            Column("sku", f"{_F}.sku", "code"),
            Column("title", f"{_F}.title", is_wide=True, is_default=False),
            Column("warehouse", f"{_F}.warehouse", "code"),
            Column("bin_location", f"{_F}.bin_location", "code"),
            Column("kind", f"{_F}.kind", "badge", text_prefix="inventory.kinds", tones=KIND_TONES),
            Column("reason", f"{_F}.reason", text_prefix="inventory.reasons"),
            Column("on_hand_change", f"{_F}.on_hand_change", "number"),
            Column("on_hand_after", f"{_F}.on_hand_after", "number"),
            Column("reserved_change", f"{_F}.reserved_change", "number"),
            Column("reserved_after", f"{_F}.reserved_after", "number"),
            Column("available_after", f"{_F}.available_after", "number", is_default=False),
            Column("reference_label", f"{_F}.reference"),
            Column("note", f"{_F}.note", is_default=False),
            Column("who", f"{_F}.who"),
        ),
        default_sort="-at",
        search=lambda words: (
            catalog.is_found(Movement.product_id, words)
            | Movement.reference_label.istartswith(words, autoescape=True)
        ),
        filters=(
            Filter(
                "kind",
                f"{_F}.kind",
                lambda chosen: Movement.kind.in_(chosen),
                options=[(kind.value, f"inventory.kinds.{kind}") for kind in MovementKind],
            ),
            Filter(
                "reason",
                f"{_F}.reason",
                lambda chosen: Movement.reason.in_(chosen),
                options=[(reason.value, f"inventory.reasons.{reason}") for reason in Reason],
            ),
            Filter("since", f"{_F}.since", _since, kind="date_from"),
            Filter("until", f"{_F}.until", _until, kind="date_to"),
            Filter("sku", f"{_F}.sku", _of_product, kind="text"),
            Filter(
                "warehouse",
                f"{_F}.warehouse",
                lambda chosen: Movement.warehouse_id.in_(
                    [public_id(WAREHOUSE_PREFIX, one) for one in chosen]
                ),
                options=warehouse_options,
            ),
        ),
        actions=(Link("inventory.pages.levels", "inventory.vendor.levels", "inventory.stock.view", "boxes"),),
        icon="history",
        has_intro=True,
        enrich=lists.with_names,
    ),
)
