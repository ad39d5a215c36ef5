"""Tenancy: platforms, companies, vendors, users, roles, sign-in and the audit log."""

from app.modules.base import (
    Area,
    Feature,
    MenuEntry,
    ModuleClass,
    ModuleDefinition,
    PageDef,
    PageKind,
    Permission,
    ScheduledTask,
)

_PACKAGE = "app.modules.tenancy"
_SERVICES = f"{_PACKAGE}.services"


def _page(
    area: Area,
    name: str,
    path: str,
    kind: PageKind,
    permission: str | None = None,
    menu: MenuEntry | None = None,
) -> PageDef:
    """A page whose title stands under ``tenancy.pages.<name>``."""
    code = f"tenancy.{permission}" if permission else None
    return PageDef(f"tenancy.{area}.{name}", area, path, kind, f"tenancy.pages.{name}", code, menu)


def _own_pages(area: Area) -> tuple[PageDef, ...]:
    """Somebody's own pages, which both areas have."""
    permission = f"{area}_profile.view"
    return (
        _page(area, "profile", "/profile", "form", permission),
        _page(area, "security", "/profile/security", "content", permission),
        _page(area, "two_step", "/profile/two-step", "form", permission),
    )


_PUBLIC_PAGES = (
    _page("public", "admin_sign_in", "/admin/sign-in", "form"),
    _page("public", "vendor_sign_in", "/vendor/sign-in", "form"),
    _page("public", "admin_second_step", "/admin/sign-in/code", "form"),
    _page("public", "vendor_second_step", "/vendor/sign-in/code", "form"),
    _page("public", "forgotten", "/forgotten-password", "form"),
    _page("public", "reset", "/reset-password", "form"),
    _page("public", "invitation", "/invitation", "form"),
    _page("public", "act_as", "/vendor/act-as", "content"),
    _page("public", "places", "/vendor", "list"),
)

_ADMIN_PAGES = (
    _page(
        "admin",
        "companies",
        "/companies",
        "list",
        "companies.view",
        MenuEntry("operations", 10, "building-2", key="c"),
    ),
    _page("admin", "company_new", "/companies/new", "form", "companies.manage"),
    _page("admin", "company", "/companies/{company_id}", "detail", "companies.view"),
    _page("admin", "company_edit", "/companies/{company_id}/edit", "form", "companies.manage"),
    _page("admin", "company_hold", "/companies/{company_id}/hold", "form", "companies.manage"),
    _page("admin", "company_owner", "/companies/{company_id}/invite", "form", "companies.manage"),
    _page(
        "admin", "vendors", "/vendors", "list", "vendors.view", MenuEntry("operations", 12, "store", key="v")
    ),
    _page("admin", "vendor_new", "/vendors/new", "form", "vendors.manage"),
    _page("admin", "vendor", "/vendors/{vendor_id}", "detail", "vendors.view"),
    _page("admin", "vendor_edit", "/vendors/{vendor_id}/edit", "form", "vendors.manage"),
    _page("admin", "vendor_hold", "/vendors/{vendor_id}/hold", "form", "vendors.manage"),
    _page("admin", "vendor_domain", "/vendors/{vendor_id}/domain", "form", "admin_domains.manage"),
    _page(
        "admin",
        "domains",
        "/domains",
        "list",
        "admin_domains.view",
        MenuEntry("operations", 14, "globe", key="d"),
    ),
    _page("admin", "domain", "/domains/{domain_id}", "detail", "admin_domains.view"),
    _page(
        "admin",
        "platforms",
        "/platforms",
        "list",
        "platforms.view",
        MenuEntry("operations", 16, "layers", key="p"),
    ),
    _page("admin", "platform_new", "/platforms/new", "form", "platforms.manage"),
    _page("admin", "platform", "/platforms/{platform_id}", "detail", "platforms.view"),
    _page("admin", "platform_edit", "/platforms/{platform_id}/edit", "form", "platforms.manage"),
    _page("admin", "platform_hold", "/platforms/{platform_id}/hold", "form", "platforms.manage"),
    _page("admin", "users", "/users", "list", "users.view", MenuEntry("settings", 10, "users", key="u")),
    _page("admin", "user_invite", "/users/invite", "form", "users.manage"),
    _page("admin", "invitations", "/users/invitations", "list", "users.view"),
    _page("admin", "user", "/users/{user_id}", "detail", "users.view"),
    _page("admin", "user_platform", "/users/{user_id}/platform", "form", "users.manage"),
    _page("admin", "user_roles", "/users/{user_id}/roles", "form", "users.manage"),
    _page(
        "admin",
        "roles",
        "/roles",
        "list",
        "operator_roles.view",
        MenuEntry("settings", 12, "shield-check"),
    ),
    _page("admin", "role_new", "/roles/new", "form", "operator_roles.manage"),
    _page("admin", "role", "/roles/{operator_role_id}", "detail", "operator_roles.view"),
    _page("admin", "role_edit", "/roles/{operator_role_id}/edit", "form", "operator_roles.manage"),
    _page(
        "admin", "audit", "/audit", "list", "audit.view", MenuEntry("settings", 30, "scroll-text", key="a")
    ),
    *_own_pages("admin"),
)

