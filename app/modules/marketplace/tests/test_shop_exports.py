"""Exports of shops as their owners have them: imported as they come, they are the shop's catalogue."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.modules.catalog import facade as catalog
from app.modules.marketplace.services import completeness_service
from app.modules.marketplace.tests.conftest import Shop, counts
from app.modules.marketplace.tests.prepared_rows import FIXTURES

CDN = "https://cdn.shop.example/s/files/1/0712/4410/files/"
UPLOADS = "https://atelier.example/wp-content/uploads/2026"


def run(shop: Shop, name: str, language: str) -> dict[str, Any]:
    """Import a file of a shop; the products by SKU, with the title in the file's language."""
    done = shop.run(FIXTURES / name, language=language)
    assert done.job is not None
    assert done.job.state == "succeeded", done.row.problem
    with shop.session() as session:
        keys = shop.rows("SELECT sku, id FROM products WHERE vendor_id = :vendor")
        return {sku: catalog.get_product(session, key, language=language) for sku, key in keys}


def failed(shop: Shop) -> list[Any]:
    return shop.rows("SELECT errors FROM feed_row_errors WHERE vendor_id = :vendor ORDER BY line")


def test_shopify_with_the_names_of_today(shop: Shop) -> None:
    found = run(shop, "shopify_products_2026.csv", "en")
    assert failed(shop) == []
    assert sorted(found) == ["RC-M-N", "RC-M-Y", "RC-S-N", "RC-S-Y", "UMB-1"]
    coat = found["RC-S-Y"]
    facts = coat.facts
    assert (coat.summary.title, coat.texts[0].description) == (
        "Raincoat - S / Yellow",
        "Keeps you dry on the Kirchberg.",
    )
    assert (facts.price_cents, facts.sale_price_cents, facts.brand) == (9900, 7900, "Nordwand")
    assert (facts.size, facts.color, facts.item_group_id) == ("S", "Yellow", "raincoat")
    assert (facts.google_category, facts.product_type) == ("5598", "Jackets")
    assert (facts.image_link, facts.additional_image_links) == (
        f"{CDN}raincoat-yellow.jpg",
        [f"{CDN}raincoat-navy.jpg", f"{CDN}raincoat-hood.jpg"],
    )
    assert (facts.gender, facts.age_group, facts.attributes["shipping_weight"]) == (
        "unisex",
        "adult",
        "620 g",
    )
    stock = {sku: one.facts.availability for sku, one in found.items()}
    assert stock == {
        "RC-S-Y": "in_stock",
        "RC-S-N": "out_of_stock",
        "RC-M-Y": "backorder",
        "RC-M-N": "in_stock",
        "UMB-1": "in_stock",
    }
    navy = found["RC-M-N"].facts
    assert (navy.image_link, navy.sale_price_cents) == (f"{CDN}raincoat-navy.jpg", None)
    assert navy.attributes["manufacturer_name"] == "Nordwand Textil GmbH"
    umbrella = found["UMB-1"].facts
    assert (umbrella.item_group_id, umbrella.mpn) == (None, "NW-UMB-1")
    assert umbrella.additional_image_links == [f"{CDN}umbrella-open.jpg"]
    lacking = completeness(shop, "en")
    assert (lacking["manufacturer"], lacking["manufacturer_address"]) == (1, 1)


def test_shopify_with_the_names_of_before(shop: Shop) -> None:
    found = run(shop, "shopify_products.csv", "de")
    jumper, mug = found["MW-0001"].facts, found["MW-0007"].facts
    assert (jumper.price_cents, jumper.sale_price_cents, jumper.gtin) == (10900, 8900, "05901234000017")
    assert (jumper.size, jumper.color, jumper.material) == ("S", "Rot", "Merino")
    assert jumper.google_category == "Apparel & Accessories > Clothing > Shirts & Tops"
    assert mug.image_link == f"{CDN}becher-1.jpg"
    assert mug.additional_image_links[:2] == [f"{CDN}becher-2.jpg", f"{CDN}becher-3.jpg"]
    assert found["MW-0005"].facts.availability == "backorder"


def test_woocommerce_in_german(shop: Shop) -> None:
    found = run(shop, "woocommerce_products_de_2026.csv", "de")
    assert failed(shop) == []
    assert sorted(found) == ["72", "DECKE-GR-130", "SEIFE"]
    green, grey, soap = found["DECKE-GR-130"].facts, found["72"].facts, found["SEIFE"].facts
    assert (green.price_cents, green.sale_price_cents) == (11900, 8990)
    assert (green.sale_starts_at, green.sale_ends_at) == (
        datetime(2026, 12, 1, tzinfo=UTC),
        datetime(2026, 12, 24, 23, 59, 59, tzinfo=UTC),
    )
    assert (green.color, green.size, green.item_group_id) == ("Grün", "130 × 180 cm", "DECKE")
    assert (green.image_link, green.additional_image_links) == (
        f"{UPLOADS}/11/decke-gruen.jpg",
        [f"{UPLOADS}/11/decke.jpg", f"{UPLOADS}/11/decke-falte.jpg"],
    )
    assert (green.product_type, green.brand) == ("Wohnen, Wohnen > Decken", "Weberei Öslek")
    assert green.attributes["shipping_weight"] == "1.2 kg"
    assert found["DECKE-GR-130"].texts[0].description == "Gewebt in Wiltz.\n\n100 % Schurwolle"
    assert (grey.price_cents, grey.item_group_id, grey.image_link) == (
        114900,
        "DECKE",
        f"{UPLOADS}/11/decke.jpg",
    )
    assert found["72"].summary.title == "Wolldecke - Grau, 150 × 200 cm"
    assert [one.availability for one in (green, grey, soap)] == ["in_stock", "out_of_stock", "backorder"]
    assert (soap.price_cents, soap.attributes["safety_warning"]) == (650, "Nicht in die Augen.")
    assert {one.attributes["manufacturer_name"] for one in (green, grey)} == {"Weberei Öslek SARL"}
    lacking = completeness(shop, "de")
    assert (lacking["manufacturer"], lacking.get("safety_warning")) == (1, None)


@pytest.mark.parametrize(
    ("name", "language", "sku", "price", "sale"),
    [
        ("woocommerce_products_fr.csv", "fr", "VESTE-E38", 14900, 12900),
        ("woocommerce_products.csv", "en", "HOOD-RED-S", 4200, 3500),
    ],
)
def test_woocommerce_in_other_languages(
    shop: Shop, name: str, language: str, sku: str, price: int, sale: int
) -> None:
    one = run(shop, name, language)[sku].facts
    assert (one.price_cents, one.sale_price_cents) == (price, sale)
    assert one.color
    assert one.size
    assert one.image_link.startswith(UPLOADS)
    assert one.product_type


def test_importing_an_export_again_changes_nothing(shop: Shop) -> None:
    for name, language in (("shopify_products_2026.csv", "en"), ("woocommerce_products_de_2026.csv", "de")):
        first = shop.run(FIXTURES / name, language=language)
        again = shop.run(FIXTURES / name, language=language)
        assert counts(again) == (0, 0, first.row.created, 0)


def completeness(shop: Shop, language: str) -> dict[str, int]:
    with shop.session() as session:
        report = completeness_service.completeness(session, "letzshop", language=language)
    return {item.check.value: item.missing for item in report.items if item.missing}
