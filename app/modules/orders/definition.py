"""Orders: what buyers want, from every channel, until it is sent, paid, documented or given back."""

from app.modules.base import (
    Area,
    Feature,
    Hooks,
    MenuEntry,
    ModuleClass,
    ModuleDefinition,
    PageDef,
    PageKind,
    Permission,
    ScheduledTask,
)

_PACKAGE = "app.modules.orders"
_SERVICES = f"{_PACKAGE}.services"
_ROUNDS = f"{_PACKAGE}.tasks.rounds"

_VIEW, _EDIT, _SHIP = "orders.orders.view", "orders.orders.edit", "orders.orders.ship"


def _page(
    area: Area, name: str, path: str, kind: PageKind, permission: str, menu: MenuEntry | None = None
) -> PageDef:
    """A page whose title stands under ``orders.pages.<name>``."""
    return PageDef(f"orders.{area}.{name}", area, path, kind, f"orders.pages.{name}", permission, menu)


_ORDER = "/orders/{order_id}"
_SHIPMENT = "/orders/shipments/{shipment_id}"
_ORDER_PAGES = (
    _page("vendor", "orders", "/orders", "list", _VIEW, MenuEntry("sales", 10, "shopping-cart", key="o")),
    _page("vendor", "new_order", "/orders/new", "form", _EDIT),
    _page(
        "vendor",
        "exceptions",
        "/orders/exceptions",
        "content",
        _VIEW,
        MenuEntry("sales", 12, "triangle-alert", key="z"),
    ),
    _page("vendor", "matches", "/orders/matches", "list", _VIEW),
    _page(
        "vendor", "shipments", "/orders/shipments", "list", _VIEW, MenuEntry("sales", 14, "truck", key="d")
    ),
    _page("vendor", "withdrawals", "/orders/withdrawals", "list", _VIEW, MenuEntry("sales", 16, "undo-2")),
    _page("vendor", "withdrawal", "/orders/withdrawals/{withdrawal_id}", "detail", _VIEW),
    _page("vendor", "refuse_withdrawal", "/orders/withdrawals/{withdrawal_id}/refuse", "form", _EDIT),
    _page("vendor", "new_withdrawal", f"{_ORDER}/withdrawal", "form", _EDIT),
    _page("vendor", "labels", "/orders/labels", "content", _SHIP),
    _page("vendor", "carriers", "/orders/carriers", "list", "orders.settings.edit"),
    _page("vendor", "new_carrier", "/orders/carriers/new", "form", "orders.settings.edit"),
    _page("vendor", "carrier", "/orders/carriers/{carrier_id}", "form", "orders.settings.edit"),
    _page("vendor", "shipment", _SHIPMENT, "detail", _VIEW),
    _page("vendor", "shipment_parcels", f"{_SHIPMENT}/parcels", "form", _SHIP),
    _page("vendor", "print", "/orders/print", "content", _VIEW),
    _page("vendor", "order", _ORDER, "detail", _VIEW),
    _page("vendor", "ship", f"{_ORDER}/ship", "form", _SHIP),
    _page("vendor", "cancel_order", f"{_ORDER}/cancel", "form", _EDIT),
    _page("vendor", "refund", f"{_ORDER}/refund", "form", "orders.orders.refund"),
    _page("vendor", "receive_return", f"{_ORDER}/return", "form", _EDIT),
    _page("admin", "orders", "/orders", "list", _VIEW, MenuEntry("sales", 64, "shopping-cart")),
    _page(
        "admin",
        "exceptions",
        "/orders/exceptions",
        "list",
        "orders.exceptions.manage",
        MenuEntry("sales", 66, "triangle-alert"),
    ),
    _page("admin", "exception", "/orders/exceptions/{exception_id}", "form", "orders.exceptions.manage"),
    _page("admin", "order", _ORDER, "detail", _VIEW),
)


def _document(name: str, path: str, kind: PageKind, permission: str = "documents.view") -> PageDef:
    """A page about documents or taxes; its title stands under ``orders.document_pages.<name>``."""
    menu = MenuEntry("sales", 40, "receipt", key="v") if name == "documents" else None
    title = f"orders.document_pages.{name}"
    return PageDef(
        f"orders.vendor.{name}", "vendor", f"/invoices{path}", kind, title, f"orders.{permission}", menu
    )


_DOCUMENT_PAGES = (
    _document("documents", "", "list"),
    _document("invoice_settings", "/settings", "form", "settings.edit"),
    _document("vat_rates", "/vat-rates", "content"),
    _document("vat_rate", "/vat-rates/change", "form", "settings.edit"),
    _document("oss_report", "/oss", "dashboard"),
    _document("document_exports", "/archives", "list"),
    _document("new_document_export", "/archives/new", "form"),
    _document("document_export", "/archives/{document_export_id}", "detail"),
    _document("document", "/{document_id}", "detail"),
    PageDef(
        "orders.admin.documents",
        "admin",
        "/documents",
        "list",
        "orders.document_pages.documents",
        "orders.documents.view",
        MenuEntry("sales", 68, "receipt"),
    ),
    PageDef(
        "orders.admin.document",
        "admin",
        "/documents/{document_id}",
        "detail",
        "orders.document_pages.document",
        "orders.documents.view",
    ),
)

