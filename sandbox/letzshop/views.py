"""How the API shows what is stored. Fields that cost something are functions, called when they are asked for."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from graphql import GraphQLError

from sandbox.letzshop import units
from sandbox.letzshop.settings import Settings
from sandbox.letzshop.shops import priced
from sandbox.letzshop.state import Letzshop
from sandbox.store import Object

_COUNTRY = {"name": "Luxembourg", "iso": "LU"}


class Views:
    """For one request, under its switches."""

    def __init__(self, letzshop: Letzshop, switches: Settings) -> None:
        self.letzshop = letzshop
        self.switches = switches
        self._now = letzshop.store.now()

    def shipment(self, shipment: Object) -> Object:
        return {
            "id": shipment["id"],
            "number": shipment["number"],
            "state": self._shipment_state(shipment),
            "order": _lazy(lambda: self.order(self.letzshop.get("order", shipment["order"]) or {})),
            "inventoryUnits": [self.unit(unit) for unit in shipment["units"]],
            "tracking": _lazy(lambda: self._tracking(shipment)),
            "vendor": _lazy(lambda: self.vendor_of(shipment["shop"])),
        }

    def _shipment_state(self, shipment: Object) -> str:
        states = {unit["state"] for unit in shipment["units"]}
        if units.OPEN in states:
            return "unconfirmed"
        is_declined = states == {units.UNAVAILABLE}
        if self.switches["extra_states"] and (is_declined or shipment["tracking"]):
            return "canceled" if is_declined else "shipped"
        return "declined" if is_declined and self.switches["declined_enum"] else "confirmed"

    def _tracking(self, shipment: Object) -> Object | None:
        if self.switches["tracking_bug"]:
            raise GraphQLError("undefined method `code' for nil:NilClass")
        found: Object | None = shipment["tracking"]
        return found

    def unit(self, unit: Object) -> Object:
        state = unit["state"]
        if self.switches["extra_states"] and state == units.RETURNED:
            state = "refunded"
        return {
            "id": unit["id"],
            "state": state,
            "variant": None if self.switches["null_variants"] else self.variant(unit["product"]),
        }

    def order(self, order: Object) -> Object:
        completed = datetime.fromtimestamp(order["completed_at"], UTC)
        return {
            **{name: order[name] for name in ("id", "number", "email", "locale")},
            **{name: order[name] for name in ("shipAddress", "billAddress")},
            "total": self.money(order["total_cents"]),
            "completedAt": completed.isoformat().replace("+00:00", "Z"),
        }

    def money(self, cents: int) -> float | str:
        """In one of the forms that the API may have."""
        text = f"{cents // 100}.{cents % 100:02d}"
        forms: dict[str, float | str] = {
            "number": cents / 100,
            "string": text,
            "string_currency": f"{text} EUR",
        }
        return forms[self.switches["money_format"]]

    def variant(self, product: Object) -> Object:
        return {
            "id": product["id"],
            "sku": product["sku"],
            "mpn": product["mpn"],
            "price": self.money(product["price_cents"]),
            "tradeId": self._trade_id(product),
            "product": _lazy(lambda: self.product(product)),
        }

    def _trade_id(self, product: Object) -> Object | None:
        number = product["gtin"]
        if not number or self.switches["null_trade_ids"]:
            return None
        if self.switches["strip_zeros"]:
            number = number.lstrip("0")
        return {"number": number, "parser": product["parser"]}

    def product(self, product: Object) -> Object:
        product = priced(product, self._now)
        age = product["age"]
        return {
            "id": product["product_id"],
            "permalink": f"{self.letzshop.url}/products/{product['product_id']}",
            "name": {language: product["name"].get(language) for language in ("en", "fr", "de")},
            "description": product.get("description") or None,
            "_brand": self._brand(product),
            "_age_restriction": age,
            "ageRestriction": age,
            "variants": lambda _info: [self.variant(product)],
            "vendor": _lazy(lambda: self.vendor_of(product["shop"])),
            "taxons": lambda _info: [self.taxon(product["category"])] if product.get("category") else [],
        }

    def _brand(self, product: Object) -> Object:
        if not product["brand"] or self.switches["brand_unknown"]:
            return {"__typename": "BrandUnknown", "name": None}
        return {"__typename": "Brand", "name": product["brand"]}

    def vendor_of(self, code: str) -> Object | None:
        found = self.letzshop.by_ref("shop", code)
        return self.vendor(found[0]) if found else None

    def vendor(self, shop: Object) -> Object:
        pairs = (
            ("companyName", "company_name"),
            ("legalName", "company_name"),
            ("streetNumber", "street_number"),
        )
        links = [{"name": "facebook", "url": f"https://social.example/{shop['slug']}"}]
        same = ("id", "slug", "name", "active", "email", "phone", "homepage", "street", "city", "description")
        return {
            **{name: shop[name] for name in same},
            **{name: shop[own] for name, own in pairs},
            "zipCode": shop["zip_code"],
            "permalink": shop["slug"],
            "social_media_links": links,
            "facebookLink": links[0]["url"],
            "representative": None,
            "owner": None,
            "country": _COUNTRY,
            "lat": 49.6,
            "lng": 6.1,
            "categories": [],
        }

    def taxon(self, path: str) -> Object:
        """``Home & Garden > Decor``: the last part, with the others above it."""
        above, _, name = path.rpartition(">")
        slug = "-".join("".join(c if c.isalnum() else " " for c in path.lower()).split())
        return {
            "id": f"t-{slug}",
            "slug": slug,
            "identifier": slug,
            "name": {"en": name.strip()},
            "parent": _lazy(lambda: self.taxon(above.strip()) if above.strip() else None),
            "children": [],
        }


def _lazy(work: Callable[[], Any]) -> Callable[[Any], Any]:
    return lambda _info: work()
