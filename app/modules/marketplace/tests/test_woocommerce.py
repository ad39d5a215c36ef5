import csv
from pathlib import Path

import pytest

from app.modules.marketplace.adapters import woocommerce
from app.modules.marketplace.adapters.detect import prepare
from app.modules.marketplace.adapters.feed_errors import FeedTooManyParentsError
from app.modules.marketplace.adapters.prepared import read_prepared
from app.modules.marketplace.adapters.woocommerce import split_list
from app.modules.marketplace.adapters.woocommerce_columns import WooColumns, is_woocommerce
from app.modules.marketplace.enums import RowErrorCode
from app.modules.marketplace.services.feed_row import RowParser, compile_header
from app.modules.marketplace.tests.prepared_rows import FIXTURES, dicts, fixture_rows

EXPORT = "woocommerce_products.csv"
HEADER = ["ID", "Type", "SKU", "Name", "Published", "Regular price", "Parent", "Description"]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    return fixture_rows(EXPORT, tmp_path_factory.mktemp("woo"))


def export(tmp_path: Path, lines: list[list[str]]) -> Path:
    path = tmp_path / "export.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEADER, *lines])
    return path


def test_a_variation_before_its_parent_takes_what_it_lacks(rows: dict[str, dict[str, str]]) -> None:
    uploads = "https://atelier.example/wp-content/uploads/2026/03/"
    assert rows["HOOD-RED-S"] == {
        "id": "HOOD-RED-S",
        "title": "Hoodie - Red, S",
        "description": "Soft cotton hoodie.\n\n- Kangaroo pocket\n- Ribbed cuffs & hem",
        "image_link": f"{uploads}hood-red.jpg",
        "additional_image_link": f"{uploads}hood.jpg,{uploads}hood-back.jpg",
        "availability": "in_stock",
        "price": "42.00",
        "sale_price": "35.00",
        "sale_price_effective_date": "2026-03-01 00:00:00/2026-03-31 23:59:59",
        "gtin": "5901234001014",
        "brand": "North & Sons",
        "item_group_id": "HOOD",
        "color": "Red",
        "size": "S",
        "material": "",
        "pattern": "",
        "product_type": "Clothing, Clothing > Hoodies",
        "shipping_weight": "",
        "tax_class": "",
        "tags": "warm, new",
        "line": "2",
    }


def test_parents_are_found_by_id_and_variations_without_a_sku_have_their_own_id(
    rows: dict[str, dict[str, str]],
) -> None:
    assert rows["HOOD-BLUE-S"]["title"] == "Hoodie - Blue / S"
    assert rows["HOOD-BLUE-S"]["item_group_id"] == "HOOD"
    assert rows["44"]["title"] == "Hoodie - Blue / M"
    assert "HOOD" not in rows


def test_availability(rows: dict[str, dict[str, str]]) -> None:
    found = [rows[id_]["availability"] for id_ in ("HOOD-RED-M", "HOOD-BLUE-S", "44", "COURSE")]
    assert found == ["out_of_stock", "in_stock", "backorder", "in_stock"]


def test_cells_that_were_kept_from_being_formulas(rows: dict[str, dict[str, str]]) -> None:
    ribbon = rows["=CALC"]
    assert (ribbon["title"], ribbon["description"]) == ("+1 Charity ribbon", "-10% on the next order")
    assert ribbon["product_type"] == "Gifts, small, Gifts > Ribbons"


def test_a_sale_without_a_first_day(rows: dict[str, dict[str, str]]) -> None:
    assert rows["SOAP"]["sale_price_effective_date"] == "2000-01-01/2026-12-31 23:59:59"


def test_attributes_of_simple_products(rows: dict[str, dict[str, str]]) -> None:
    assert (rows["SCARF"]["color"], rows["SCARF"]["material"]) == ("Grey", "Wool")
    assert rows["SOCKS"]["size"] == ""
    assert rows["57"]["title"] == "No number"


def test_what_is_left_out_and_what_is_missing(tmp_path: Path) -> None:
    feed = prepare(FIXTURES / EXPORT, tmp_path)
    assert feed.left_out == {"draft": 2, "external": 1, "grouped": 1, "unpublished": 1}
    [bad] = [row for row in read_prepared(feed) if row.problem]
    assert (bad.line, bad.problem, bad.params) == (15, RowErrorCode.PARENT_MISSING, {"parent": "GONE"})


