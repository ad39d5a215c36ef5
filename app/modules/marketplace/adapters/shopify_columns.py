"""The columns of Shopify's product export, by the names of its older and newer templates."""

from app.modules.marketplace.adapters.columns import column_names
from app.modules.marketplace.adapters.mapping import safety_columns
from app.modules.marketplace.adapters.mapping_words import SAFETY
from app.modules.marketplace.adapters.shop_values import OPTION_COLUMNS

_NAMES: dict[str, tuple[str, ...]] = {
    "handle": ("handle", "url handle"),
    "title": ("title",),
    "body": ("body (html)", "description"),
    "vendor": ("vendor",),
    "category": ("product category",),
    "google_category": ("google shopping / google product category",),
    "type": ("type", "custom product type", "standardized product type"),
    "tags": ("tags",),
    "published": ("published", "published on online store"),
    "status": ("status",),
    "gift_card": ("gift card",),
    "option1_name": ("option1 name",),
    "option1_value": ("option1 value",),
    "option2_name": ("option2 name",),
    "option2_value": ("option2 value",),
    "option3_name": ("option3 name",),
    "option3_value": ("option3 value",),
    "sku": ("variant sku", "sku"),
    "grams": ("variant grams", "weight value (grams)"),
    "tracker": ("variant inventory tracker", "inventory tracker"),
    "quantity": ("variant inventory qty", "inventory quantity"),
    "policy": ("variant inventory policy", "continue selling when out of stock"),
    "price": ("variant price", "price"),
    "compare": ("variant compare at price", "compare-at price", "compare at price"),
    "barcode": ("variant barcode", "barcode"),
    "image": ("image src", "product image url"),
    "image_position": ("image position",),
    "variant_image": ("variant image", "variant image url"),
    "unit_measure": ("unit price total measure",),
    "unit_measure_unit": ("unit price total measure unit",),
    "unit_base": ("unit price base measure",),
    "unit_base_unit": ("unit price base measure unit",),
    "mpn": ("google shopping / mpn", "google shopping / manufacturer part number (mpn)"),
    "gender": ("google shopping / gender",),
    "age_group": ("google shopping / age group",),
    "condition": ("google shopping / condition",),
    **{f"custom_label_{n}": (f"google shopping / custom label {n}",) for n in range(5)},
}
COPIED = ("mpn", "gender", "age_group", "condition", *(f"custom_label_{n}" for n in range(5)), *SAFETY)
# Columns of the feed that need one of the export's columns; all others are always there.
_NEEDS = {
    "description": "body",
    "brand": "vendor",
    "google_product_category": "category",
    "product_type": "type",
    "tags": "tags",
    "availability": "quantity",
    "sale_price": "compare",
    "gtin": "barcode",
    "shipping_weight": "grams",
    "unit_pricing_measure": "unit_measure",
    "unit_pricing_base_measure": "unit_base",
    **{name: name for name in COPIED},
}
FIELDS = (*_NAMES, *SAFETY)
FROM_FIRST_ROW = (
    "body",
    "vendor",
    "category",
    "google_category",
    "type",
    "tags",
    "published",
    "status",
    "gift_card",
    "title",
)
"""Fields of the product, which other rows leave empty or repeat."""
COLUMNS = (
    *("id", "title", "description", "image_link", "additional_image_link", "availability"),
    *("price", "sale_price", "gtin", "brand", "item_group_id", *OPTION_COLUMNS),
    *("google_product_category", "product_type", "shipping_weight"),
    *("unit_pricing_measure", "unit_pricing_base_measure", *COPIED, "tags"),
)


def find_columns(header: list[str]) -> dict[str, int]:
    """Where each known column stands. Columns of markets ("Price / International") are not those of the shop."""
    places = {cell.strip().lower(): place for place, cell in reversed(list(enumerate(header)))}
    found = safety_columns(header)
    for field, names in _NAMES.items():
        place = next((places[name] for name in names if name in places), None)
        if place is not None:
            found[field] = place
    if "google_category" in found:
        found.setdefault("category", found["google_category"])
    return found


def feed_columns(found: dict[str, int]) -> list[str]:
    """The columns that the feed gets from an export with these columns."""
    return [name for name in COLUMNS if _NEEDS.get(name) is None or _NEEDS[name] in found]


def is_shopify(header: list[str]) -> bool:
    """Whether this is the header of a Shopify product export or of its import template."""
    names = set(column_names(header))
    return (
        "option1_name" in names
        and "title" in names
        and bool(names & {"variant_price", "price", "variant_sku"})
    )
