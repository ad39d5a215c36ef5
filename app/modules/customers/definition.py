"""Customers: who buys from a vendor, what they agreed to and spent, and what becomes of their data."""

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

_PACKAGE = "app.modules.customers"
_VIEW, _EDIT, _DATA = "customers.customers.view", "customers.customers.edit", "customers.data.manage"


def _page(
    area: Area, name: str, path: str, kind: PageKind, permission: str, menu: MenuEntry | None = None
) -> PageDef:
    """A page whose title stands under ``customers.pages.<name>``."""
    return PageDef(
        f"customers.{area}.{name}",
        area,
        f"/customers{path}",
        kind,
        f"customers.pages.{name}",
        permission,
        menu,
    )


_ONE = "/{customer_id}"
_VENDOR_PAGES = (
    _page("vendor", "customers", "", "list", _VIEW, MenuEntry("sales", 30, "users", key="u")),
    _page("vendor", "new_customer", "/new", "form", _EDIT),
    _page("vendor", "imports", "/imports", "list", _EDIT),
    _page("vendor", "new_import", "/imports/new", "form", _EDIT),
    _page("vendor", "import", "/imports/{customer_import_id}", "detail", _EDIT),
    _page("vendor", "customer", _ONE, "detail", _VIEW),
    _page("vendor", "edit_customer", f"{_ONE}/edit", "form", _EDIT),
    _page("vendor", "new_address", f"{_ONE}/addresses/new", "form", _EDIT),
    _page("vendor", "edit_address", "/addresses/{address_id}", "form", _EDIT),
    _page("vendor", "consent", f"{_ONE}/consent", "form", _EDIT),
    _page("vendor", "block_customer", f"{_ONE}/block", "form", _EDIT),
    _page("vendor", "merge_customer", f"{_ONE}/merge", "form", _DATA),
    _page("vendor", "erase_customer", f"{_ONE}/erase", "form", _DATA),
)
_ADMIN_PAGES = (
    _page("admin", "customers", "", "content", _VIEW, MenuEntry("sales", 60, "users")),
    _page("admin", "requests", "/requests", "list", _DATA, MenuEntry("sales", 62, "shield-check")),
    _page("admin", "request", "/requests/{data_request_id}", "detail", _DATA),
    _page("admin", "customer", _ONE, "detail", _VIEW),
    _page("admin", "erase_customer", f"{_ONE}/erase", "form", _DATA),
)

definition = ModuleDefinition(
    code="customers",
    name="Customers",
    module_class=ModuleClass.CORE,
    description="Who buys: people and companies, addresses, consents, spend, export and erasure of their data.",
    permissions=(
        Permission(_VIEW, "customers.permissions.view", "vendor"),
        Permission(_EDIT, "customers.permissions.edit", "vendor"),
        Permission(_DATA, "customers.permissions.data", "vendor"),
        Permission(_VIEW, "customers.permissions.view", "admin"),
        Permission(_DATA, "customers.permissions.data", "admin"),
    ),
    pages=(*_VENDOR_PAGES, *_ADMIN_PAGES),
    routes=("vendor", "vendor_customer", "vendor_forms", "vendor_imports", "admin", "admin_requests", "api"),
    tasks_path=f"{_PACKAGE}.tasks",
    scheduled_tasks=[
        ScheduledTask(
            "customers.delete_old_exports", f"{_PACKAGE}.tasks.personal_data.delete_old_exports", "20 2 * * *"
        ),
        ScheduledTask(
            "customers.discard_old_imports", f"{_PACKAGE}.tasks.imports.discard_old_imports", "25 2 * * *"
        ),
    ],
    public_ids={
        "customer_id": ("cus", "customers"),
        "address_id": ("adr", "customer_addresses"),
        "customer_import_id": ("cim", "customer_imports"),
        "data_request_id": ("cdr", "customer_data_requests"),
    },
    publishes=(
        "customers.customer_created",
        "customers.customer_updated",
        "customers.customer_erased",
        "customers.customer_merged",
    ),
    providers={
        "framework.demo": f"{_PACKAGE}.services.demo_service:seed",
        "framework.personal_data": f"{_PACKAGE}.services.personal_data_service:ExportFiles",
        "core.worklist": f"{_PACKAGE}.services.data_request_service:worklist",
    },
    commands=f"{_PACKAGE}.cli:groups",
    hooks=Hooks(health_check=f"{_PACKAGE}.services.health_service:check_health"),
)