_ORDER_ROUTES = (
    "vendor_orders",
    "vendor_new_order",
    "vendor_exceptions",
    "vendor_shipments",
    "vendor_print",
    "vendor_labels",
    "vendor_withdrawals",
    "vendor_carriers",
    "vendor_order",
    "vendor_fulfil",
    "admin_orders",
    "admin_exceptions",
    "admin_documents",
)
_DOCUMENT_ROUTES = (
    "vendor_invoice_settings",
    "vendor_taxes",
    "vendor_document_exports",
    "vendor_documents",
    "api_documents",
)

_PERMISSIONS = (
    Permission("orders.orders.view", "orders.permissions.orders_view", "vendor"),
    Permission("orders.orders.edit", "orders.permissions.orders_edit", "vendor"),
    Permission("orders.orders.ship", "orders.permissions.orders_ship", "vendor"),
    Permission("orders.orders.refund", "orders.permissions.orders_refund", "vendor"),
    Permission("orders.documents.view", "orders.permissions.documents_view", "vendor"),
    Permission("orders.documents.issue", "orders.permissions.documents_issue", "vendor"),
    Permission("orders.settings.edit", "orders.permissions.settings_edit", "vendor"),
    Permission("orders.orders.view", "orders.permissions.admin_orders_view", "admin"),
    Permission("orders.documents.view", "orders.permissions.admin_documents_view", "admin"),
    Permission("orders.exceptions.manage", "orders.permissions.exceptions_manage", "admin"),
)

# Providers of the pages (core.worklist, framework.blocks, ...) and of the documents.
_ORDER_PROVIDERS = {
    "core.worklist": f"{_SERVICES}.home_parts_service:worklist",
    "core.vendor_tiles": f"{_SERVICES}.home_parts_service:tiles",
    "core.admin_tiles": f"{_SERVICES}.home_parts_service:tiles",
    "framework.blocks": f"{_SERVICES}.home_parts_service:blocks",
    "framework.comments": f"{_SERVICES}.home_parts_service:history",
}
_DOCUMENT_PROVIDERS = {
    "framework.blocks": f"{_SERVICES}.document_block_service:blocks",  # with those of the pages
}

definition = ModuleDefinition(
    code="orders",
    name="Orders",
    module_class=ModuleClass.OPTIONAL,
    description="Orders of all channels: confirm, ship, cancel, refund; exceptions, shipments and documents.",
    requires=("customers", "catalog"),
    features=(Feature("orders.orders", "orders.features.orders", is_per_period=True),),
    permissions=_PERMISSIONS,
    pages=(*_ORDER_PAGES, *_DOCUMENT_PAGES),
    routes=(*_ORDER_ROUTES, *_DOCUMENT_ROUTES, "api", "api_acts", "api_shipments", "api_withdrawals"),
    tasks_path=f"{_PACKAGE}.tasks",
    scheduled_tasks=[
        ScheduledTask("orders.retry_exceptions", f"{_ROUNDS}.retry_exceptions", "*/10 * * * *"),
        ScheduledTask("orders.free_held_orders", f"{_ROUNDS}.free_held_orders", "20 * * * *"),
    ],
    public_ids={
        "order_id": ("ord", "orders"),
        "line_id": ("oln", "order_lines"),
        "shipment_id": ("shp", "shipments"),
        "exception_id": ("oex", "order_exceptions"),
        "order_refund_id": ("ref", "refunds"),
        "proposal_id": ("opr", "order_proposals"),
        "match_id": ("opm", "product_matches"),
        "withdrawal_id": ("wdr", "withdrawals"),
        "carrier_id": ("car", "carriers"),
        "document_id": ("doc", "documents"),
        "document_export_id": ("dxp", "document_exports"),
    },
    publishes=(
        "orders.order_placed",
        "orders.order_confirmed",
        "orders.order_cancelled",
        "orders.order_refunded",
        "orders.units_cancelled",
        "orders.units_returned",
        "orders.shipment_shipped",
        "orders.parcels_changed",
        "orders.exception_opened",
        "orders.withdrawal_noted",
        "orders.withdrawal_settled",
    ),
    handlers={
        "catalog.product_updated": f"{_PACKAGE}.handlers:on_product_updated",
        "customers.customer_updated": f"{_PACKAGE}.handlers:on_customer_updated",
        "billing.subscription_changed": f"{_PACKAGE}.handlers:on_subscription_changed",
        "orders.order_confirmed": f"{_PACKAGE}.handlers:on_order_confirmed",
        "orders.shipment_shipped": f"{_PACKAGE}.handlers:on_shipment_shipped",
        "orders.order_refunded": f"{_PACKAGE}.handlers:on_order_refunded",
    },
    providers={
        "inventory.stock_arrival": f"{_SERVICES}.arrival_service:on_arrival",
        "customers.merge": f"{_SERVICES}.merge_service:merge",
        "framework.demo": f"{_SERVICES}.demo_service:seed",
        **_ORDER_PROVIDERS,
        **_DOCUMENT_PROVIDERS,
    },
    hooks=Hooks(health_check=f"{_SERVICES}.health_service:check_health"),
)
