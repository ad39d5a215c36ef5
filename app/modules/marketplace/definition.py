"""Marketplace: product feeds become the catalogue, and the catalogue becomes feeds."""

from app.modules.base import Hooks, MenuEntry, ModuleClass, ModuleDefinition, PageDef, Permission

_PACKAGE = "app.modules.marketplace"

definition = ModuleDefinition(
    code="marketplace",
    name="Marketplace",
    module_class=ModuleClass.OPTIONAL,
    description="Imports of product feeds by file or address, and exports for marketplaces.",
    requires=("catalog",),
    permissions=(
        Permission("marketplace.imports.view", "marketplace.permissions.imports_view", "vendor"),
        Permission("marketplace.imports.create", "marketplace.permissions.imports_create", "vendor"),
    ),
    pages=(
        PageDef(
            "marketplace.vendor.imports",
            "vendor",
            "/imports",
            "list",
            "marketplace.imports.title",
            "marketplace.imports.view",
            MenuEntry("channels", 10, "upload"),
        ),
        PageDef(
            "marketplace.vendor.new_import",
            "vendor",
            "/imports/new",
            "form",
            "marketplace.new_import.title",
            "marketplace.imports.create",
        ),
        PageDef(
            "marketplace.vendor.import",
            "vendor",
            "/imports/{import_id}",
            "job",
            "marketplace.import.title",
            "marketplace.imports.view",
        ),
    ),
    routes=("vendor",),
    tasks_path=f"{_PACKAGE}.tasks",
    task_queues={
        f"{_PACKAGE}.tasks.import_tasks.*": "long_running",
        f"{_PACKAGE}.tasks.letzshop.*": "long_running",
        f"{_PACKAGE}.tasks.export.*": "default",
    },
    public_ids={"import_id": ("imp", "feed_imports")},
    handlers={"tenancy.vendor_created": f"{_PACKAGE}.handlers:on_vendor_created"},
    providers={
        "core.vendor_tiles": f"{_PACKAGE}.services.tile_service:vendor_tiles",
        "framework.demo": f"{_PACKAGE}.services.demo_service:seed",
    },
    commands=f"{_PACKAGE}.cli:groups",
    hooks=Hooks(health_check=f"{_PACKAGE}.services.health_service:check_health"),
)
