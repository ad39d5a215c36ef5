"""What products lack for a sales channel."""

from app.modules.marketplace.adapters.mapping import suggest_mapping
from app.modules.marketplace.services import completeness_service, feed_edit_service
from app.modules.marketplace.services.completeness_service import PROFILES
from app.modules.marketplace.services.export_service import preview_export
from app.modules.marketplace.tests.conftest import GOOD, Shop, feed

COMPLETE = {
    **GOOD,
    "id": "FULL",
    "title": "Chair of solid oak",
    "description": "A chair of solid oak, made by hand, for kitchens and offices.",
    "gtin": "4006381333931",
    "product_type": "Furniture > Chairs",
    "manufacturer_name": "Holz AG",
    "manufacturer_address": "Musterweg 1, 54290 Trier, Deutschland",
    "manufacturer_email": "info@holz.example",
    "responsible_name": "",
    "responsible_address": "",
    "responsible_email": "",
    "safety_warning": "Do not climb on it.",
    "mpn": "",
    "identifier_exists": "",
}


def missing(shop: Shop, channel: str = "letzshop", language: str = "en") -> dict[str, int]:
    """What is lacking, with the sum of what lists find checked against the counts."""
    with shop.session() as session:
        found = completeness_service.completeness(session, channel, language=language)
        for item in found.items:
            rows = completeness_service.select_products(language).where(
                completeness_service.lacking([item.check], language)
            )
            assert len(session.execute(rows).all()) == item.missing
    return {item.check.value: item.missing for item in found.items if item.missing}


def variant(number: int, **cells: str) -> dict[str, str]:
    return {**COMPLETE, "id": f"V-{number}", **cells}


def test_a_complete_product_lacks_nothing_but_translations(shop: Shop) -> None:
    shop.run(feed([COMPLETE]))
    assert missing(shop) == {"text_fr": 1, "text_de": 1}
    assert missing(shop, "google") == {}
    shop.run(feed([COMPLETE]), language="fr")
    assert missing(shop) == {"text_de": 1}
    with shop.session() as session:
        found = completeness_service.completeness(session, "letzshop", language="en")
        assert (found.total, found.complete, found.percent) == (1, 1, 100)
        found = completeness_service.completeness(session, "letzshop", language="de")
        assert (found.total, found.complete, found.percent) == (1, 0, 0)


def test_each_thing_that_is_missing_is_counted(shop: Shop) -> None:
    rows = [
        variant(1, gtin=""),
        variant(2, gtin="", identifier_exists="no", mpn="X-1"),
        variant(3, gtin="", identifier_exists="no", brand="", mpn="X-1"),
        variant(4, title="Chair"),
        variant(5, description="A chair."),
        variant(6, product_type=""),
        variant(7, manufacturer_name="", manufacturer_address="", manufacturer_email=""),
        variant(8, safety_warning=""),
    ]
    shop.run(feed(rows))
    found = missing(shop)
    del found["text_fr"], found["text_de"]
    assert found == {
        "identifier": 2,
        "brand": 1,
        "title_length": 1,
        "description_length": 1,
        "category": 1,
        "manufacturer": 1,
        "manufacturer_address": 1,
        "manufacturer_email": 1,
        "safety_warning": 1,
    }
    with shop.session() as session:
        letzshop = completeness_service.completeness(session, "letzshop", language="en")
        google = completeness_service.completeness(session, "google", language="en")
    assert (letzshop.total, letzshop.complete, letzshop.percent) == (8, 4, 50)
    assert (google.complete, [item.check for item in google.items if item.is_required]) == (
        6,
        list(PROFILES["google"].required),
    )


ADDRESSES = (
    ("12 rue de la Gare, L-1611 Luxembourg", True),
    ("Hauptstr. 3, D-54290 Trier", True),
    ("Via Roma 1, 20121 Milano, IT", True),
    ("Musterweg 1, Wien, ÖSTERREICH", True),
    ("88 Science Road, Shenzhen, China", False),
    ("12 de Gaulle Avenue, Boston, USA", False),
    ("Bahnhofstrasse 1, 8001 Zürich, CH", False),
    ("1 Be Street, London SE1 2AA", False),
)


