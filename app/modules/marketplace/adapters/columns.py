"""The columns of the Google product feed, and how the names in a header line are read."""

import re

LISTS = frozenset({"additional_image_link", "shipping", "product_type"})
"""Columns that hold several values, joined by commas."""

COLUMNS = (
    *("id", "title", "description", "link", "image_link", "additional_image_link"),
    *("availability", "availability_date", "price", "sale_price", "sale_price_effective_date"),
    *("gtin", "mpn", "brand", "identifier_exists", "condition", "adult", "multipack", "is_bundle"),
    *("age_group", "color", "gender", "material", "pattern", "size", "size_type", "size_system"),
    *("item_group_id", "google_product_category", "product_type"),
    *("unit_pricing_measure", "unit_pricing_base_measure"),
    *("shipping", "shipping_label", "shipping_weight", "shipping_size"),
    *("energy_efficiency_class", "min_energy_efficiency_class", "max_energy_efficiency_class"),
    *("manufacturer_name", "manufacturer_address", "manufacturer_email"),
    *("responsible_name", "responsible_address", "responsible_email", "safety_warning"),
    *("custom_label_0", "custom_label_1", "custom_label_2", "custom_label_3", "custom_label_4"),
)
REQUIRED_COLUMNS = ("id", "title", "price")
CORRECTION_COLUMN = "error"
"""The column that a file of failed rows has beside ours. It is read as it stands, whatever the feed's own files are."""
MAX_ID = 50
MAX_DESCRIPTION = 5000
MAX_IMAGES = 10

_JUNK = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\ufeff\ud800-\udfff]")


def column_name(cell: str, number: int) -> str:
    """The normalised name of a header cell; ``number`` (from 1) names a column without a name."""
    name = re.sub(r"[\s\-]+", "_", _JUNK.sub("", cell).strip().lower()).removeprefix("g:")
    return name or f"column_{number}"


def column_names(header: list[str]) -> list[str]:
    """The normalised names of a header line, in its order."""
    return [column_name(cell, number) for number, cell in enumerate(header, start=1)]
