"""Invented buyers of Luxembourg and its three neighbours."""

import random
import unicodedata
from typing import Any

from sandbox.store import Object

_COUNTRIES = {"LU": "Luxembourg", "DE": "Germany", "FR": "France", "BE": "Belgium"}
_PLACES: dict[str, tuple[tuple[str, str], ...]] = {
    "LU": (
        ("1340", "Luxembourg"),
        ("4011", "Esch-sur-Alzette"),
        ("6633", "Wasserbillig"),
        ("L-9053", "Ettelbruck"),
    ),
    "DE": (("54290", "Trier"), ("66111", "Saarbrücken"), ("54439", "Saarburg")),
    "FR": (("57100", "Thionville"), ("57000", "Metz"), ("54400", "Longwy")),
    "BE": (("6700", "Arlon"), ("6600", "Bastogne"), ("4780", "Sankt Vith")),
}
_STREETS = {
    "LU": ("rue de la Gare", "Grand-Rue", "route d’Esch", "rue Jos Kieffer"),
    "DE": ("Bahnhofstraße", "Am Moselufer", "Saarstraße"),
    "FR": ("rue de la République", "avenue Foch", "place Ney"),
    "BE": ("rue de Luxembourg", "Hauptstraße", "avenue Nothomb"),
}
_FIRST = ("Anne", "Jos", "Léa", "Marc", "Nora", "Pol", "Zoé", "Jürgen", "Françoise", "Théo", "Mia", "Sam")
_LAST = (
    "Muller",
    "Weber",
    "Schmit",
    "Da Silva",
    "D’Onofrio",
    "Müller-Kieffer",
    "Lambert",
    "Wagner",
    "Faber",
    "Hoffmann",
)
_COMPANIES = ("Atelier Faber s.à r.l.", "Crèche Kannerhaus asbl", "Schreinerei Wagner GmbH")
LOCALES = ("fr", "de", "en")


def make_buyer(rng: random.Random, country: str | None = None, locale: str | None = None) -> Object:
    """``email``, ``locale``, ``shipAddress`` and ``billAddress`` of an order."""
    iso = (country or rng.choices(tuple(_COUNTRIES), (82, 6, 7, 5))[0]).upper()
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    ship = _address(rng, iso, first, last)
    is_gift = rng.random() < 0.15
    bill = _address(rng, "LU", rng.choice(_FIRST), last) if is_gift else {**ship}
    if rng.random() < 0.12:
        bill["company"] = rng.choice(_COMPANIES)
    return {
        "email": f"{_plain(first)}.{_plain(last)}{rng.randrange(100)}@buyer.example",
        "locale": locale or rng.choices(LOCALES, (6, 2, 2))[0],
        "shipAddress": ship,
        "billAddress": bill,
    }


def _address(rng: random.Random, iso: str, first: str, last: str) -> dict[str, Any]:
    places = _PLACES.get(iso, (("10115", "Berlin"),))
    postcode, city = rng.choice(places)
    return {
        "firstName": first,
        "lastName": last,
        "company": None,
        "streetName": rng.choice(_STREETS.get(iso, _STREETS["DE"])),
        "streetNumber": f"{rng.randrange(1, 180)}{rng.choice(('', '', '', 'A', ' bis'))}",
        "city": city,
        "zipCode": postcode,
        "phone": f"+352 691 {rng.randrange(100, 1000)} {rng.randrange(100, 1000)}"
        if rng.random() < 0.7
        else None,
        "country": {"iso": iso, "name": _COUNTRIES.get(iso, iso)},
    }


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.lower())
    return "".join(letter for letter in letters if letter.isascii() and letter.isalpha())
