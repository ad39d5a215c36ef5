"""Buyers who order: what is said, or a random basket; one shipment for each shop."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.letzshop import units
from sandbox.letzshop.buyers import make_buyer
from sandbox.letzshop.shops import priced
from sandbox.letzshop.state import Letzshop, NotThereError
from sandbox.store import Object

_MOST_ORDERS = 1000
_MOST_UNITS = 200
_KNOWN = {
    *("shop", "shops", "lines", "count", "country", "locale", "email", "several_shops"),
    *("unknown_share", "placed_at", "state", "shipAddress", "billAddress"),
}
_STATES = ("unconfirmed", "confirmed", "declined", "mixed")


class OrderError(ValueError):
    """Nothing can be ordered like this."""


def place(letzshop: Letzshop, given: Mapping[str, Any]) -> list[Object]:
    """Place one order, or ``count`` of them; returns the orders.

    ``shop`` or ``shops`` (codes; all if none is said), ``lines`` (``sku``, ``gtin`` or ``id`` of a product,
    ``quantity``, ``shop``; else a random basket), ``several_shops``, ``unknown_share`` of products
    that the shop's feed does not have, ``country``, ``locale``, ``email``, ``placed_at`` (Unix seconds), ``state``:
    ``unconfirmed``, or how it ended.
    """
    if unknown := set(given) - _KNOWN:
        raise OrderError(f"Unknown: {', '.join(sorted(unknown))}. There are: {', '.join(sorted(_KNOWN))}.")
    count = int(given.get("count", 1))
    if not 1 <= count <= _MOST_ORDERS:
        raise OrderError(f"count: 1 to {_MOST_ORDERS}.")
    if given.get("state", "unconfirmed") not in _STATES:
        raise OrderError(f"state: {', '.join(_STATES)}.")
    codes = [letzshop.shop(code)["code"] for code in given.get("shops") or [given.get("shop") or ""] if code]
    if not codes:
        codes = [shop["code"] for shop in letzshop.every("shop", state="active") if _sells(letzshop, shop)]
    if not codes:
        raise OrderError("No shop sells anything.")
    return [_place_one(letzshop, given, codes) for _ in range(count)]


def _sells(letzshop: Letzshop, shop: Object) -> bool:
    return letzshop.count("product", shops=[shop["code"]], state="live") > 0


def _place_one(letzshop: Letzshop, given: Mapping[str, Any], codes: Sequence[str]) -> Object:
    number = letzshop.store.number("letzshop_order")
    rng = random.Random(f"{letzshop.store.seed}:letzshop:{number}")  # noqa: S311 - repeatable on purpose
    picked = (
        _named_lines(letzshop, given["lines"], codes)
        if given.get("lines")
        else _random_lines(letzshop, rng, given, codes)
    )
    picked = [(priced(product, letzshop.store.now()), quantity) for product, quantity in picked]
    buyer = make_buyer(rng, given.get("country"), given.get("locale"))
    for name in ("shipAddress", "billAddress"):
        buyer[name] |= given.get(name) or {}
    order = letzshop.put(
        "order",
        {
            "id": letzshop.new_id(),
            "number": f"R{100_000_000 + number * 7919 % 900_000_000}",
            **buyer,
            "email": given.get("email") or buyer["email"],
            "total_cents": sum(product["price_cents"] * quantity for product, quantity in picked),
            "completed_at": int(given.get("placed_at") or letzshop.store.now()),
            "shipments": [],
        },
    )
    for code in dict.fromkeys(product["shop"] for product, _ in picked):
        lines = [line for line in picked if line[0]["shop"] == code]
        shipment = _make_shipment(letzshop, order, code, lines, rng)
        order["shipments"].append(shipment["id"])
        _settle(letzshop, shipment, given.get("state", "unconfirmed"), rng)
    return letzshop.put("order", order)


def _make_shipment(
    letzshop: Letzshop,
    order: Object,
    code: str,
    lines: Sequence[tuple[Object, int]],
    rng: random.Random,
) -> Object:
    number = letzshop.store.number("letzshop_shipment")
    pieces = [product for product, quantity in lines for _ in range(quantity)]
    if rng.random() < 0.3:
        rng.shuffle(pieces)  # the pieces of a line need not stand together
    shipment = {
        "id": letzshop.new_id(),
        "number": f"H{10_000_000_000 + number * 104_729 % 90_000_000_000}",
        "order": order["id"],
        "shop": code,
        "tracking": None,
        "units": [
            {"id": letzshop.new_id(), "state": units.OPEN, "product": _snapshot(product)}
            for product in pieces
        ],
    }
    letzshop.put_shipment(shipment)
    for unit in shipment["units"]:
        letzshop.put("unit", {"id": unit["id"], "shipment": shipment["id"]}, shop=code)
    letzshop.note("order_placed", shipment)
    return shipment


def _snapshot(product: Object) -> Object:
    """What was bought, as it was then."""
    names = (
        "id",
        "product_id",
        "shop",
        "sku",
        "mpn",
        "price_cents",
        "gtin",
        "parser",
        "name",
        "brand",
        "age",
    )
    return {name: product[name] for name in names}


def _settle(letzshop: Letzshop, shipment: Object, state: str, rng: random.Random) -> None:
    """An order of the past: decided long ago."""
    if state == "unconfirmed":
        return
    share = {"confirmed": 1.0, "declined": 0.0, "mixed": 0.6}[state]
    decisions = [(unit["id"], rng.random() < share) for unit in shipment["units"]]
    units.decide(letzshop, decisions, [shipment["shop"]], "shop")


def _named_lines(
    letzshop: Letzshop, lines: Sequence[Mapping[str, Any]], codes: Sequence[str]
) -> list[tuple[Object, int]]:
    found = [(_product_of(letzshop, line, codes), int(line.get("quantity", 1))) for line in lines]
    if any(quantity < 1 for _, quantity in found) or sum(quantity for _, quantity in found) > _MOST_UNITS:
        raise OrderError(f"quantity: 1 or more, and at most {_MOST_UNITS} pieces in an order.")
    return found


def _product_of(letzshop: Letzshop, line: Mapping[str, Any], codes: Sequence[str]) -> Object:
    code = str(line.get("shop") or codes[0]).upper()
    letzshop.shop(code)
    if "sku" in line:
        found = letzshop.by_ref("product", str(line["sku"]), code)
    elif "gtin" in line:
        wanted = str(line["gtin"]).lstrip("0")
        every = letzshop.every("product", shop=code)
        found = [one for one in every if (one["gtin"] or "").lstrip("0") == wanted]
    else:
        one = letzshop.get("product", str(line.get("id")))
        found = [one] if one else []
    if not found:
        raise NotThereError(f"{code} does not sell {line}.")
    return found[0]


def _random_lines(
    letzshop: Letzshop, rng: random.Random, given: Mapping[str, Any], codes: Sequence[str]
) -> list[tuple[Object, int]]:
    shops = [rng.choice(codes)]
    others = [code for code in codes if code != shops[0]]
    if others and (given.get("several_shops") or ("several_shops" not in given and rng.random() < 0.12)):
        shops.append(rng.choice(others))
    share = float(given.get("unknown_share", 0.1))
    picked: dict[str, tuple[Object, int]] = {}
    for code in shops:
        for _ in range(rng.choices((1, 2, 3, 4), (50, 28, 14, 8))[0]):
            product = _draw(letzshop, rng, code, is_unknown=rng.random() < share)
            picked[product["id"]] = (product, rng.choices((1, 2, 3, 5), (66, 20, 10, 4))[0])
    return list(picked.values())


def _draw(letzshop: Letzshop, rng: random.Random, code: str, *, is_unknown: bool) -> Object:
    for state in ("own", "live") if is_unknown else ("live", "own"):
        count = letzshop.count("product", shops=[code], state=state)
        if count:
            found = letzshop.rows("product", shops=[code], state=state, skip=rng.randrange(count), limit=1)
            return found[0][1]
    raise OrderError(f"{code} sells nothing.")