@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_the_rows_are_those_of_a_feed(tmp_path: Path, language: str) -> None:
    name = EXPORT if language == "en" else f"woocommerce_products_{language}.csv"
    feed = prepare(FIXTURES / name, tmp_path)
    assert feed.profile == "woocommerce"
    parser = RowParser(compile_header(feed.header), language=language)
    results = [parser.parse(raw) for raw in read_prepared(feed) if raw.problem is None]
    assert results
    assert not [errors for errors in results if isinstance(errors, list)]


def test_a_french_export(tmp_path: Path) -> None:
    rows = fixture_rows("woocommerce_products_fr.csv", tmp_path)
    jacket = rows["VESTE-E38"]
    assert (jacket["price"], jacket["sale_price"]) == ("149,00", "129,00")
    assert (jacket["color"], jacket["size"], jacket["brand"]) == ("Écru", "38", "Atelier Sûre")
    assert (jacket["gtin"], jacket["shipping_weight"]) == ("5901234002011", "0.85 kg")
    assert rows["VESTE-B40"]["availability"] == "backorder"
    assert rows["MIEL"]["description"] == "Récolte 2026.\nSans mélange."
    assert rows["CARTE-07"]["product_type"] == "Papeterie > Cartes"
    assert len(rows) == 16


# As WooCommerce writes them in French (the tax class in the older form), with what no feed needs among them.
FRENCH = [
    *("ID", "Type", "UGS", "GTIN, UPC, EAN ou ISBN"),
    *("Nom", "Publié", "Mis en avant ?", "Visibilité dans le catalogue"),
    *("Description courte", "Description", "Date de début de promo", "Date de fin de promo"),
    *("État de la TVA", "Classe TVA", "En stock ?", "Stock"),
    *("Autoriser les commandes de produits en rupture ?", "Poids (kg)", "Tarif promo", "Tarif régulier"),
    *("Catégories", "Étiquettes", "Classe d’expédition", "Images"),
    *("Parent", "Nom de l’attribut 1", "Valeur(s) de l’attribut 1 ", "Attribut 1 visible"),
    "Brands",
]


def test_every_french_name_that_a_feed_needs_is_known() -> None:
    columns = WooColumns(FRENCH)
    assert columns.places.keys() == {
        *(
            "id",
            "type",
            "sku",
            "gtin",
            "name",
            "published",
            "short",
            "description",
            "sale_starts",
            "sale_ends",
        ),
        *(
            "tax_class",
            "in_stock",
            "stock",
            "backorders",
            "weight",
            "sale_price",
            "price",
            "categories",
            "tags",
        ),
        *("images", "parent", "brands"),
    }
    assert (columns.weight_unit, columns.attributes) == ("kg", [(25, 26)])
    assert is_woocommerce(FRENCH)


def test_a_german_export(tmp_path: Path) -> None:
    shirt = fixture_rows("woocommerce_products_de.csv", tmp_path)["HEMD-S"]
    assert (shirt["color"], shirt["size"], shirt["description"]) == ("Weiß", "S", "Kühl.")


def test_a_parent_any_distance_away(tmp_path: Path) -> None:
    lines = [["1", "variation", "V-1", "", "1", "5.00", "P", ""]]
    lines += [[str(n), "simple", f"S-{n}", f"Soap {n}", "1", "2.00", "", ""] for n in range(2, 3000)]
    lines += [[str(n), "variable", f"P{n}", f"Parent {n}", "1", "", "", "x"] for n in range(4000, 4500)]
    lines += [["3000", "variable", "P", "Parent", "1", "", "", "<p>Far away</p>"]]
    lines += [["3001", "variation", "V-2", "", "1", "5.00", "id:3000", ""]]
    rows = {row["id"]: row for row in dicts(prepare(export(tmp_path, lines), tmp_path))}
    assert rows["V-1"]["description"] == rows["V-2"]["description"] == "Far away"
    assert len(rows) == 3000


def test_too_many_parents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(woocommerce, "MAX_PARENTS", 3)
    lines = [[str(n), "variable", f"P-{n}", "x", "1", "", "", ""] for n in range(4)]
    with pytest.raises(FeedTooManyParentsError) as caught:
        prepare(export(tmp_path, lines), tmp_path)
    assert caught.value.params == {"limit": 3}
    assert [path.name for path in tmp_path.iterdir()] == ["export.csv"]


def test_the_same_export_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = prepare(FIXTURES / EXPORT, tmp_path / "1"), prepare(FIXTURES / EXPORT, tmp_path / "2")
    assert one.path.read_bytes() == two.path.read_bytes()


def test_lists() -> None:
    assert split_list("A > B, C\\, D,E") == ["A > B", "C, D", "E"]
    assert split_list("") == []
    assert split_list("one") == ["one"]
