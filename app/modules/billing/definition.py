"""Billing: what vendors pay for, and how much of everything that gives them."""

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

_PACKAGE = "app.modules.billing"
_SERVICES = f"{_PACKAGE}.services"
_TASKS = f"{_PACKAGE}.tasks.subscription"


def _page(
    area: Area, name: str, path: str, kind: PageKind, permission: str | None, menu: MenuEntry | None = None
) -> PageDef:
    """A page whose title stands under ``billing.pages.<name>``."""
    code = f"billing.{permission}" if permission else None
    return PageDef(f"billing.{area}.{name}", area, path, kind, f"billing.pages.{name}", code, menu)


_PUBLIC_PAGES = (
    _page("public", "pricing", "/pricing", "content", None),
    _page("public", "sign_up", "/sign-up", "form", None),
    _page("public", "sign_up_mail", "/sign-up/mail", "content", None),
    _page("public", "sign_up_link", "/sign-up/continue", "content", None),
    _page("public", "sign_up_account", "/sign-up/account", "form", None),
    _page("public", "sign_up_claim", "/sign-up/claim", "form", None),
    _page("public", "sign_up_shop", "/sign-up/shop", "form", None),
    _page("public", "sign_up_start", "/sign-up/start", "form", None),
)

_VENDOR_PAGES = (
    _page("vendor", "plan", "/plan", "detail", "view_plan", MenuEntry("settings", 20, "layers")),
    _page("vendor", "change", "/plan/change", "content", "manage_plan"),
    _page("vendor", "cancel", "/plan/cancel", "form", "manage_plan"),
    _page("vendor", "addons", "/plan/addons", "content", "manage_plan"),
    _page("vendor", "request", "/plan/request", "content", "manage_plan"),
    _page(
        "vendor", "invoices", "/plan/invoices", "list", "view_invoices", MenuEntry("settings", 22, "receipt")
    ),
    _page("vendor", "invoice", "/plan/invoices/{invoice_id}", "detail", "view_invoices"),
)


def _admin(
    name: str, path: str, kind: PageKind, permission: str, menu: tuple[int, str] | None = None
) -> PageDef:
    """A page of the operator's; its title stands under ``billing.admin_pages.<name>``."""
    entry = MenuEntry("sales", *menu) if menu else None
    title, code = f"billing.admin_pages.{name}", f"billing.{permission}"
    return PageDef(f"billing.admin.{name}", "admin", f"/billing{path}", kind, title, code, entry)


_SUBSCRIPTION = "/subscriptions/{subscription_id}"
_ADMIN_PAGES = (
    _admin("subscriptions", "/subscriptions", "list", "view_subscriptions", (10, "repeat")),
    _admin("differences", "/differences", "list", "view_subscriptions"),
    _admin("subscription", _SUBSCRIPTION, "detail", "view_subscriptions"),
    *(
        _admin(f"subscription_{act}", f"{_SUBSCRIPTION}/{act}", "form", "manage_subscriptions")
        for act in ("trial", "plan", "activate", "cancel", "limit")
    ),
    _admin("invoices", "/invoices", "list", "view_invoices", (20, "receipt")),
    _admin("invoice", "/invoices/{invoice_id}", "detail", "view_invoices"),
    _admin("tiers", "/tiers", "list", "view_tiers", (30, "layers")),
    _admin("tier_preview", "/tiers/preview", "content", "view_tiers"),
    _admin("tier_new", "/tiers/new", "form", "manage_tiers"),
    _admin("tier", "/tiers/{tier_id}", "detail", "view_tiers"),
    _admin("tier_edit", "/tiers/{tier_id}/edit", "form", "manage_tiers"),
    _admin("addons", "/addons", "list", "view_tiers", (40, "puzzle")),
    _admin("addon_new", "/addons/new", "form", "manage_tiers"),
    _admin("addon", "/addons/{addon_id}", "detail", "view_tiers"),
    _admin("addon_edit", "/addons/{addon_id}/edit", "form", "manage_tiers"),
)


