"""Feeds of the demo: credible goods for the demo vendors, made from word lists, the same every time."""

import csv
import io
import random
from collections.abc import Iterator

from sqlalchemy.orm import Session

from app.core.database import TenantScope, acting_in
from app.modules.catalog.contracts import gtin_check_digit
from app.modules.marketplace.services import channel_demo_service
from app.modules.marketplace.services.feed_export_service import start_export
from app.modules.marketplace.services.feed_rule_service import RuleDraft, create_rule
from app.modules.marketplace.services.feed_rules import Rule
from app.modules.marketplace.services.import_service import ImportRequest, list_imports, start_import
from app.modules.setup import DemoLogin
from app.modules.tenancy import facade as tenancy
from app.tasks.dispatcher import dispatch

_TRIES = 30
_TASK = "app.modules.marketplace.tasks.demo.import_demo_feeds"
_COLOURS = {
    "fr": ("noir", "ivoire", "bleu", "vert sauge", "terracotta", "gris"),
    "de": ("schwarz", "elfenbein", "blau", "salbeigrün", "terrakotta", "grau"),
    "en": ("black", "ivory", "blue", "sage green", "terracotta", "grey"),
}
_SENTENCES = {
    "fr": "%(noun)s de %(brand)s, coloris %(colour)s. Retrait en boutique ou livraison en deux jours au Luxembourg.",
    "de": "%(noun)s von %(brand)s, Farbe %(colour)s. Abholung im Laden oder Lieferung in zwei Tagen in Luxemburg.",
    "en": "%(noun)s by %(brand)s, colour %(colour)s. Collect it in the shop or have it in two days in Luxembourg.",
}
# Vendor: brand, category, price of the cheapest in cents, and the goods by language.
_SHOPS: dict[str, tuple[str, str, int, dict[str, tuple[str, ...]]]] = {
    "MOSELLE": (
        "Atelier Moselle",
        "Home & Garden > Decor",
        1290,
        {
            "fr": (
                *("Lampe de table", "Coussin en lin", "Vase en grès", "Plaid en laine", "Bougie parfumée"),
                *("Corbeille tressée", "Cadre en chêne", "Tapis de couloir", "Nappe en coton", "Miroir rond"),
            )
        },
    ),
    "GUTLAND": (
        "Gutland Kids",
        "Baby & Toddler > Toys",
        890,
        {
            "fr": (
                *(
                    "Puzzle en bois",
                    "Doudou lapin",
                    "Camion de chantier",
                    "Jeu de mémoire",
                    "Boîte à musique",
                ),
                *("Gilet tricoté", "Bonnet enfant", "Livre sonore", "Cubes empilables", "Sac à dos d’école"),
            ),
            "de": (
                *("Holzpuzzle", "Kuscheltier Hase", "Baustellenlaster", "Memospiel", "Spieluhr"),
                *("Strickweste", "Kindermütze", "Klangbuch", "Stapelwürfel", "Schulrucksack"),
            ),
        },
    ),
    "MINETT": (
        "Minett Outdoor",
        "Sporting Goods > Outdoor Recreation",
        1590,
        {
            "fr": (
                *(
                    "Gourde isotherme",
                    "Lampe frontale",
                    "Sac de couchage",
                    "Réchaud à gaz",
                    "Bâtons de marche",
                ),
                *(
                    "Veste imperméable",
                    "Tapis de sol",
                    "Sac étanche",
                    "Couteau de poche",
                    "Tente deux places",
                ),
            ),
            "en": (
                *("Insulated bottle", "Head torch", "Sleeping bag", "Gas stove", "Trekking poles"),
                *("Rain jacket", "Sleeping mat", "Dry bag", "Pocket knife", "Two-person tent"),
            ),
        },
    ),
}
_COLUMNS = (
    "id",
    "title",
    "description",
    "link",
    "image_link",
    "availability",
    "price",
    "sale_price",
    "brand",
    "gtin",
)
_MORE_COLUMNS = ("condition", "color", "item_group_id", "google_product_category")
_RULE = RuleDraft(
    "import",
    Rule(
        "",
        "Sans bons cadeaux",
        "all",
        ({"column": "title", "op": "contains", "value": "bon cadeau"},),
        {"kind": "exclude"},
    ),
)


