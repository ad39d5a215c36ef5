"""Tenancy: platforms, companies, vendors, users, roles, sign-in and the audit log."""

from app.modules.base import MenuEntry, ModuleClass, ModuleDefinition, PageDef, Permission, ScheduledTask

_PACKAGE = "app.modules.tenancy"

definition = ModuleDefinition(
    code="tenancy",
    name="Tenancy",
    module_class=ModuleClass.CORE,
    is_foundation=True,
    description="Who is separated from whom, who may sign in, and what was done by whom.",
    permissions=(Permission("tenancy.vendors.view", "tenancy.permissions.vendors_view", "admin"),),
    pages=(
        PageDef(
            "tenancy.public.admin_sign_in",
            "public",
            "/admin/sign-in",
            "form",
            "tenancy.sign_in.title_admin",
            None,
        ),
        PageDef(
            "tenancy.public.vendor_sign_in",
            "public",
            "/vendor/sign-in",
            "form",
            "tenancy.sign_in.title_vendor",
            None,
        ),
        PageDef("tenancy.public.places", "public", "/vendor", "list", "tenancy.places.title", None),
        PageDef(
            "tenancy.admin.vendors",
            "admin",
            "/vendors",
            "list",
            "tenancy.vendors.title",
            "tenancy.vendors.view",
            MenuEntry("operations", 10, "store"),
        ),
    ),
    routes=("public", "admin"),
    tasks_path=f"{_PACKAGE}.tasks",
    scheduled_tasks=[
        ScheduledTask(
            name="tenancy.delete_ended_sessions",
            task=f"{_PACKAGE}.tasks.sessions.delete_ended_sessions",
            schedule="40 2 * * *",
        )
    ],
    publishes=("tenancy.vendor_created",),
    commands=f"{_PACKAGE}.cli:groups",
    providers={
        "framework.identity": f"{_PACKAGE}.services.identity_service:resolve",
        "framework.demo": f"{_PACKAGE}.services.demo_service:seed",
        "framework.audit": f"{_PACKAGE}.services.audit_service:record",
        "framework.platforms": f"{_PACKAGE}.services.tenant_service:platform_codes",
        "framework.platforms_of_vendor": f"{_PACKAGE}.services.tenant_service:platforms_of_vendor",
    },
)
