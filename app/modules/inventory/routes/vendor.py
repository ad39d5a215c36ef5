"""The list of the stock: every place of every product."""

from app.modules.inventory.models.level import Level
from app.modules.inventory.services import list_service as lists
from app.modules.inventory.services import warehouse_service
from app.modules.inventory.services.product_part_service import LEVEL_PREFIX
from app.modules.inventory.services.warehouse_service import WAREHOUSE_PREFIX
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, Link, ListSpec, RowLink, View
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_F, _ADJUST = "inventory.fields", "inventory.stock.adjust"
STATE_TONES = {"ok": "success", "low": "warning", "out": "danger"}


LEVELS = ListSpec(
    page_id="inventory.vendor.levels",
    texts="inventory.levels",
    select=lists.select_levels,
    key=Level.id,
    columns=(
        Column("sku", f"{_F}.sku", "code", sort=lists.SKU),
        Column("title", f"{_F}.title"),
        Column("state", f"{_F}.state", "badge", text_prefix="inventory.states", tones=STATE_TONES),
        Column("warehouse", f"{_F}.warehouse", "code"),
        Column("bin_location", f"{_F}.bin_location", "code", sort=Level.bin_location),
        Column("on_hand", f"{_F}.on_hand", "number", sort=Level.on_hand),
        Column("reserved", f"{_F}.reserved", "number", sort=Level.reserved),
        Column("kept_back", f"{_F}.unavailable", "number"),
        Column("available", f"{_F}.available", "number", sort=lists.FREE),
        Column("low_stock_level", f"{_F}.low_stock_level", "number", is_default=False),
        Column("updated_at", f"{_F}.changed_at", "datetime", sort=Level.updated_at, is_default=False),
    ),
    default_sort="sku",
    search=lists.matching_levels,
    filters=(
        Filter(
            "state",
            f"{_F}.state",
            lambda chosen: lists.states(chosen, Level.product_id),
            options=[(state, f"inventory.states.{state}") for state in STATE_TONES],
        ),
        Filter(
            "warehouse",
            f"{_F}.warehouse",
            lambda chosen: Level.warehouse_id.in_([public_id(WAREHOUSE_PREFIX, one) for one in chosen]),
            options=warehouse_service.warehouse_options,
        ),
    ),
    views=(
        View("low", "inventory.states.low", "state=low"),
        View("out", "inventory.states.out", "state=out"),
    ),
    actions=(
        Link("inventory.pages.history", "inventory.vendor.history", "inventory.stock.view", "history"),
        Link("inventory.pages.counts", "inventory.vendor.counts", "inventory.stock.view", "list-checks"),
        Link(
            "inventory.pages.incoming_list", "inventory.vendor.incoming_list", "inventory.stock.view", "truck"
        ),
        Link(
            "inventory.pages.warehouses", "inventory.vendor.warehouses", "inventory.stock.view", "warehouse"
        ),
        Link("inventory.pages.rules", "inventory.vendor.rules", "inventory.settings.edit", "settings"),
        Link("inventory.pages.track", "inventory.vendor.track", _ADJUST, "plus"),
    ),
    row_page="inventory.vendor.level",
    row_id="level_id",
    row_links=(
        RowLink("inventory.actions.adjust", "inventory.vendor.adjust", "level_id", _ADJUST, "pencil"),
        RowLink("inventory.actions.transfer", "inventory.vendor.transfer", "level_id", _ADJUST, "truck"),
    ),
    prefix=LEVEL_PREFIX,
    icon="boxes",
    has_intro=True,
)
mount_list(router, LEVELS)
