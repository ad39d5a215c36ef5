"""Marketplace: product feeds become the catalogue, and the catalogue becomes feeds."""

from app.modules.base import (
    Area,
    Hooks,
    MenuEntry,
    ModuleClass,
    ModuleDefinition,
    PageDef,
    PageKind,
    Permission,
    ScheduledTask,
)

_PACKAGE = "app.modules.marketplace"
_CHANNEL_TASKS = f"{_PACKAGE}.tasks.channels"


_TITLES = {"sources": "sources_list", "feed_mapping": "mapping"}  # pages whose texts are called otherwise


def _page(
    name: str,
    path: str,
    kind: PageKind,
    permission: str,
    menu: MenuEntry | None = None,
    area: Area = "vendor",
) -> PageDef:
    """A page whose title stands under ``marketplace.<name>.title``."""
    title, code = f"marketplace.{_TITLES.get(name, name)}.title", f"marketplace.{permission}"
    return PageDef(f"marketplace.{area}.{name}", area, path, kind, title, code, menu)


_FEED_PAGES = (
    _page(
        "sources",
        "/marketplace-products",
        "list",
        "products.view",
        MenuEntry("channels", 5, "boxes", key="f"),
    ),
    _page("source", "/marketplace-products/{source_id}", "detail", "products.view"),
    _page("feeds", "/feeds", "list", "feeds.view", MenuEntry("channels", 8, "layers", key="e")),
    _page("new_feed", "/feeds/new", "form", "feeds.edit"),
    _page("feed", "/feeds/{feed_id}", "detail", "feeds.view"),
    _page("feed_edit", "/feeds/{feed_id}/edit", "form", "feeds.edit"),
    _page("feed_delete", "/feeds/{feed_id}/delete", "form", "feeds.edit"),
    _page("feed_mapping", "/feeds/{feed_id}/mapping", "form", "feeds.edit"),
    _page("rules", "/feed-rules", "list", "feeds.view"),
    _page("new_rule", "/feed-rules/new", "form", "feeds.edit"),
    _page("new_export_rule", "/feed-rules/new-export", "form", "feeds.edit"),
    _page("rule", "/feed-rules/{rule_id}", "detail", "feeds.view"),
    _page("rule_edit", "/feed-rules/{rule_id}/edit", "form", "feeds.edit"),
    _page("imports", "/imports", "list", "imports.view", MenuEntry("channels", 10, "upload", key="i")),
    _page("new_import", "/imports/new", "form", "imports.create"),
    _page("import", "/imports/{import_id}", "job", "imports.view"),
    _page("exports", "/exports", "list", "exports.view", MenuEntry("channels", 20, "file-down", key="x")),
    _page("new_export", "/exports/new", "form", "exports.create"),
    _page("export_links", "/exports/addresses", "content", "exports.view"),
    _page("export", "/exports/{export_id}", "job", "exports.view"),
    _page(
        "completeness",
        "/completeness",
        "dashboard",
        "products.view",
        MenuEntry("channels", 25, "badge-check", key="l"),
    ),
    _page("incomplete", "/completeness/products", "list", "products.view"),
    _page("origin", "/products/{product_id}/origin", "detail", "products.view"),
    _page("feed_settings", "/feed-settings", "form", "settings.edit", MenuEntry("settings", 30, "wrench")),
)

