"""Order folder: orders come as CSV files in a folder, and what is said to them goes out the same way."""

from app.modules.base import ModuleClass, ModuleDefinition

_PACKAGE = "app.modules.order_folder"

definition = ModuleDefinition(
    code="order-folder",
    name="Order folder",
    module_class=ModuleClass.OPTIONAL,
    description="Orders as CSV files in a folder: a connector for shops and programs without an API.",
    requires=("marketplace", "orders", "customers"),
    providers={"marketplace.connectors": f"{_PACKAGE}.services.order_folder_service:CONNECTOR"},
    commands=f"{_PACKAGE}.cli:groups",
)
