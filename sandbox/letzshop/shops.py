"""Shops of the stand-in, their keys, and the products that no feed has."""

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.letzshop.state import Letzshop, NotThereError
from sandbox.store import Object

MANAGER, READER = "shop_manager", "reader"
_TEXTS = (
    "slug",
    "name",
    "company_name",
    "email",
    "phone",
    "homepage",
    "street",
    "street_number",
    "zip_code",
    "city",
)
_LANGUAGES = ("fr", "de", "en", "lb")


class ShopError(ValueError):
    """A shop, key or product cannot be like this."""


def save_shop(letzshop: Letzshop, given: Mapping[str, Any]) -> Object:
    """Add a shop under its ``code``, with a key for each role, or change it. Returns it with its keys."""
    code = str(given.get("code", "")).strip().upper()
    if not code.isalnum():
        raise ShopError("code: letters and digits.")
    if unknown := set(given) - {"code", "active", "has_keys", "description", *_TEXTS}:
        raise ShopError(f"Unknown: {', '.join(sorted(unknown))}.")
    known = letzshop.by_ref("shop", code)
    shop = known[0] if known else _new_shop(letzshop, code)
    shop |= {name: str(given[name]) for name in _TEXTS if name in given}
    shop |= {name: given[name] for name in ("active", "description") if name in given}
    letzshop.put_shop(shop)
    if not known and given.get("has_keys", True):
        for role, word in ((MANAGER, "manager"), (READER, "reader")):
            save_key(letzshop, f"lz_test_{code.lower()}_{word}", [code], role)
    return with_keys(letzshop, shop)


def _new_shop(letzshop: Letzshop, code: str) -> Object:
    name = code.capitalize()
    return {
        "id": letzshop.new_id(),
        "code": code,
        "slug": code.lower(),
        "name": name,
        "company_name": name,
        "email": f"hello@{code.lower()}.example",
        "phone": "+352 26 00 00 00",
        "homepage": f"https://{code.lower()}.example",
        "street": "Grand-Rue",
        "street_number": "1",
        "zip_code": "1660",
        "city": "Luxembourg",
        "description": {"fr": name, "de": name, "en": name},
        "active": True,
        "feeds": {},
        "pulls": {},
    }


def remove_shop(letzshop: Letzshop, code: str) -> None:
    """It leaves the directory; its orders stay."""
    letzshop.remove(letzshop.shop(code)["id"])


def with_keys(letzshop: Letzshop, shop: Object) -> Object:
    keys = [key for key in letzshop.every("key") if shop["code"] in key["shops"]]
    return {**shop, "keys": [{name: key[name] for name in ("key", "role", "shops")} for key in keys]}


def save_key(letzshop: Letzshop, key: str, codes: Sequence[str], role: str) -> Object:
    """A key that is good from now on, for these shops."""
    if role not in (MANAGER, READER) or len(key) < 8:
        raise ShopError(f"Say key (8 characters or more) and role ({MANAGER} or {READER}).")
    shops = [letzshop.shop(code)["code"] for code in codes]
    made = {"id": f"key_{key}", "key": key, "shops": shops, "role": role}
    return letzshop.put("key", made)


def remove_key(letzshop: Letzshop, key: str) -> None:
    """The key is refused from now on. Raises NotThereError."""
    if letzshop.get("key", f"key_{key}") is None:
        raise NotThereError("There is no such key.")
    letzshop.remove(f"key_{key}")


def set_feeds(letzshop: Letzshop, code: str, feeds: Mapping[str, str]) -> Object:
    """The addresses the shop's feeds are pulled from, by language; an empty one takes it away."""
    shop = letzshop.shop(code)
    for language, url in feeds.items():
        if language not in _LANGUAGES or (url and not url.startswith(("http://", "https://"))):
            raise ShopError("feeds: an address (http or https) for fr, de, en or lb.")
        shop["pulls"].pop(language, None)
        if url:
            shop["feeds"][language] = url
        else:
            shop["feeds"].pop(language, None)
    return letzshop.put_shop(shop)


def save_product(letzshop: Letzshop, given: Mapping[str, Any]) -> Object:
    """A product that the platform has by itself: ``shop``, ``sku``, ``gtin``, ``price_cents``, ``name`` by language."""
    code = letzshop.shop(str(given.get("shop", "")))["code"]
    gtin = given.get("gtin")
    product = {
        **new_product(letzshop, code, given.get("sku")),
        "gtin": gtin,
        "parser": given.get("parser") or parser_of(gtin),
        "price_cents": int(given.get("price_cents", 1000)),
        "name": dict(given.get("name") or {"fr": "Article"}),
        **{name: given[name] for name in ("mpn", "brand", "age", "id", "product_id") if name in given},
    }
    state = "live" if given.get("is_known") else "own"
    return letzshop.put("product", product, shop=code, state=state, ref=product["sku"] or "")


def new_product(letzshop: Letzshop, code: str, sku: str | None) -> Object:
    """Nothing is known of it but who sells it. ``id`` is that of its variant."""
    letters = letzshop.new_id()
    return {
        "id": f"v{letters}",
        "product_id": f"p{letters}",
        "shop": code,
        "sku": sku,
        "mpn": None,
        "gtin": None,
        "parser": None,
        "price_cents": 0,
        "sale": None,
        "name": {},
        "description": {},
        "brand": None,
        "age": None,
        "category": None,
        "availability": "in_stock",
        "feeds": [],
        "changed_at": None,
    }


def priced(product: Object, now: float) -> Object:
    """The product at the price that a buyer pays at this time: that of the sale while it is on."""
    cents, begins, ends = product.get("sale") or (None, None, None)
    is_on = cents is not None and (begins is None or begins <= now) and (ends is None or now <= ends)
    return {**product, "price_cents": cents} if is_on else product


def parser_of(number: str | None) -> str | None:
    """How a trade number is to be read, by its length."""
    if not number:
        return None
    if len(number) == 13 and number.startswith(("978", "979")):
        return "isbn13"
    return {14: "gtin14", 13: "gtin13", 12: "gtin12", 8: "gtin8", 10: "isbn10"}.get(len(number))
