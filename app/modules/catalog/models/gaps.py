"""What a product or a text lacks, as the bits of a column that PostgreSQL keeps: counting reads no texts and no JSON.

The expressions are written as PostgreSQL gives them back, so that drift can be seen. A change of them is a migration.
"""

from collections.abc import Mapping

from app.modules.catalog.contracts import ProductCheck

_ADDRESS = "(attributes ->> 'manufacturer_address'::text)"
_PRODUCT: Mapping[ProductCheck, str] = {
    ProductCheck.IDENTIFIER: "gtin IS NULL AND (COALESCE(attributes ->> 'identifier_exists'::text, ''::text) <> "
    "'false'::text OR brand IS NULL OR mpn IS NULL)",
    ProductCheck.IMAGE: "image_link IS NULL",
    ProductCheck.PRICE: "price_cents <= 0",
    ProductCheck.AVAILABILITY: "availability IS NULL",
    ProductCheck.CATEGORY: "google_category IS NULL AND product_type IS NULL",
    ProductCheck.BRAND: "brand IS NULL",
    ProductCheck.MANUFACTURER: "(attributes ->> 'manufacturer_name'::text) IS NULL",
    ProductCheck.MANUFACTURER_ADDRESS: f"{_ADDRESS} IS NULL",
    ProductCheck.MANUFACTURER_EMAIL: "(attributes ->> 'manufacturer_email'::text) IS NULL",
    # Wherever the maker is: only where this bit is set, the address has to be read.
    ProductCheck.RESPONSIBLE: f"{_ADDRESS} IS NOT NULL AND ((attributes ->> 'responsible_name'::text) IS NULL OR "
    "(attributes ->> 'responsible_address'::text) IS NULL OR (attributes ->> 'responsible_email'::text) IS NULL)",
    ProductCheck.SAFETY_WARNING: "(attributes ->> 'safety_warning'::text) IS NULL",
}
_TEXT: Mapping[ProductCheck, str] = {
    ProductCheck.TITLE_LENGTH: "length(title) < 15 OR length(title) > 150",
    ProductCheck.DESCRIPTION: "description IS NULL",
    ProductCheck.DESCRIPTION_LENGTH: "COALESCE(length(description) < 50 OR length(description) > 5000, false)",
    ProductCheck.LINK: "link IS NULL",
}
PRODUCT_BITS = {check: 1 << place for place, check in enumerate(_PRODUCT)}
TEXT_BITS = {check: 1 << place for place, check in enumerate(_TEXT)}


def _sum(conditions: Mapping[ProductCheck, str]) -> str:
    cases = [f"CASE WHEN {sql} THEN {1 << place} ELSE 0 END" for place, sql in enumerate(conditions.values())]
    return " + ".join(cases)


PRODUCT_GAPS = _sum(_PRODUCT)
TEXT_GAPS = _sum(_TEXT)