def test_a_maker_outside_the_union_needs_somebody_inside(shop: Shop) -> None:
    person = {
        "responsible_name": "Import SA",
        "responsible_address": "L-1611 Luxembourg",
        "responsible_email": "eu@import.example",
    }
    rows = [variant(number, manufacturer_address=address) for number, (address, _) in enumerate(ADDRESSES)]
    rows += [one | person | {"id": f"P-{one['id']}"} for one in rows]
    shop.run(feed(rows))
    with shop.session() as session:
        asked = completeness_service.lacking(["responsible"], "en")
        found = session.execute(completeness_service.select_products("en").where(asked)).all()
    outside = {f"V-{number}" for number, (_, is_inside) in enumerate(ADDRESSES) if not is_inside}
    assert {one.sku for one in found} == outside
    assert missing(shop, "google")["responsible"] == len(outside)


def test_safety_data_of_any_table_count_once_the_proposed_mapping_is_taken(shop: Shop) -> None:
    header = {
        "id": "Artikelnummer",
        "title": "Bezeichnung",
        "price": "Verkaufspreis",
        "brand": "Marke",
        "manufacturer_name": "Hersteller",
        "manufacturer_address": "Herstelleranschrift",
        "manufacturer_email": "Hersteller E-Mail",
        "responsible_name": "Verantwortliche Person in der EU",
        "responsible_address": "Adresse der verantwortlichen Person",
        "responsible_email": "E-Mail der verantwortlichen Person",
        "safety_warning": "Warnhinweise",
    }
    person = {"responsible_name": "Import SA", "responsible_address": "L-1611 Luxembourg"}
    rows = [
        variant(1),
        variant(2, manufacturer_email=""),
        variant(3, manufacturer_address="12 Long Road, Shenzhen, China"),
        variant(
            4, manufacturer_address="12 Long Road, Shenzhen, China", **person, responsible_email="a@b.example"
        ),
        variant(5, manufacturer_name="", safety_warning=""),
    ]
    table = [{name: one[field] for field, name in header.items()} for one in rows]
    proposed = suggest_mapping([*table[0]], [[*one.values()] for one in table])
    mapping = {column: found.field for column, found in proposed.items()}
    assert mapping == {name: field for field, name in header.items()}
    with shop.session() as session:
        values = {"language": "en", "mapping": mapping}
        key = feed_edit_service.create_feed(session, vendor_id=shop.vendor_id, values=values).id
    shop.run(feed(table, delimiter=";"), feed_id=key)
    found = missing(shop)
    names = ("manufacturer", "manufacturer_address", "manufacturer_email", "responsible", "safety_warning")
    assert [found.get(name, 0) for name in names] == [1, 0, 1, 1, 1]


def test_what_is_not_on_sale_is_not_counted(shop: Shop, other_shop: Shop) -> None:
    shop.run(feed([variant(n, gtin="") for n in range(4)]))
    other_shop.run(feed([variant(9, gtin="")]))
    shop.rows("UPDATE products SET is_active = false WHERE vendor_id = :vendor AND sku = 'V-0'")
    shop.rows("UPDATE products SET archived_at = now() WHERE vendor_id = :vendor AND sku = 'V-1'")
    assert missing(shop)["identifier"] == 2
    with shop.session() as session:
        statement = completeness_service.select_products("en").order_by(completeness_service.PRODUCT_KEY)
        assert [one.sku for one in session.execute(statement)] == ["V-2", "V-3"]


def test_safety_data_comes_with_the_feed_and_leaves_with_the_export(shop: Shop) -> None:
    shop.run(feed([COMPLETE | {"responsible_name": "Import SA"}]))
    attributes = shop.product("FULL").attributes
    assert attributes["manufacturer_name"] == "Holz AG"
    assert attributes["responsible_name"] == "Import SA"
    assert "responsible_email" not in attributes
    with shop.session() as session:
        found = preview_export(session, language="en", limit=5)
    cells = dict(zip(found.columns, found.rows[0], strict=True))
    assert cells["safety_warning"] == "Do not climb on it."
    assert cells["manufacturer_address"] == "Musterweg 1, 54290 Trier, Deutschland"
