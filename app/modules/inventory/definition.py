"""Inventory: what lies where, how much of it is promised, and why."""

from app.modules.base import (
    Area,
    Hooks,
    MenuEntry,
    ModuleClass,
    ModuleDefinition,
    PageDef,
    PageKind,
    Permission,
)

_PACKAGE = "app.modules.inventory"
_SERVICES = f"{_PACKAGE}.services"
_VIEW, _ADJUST = "inventory.stock.view", "inventory.stock.adjust"
_SETTINGS = "inventory.settings.edit"


def _page(
    name: str,
    path: str,
    kind: PageKind,
    permission: str,
    menu: MenuEntry | None = None,
    area: Area = "vendor",
) -> PageDef:
    """A page whose title stands under ``inventory.pages.<name>``."""
    return PageDef(f"inventory.{area}.{name}", area, path, kind, f"inventory.pages.{name}", permission, menu)


_PAGES = (
    _page("levels", "/inventory", "list", _VIEW, MenuEntry("catalog", 30, "boxes", key="n")),
    _page("level", "/inventory/{level_id}", "detail", _VIEW),
    _page("adjust", "/inventory/{level_id}/adjust", "form", _ADJUST),
    _page("transfer", "/inventory/{level_id}/transfer", "form", _ADJUST),
    _page("track", "/inventory/new", "form", _ADJUST),
    _page("history", "/inventory/history", "list", _VIEW),
    _page("counts", "/inventory/counts", "list", _VIEW),
    _page("new_count", "/inventory/counts/new", "form", _ADJUST),
    _page("count_sheet", "/inventory/counts/sheet", "content", _ADJUST),
    _page("count", "/inventory/counts/{count_id}", "detail", _VIEW),
    _page("incoming_list", "/inventory/incoming", "list", _VIEW),
    _page("new_incoming", "/inventory/incoming/new", "form", _ADJUST),
    _page("receive", "/inventory/incoming/{incoming_id}", "form", _ADJUST),
    _page("warehouses", "/inventory/warehouses", "list", _VIEW),
    _page("new_warehouse", "/inventory/warehouses/new", "form", _SETTINGS),
    _page("warehouse", "/inventory/warehouses/{warehouse_id}", "form", _SETTINGS),
    _page("rules", "/inventory/rules", "form", _SETTINGS),
    _page("product_rules", "/products/{product_id}/stock-rules", "form", _SETTINGS),
    _page("levels", "/inventory", "list", "inventory.stock.view", MenuEntry("sales", 60, "boxes"), "admin"),
)

definition = ModuleDefinition(
    code="inventory",
    name="Inventory",
    module_class=ModuleClass.OPTIONAL,
    description="Warehouses, stock with a ledger, reservations, counts, deliveries, and alerts when little is left.",
    requires=("catalog",),
    permissions=(
        Permission(_VIEW, "inventory.permissions.stock_view", "vendor"),
        Permission(_ADJUST, "inventory.permissions.stock_adjust", "vendor"),
        Permission(_SETTINGS, "inventory.permissions.settings_edit", "vendor"),
        Permission(_VIEW, "inventory.permissions.stock_view", "admin"),
    ),
    pages=_PAGES,
    routes=(
        "vendor",
        "vendor_level",
        "vendor_history",
        "vendor_count_sheet",
        "vendor_counts",
        "vendor_incoming",
        "vendor_warehouses",
        "vendor_rules",
        "admin",
        "api",
    ),
    tasks_path=f"{_PACKAGE}.tasks",
    public_ids={
        "level_id": ("stk", "inventory"),
        "warehouse_id": ("whs", "warehouses"),
        "count_id": ("cnt", "stock_counts"),
        "incoming_id": ("inc", "incoming_stock"),
    },
    publishes=("inventory.level_changed", "inventory.stock_low"),
    providers={
        "marketplace.channel_stock": f"{_SERVICES}.channel_stock_service:ChannelLevels",
        "orders.stock_reservation": f"{_SERVICES}.stock_service:Stock",
        "framework.list_parts:catalog.vendor.products": f"{_SERVICES}.product_part_service:products_part",
        "framework.blocks": f"{_SERVICES}.product_part_service:product_blocks",
        "framework.demo": f"{_SERVICES}.demo_service:seed",
        "core.worklist": f"{_SERVICES}.home_service:worklist",
        "core.notification_kinds": f"{_SERVICES}.home_service:kinds",
    },
    commands=f"{_PACKAGE}.cli:groups",
    hooks=Hooks(health_check=f"{_SERVICES}.health_service:check_health"),
)
