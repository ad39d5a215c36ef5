"""Wishlist: what shoppers would like to have. A small module that a test drops into the tree."""

from app.modules.base import MenuEntry, ModuleClass, ModuleDefinition, PageDef, Permission, ScheduledTask

definition = ModuleDefinition(
    code="wishlist",
    name="Wishlist",
    module_class=ModuleClass.OPTIONAL,
    permissions=(Permission("wishlist.wishes.view", "wishlist.permissions.view"),),
    pages=(
        PageDef(
            "wishlist.vendor.wishes",
            "vendor",
            "/wishes",
            "list",
            "wishlist.title",
            "wishlist.wishes.view",
            MenuEntry("catalog", 50, "inbox"),
        ),
    ),
    routes=("vendor",),
    tasks_path="app.modules.wishlist.tasks",
    scheduled_tasks=[
        ScheduledTask(
            "wishlist.count_wishes", "app.modules.wishlist.tasks.counting.count_wishes", "0 4 * * *"
        )
    ],
)
