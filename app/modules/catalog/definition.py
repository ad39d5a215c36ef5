"""Catalog: the vendor's products, their texts in each language, search, and the intake for bulk data."""

from app.modules.base import (
    Feature,
    Hooks,
    MenuEntry,
    ModuleClass,
    ModuleDefinition,
    PageDef,
    Permission,
)

_PACKAGE = "app.modules.catalog"

definition = ModuleDefinition(
    code="catalog",
    name="Catalog",
    module_class=ModuleClass.OPTIONAL,
    description="What a vendor sells: products, texts in each language, search.",
    features=(
        Feature(
            "catalog.products",
            "catalog.features.products",
            usage=f"{_PACKAGE}.services.limit_service:count_present",
        ),
    ),
    permissions=(
        Permission("catalog.products.view", "catalog.permissions.products_view", "vendor"),
        Permission("catalog.products.edit", "catalog.permissions.products_edit", "vendor"),
    ),
    pages=(
        PageDef(
            "catalog.vendor.products",
            "vendor",
            "/products",
            "list",
            "catalog.products.title",
            "catalog.products.view",
            MenuEntry("catalog", 10, "package", key="p"),
        ),
        PageDef(
            "catalog.vendor.product",
            "vendor",
            "/products/{product_id}",
            "detail",
            "catalog.product.title",
            "catalog.products.view",
        ),
        PageDef(
            "catalog.vendor.edit_product",
            "vendor",
            "/products/{product_id}/edit",
            "form",
            "catalog.edit_product.title",
            "catalog.products.edit",
        ),
        PageDef(
            "catalog.vendor.new_product",
            "vendor",
            "/products/new",
            "form",
            "catalog.new_product.title",
            "catalog.products.edit",
        ),
        PageDef(
            "catalog.vendor.archived",
            "vendor",
            "/products/archived",
            "list",
            "catalog.archived.title",
            "catalog.products.view",
        ),
    ),
    routes=("vendor", "vendor_product", "vendor_forms", "api"),
    publishes=("catalog.product_updated",),
    public_ids={"product_id": ("prd", "products")},
    providers={"core.vendor_tiles": f"{_PACKAGE}.services.tile_service:vendor_tiles"},
    hooks=Hooks(health_check=f"{_PACKAGE}.services.health_service:check_health"),
)