definition = ModuleDefinition(
    code="billing",
    name="Billing",
    module_class=ModuleClass.OPTIONAL,
    description="Plans with limits, trials, subscriptions, add-ons and invoices of the operator's vendors.",
    requires=("payments",),
    permissions=(
        Permission("billing.view_tiers", "billing.permissions.view_tiers", "admin"),
        Permission("billing.manage_tiers", "billing.permissions.manage_tiers", "admin", is_global=True),
        Permission("billing.view_subscriptions", "billing.permissions.view_subscriptions", "admin"),
        Permission("billing.manage_subscriptions", "billing.permissions.manage_subscriptions", "admin"),
        Permission("billing.view_invoices", "billing.permissions.view_invoices", "admin"),
        Permission("billing.view_invoices", "billing.permissions.view_invoices", "vendor"),
        Permission("billing.view_plan", "billing.permissions.view_plan", "vendor"),
        Permission("billing.manage_plan", "billing.permissions.manage_plan", "vendor"),
    ),
    pages=(*_PUBLIC_PAGES, *_VENDOR_PAGES, *_ADMIN_PAGES),
    routes=(
        "public",
        "public_sign_up",
        "public_claim",
        "vendor",
        "vendor_request",
        "vendor_change",
        "vendor_cancel",
        "vendor_addons",
        "vendor_invoices",
        "admin_tiers",
        "admin_tier_preview",
        "admin_addons",
        "admin_offers",
        "admin_subscriptions",
        "admin_subscription_forms",
        "admin_invoices",
        "api",
    ),
    tasks_path=f"{_PACKAGE}.tasks",
    task_queues={f"{_TASKS}.*": "scheduled"},
    scheduled_tasks=[
        ScheduledTask("billing.reset_period_counters", f"{_TASKS}.reset_period_counters", "5 0 * * *"),
        ScheduledTask("billing.check_trial_expirations", f"{_TASKS}.check_trial_expirations", "0 1 * * *"),
        ScheduledTask("billing.sync_stripe_status", f"{_TASKS}.sync_stripe_status", "30 * * * *"),
        ScheduledTask(
            "billing.delete_old_sign_ups", f"{_PACKAGE}.tasks.sign_ups.delete_old_sign_ups", "50 2 * * *"
        ),
        ScheduledTask(
            "billing.cleanup_stale_subscriptions", f"{_TASKS}.cleanup_stale_subscriptions", "0 3 * * 0"
        ),
    ],
    public_ids={
        "tier_id": ("tir", "subscription_tiers"),
        "addon_id": ("add", "addons"),
        "subscription_id": ("sub", "subscriptions"),
        "override_id": ("ovr", "limit_overrides"),
        "invoice_id": ("bin", "billing_invoices"),
        "request_id": ("brq", "billing_requests"),
        "difference_id": ("sdf", "sync_differences"),
    },
    publishes=(
        "billing.subscription_started",
        "billing.subscription_changed",
        "billing.subscription_cancelled",
        "billing.subscription_expired",
    ),
    handlers={"tenancy.vendor_created": f"{_PACKAGE}.handlers:on_vendor_created"},
    providers={
        "framework.entitlements": f"{_SERVICES}.entitlement_service:Plans",
        "framework.subscription_gate": f"{_SERVICES}.gate_service:find_closed",
        "framework.alerts": f"{_SERVICES}.home_parts_service:alerts",
        "framework.demo": f"{_SERVICES}.demo_service:seed",
        "payments.webhook_handlers": f"{_SERVICES}.stripe_event_service:handlers",
        "core.vendor_tiles": f"{_SERVICES}.home_parts_service:vendor_tiles",
        "core.admin_tiles": f"{_SERVICES}.home_parts_service:admin_tiles",
        "core.worklist": f"{_SERVICES}.home_parts_service:worklist",
        "core.notification_kinds": f"{_SERVICES}.notice_service:kinds",
    },
    commands=f"{_PACKAGE}.cli:groups",
    hooks=Hooks(
        on_enable=f"{_SERVICES}.trial_service:ask_for_trials",
        health_check=f"{_SERVICES}.health_service:check_health",
    ),
)
