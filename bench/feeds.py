"""Product feeds of any size for tests and benchmarks: the same seed writes the same bytes.

`python -m bench.feeds --rows 100000 --out feed.tsv` writes a tab-separated Google product feed in which a
known share of the rows is wrong in a known way.
"""

import argparse
import csv
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from app.modules.catalog.contracts import gtin_check_digit

Cells = dict[str, str]

COLUMNS = (
    *("id", "title", "description", "link", "image_link", "additional_image_link", "availability"),
    *("availability_date", "price", "sale_price", "sale_price_effective_date", "brand", "gtin", "mpn"),
    *("identifier_exists", "condition", "adult", "multipack", "is_bundle", "age_group", "color", "gender"),
    *("material", "pattern", "size", "item_group_id", "google_product_category", "product_type"),
    *("custom_label_0", "custom_label_1", "shipping", "shipping_weight", "unit_pricing_measure"),
    *("unit_pricing_base_measure", "energy_efficiency_class", "supplier_note"),
)
_NOUNS = {
    "en": ("chair", "lamp", "shirt", "backpack", "kettle", "notebook", "umbrella", "blanket"),
    "fr": ("chaise", "lampe", "chemise", "sac à dos", "bouilloire", "cahier", "parapluie", "couverture"),
    "de": ("Stuhl", "Lampe", "Hemd", "Rucksack", "Wasserkocher", "Heft", "Regenschirm", "Wolldecke"),
}
_ADJECTIVES = {
    "en": ("light", "sturdy", "classic", "foldable", "handmade"),
    "fr": ("léger", "robuste", "classique", "pliable", "artisanal"),
    "de": ("leicht", "robust", "klassisch", "faltbar", "handgemacht"),
}
_SENTENCES = {
    "en": ("Made in a small workshop.", "Delivered within two days; returns are free.", "Fits every room."),
    "fr": ("Fabriqué dans un petit atelier.", "Livré en deux jours ; retour gratuit.", "Pour chaque pièce."),
    "de": (
        "In einer kleinen Werkstatt gefertigt.",
        "Lieferung in zwei Tagen, Rückgabe gratis.",
        "Passt überall.",
    ),
}
_BRANDS = ("Moselwerk", "Atelier Gutt", "Nordlicht", "Belair", "Kirchberg & Fils")
_COLOURS = ("black", "white", "red", "navy", "green")
_CATEGORIES = (
    "Furniture > Chairs",
    "Home & Garden > Lighting",
    "Apparel & Accessories > Clothing",
    "Luggage & Bags",
)
_SHOP = "https://shop.example"
_IMAGES = "https://img.example"


def _set(column: str, value: str) -> Callable[[Cells], None]:
    def change(cells: Cells) -> None:
        cells[column] = value

    return change


def _price_not_lower(cells: Cells) -> None:
    cells["sale_price"] = cells["price"]


def _leave(_: Cells) -> None:
    """Such a row is spoilt as it is written."""


# What can be wrong: error code, column ("" is the row as a whole), how the row gets so.
DIRT: tuple[tuple[str, str, Callable[[Cells], None]], ...] = (
    ("required_empty", "id", _set("id", "")),
    ("required_empty", "title", _set("title", "  ")),
    ("text_too_long", "title", _set("title", "long " * 40)),
    ("url_malformed", "link", _set("link", "www.shop.example/p/1")),
    ("url_malformed", "image_link", _set("image_link", "https://img.example/a b.jpg")),
    ("too_many_images", "additional_image_link", _set("additional_image_link", ",".join([_IMAGES] * 11))),
    ("value_unknown", "availability", _set("availability", "maybe")),
    ("value_unknown", "condition", _set("condition", "antique")),
    ("price_malformed", "price", _set("price", "on request")),
    ("price_ambiguous", "price", _set("price", "1,234 EUR")),
    ("price_negative", "price", _set("price", "-5.00 EUR")),
    ("price_zero", "price", _set("price", "0.00 EUR")),
    ("price_decimals", "price", _set("price", "15.9999 EUR")),
    ("currency_unknown", "price", _set("price", "15.00 ZZZ")),
    ("sale_price_not_lower", "sale_price", _price_not_lower),
    (
        "sale_dates_order",
        "sale_price_effective_date",
        _set("sale_price_effective_date", "2026-05-02/2026-05-01"),
    ),
    ("gtin_scientific", "gtin", _set("gtin", "6.29104E+12")),
    ("gtin_decimal", "gtin", _set("gtin", "5410000000016.0")),
    ("gtin_check_digit", "gtin", _set("gtin", "5410000000017")),
    ("gtin_length", "gtin", _set("gtin", "12345")),
    ("boolean_malformed", "adult", _set("adult", "perhaps")),
    ("multipack_malformed", "multipack", _set("multipack", "1")),
    ("date_malformed", "availability_date", _set("availability_date", "31.12.2026")),
    ("spreadsheet_error", "brand", _set("brand", "#REF!")),
    ("wrong_cell_count", "", _leave),
    ("stray_quote", "", _leave),
)


