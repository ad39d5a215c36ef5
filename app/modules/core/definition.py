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


def _pages_of(area: Area) -> tuple[PageDef, ...]:
    """The pages that both areas have, with their permissions there."""
    home, settings, keys = f"{area}_home.view", f"{area}_settings.manage", f"{area}_api_keys.manage"
    webhooks, problems = f"{area}_webhooks", f"{area}_problems.view"
    webhook, delivery = "/webhooks/{webhook_id}", "/webhook-deliveries/{webhook_delivery_id}"
    return (
        _page(area, "home", "", "dashboard", home, MenuEntry("home", 0, "house", is_mandatory=True, key="h")),
        _page(area, "notifications", "/notifications", "list", home),
        _page(area, "notification_choices", "/notifications/choices", "form", home),
        _page(area, "palette", "/palette", "content", home),
        _page(area, "list_job", "/jobs/{list_job_id}", "job", home),
        _page(
            area, "settings", "/settings", "form", settings, MenuEntry("settings", 50, "settings", key="s")
        ),
        _page(
            area,
            "webhooks",
            "/webhooks",
            "list",
            f"{webhooks}.view",
            MenuEntry("settings", 44, "webhook", key="w"),
        ),
        _page(area, "api_keys", "/api-keys", "list", keys, MenuEntry("settings", 42, "key", key="k")),
        _page(area, "api_key_new", "/api-keys/new", "form", keys),
        _page(area, "api_key", "/api-keys/{api_key_id}", "detail", keys),
        _page(area, "webhook_new", "/webhooks/new", "form", f"{webhooks}.manage"),
        _page(area, "webhook", webhook, "detail", f"{webhooks}.view"),
        _page(area, "webhook_edit", f"{webhook}/edit", "form", f"{webhooks}.manage"),
        _page(area, "webhook_deliveries", "/webhook-deliveries", "list", f"{webhooks}.view"),
        _page(area, "webhook_delivery", delivery, "detail", f"{webhooks}.view"),
        _page(
            area,
            "problems",
            "/problems",
            "list",
            problems,
            MenuEntry("channels" if area == "vendor" else "operations", 40, "triangle-alert", key="b"),
        ),
        _page(area, "problem", "/problems/{problem_id}", "detail", problems),
    )


_ADMIN_PAGES = (
    _page(
        "admin",
        "modules",
        "/modules",
        "list",
        "modules.view",
        MenuEntry("operations", 18, "boxes", is_mandatory=True, key="m"),
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
        Permission("core.vendor_home.view", "core.permissions.home_view", "vendor", is_basic=True),
        Permission("core.vendor_settings.manage", "core.permissions.settings_manage", "vendor"),
        Permission("core.vendor_api_keys.manage", "core.permissions.api_keys_manage", "vendor"),
        Permission("core.vendor_webhooks.view", "core.permissions.webhooks_view", "vendor"),
        Permission("core.vendor_webhooks.manage", "core.permissions.webhooks_manage", "vendor"),
        Permission("core.vendor_problems.view", "core.permissions.problems_view", "vendor"),
        Permission("core.vendor_problems.manage", "core.permissions.problems_manage", "vendor"),
        Permission("core.vendor_raw_data.read", "core.permissions.raw_data_read", "vendor"),
        Permission("core.admin_home.view", "core.permissions.home_view", "admin", is_basic=True),
        Permission("core.admin_settings.manage", "core.permissions.settings_manage", "admin", is_global=True),
        Permission("core.admin_api_keys.manage", "core.permissions.api_keys_manage", "admin"),
        Permission("core.admin_webhooks.view", "core.permissions.webhooks_view", "admin", is_global=True),
        Permission("core.admin_webhooks.manage", "core.permissions.webhooks_manage", "admin", is_global=True),
        Permission("core.admin_problems.view", "core.permissions.problems_view", "admin", is_global=True),
        Permission("core.admin_problems.manage", "core.permissions.problems_manage", "admin", is_global=True),
        Permission("core.admin_raw_data.read", "core.permissions.raw_data_read", "admin"),
        Permission("core.modules.view", "core.permissions.modules_view", "admin"),
        Permission("core.modules.manage", "core.permissions.modules_manage", "admin", is_global=True),
        Permission("core.menus.manage", "core.permissions.menus_manage", "admin"),
    ),
    pages=(
        PageDef("core.public.start", "public", "/", "content", "core.start.title", None),
        *_pages_of("vendor"),
        *_pages_of("admin"),
        *_ADMIN_PAGES,
    ),
    routes=(
        "public",
        "home",
        "notifications",
        "saved_views",
        "list_jobs",
        "settings",
        "webhooks",
        "webhook_deliveries",
        "keys",
        "problems",
        "comments",
        "admin_modules",
        "api",
        "api_webhooks",
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
        "problem_id": ("pbm", "problems"),
    },
    providers={
        "core.admin_tiles": f"{_SERVICES}.home_service:admin_tiles",
        "core.notification_kinds": f"{_SERVICES}.notification_service:core_kinds",
        "core.worklist": f"{_SERVICES}.home_service:core_worklist",
        "core.settings": f"{_SERVICES}.setting_service:core_settings",
        "framework.blocks": f"{_SERVICES}.module_service:platform_blocks",
        "framework.demo": f"{_SERVICES}.demo_service:seed",
        "framework.api_identity": f"{_SERVICES}.api_key_service:resolve",
        "framework.event_sink": f"{_SERVICES}.webhook_delivery_service:carry_out",
        "framework.comments": f"{_SERVICES}.comment_service:comments",
        "framework.list_work": f"{_SERVICES}.list_job_service:ListWork",
        "framework.hidden_pages": f"{_SERVICES}.menu_service:hidden_pages",
        "framework.problems": f"{_SERVICES}.problem_service:Problems",
        "framework.personal_data": f"{_SERVICES}.personal_copy_service:Copies",
        "framework.saved_views": f"{_SERVICES}.saved_view_service:saved_views",
        "framework.shell": f"{_SERVICES}.shell_service:shell_extras",
    },
)
