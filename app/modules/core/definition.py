"""Core: the shell that people see, saved views, notifications, settings, menus, modules, webhooks, and home pages."""

from app.modules.base import (
    Area,
    MenuEntry,
    ModuleClass,
    ModuleDefinition,
    PageDef,
    PageKind,
    Permission,
    ScheduledTask,
)

_PACKAGE = "app.modules.core"
_SERVICES = f"{_PACKAGE}.services"


def _page(
    area: Area,
    name: str,
    path: str,
    kind: PageKind,
    permission: str,
    menu: MenuEntry | None = None,
) -> PageDef:
    """A page whose title stands under ``core.pages.<name>``."""
    return PageDef(f"core.{area}.{name}", area, path, kind, f"core.pages.{name}", f"core.{permission}", menu)


def _pages_of(area: Area, home: str, webhooks: str, settings: str, keys: str) -> tuple[PageDef, ...]:
    """The pages that both areas have, with their permissions there."""
    webhook, delivery = "/webhooks/{webhook_id}", "/webhook-deliveries/{webhook_delivery_id}"
    return (
        _page(area, "notifications", "/notifications", "list", home),
        _page(area, "notification_choices", "/notifications/choices", "form", home),
        _page(area, "palette", "/palette", "content", home),
        _page(area, "list_job", "/jobs/{list_job_id}", "job", home),
        _page(area, "settings", "/settings", "form", settings, MenuEntry("settings", 50, "settings")),
        _page(
            area, "webhooks", "/webhooks", "list", f"{webhooks}.view", MenuEntry("settings", 44, "webhook")
        ),
        _page(area, "api_keys", "/api-keys", "list", keys, MenuEntry("settings", 42, "key")),
        _page(area, "api_key_new", "/api-keys/new", "form", keys),
        _page(area, "api_key", "/api-keys/{api_key_id}", "detail", keys),
        _page(area, "webhook_new", "/webhooks/new", "form", f"{webhooks}.manage"),
        _page(area, "webhook", webhook, "detail", f"{webhooks}.view"),
        _page(area, "webhook_edit", f"{webhook}/edit", "form", f"{webhooks}.manage"),
        _page(area, "webhook_deliveries", "/webhook-deliveries", "list", f"{webhooks}.view"),
        _page(area, "webhook_delivery", delivery, "detail", f"{webhooks}.view"),
    )


_VENDOR_PAGES = (
    _page("vendor", "home", "", "dashboard", "home.view", MenuEntry("home", 0, "house", is_mandatory=True)),
    *_pages_of("vendor", "home.view", "webhooks", "settings.manage", "api_keys.manage"),
)
_ADMIN_PAGES = (
    _page(
        "admin", "home", "", "dashboard", "admin_home.view", MenuEntry("home", 0, "house", is_mandatory=True)
    ),
    *_pages_of(
        "admin", "admin_home.view", "admin_webhooks", "admin_settings.manage", "admin_api_keys.manage"
    ),
    _page(
        "admin",
        "modules",
        "/modules",
        "list",
        "modules.view",
        MenuEntry("operations", 18, "boxes", is_mandatory=True),
    ),
    _page("admin", "module", "/modules/{module_code}", "detail", "modules.view"),
    _page("admin", "platform_modules", "/platforms/{platform_id}/modules", "list", "modules.view"),
    _page("admin", "platform_menu", "/platforms/{platform_id}/menu", "form", "menus.manage"),
)

definition = ModuleDefinition(
    code="core",
    name="Core",
    module_class=ModuleClass.CORE,
    is_foundation=True,
    requires=("tenancy",),
    description="Home pages, saved views, notifications, settings, menus, modules and webhooks.",
    permissions=(
        Permission("core.home.view", "core.permissions.home_view", "vendor", is_basic=True),
        Permission("core.settings.manage", "core.permissions.settings_manage", "vendor"),
        Permission("core.api_keys.manage", "core.permissions.api_keys_manage", "vendor"),
        Permission("core.webhooks.view", "core.permissions.webhooks_view", "vendor"),
        Permission("core.webhooks.manage", "core.permissions.webhooks_manage", "vendor"),
        Permission("core.admin_home.view", "core.permissions.home_view", "admin", is_basic=True),
        Permission("core.admin_settings.manage", "core.permissions.settings_manage", "admin", is_global=True),
        Permission("core.admin_api_keys.manage", "core.permissions.api_keys_manage", "admin"),
        Permission("core.admin_webhooks.view", "core.permissions.webhooks_view", "admin", is_global=True),
        Permission("core.admin_webhooks.manage", "core.permissions.webhooks_manage", "admin", is_global=True),
        Permission("core.modules.view", "core.permissions.modules_view", "admin"),
        Permission("core.modules.manage", "core.permissions.modules_manage", "admin", is_global=True),
        Permission("core.menus.manage", "core.permissions.menus_manage", "admin"),
    ),
    pages=(
        PageDef("core.public.start", "public", "/", "content", "core.start.title", None),
        *_VENDOR_PAGES,
        *_ADMIN_PAGES,
    ),
    routes=(
        "public",
        "vendor",
        "vendor_webhooks",
        "admin",
        "admin_webhooks",
        "admin_modules",
        "vendor_api_keys",
        "admin_api_keys",
        "api_vendor",
        "api_admin",
    ),
    tasks_path=f"{_PACKAGE}.tasks",
    scheduled_tasks=[
        ScheduledTask(
            "core.delete_stored_answers", f"{_PACKAGE}.tasks.api_keys.delete_stored_answers", "35 * * * *"
        ),
        ScheduledTask(
            "core.delete_old_records", f"{_PACKAGE}.tasks.retention.delete_old_records", "20 3 * * *"
        ),
    ],
    task_queues={f"{_PACKAGE}.tasks.lists.*": "long_running"},
    public_ids={
        "api_key_id": ("key", "api_keys"),
        "view_id": ("svw", "saved_views"),
        "notification_id": ("ntf", "notifications"),
        "webhook_id": ("whe", "webhook_endpoints"),
        "webhook_delivery_id": ("whd", "webhook_deliveries"),
        "list_job_id": ("ljb", "list_jobs"),
    },
    providers={
        "core.admin_tiles": f"{_SERVICES}.home_service:admin_tiles",
        "core.notification_kinds": f"{_SERVICES}.notification_service:core_kinds",
        "core.worklist": f"{_SERVICES}.home_service:core_worklist",
        "core.settings": f"{_SERVICES}.setting_service:core_settings",
        "framework.blocks": f"{_SERVICES}.module_page_service:platform_blocks",
        "framework.demo": f"{_SERVICES}.demo_service:seed",
        "framework.api_identity": f"{_SERVICES}.api_key_service:resolve",
        "framework.event_sink": f"{_SERVICES}.webhook_delivery_service:carry_out",
        "framework.list_work": f"{_SERVICES}.list_job_service:ListWork",
        "framework.saved_views": f"{_SERVICES}.saved_view_service:saved_views",
        "framework.shell": f"{_SERVICES}.shell_service:shell_extras",
    },
)
