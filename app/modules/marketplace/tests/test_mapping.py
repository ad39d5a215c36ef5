import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.modules.marketplace.adapters.columns import COLUMNS
from app.modules.marketplace.adapters.feed_errors import (
    FeedColumnsDuplicateError,
    FeedError,
    FeedMappingColumnError,
    FeedMappingFieldError,
    FeedMappingTwiceError,
)
from app.modules.marketplace.adapters.mapping import apply_mapping, safety_columns, suggest_mapping
from app.modules.marketplace.adapters.mapping_words import ALSO, NAMES, SAFETY
from app.modules.marketplace.services.feed_columns import COLUMN_FIELDS
from app.modules.marketplace.services.feed_values import column_converters

GTINS = ["4006381333931", "5901234123457", "9783161484100"]


def fields(header: list[str], rows: list[list[str]] | None = None) -> dict[str, str]:
    return {column: found.field for column, found in suggest_mapping(header, rows or []).items()}


def test_the_columns_are_those_of_the_parser() -> None:
    assert set(COLUMNS) == set(COLUMN_FIELDS)
    assert {*NAMES.values(), *ALSO.values(), *SAFETY} <= set(COLUMNS)
    assert set(ALSO) <= set(NAMES)


def test_every_field_of_product_safety_is_known_in_three_languages() -> None:
    words = {"manufacturer": "fabricant hersteller", "responsible": "responsable verantwortliche"}
    for field in SAFETY:
        known = " | ".join(name for name, found in NAMES.items() if found == field)
        subject = field.partition("_")[0]
        for word in words.get(subject, "safety securite sicherheit").split():
            assert word in known, (field, word)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            ["Artikelnummer", "Bezeichnung", "Preis (€)", "Lagerbestand", "EAN", "Marke", "Warengruppe"],
            ["id", "title", "price", "availability", "gtin", "brand", "product_type"],
        ),
        (
            ["Référence", "Désignation", "Prix TTC", "Qté", "Code-barres", "Marque", "Description"],
            ["id", "title", "price", "availability", "gtin", "brand", "description"],
        ),
        (
            ["SKU", "Product name", "Retail price", "Barcode", "Image URL", "Product URL", "Weight (kg)"],
            ["id", "title", "price", "gtin", "image_link", "link", "shipping_weight"],
        ),
        (["Artikelsnummer", "Numm", "Präis", "Beschreiwung"], ["id", "title", None, "description"]),
        (
            ["id", "g:title", "Sale Price", "Additional image link"],
            ["id", "title", "sale_price", "additional_image_link"],
        ),
        (["Prix HT", "Prix d'achat", "Prix TTC"], [None, None, "price"]),
        (["EK Netto", "VK Brutto"], [None, "price"]),
        (["EAN (Code barre)", "Taille"], ["gtin", "size"]),
        (["Notes", "", "Lieferant intern"], [None, None, None]),
        (
            [
                *("Brand", "Manufacturer", "Manufacturer address", "Manufacturer e-mail"),
                *("EU Responsible Person", "Responsible person (address)", "Responsible person email"),
                "Safety information",
            ],
            ["brand", *SAFETY],
        ),
        (
            [
                *("Nom du fabricant", "Adresse du fabricant", "Adresse e-mail du fabricant"),
                *("Personne responsable dans l’UE", "Adresse de la personne responsable"),
                *("Courriel de la personne responsable", "Consignes de sécurité", "Marque"),
            ],
            [*SAFETY, "brand"],
        ),
        (
            [
                *("GPSR Hersteller Name", "GPSR Hersteller-Anschrift", "GPSR Hersteller E-Mail"),
                *("EU-Verantwortlicher", "EU-Verantwortlicher Adresse", "EU-Verantwortlicher E-Mail"),
                *("Warn- und Sicherheitshinweise", "Marke"),
            ],
            [*SAFETY, "brand"],
        ),
        (["Hersteller", "Herstelleradresse"], ["brand", "manufacturer_address"]),
        (
            ["Hersteller", "Marke", "Verantwortliche Person"],
            ["manufacturer_name", "brand", "responsible_name"],
        ),
    ],
)
def test_names_in_every_language(header: list[str], expected: list[str | None]) -> None:
    expected_fields = {column: field for column, field in zip(header, expected, strict=True) if field}
    found = fields(header)
    assert found | {"Präis": ""} == expected_fields | {"Präis": ""}


def test_exports_of_shops_have_safety_data_under_names_of_their_owners() -> None:
    header = [
        *("Handle", "Vendor", "Google Shopping / Manufacturer part number (MPN)", "SEO description"),
        *(
            "Manufacturer name (product.metafields.custom.manufacturer_name)",
            "Meta: _gpsr_manufacturer_address",
        ),
        *("Meta: hersteller_email", "Meta: sicherheitshinweise", "Warnings", "Meta: _yoast_wpseo_title"),
    ]
    assert safety_columns(header) == {
        "manufacturer_name": 4,
        "manufacturer_address": 5,
        "manufacturer_email": 6,
        "safety_warning": 8,
    }


