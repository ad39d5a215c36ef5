"""The columns of WooCommerce's product export, whose names are in the language of the shop (en, fr, de)."""

import re

from app.modules.marketplace.adapters.mapping import safety_columns
from app.modules.marketplace.adapters.mapping_words import SAFETY
from app.modules.marketplace.adapters.shop_values import OPTION_COLUMNS, plain

_NAMES: dict[str, tuple[str, ...]] = {
    "id": ("ID",),
    "type": ("Type", "Typ"),
    "sku": ("SKU", "UGS", "Artikelnummer"),
    "gtin": ("GTIN, UPC, EAN, or ISBN", "GTIN, UPC, EAN ou ISBN", "GTIN, UPC, EAN oder ISBN"),
    "name": ("Name", "Nom"),
    "published": ("Published", "Publié", "Veröffentlicht"),
    "short": ("Short description", "Description courte", "Kurzbeschreibung"),
    "description": ("Description", "Beschreibung"),
    "sale_starts": (
        *("Date sale price starts", "Date de début de promo", "Date de début du tarif promo"),
        "Datum, an dem Angebotspreis beginnt",
    ),
    "sale_ends": (
        *("Date sale price ends", "Date de fin de promo", "Date de fin du tarif promo"),
        "Datum, an dem Angebotspreis endet",
    ),
    "tax_class": ("Tax class", "Classe de TVA", "Classe TVA", "Classe de taxe", "Steuerklasse"),
    "in_stock": ("In stock?", "En stock ?", "Vorrätig?"),
    "stock": ("Stock", "Lager", "Bestand", "Lagerbestand"),
    "backorders": (
        *("Backorders allowed?", "Autoriser les commandes de produits en rupture ?"),
        *("Lieferrückstande erlaubt?", "Lieferrückstände erlaubt?", "Rückstände erlaubt?"),
    ),
    "sale_price": ("Sale price", "Tarif promo", "Angebotspreis"),
    "price": ("Regular price", "Tarif régulier", "Regulärer Preis"),
    "categories": ("Categories", "Catégories", "Kategorien"),
    "tags": ("Tags", "Étiquettes", "Schlagwörter"),
    "images": ("Images", "Bilder"),
    "parent": ("Parent", "Übergeordnetes Produkt"),
    "brands": ("Brands", "Marques", "Marken", "Brand", "Marque", "Marke"),
}
FIELDS = (*_NAMES, "weight", *SAFETY)
_WEIGHT = re.compile(r"(?:weight|poids|gewicht) (kg|g|lbs|oz)")
_UNITS = {"kg": "kg", "g": "g", "lbs": "lb", "oz": "oz"}
_ATTRIBUTE_NAME = re.compile(r"attribute (\d+) name|nom de l attribut (\d+)|attribut (\d+) name")
_ATTRIBUTE_VALUE = re.compile(
    r"attribute (\d+) value s|valeur s de l attribut (\d+)|attribut (\d+) wert(?: e|e)?"
)
MAX_ATTRIBUTES = 20
# Columns of the feed that need one of the export's columns; all others are always there.
_NEEDS = {
    "gtin": "gtin",
    "brand": "brands",
    "sale_price": "sale_price",
    "sale_price_effective_date": "sale_ends",
    "availability": "in_stock",
    "product_type": "categories",
    "shipping_weight": "weight",
    "tags": "tags",
    "tax_class": "tax_class",
    **{name: name for name in SAFETY},
}
_COLUMNS = (
    *("id", "title", "description", "image_link", "additional_image_link", "availability"),
    *("price", "sale_price", "sale_price_effective_date", "gtin", "brand", "item_group_id", *OPTION_COLUMNS),
    *("product_type", "shipping_weight", "tax_class", "tags", *SAFETY),
)


class WooColumns:
    """Where the known columns of an export stand: fields by our names, attributes as (name, value) places."""

    def __init__(self, header: list[str]) -> None:
        names = [plain(cell) for cell in header]
        self.places = safety_columns(header)
        self.weight_unit = ""
        for field, spellings in _NAMES.items():
            known = {plain(spelling) for spelling in spellings}
            place = next((place for place, name in enumerate(names) if name in known), None)
            if place is not None:
                self.places[field] = place
        for place, name in enumerate(names):
            if match := _WEIGHT.fullmatch(name):
                self.places["weight"], self.weight_unit = place, _UNITS[match[1]]
        numbered = [_numbered(pattern, names) for pattern in (_ATTRIBUTE_NAME, _ATTRIBUTE_VALUE)]
        self.attributes = [
            (place, numbered[1][number])
            for number, place in sorted(numbered[0].items())[:MAX_ATTRIBUTES]
            if number in numbered[1]
        ]

    @property
    def feed_columns(self) -> list[str]:
        """The columns that the feed gets from this export."""
        return [name for name in _COLUMNS if _NEEDS.get(name) is None or _NEEDS[name] in self.places]


def _numbered(pattern: "re.Pattern[str]", names: list[str]) -> dict[int, int]:
    matches = ((pattern.fullmatch(name), place) for place, name in enumerate(names))
    return {int(next(filter(None, match.groups()))): place for match, place in matches if match}


def is_woocommerce(header: list[str]) -> bool:
    """Whether this is the header of a WooCommerce product export."""
    places = WooColumns(header).places
    return {"type", "sku", "name", "price"} <= places.keys() and bool({"published", "parent"} & places.keys())
