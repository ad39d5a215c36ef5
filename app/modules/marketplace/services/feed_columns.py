"""Which fields of a parsed row, and so of the catalogue, each column of a feed stands for."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import compress
from operator import itemgetter
from typing import Any

from app.modules.catalog.contracts import INTAKE_COLUMNS, KEPT_BITS
from app.modules.marketplace.services.feed_row import ROW_COLUMNS, ParsedRow

LABELS = tuple(f"custom_label_{number}" for number in range(5))

COLUMN_FIELDS: dict[str, tuple[str, ...]] = {
    "id": ("external_id",),
    "title": ("title",),
    "description": ("description",),
    "link": ("link",),
    "image_link": ("image_link",),
    "additional_image_link": ("additional_image_links",),
    "availability": ("availability",),
    "availability_date": ("availability_date",),
    "price": ("price_cents", "currency"),
    "sale_price": ("sale_price_cents",),
    "sale_price_effective_date": ("sale_starts_at", "sale_ends_at"),
    "gtin": ("gtin",),
    "mpn": ("mpn",),
    "brand": ("brand",),
    "identifier_exists": ("identifier_exists",),
    "condition": ("condition",),
    "adult": ("is_adult",),
    "multipack": ("multipack",),
    "is_bundle": ("is_bundle",),
    "age_group": ("age_group",),
    "color": ("color",),
    "gender": ("gender",),
    "material": ("material",),
    "pattern": ("pattern",),
    "size": ("size",),
    "size_type": ("size_type",),
    "size_system": ("size_system",),
    "item_group_id": ("item_group_id",),
    "google_product_category": ("google_category",),
    "product_type": ("product_type",),
    "unit_pricing_measure": ("unit_pricing_measure",),
    "unit_pricing_base_measure": ("unit_pricing_base_measure",),
    "shipping": ("shipping",),
    "shipping_label": ("shipping_label",),
    "shipping_weight": ("shipping_weight",),
    "shipping_size": ("shipping_size",),
    "energy_efficiency_class": ("energy_class",),
    "min_energy_efficiency_class": ("min_energy_class",),
    "max_energy_efficiency_class": ("max_energy_class",),
    **{
        name: (name,)
        for name in (
            "manufacturer_name",
            "manufacturer_address",
            "manufacturer_email",
            "responsible_name",
            "responsible_address",
            "responsible_email",
            "safety_warning",
        )
    },
    **dict.fromkeys(LABELS, ("custom_labels",)),
}
"""Feed column to fields of ``ROW_COLUMNS``. A test holds it against the parser."""

_OWN_FIELDS = frozenset({"external_id", "raw"})
_ATTRIBUTES = tuple(
    (name, slot)
    for slot, name in enumerate(ROW_COLUMNS)
    if name not in INTAKE_COLUMNS and name not in _OWN_FIELDS
)
_ATTRIBUTE_NAMES = tuple(name for name, _ in _ATTRIBUTES)
_IDENTIFIER_EXISTS = _ATTRIBUTE_NAMES.index("identifier_exists")
_attribute_values = itemgetter(*(slot for _, slot in _ATTRIBUTES))
_BIT_NAMES = tuple(name for name in KEPT_BITS if name in ROW_COLUMNS)
_BITS = tuple(KEPT_BITS[name] for name in _BIT_NAMES)
_ATTRIBUTES_BIT = KEPT_BITS["attributes"]
_bit_values = itemgetter(*(ROW_COLUMNS.index(name) for name in _BIT_NAMES))
# Fields that make sense together only, so that they come from one feed.
_GROUPS = tuple(
    sum(KEPT_BITS[name] for name in names)
    for names in (
        ("price_cents", "currency", "sale_price_cents", "sale_starts_at", "sale_ends_at"),
        ("availability", "availability_date"),
    )
)
# What the catalogue takes as it stands in the row; line, id and attributes are put before and after it.
COPIED = tuple(name for name in INTAKE_COLUMNS if name not in ("line", "id", "attributes", "kept_fields"))
"""The intake's columns from ``sku`` to the one before ``attributes``."""
copied_fields = itemgetter(*(ROW_COLUMNS.index("external_id" if name == "sku" else name) for name in COPIED))
"""The part of a row that goes into ``COPIED``."""


def present_fields(columns: Iterable[str]) -> list[str]:
    """The catalogue's fields that a feed with these columns speaks about, sorted."""
    fields = {field for column in columns for field in COLUMN_FIELDS.get(column, ())}
    return sorted(fields - _OWN_FIELDS)


def given_bits(row: ParsedRow, attributes: Mapping[str, Any]) -> int:
    """The bits (``KEPT_BITS``) of the fields that have a value in the row; ``attributes`` are those of the row."""
    bits = sum(compress(_BITS, _bit_values(row)))
    return bits | _ATTRIBUTES_BIT if any(attributes.values()) else bits


@lru_cache(maxsize=4096)
def spoken_bits(given: int) -> int:
    """The fields that a row with these values speaks for: a price also says that there is no sale price."""
    for group in _GROUPS:
        if given & group:
            given |= group
    return given


def attributes_of(row: ParsedRow) -> dict[str, Any]:
    """The fields that the catalogue has no column for; what is empty, and a plain "no", is left out."""
    values = _attribute_values(row)
    attributes = dict(zip(compress(_ATTRIBUTE_NAMES, values), filter(None, values), strict=True))
    if values[_IDENTIFIER_EXISTS] is False:
        attributes["identifier_exists"] = False
    return attributes