@dataclass(frozen=True, slots=True)
class FeedTruth:
    """What a written feed holds: all rows, and the column and error code of the wrong ones by line."""

    rows: int
    dirty: dict[int, tuple[str, str]] = field(default_factory=dict)


def write_feed(path: Path, *, rows: int, language: str, seed: int, dirty_share: float = 0.03) -> FeedTruth:
    """Writes a feed of so many rows (language en, fr or de), row by row; the language changes the texts alone."""
    rng = random.Random(seed)  # noqa: S311 - the same feed every time is the purpose
    truth = FeedTruth(rows)
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter="\t", lineterminator="\n")
        writer.writerow(COLUMNS)
        line = 2
        for number in range(rows):
            cells = clean_row(number, language, rng)
            code, column = "", ""
            if rng.random() < dirty_share:
                code, column, spoil = rng.choice(DIRT)
                spoil(cells)
                truth.dirty[line] = (column, code)
            values = list(cells.values())
            if code == "wrong_cell_count":
                values.pop()
            if code == "stray_quote":
                handle.write('"Best" ' + "\t".join(value.replace("\n", " ") for value in values) + "\n")
                line += 1
            else:
                writer.writerow(values)
                line += 1 + cells["description"].count("\n")
    return truth


def clean_row(number: int, language: str, rng: random.Random) -> Cells:
    """One row without errors; ``number`` makes its id and GTIN its own."""
    noun, adjective = rng.randrange(len(_NOUNS["en"])), rng.randrange(len(_ADJECTIVES["en"]))
    colour, brand = rng.choice(_COLOURS), rng.choice(_BRANDS)
    cents = rng.randrange(200, 60_000)
    body = f"54{number:010d}"
    sentences = _SENTENCES[language]
    kind = rng.randrange(100)
    more_images = f"{_IMAGES}/{number}-2.jpg,{_IMAGES}/{number}-3.jpg"
    cells = dict.fromkeys(COLUMNS, "")
    cells |= {
        "id": f"SKU-{number:07d}",
        "title": f"{brand} {_NOUNS[language][noun]} {_ADJECTIVES[language][adjective]}, {number % 90 + 10} cm",
        "description": ("\n" if kind < 3 else " ").join(sentences) + (' 27" "Studio"' if kind > 96 else ""),
        "link": f"{_SHOP}/{language}/p/{number}?variant={kind}",
        "image_link": f"{_IMAGES}/{number}-1.jpg",
        "additional_image_link": more_images if kind % 3 == 0 else "",
        "availability": "out of stock" if kind < 8 else "in_stock",
        "price": f"{cents // 100}.{cents % 100:02d} EUR",
        "brand": brand,
        "gtin": body + gtin_check_digit(body),
        "mpn": f"{brand[:3].upper()}{number}",
        "condition": "new",
        "adult": "no",
        "color": colour,
        "google_product_category": _CATEGORIES[kind % 4],
        "product_type": f"{_NOUNS['en'][noun]} > {_ADJECTIVES['en'][adjective]}",
        "custom_label_0": "season" if kind % 2 else "",
        "custom_label_1": f"margin {kind % 5}",
        "shipping": "LU:::4.90 EUR",
        "shipping_weight": f"{kind + 1} kg",
        "supplier_note": f"shelf {kind}",
    }
    if kind % 5 == 0 and cents > 200:
        cells["sale_price"] = f"{cents // 200 + 1}.00 EUR"
        cells["sale_price_effective_date"] = "2026-05-01T08:00+0200/2026-05-31T20:00+0200"
    if kind == 9:
        cells |= {"availability": "preorder", "availability_date": "2026-12-01"}
    if kind % 7 == 0:
        cells |= {"size": "M", "gender": "unisex", "age_group": "adult", "item_group_id": f"G{number // 4}"}
    if kind % 11 == 0:
        cells |= {"gtin": "", "identifier_exists": "no", "multipack": "6", "is_bundle": "yes"}
    if kind % 13 == 0:
        cells |= {"unit_pricing_measure": "750 ml", "unit_pricing_base_measure": "1 l", "material": "cotton"}
    if kind == 60:
        cells |= {"energy_efficiency_class": "B", "pattern": "striped"}
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--language", choices=sorted(_NOUNS), default="en")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dirty-share", type=float, default=0.03)
    options = parser.parse_args()
    truth = write_feed(
        options.out,
        rows=options.rows,
        language=options.language,
        seed=options.seed,
        dirty_share=options.dirty_share,
    )
    print(f"{options.out}: {truth.rows} rows, {len(truth.dirty)} of them wrong")


if __name__ == "__main__":
    main()