_VENDOR_PAGES = (
    _page("vendor", "team", "/team", "list", "team.view", MenuEntry("settings", 10, "users", key="t")),
    _page("vendor", "team_invite", "/team/invite", "form", "team.manage"),
    _page("vendor", "team_invitations", "/team/invitations", "list", "team.view"),
    _page("vendor", "team_invitation", "/team/invitations/{invitation_id}", "detail", "team.view"),
    _page("vendor", "member", "/team/{membership_id}", "detail", "team.view"),
    _page("vendor", "member_role", "/team/{membership_id}/role", "form", "team.manage"),
    _page("vendor", "roles", "/roles", "list", "roles.view", MenuEntry("settings", 12, "shield-check")),
    _page("vendor", "role_new", "/roles/new", "form", "roles.manage"),
    _page("vendor", "role", "/roles/{role_id}", "detail", "roles.view"),
    _page("vendor", "role_edit", "/roles/{role_id}/edit", "form", "roles.manage"),
    _page("vendor", "domains", "/domains", "list", "vendor_domains.view", MenuEntry("settings", 14, "globe")),
    _page("vendor", "domain_new", "/domains/new", "form", "vendor_domains.manage"),
    _page("vendor", "domain", "/domains/{domain_id}", "detail", "vendor_domains.view"),
    *_own_pages("vendor"),
)


def _permission(code: str, area: Area, *, is_basic: bool = False, is_global: bool = False) -> Permission:
    """A permission whose text stands under ``tenancy.permissions.<resource>_<action>``."""
    assert area in ("admin", "vendor")
    key = f"tenancy.permissions.{code.replace('.', '_')}"
    return Permission(f"tenancy.{code}", key, area, is_basic=is_basic, is_global=is_global)


_PERMISSIONS = (
    _permission("companies.view", "admin"),
    _permission("companies.manage", "admin", is_global=True),
    _permission("vendors.view", "admin"),
    _permission("vendors.manage", "admin"),
    _permission("vendors.impersonate", "admin"),
    _permission("admin_domains.view", "admin"),
    _permission("admin_domains.manage", "admin"),
    _permission("platforms.view", "admin"),
    _permission("platforms.manage", "admin", is_global=True),
    _permission("users.view", "admin", is_global=True),
    _permission("users.manage", "admin", is_global=True),
    _permission("operator_roles.view", "admin", is_global=True),
    _permission("operator_roles.manage", "admin", is_global=True),
    _permission("audit.view", "admin"),
    _permission("admin_profile.view", "admin", is_basic=True),
    _permission("team.view", "vendor"),
    _permission("team.manage", "vendor"),
    _permission("roles.view", "vendor"),
    _permission("roles.manage", "vendor"),
    _permission("vendor_domains.view", "vendor"),
    _permission("vendor_domains.manage", "vendor"),
    _permission("vendor_profile.view", "vendor", is_basic=True),
)

definition = ModuleDefinition(
    code="tenancy",
    name="Tenancy",
    module_class=ModuleClass.CORE,
    is_foundation=True,
    version="0.2.0",
    description="Who is separated from whom, who may sign in, and what was done by whom.",
    features=(
        Feature(
            "tenancy.team_members",
            "tenancy.features.team_members",
            usage=f"{_SERVICES}.invitation_service:count_team",
        ),
        Feature(
            "tenancy.custom_domains",
            "tenancy.features.custom_domains",
            default_limit=0,
            usage=f"{_SERVICES}.domain_service:count_domains",
        ),
    ),
    permissions=_PERMISSIONS,
    pages=(*_PUBLIC_PAGES, *_ADMIN_PAGES, *_VENDOR_PAGES),
    routes=(
        "public",
        "public_links",
        "admin_companies",
        "admin_vendors",
        "domains",
        "admin_platforms",
        "admin_users",
        "admin_roles",
        "admin_audit",
        "profile",
        "vendor_team",
        "vendor_roles",
        "api_admin",
        "api_vendor",
        "api_invitations",
    ),
    tasks_path=f"{_PACKAGE}.tasks",
    scheduled_tasks=[
        ScheduledTask(
            name="tenancy.delete_ended_sessions",
            task=f"{_PACKAGE}.tasks.sessions.delete_ended_sessions",
            schedule="40 2 * * *",
        )
    ],
    public_ids={
        "company_id": ("cmp", "companies"),
        "vendor_id": ("vnd", "vendors"),
        "platform_id": ("plt", "platforms"),
        "domain_id": ("dom", "domains"),
        "user_id": ("usr", "users"),
        "membership_id": ("mbr", "memberships"),
        "invitation_id": ("inv", "invitations"),
        "role_id": ("rol", "roles"),
        "operator_role_id": ("orl", "operator_roles"),
    },
    publishes=("tenancy.vendor_created",),
    commands=f"{_PACKAGE}.cli:groups",
    providers={
        "framework.identity": f"{_SERVICES}.identity_service:resolve",
        "framework.principal_of": f"{_SERVICES}.identity_service:principal_of",
        "framework.demo": f"{_SERVICES}.demo_service:seed",
        "framework.audit": f"{_SERVICES}.audit_service:record",
        "framework.timeline": f"{_SERVICES}.audit_service:timeline",
        "framework.platforms": f"{_SERVICES}.platform_service:platform_codes",
        "framework.vendor_id": f"{_SERVICES}.vendor_service:find_vendor_id",
        "framework.platforms_of_vendor": f"{_SERVICES}.platform_service:platforms_of_vendor",
    },
)