def test_values_speak_where_names_do_not() -> None:
    rows = [
        [gtin, f"{n}2,50 €", f"https://img.example/{n}.jpg", f"https://shop.example/{n}", f"note {n}"]
        for n, gtin in enumerate(GTINS, start=1)
    ]
    found = suggest_mapping(["A", "B", "C", "D", "E"], rows)
    assert {column: suggestion.field for column, suggestion in found.items()} == {
        "A": "gtin",
        "B": "price",
        "C": "image_link",
        "D": "link",
    }
    assert {suggestion.why for suggestion in found.values()} == {"values"}


def test_values_make_a_name_doubtful() -> None:
    good = suggest_mapping(["EAN"], [[gtin] for gtin in GTINS])["EAN"]
    bad = suggest_mapping(["EAN"], [["5901234123450"], ["n/a"], ["12"]])["EAN"]
    assert (good.confidence, good.why) == (0.9, "synonym")
    assert bad.confidence < 0.5
    # Of two columns for a field the one with fitting values is proposed.
    rows = [["n/a", gtin] for gtin in GTINS]
    assert fields(["EAN", "Barcode"], rows) == {"Barcode": "gtin"}


@given(
    st.lists(st.sampled_from([*NAMES, *COLUMNS, "x", "", "Prix HT", "EAN Nr"]), max_size=15),
    st.lists(st.lists(st.sampled_from([*GTINS, "1,50", "x", "https://a.b/c.png"]), max_size=15), max_size=5),
)
def test_no_field_twice_and_every_proposal_can_be_applied(header: list[str], rows: list[list[str]]) -> None:
    found = suggest_mapping(header, rows)
    chosen = [suggestion.field for suggestion in found.values()]
    assert len(chosen) == len(set(chosen))
    assert all(0 < suggestion.confidence <= 1 for suggestion in found.values())
    mapping = {column: field for column, field in fields(header, rows).items() if header.count(column) == 1}
    renamed = apply_mapping(header, mapping)
    assert len(renamed) == len(header)
    for column, field in mapping.items():
        assert renamed[header.index(column)] == field
        assert renamed.count(field) == 1


def test_columns_are_renamed() -> None:
    header = ["Réf.", "Prix TTC", "Price", "Notes", "notes", "Title"]
    mapping = {"Réf.": "id", "Prix TTC": "price", "Title": ""}
    assert apply_mapping(header, mapping) == [
        "id",
        "price",
        "unmapped_price",
        "notes",
        "notes_2",
        "unmapped_title",
    ]


@pytest.mark.parametrize(
    ("mapping", "error", "params"),
    [
        ({"A": "colour"}, FeedMappingFieldError, {"fields": "colour"}),
        ({"A": "id", "B": "id"}, FeedMappingTwiceError, {"fields": "id"}),
        ({"Z": "id"}, FeedMappingColumnError, {"columns": "Z", "found": "A, B, C, C"}),
        ({"C": "id"}, FeedColumnsDuplicateError, {"columns": "C"}),
    ],
)
def test_mappings_that_do_not_fit(
    mapping: dict[str, str], error: type[FeedError], params: dict[str, str]
) -> None:
    with pytest.raises(error) as caught:
        apply_mapping(["A", "B", "C", "C"], mapping)
    assert caught.value.params == params


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [("12", "in_stock"), ("0", "out_of_stock"), ("-3", "out_of_stock"), ("2,500", "in_stock")],
)
def test_a_number_of_pieces_is_an_availability(pieces: str, expected: str) -> None:
    assert column_converters("de", "EUR")["availability"](pieces) == expected


def test_a_proposal_for_a_real_table(tmp_path: Path) -> None:
    header = [
        "Artikel-Nr.",
        "Artikelbezeichnung",
        "Hersteller",
        "EAN-Code",
        "VK brutto",
        "EK netto",
        "Bestand",
        "Foto",
    ]
    row = ["4711", "Stuhl Eiche", "Moselwerk", GTINS[0], "149,00", "80,00", "3", "https://img.example/1.jpg"]
    with (tmp_path / "till.csv").open("w", newline="") as file:
        csv.writer(file, delimiter=";").writerows([header, row])
    assert fields(header, [row]) == {
        "Artikel-Nr.": "id",
        "Artikelbezeichnung": "title",
        "Hersteller": "brand",
        "EAN-Code": "gtin",
        "VK brutto": "price",
        "Bestand": "availability",
        "Foto": "image_link",
    }
