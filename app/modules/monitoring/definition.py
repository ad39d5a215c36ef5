"""Monitoring: what the platform is doing and whether it is well, for the operator."""

from app.modules.base import MenuEntry, ModuleClass, ModuleDefinition, PageDef, PageKind, Permission

_SERVICES = "app.modules.monitoring.services"


def _page(
    name: str, path: str, kind: PageKind, permission: str, menu: tuple[int, str, str] | None = None
) -> PageDef:
    """A page whose title stands under ``monitoring.pages.<name>``; ``menu`` is its place, icon and key."""
    entry = MenuEntry("operations", menu[0], menu[1], key=menu[2]) if menu else None
    return PageDef(
        f"monitoring.admin.{name}",
        "admin",
        path,
        kind,
        f"monitoring.pages.{name}",
        f"monitoring.{permission}",
        entry,
    )


def _permission(code: str, *, is_global: bool = True) -> Permission:
    """A permission whose text stands under ``monitoring.permissions.<resource>_<action>``."""
    key = f"monitoring.permissions.{code.replace('.', '_')}"
    return Permission(f"monitoring.{code}", key, "admin", is_global=is_global)


definition = ModuleDefinition(
    code="monitoring",
    name="Monitoring",
    module_class=ModuleClass.INTERNAL,
    description="Jobs, schedules, workers, queues and health of the platform.",
    permissions=(
        _permission("jobs.view", is_global=False),
        _permission("jobs.manage", is_global=False),
        _permission("schedules.view"),
        _permission("schedules.manage"),
        _permission("workers.view"),
        _permission("health.view"),
    ),
    pages=(
        _page("jobs", "/tasks", "list", "jobs.view", (60, "list-checks", "j")),
        _page("job", "/tasks/{job_id}", "job", "jobs.view"),
        _page("schedules", "/schedules", "list", "schedules.view", (62, "calendar-clock", "t")),
        _page("schedule", "/schedules/one", "detail", "schedules.view"),
        _page("schedule_times", "/schedules/times", "form", "schedules.manage"),
        _page("workers", "/workers", "dashboard", "workers.view", (64, "cpu", "")),
        _page("health", "/health", "dashboard", "health.view", (66, "heart-pulse", "")),
    ),
    routes=("admin", "admin_job", "admin_schedules", "api"),
    public_ids={"job_id": ("job", "jobs")},
    providers={
        "core.worklist": f"{_SERVICES}.alert_service:worklist",
        "framework.alerts": f"{_SERVICES}.alert_service:alerts",
        "framework.palette": f"{_SERVICES}.alert_service:find_job",
    },
)
