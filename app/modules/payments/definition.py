"""Payments: money taken and given back through Stripe, bank transfer and cash, and the messages of providers."""

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

_PACKAGE = "app.modules.payments"
_SERVICES = f"{_PACKAGE}.services"


def _page(
    area: Area, name: str, path: str, kind: PageKind, permission: str, menu: MenuEntry | None = None
) -> PageDef:
    """A page whose title stands under ``payments.pages.<name>``."""
    return PageDef(
        f"payments.{area}.{name}",
        area,
        path,
        kind,
        f"payments.pages.{name}",
        f"payments.{area}_{permission}",
        menu,
    )


def _pages_of(area: Area) -> tuple[PageDef, ...]:
    """The pages that both areas have, with their permissions there."""
    section = "sales" if area == "vendor" else "operations"
    payment, provider = "/payments/{payment_id}", "/payment-providers/{payment_account_id}"
    return (
        _page(area, "payments", "/payments", "list", "payments.view", MenuEntry(section, 30, "credit-card")),
        _page(area, "payment", payment, "detail", "payments.view"),
        _page(area, "payment_refund", f"{payment}/refund", "form", "payments.manage"),
        _page(area, "payment_capture", f"{payment}/capture", "form", "payments.manage"),
        _page(area, "payment_confirm", f"{payment}/confirm", "form", "payments.manage"),
        _page(
            area,
            "providers",
            "/payment-providers",
            "list",
            "providers.view",
            MenuEntry("settings", 46, "plug"),
        ),
        _page(area, "provider_new", "/payment-providers/new", "form", "providers.manage"),
        _page(area, "provider", provider, "detail", "providers.view"),
        _page(area, "provider_edit", f"{provider}/edit", "form", "providers.manage"),
    )


definition = ModuleDefinition(
    code="payments",
    name="Payments",
    module_class=ModuleClass.OPTIONAL,
    description="Payments and refunds by Stripe, bank transfer and cash, and the messages of providers.",
    permissions=(
        Permission("payments.vendor_payments.view", "payments.permissions.payments_view", "vendor"),
        Permission("payments.vendor_payments.manage", "payments.permissions.payments_manage", "vendor"),
        Permission("payments.vendor_providers.view", "payments.permissions.providers_view", "vendor"),
        Permission("payments.vendor_providers.manage", "payments.permissions.providers_manage", "vendor"),
        Permission("payments.admin_payments.view", "payments.permissions.payments_view", "admin"),
        Permission("payments.admin_payments.manage", "payments.permissions.payments_manage", "admin"),
        Permission(
            "payments.admin_providers.view", "payments.permissions.providers_view", "admin", is_global=True
        ),
        Permission(
            "payments.admin_providers.manage",
            "payments.permissions.providers_manage",
            "admin",
            is_global=True,
        ),
        Permission(
            "payments.admin_webhooks.view", "payments.permissions.webhooks_view", "admin", is_global=True
        ),
        Permission(
            "payments.admin_webhooks.manage", "payments.permissions.webhooks_manage", "admin", is_global=True
        ),
    ),
    pages=(
        *_pages_of("vendor"),
        *_pages_of("admin"),
        _page(
            "admin",
            "webhooks",
            "/incoming-webhooks",
            "list",
            "webhooks.view",
            MenuEntry("operations", 42, "inbox"),
        ),
        _page("admin", "webhook", "/incoming-webhooks/{incoming_webhook_id}", "detail", "webhooks.view"),
    ),
    routes=("payments", "providers", "admin_webhooks", "webhooks", "api"),
    tasks_path=f"{_PACKAGE}.tasks",
    scheduled_tasks=[
        ScheduledTask(
            "payments.delete_old_webhooks",
            f"{_PACKAGE}.tasks.maintenance.delete_old_webhooks",
            "35 3 * * *",
        ),
        ScheduledTask(
            "payments.ask_providers", f"{_PACKAGE}.tasks.maintenance.ask_about_open_payments", "25 * * * *"
        ),
        ScheduledTask(
            "payments.reseal_secrets", f"{_PACKAGE}.tasks.maintenance.reseal_secrets", "45 3 * * *"
        ),
    ],
    public_ids={
        "payment_id": ("pay", "payments"),
        "refund_id": ("rfn", "payment_refunds"),
        "payment_account_id": ("pac", "payment_accounts"),
        "incoming_webhook_id": ("iwh", "incoming_webhooks"),
    },
    publishes=("payments.payment_captured", "payments.payment_failed", "payments.refund_succeeded"),
    providers={
        "core.settings": f"{_SERVICES}.setting_service:settings",
        "core.worklist": f"{_SERVICES}.webhook_list_service:worklist",
        "framework.demo": f"{_SERVICES}.demo_service:seed",
        "payments.webhook_handlers": f"{_SERVICES}.stripe_event_service:handlers",
    },
    commands=f"{_PACKAGE}.cli:groups",
    hooks=Hooks(health_check=f"{_SERVICES}.health_service:check_health"),
)
