"""Dev tools: what developers of modules look things up in."""

from app.modules.base import MenuEntry, ModuleClass, ModuleDefinition, PageDef, Permission

definition = ModuleDefinition(
    code="dev-tools",
    name="Dev tools",
    module_class=ModuleClass.INTERNAL,
    description="Every part of the UI kit at work, and every page that modules declare.",
    permissions=(Permission("dev-tools.pages.view", "dev-tools.permissions.pages_view", "admin"),),
    pages=(
        PageDef(
            "dev-tools.admin.gallery",
            "admin",
            "/dev-tools/gallery",
            "content",
            "dev-tools.gallery.title",
            "dev-tools.pages.view",
            MenuEntry("developers", 10, "gallery-vertical"),
        ),
        PageDef(
            "dev-tools.admin.pages",
            "admin",
            "/dev-tools/pages",
            "content",
            "dev-tools.pages.title",
            "dev-tools.pages.view",
            MenuEntry("developers", 20, "layers"),
        ),
    ),
    routes=("admin",),
)
