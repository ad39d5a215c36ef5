"""Core: the shell that people see, their preferences, and the home pages that other modules fill."""

from app.modules.base import MenuEntry, ModuleClass, ModuleDefinition, PageDef, Permission

definition = ModuleDefinition(
    code="core",
    name="Core",
    module_class=ModuleClass.CORE,
    is_foundation=True,
    requires=("tenancy",),
    description="Home pages, preferences, notifications.",
    permissions=(
        Permission("core.home.view", "core.permissions.home_view", "vendor"),
        Permission("core.admin_home.view", "core.permissions.home_view", "admin"),
    ),
    pages=(
        PageDef(
            "core.vendor.home",
            "vendor",
            "",
            "dashboard",
            "core.home.title",
            "core.home.view",
            MenuEntry("home", 0, "house", is_mandatory=True),
        ),
        PageDef(
            "core.admin.home",
            "admin",
            "",
            "dashboard",
            "core.home.title",
            "core.admin_home.view",
            MenuEntry("home", 0, "house", is_mandatory=True),
        ),
        PageDef("core.public.start", "public", "/", "content", "core.start.title", None),
    ),
    routes=("public", "vendor", "admin"),
)