_CONNECTION, _VIEW = "/connections/{connection_id}", "connections.view"
_CHANNEL_PAGES = (
    _page("connections", "/connections", "list", _VIEW, MenuEntry("channels", 2, "plug", key="y")),
    _page("new_connection", "/connections/new", "form", "connections.manage"),
    _page("external_orders", "/connections/orders", "list", _VIEW),
    _page("external_order", "/connections/orders/{record_id}", "detail", _VIEW),
    _page("acts", "/connections/messages", "list", _VIEW),
    _page("connection", _CONNECTION, "detail", _VIEW),
    _page("connection_key", f"{_CONNECTION}/key", "form", "connections.manage"),
    _page("connection_edit", f"{_CONNECTION}/edit", "form", "connections.manage"),
    _page("disconnect", f"{_CONNECTION}/disconnect", "form", "connections.manage"),
)
_ADMIN_PAGES = (
    _page(
        "hub",
        "/marketplace/letzshop",
        "dashboard",
        "channels.view",
        MenuEntry("sales", 70, "store"),
        area="admin",
    ),
    _page("jobs", "/marketplace/jobs", "list", "channels.view", area="admin"),
    _page("job", "/marketplace/jobs/{work_id}", "job", "channels.view", area="admin"),
    _page(
        "directory",
        "/marketplace/directory",
        "list",
        "directory.view",
        MenuEntry("sales", 72, "map-pin"),
        area="admin",
    ),
    _page("directory_sync", "/marketplace/directory/sync", "job", "directory.view", area="admin"),
    _page("directory_shop", "/marketplace/directory/{shop_id}", "detail", "directory.view", area="admin"),
)

