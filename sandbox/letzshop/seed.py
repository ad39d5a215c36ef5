"""What is there from the beginning: the shops of the demo with products and orders, and neighbours in the directory."""

from sandbox.letzshop import orders, shops
from sandbox.letzshop.state import Letzshop
from sandbox.store import Object

_DAY = 86_400
# Code, slug, name, company, e-mail, street, number, postcode, town.
_SHOPS = (
    (
        *("MOSELLE", "maison-moselle", "Maison Moselle", "Maison Moselle S.à r.l."),
        *("owner@moselle.example", "rue de la Moselle", "12", "5434", "Niederdonven"),
    ),
    (
        *("GUTLAND", "gutland-kids", "Gutland Kids", "Maison Moselle S.à r.l."),
        *("kids@gutland.example", "Grand-Rue", "48", "9050", "Ettelbruck"),
    ),
    (
        *("MINETT", "minett-outdoor", "Minett Outdoor", "Minett Outdoor S.A."),
        *("owner@minett.example", "rue de l’Alzette", "7", "4010", "Esch-sur-Alzette"),
    ),
)
_NEIGHBOURS = (
    ("Epicerie Um Plateau", "Altwies", "Luxembourg"),
    ("Bicherbuttek Schwaarz", "Bicherbuttek Schwaarz s.à r.l.", "Diekirch"),
    ("Maison Mosel", "Mosel Déco S.A.", "Grevenmacher"),
    ("Fleurs Iris", "Iris Fleurs s.à r.l.", "Mersch"),
    ("Vëlo Eck", "Vëlo Eck s.à r.l.", "Differdange"),
    ("Optique Clairefontaine", "Optique Clairefontaine S.A.", "Luxembourg"),
    ("Käsbuedem", "Käsbuedem s.à r.l.-S", "Wiltz"),
    ("Papeterie Ernster & Fils", "Ernster & Fils S.A.", "Dudelange"),
    ("Spillplaz", "Spillplaz asbl", "Remich"),
    ("Outdoor Minett", "Freizeit Sud s.à r.l.", "Esch-sur-Alzette"),
)
# SKU, GTIN, cents, name by language, brand: what the demo vendors have in their catalogues.
_KNOWN: dict[str, tuple[tuple[str, str, int, dict[str, str], str], ...]] = {
    "MOSELLE": (
        ("MOS-011", "5490000000004", 5490, {"fr": "Lampe de table, noir"}, "Atelier Moselle"),
        ("MOS-013", "5490000000028", 1490, {"fr": "Lampe de table, bleu"}, "Atelier Moselle"),
        ("MOS-014", "5490000000035", 6340, {"fr": "Lampe de table, vert sauge"}, "Atelier Moselle"),
        ("MOS-022", "5490001000010", 7140, {"fr": "Coussin en lin, ivoire"}, "Atelier Moselle"),
    ),
    "GUTLAND": (
        ("GUT-011", "5450000000008", 1190, {"de": "Holzpuzzle, schwarz"}, "Gutland Kids"),
        ("GUT-012", "5450000000015", 1740, {"de": "Holzpuzzle, elfenbein"}, "Gutland Kids"),
        ("GUT-013", "5450000000022", 2090, {"de": "Holzpuzzle, blau"}, "Gutland Kids"),
        ("GUT-022", "5450001000014", 2540, {"de": "Kuscheltier Hase, elfenbein"}, "Gutland Kids"),
    ),
    "MINETT": (
        ("MIN-011", "5430000000000", 1890, {"en": "Insulated bottle, black"}, "Minett Outdoor"),
        ("MIN-012", "5430000000017", 5540, {"en": "Insulated bottle, ivory"}, "Minett Outdoor"),
        ("MIN-021", "5430001000009", 6190, {"en": "Head torch, black"}, "Minett Outdoor"),
        ("MIN-022", "5430001000016", 1940, {"en": "Head torch, ivory"}, "Minett Outdoor"),
    ),
}
# Unknown to the shops' catalogues: a strange GTIN, a book without an SKU, something without a GTIN.
_OWN = (
    ("X-100", "4006381333931", 349, {"fr": "Surligneur jaune", "de": "Textmarker gelb"}, "Stabilo", None),
    (None, "3161484100", 1800, {"de": "Kochbuch", "en": "Cookery book"}, None, "isbn10"),
    ("X-300", None, 2500, {"en": "Gift box"}, None, None),
)
_PAST = ("confirmed", "confirmed", "mixed", "confirmed", "declined", "confirmed", "confirmed", "mixed")


def plant(letzshop: Letzshop) -> None:
    """Make it."""
    for code, slug, name, company, email, street, number, postcode, town in _SHOPS:
        place = {"street": street, "street_number": number, "zip_code": postcode, "city": town}
        told = {"code": code, "slug": slug, "name": name, "company_name": company, "email": email}
        shops.save_shop(letzshop, told | place)
    shops.save_key(letzshop, "lz_test_moselle_gutland_manager", ["MOSELLE", "GUTLAND"], shops.MANAGER)
    for place_in_list, (name, company, town) in enumerate(_NEIGHBOURS, start=1):
        shops.save_shop(letzshop, _neighbour(place_in_list, name, company, town))
    for code in _KNOWN:
        _plant_products(letzshop, code)
    for code in _KNOWN:
        _plant_orders(letzshop, code)


def _neighbour(number: int, name: str, company: str, town: str) -> Object:
    slug = f"{name.lower().replace(' & ', '-').replace(' ', '-')}"
    code = f"SHOP{number:03d}"
    told = {"code": code, "slug": slug, "name": name, "company_name": company, "city": town}
    return {**told, "active": number % 7 != 0, "has_keys": False}


def _plant_products(letzshop: Letzshop, code: str) -> None:
    for sku, gtin, cents, name, brand in _KNOWN[code]:
        known = {"shop": code, "sku": sku, "gtin": gtin, "price_cents": cents, "name": name, "brand": brand}
        shops.save_product(letzshop, {**known, "is_known": True})
    for own_sku, own_gtin, cents, name, own_brand, parser in _OWN:
        own = {"shop": code, "sku": own_sku, "gtin": own_gtin, "price_cents": cents, "name": name}
        shops.save_product(letzshop, {**own, "brand": own_brand, "parser": parser})


def _plant_orders(letzshop: Letzshop, code: str) -> None:
    now = letzshop.store.now()
    for number, state in enumerate(_PAST):
        at = now - (40 - 4 * number) * _DAY
        orders.place(letzshop, {"shop": code, "state": state, "placed_at": at})
    for hours in (20, 6, 1):
        orders.place(letzshop, {"shop": code, "placed_at": now - hours * 3600})