def seed(session: Session) -> list[DemoLogin]:
    """Have the feeds of the demo imported and its vendors connected as soon as a worker runs, unless that was done."""
    vendor = tenancy.find_vendor(code=next(iter(_SHOPS)))
    if vendor is not None:
        with acting_in(session, TenantScope(vendor.id)):
            if list_imports(session, limit=1):
                return []
    dispatch(session, _TASK, unique_key=_TASK)
    connect = channel_demo_service.TASK
    dispatch(session, connect, kwargs={"tries": _TRIES}, unique_key=connect)
    return []


def start_demo_imports(session: Session) -> int:
    """Start the imports of the demo vendors that have none yet, and an export after them; how many imports.

    Needs the system scope.
    """
    started = 0
    for code, (_, _, _, goods) in _SHOPS.items():
        vendor = tenancy.find_vendor(code=code)
        if vendor is None:
            continue
        with acting_in(session, TenantScope(vendor.id)):
            if list_imports(session, limit=1):
                continue
            create_rule(session, _RULE, vendor_id=vendor.id)
            for language in goods:
                content = io.BytesIO(demo_feed(code, language).encode())
                name = f"{code.lower()}-{language}.csv"
                start_import(session, ImportRequest(language, source_name=name, content=content))
                started += 1
            start_export(
                session, vendor_id=vendor.id, vendor_code=code, language=next(iter(goods)), user_id=None
            )
    return started


def demo_feed(code: str, language: str) -> str:
    """The feed of a demo vendor in a language: 60 good rows, and one that shows what an error looks like."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, delimiter=";", lineterminator="\n")
    writer.writerow((*_COLUMNS, *_MORE_COLUMNS))
    writer.writerows(_rows(code, language))
    return lines.getvalue()


def _rows(code: str, language: str) -> Iterator[tuple[str, ...]]:
    brand, category, cheapest, goods = _SHOPS[code]
    rng = random.Random(code)  # noqa: S311 - the same goods every time
    for number, noun in enumerate(goods[language]):
        for variant, colour in enumerate(_COLOURS[language]):
            cents = cheapest + rng.randrange(60) * 100 + variant * 50
            sale = f"{cents * 8 // 1000}.90 EUR" if rng.random() < 0.15 else ""
            body = f"54{ord(code[1]) % 10}{number:04d}{variant:05d}"
            sku = f"{code[:3]}-{number + 1:02d}{variant + 1}"
            place = f"https://{code.lower()}.example/{language}/{sku.lower()}"
            yield (
                sku,
                f"{noun}, {colour}",
                _SENTENCES[language] % {"noun": noun, "brand": brand, "colour": colour},
                place,
                f"https://{code.lower()}.example/images/{sku.lower()}.jpg",
                rng.choices(("in_stock", "out_of_stock", "backorder"), (88, 8, 4))[0],
                f"{cents // 100}.{cents % 100:02d} EUR",
                sale,
                brand,
                body + gtin_check_digit(body),
                "new",
                colour,
                f"{code[:3]}-{number + 1:02d}",
                category,
            )
    damaged = {
        "id": f"{code[:3]}-999",
        "title": brand,
        "description": brand,
        "gtin": "5.41E+12",
        "price": "19.90 EUR",
    }
    damaged |= {"link": "https://shop.example/999", "image_link": "https://shop.example/999.jpg"}
    damaged["availability"] = "in_stock"
    yield tuple(damaged.get(name, "") for name in (*_COLUMNS, *_MORE_COLUMNS))