definition = ModuleDefinition(
    code="marketplace",
    name="Marketplace",
    module_class=ModuleClass.OPTIONAL,
    description="Imports of product feeds by file or address, and exports for marketplaces.",
    requires=("catalog", "customers", "orders"),
    permissions=(
        Permission("marketplace.products.view", "marketplace.permissions.products_view", "vendor"),
        Permission("marketplace.products.copy", "marketplace.permissions.products_copy", "vendor"),
        Permission("marketplace.feeds.view", "marketplace.permissions.feeds_view", "vendor"),
        Permission("marketplace.feeds.edit", "marketplace.permissions.feeds_edit", "vendor"),
        Permission("marketplace.imports.view", "marketplace.permissions.imports_view", "vendor"),
        Permission("marketplace.imports.create", "marketplace.permissions.imports_create", "vendor"),
        Permission("marketplace.exports.view", "marketplace.permissions.exports_view", "vendor"),
        Permission("marketplace.exports.create", "marketplace.permissions.exports_create", "vendor"),
        Permission("marketplace.settings.edit", "marketplace.permissions.settings_edit", "vendor"),
        Permission("marketplace.connections.view", "marketplace.permissions.connections_view", "vendor"),
        Permission("marketplace.connections.manage", "marketplace.permissions.connections_manage", "vendor"),
        Permission("marketplace.acts.tell", "marketplace.permissions.acts_tell", "vendor"),
        Permission("marketplace.channels.view", "marketplace.permissions.channels_view", "admin"),
        Permission(
            "marketplace.directory.view", "marketplace.permissions.directory_view", "admin", is_global=True
        ),
        Permission(
            "marketplace.directory.manage",
            "marketplace.permissions.directory_manage",
            "admin",
            is_global=True,
        ),
    ),
    pages=(*_FEED_PAGES, *_CHANNEL_PAGES, *_ADMIN_PAGES),
    routes=(
        *(
            "vendor",
            "vendor_import",
            "vendor_sources",
            "vendor_exports",
            "vendor_export_links",
            "vendor_settings",
        ),
        *(
            "vendor_feeds",
            "vendor_feed",
            "vendor_feed_delete",
            "vendor_mapping",
            "vendor_rules",
            "vendor_rule_form",
        ),
        *("vendor_connections", "vendor_connection", "vendor_external_orders"),
        *("admin_hub", "admin_jobs", "admin_directory"),
        *("vendor_completeness", "vendor_origin", "api", "api_feeds", "api_rules", "api_exports"),
        *("api_connections", "public"),
    ),
    tasks_path=f"{_PACKAGE}.tasks",
    task_queues={
        f"{_PACKAGE}.tasks.import_tasks.*": "long_running",
        f"{_PACKAGE}.tasks.letzshop.*": "long_running",
        f"{_PACKAGE}.tasks.export.*": "default",
        f"{_PACKAGE}.tasks.feeds.*": "scheduled",
    },
    scheduled_tasks=[
        ScheduledTask(
            "marketplace.remove_old_exports",
            f"{_PACKAGE}.tasks.retention.remove_old_exports",
            "50 3 * * *",
        ),
        ScheduledTask(
            "marketplace.import_due_feeds",
            f"{_PACKAGE}.tasks.feeds.import_due_feeds",
            "*/10 * * * *",
        ),
        ScheduledTask(
            "marketplace.forget_changes",
            f"{_PACKAGE}.tasks.retention.forget_changes",
            "20 * * * *",
        ),
        ScheduledTask(
            "marketplace.reseal_letzshop_keys",
            f"{_PACKAGE}.tasks.letzshop_keys.reseal_keys",
            "55 3 * * *",
        ),
        ScheduledTask(
            "marketplace.export_products",
            f"{_PACKAGE}.tasks.export.export_marketplace_products",
            "30 4 * * *",
        ),
        ScheduledTask(
            "marketplace.sync_due_connections", f"{_CHANNEL_TASKS}.sync_due_connections", "* * * * *"
        ),
        ScheduledTask("marketplace.check_drift", f"{_CHANNEL_TASKS}.check_drift", "40 * * * *"),
        ScheduledTask("marketplace.check_connections", f"{_CHANNEL_TASKS}.check_connections", "50 5 * * *"),
        ScheduledTask("marketplace.prune_calls", f"{_CHANNEL_TASKS}.prune_calls", "10 4 * * *"),
        ScheduledTask(
            "marketplace.sync_vendor_directory",
            f"{_PACKAGE}.tasks.letzshop.sync_vendor_directory",
            "40 2 * * *",
            kwargs={"only_if_used": True},
        ),
    ],
    public_ids={
        "import_id": ("imp", "feed_imports"),
        "export_id": ("exp", "feed_exports"),
        "source_id": ("mpr", "marketplace_products"),
        "feed_id": ("fed", "feeds"),
        "rule_id": ("frl", "feed_rules"),
        "connection_id": ("con", "connections"),
        "record_id": ("xor", "external_orders"),
        "act_id": ("oac", "outgoing_acts"),
        "shop_id": ("dsh", "directory_shops"),
        "work_id": ("mjb", "jobs"),
    },
    handlers={
        "tenancy.vendor_created": f"{_PACKAGE}.handlers:on_vendor_created",
        "catalog.product_updated": f"{_PACKAGE}.handlers:on_product_updated",
        "orders.order_confirmed": f"{_PACKAGE}.handlers:on_order_changed",
        "orders.order_cancelled": f"{_PACKAGE}.handlers:on_order_changed",
        "orders.units_cancelled": f"{_PACKAGE}.handlers:on_order_changed",
        "orders.units_returned": f"{_PACKAGE}.handlers:on_order_changed",
        "orders.shipment_shipped": f"{_PACKAGE}.handlers:on_parcels",
        "orders.parcels_changed": f"{_PACKAGE}.handlers:on_parcels",
    },
    providers={
        "core.notification_kinds": f"{_PACKAGE}.services.notice_service:kinds",
        "core.settings": f"{_PACKAGE}.services.feed_export_service:settings",
        "core.vendor_tiles": f"{_PACKAGE}.services.tile_service:vendor_tiles",
        "core.setup_steps": f"{_PACKAGE}.services.home_parts_service:setup_steps",
        "marketplace.connectors": f"{_PACKAGE}.services.letzshop_service:LETZSHOP",
        "core.admin_tiles": f"{_PACKAGE}.services.tile_service:admin_tiles",
        "framework.shop_claims": f"{_PACKAGE}.services.shop_claim_service:claims",
        "core.worklist": f"{_PACKAGE}.services.home_parts_service:worklist",
        "framework.blocks": f"{_PACKAGE}.services.home_parts_service:blocks",
        "framework.list_parts:catalog.vendor.products": f"{_PACKAGE}.services.list_part_service:products_part",
        "inventory.level_watch": f"{_PACKAGE}.services.feed_push_service:on_levels",
        "framework.demo": f"{_PACKAGE}.services.demo_service:seed",
    },
    commands=f"{_PACKAGE}.cli:groups",
    hooks=Hooks(health_check=f"{_PACKAGE}.services.health_service:check_health"),
)
