"""The control door of the stand-in for Letzshop: buyers, shops, switches, feeds, faults."""

from collections.abc import Callable

from starlette.routing import Route

from sandbox import faults
from sandbox.control import ControlError, Given, door_routes
from sandbox.letzshop import orders, shops, units
from sandbox.letzshop.pulling import pull_now
from sandbox.letzshop.state import Letzshop
from sandbox.store import Object


def list_shops(letzshop: Letzshop, _given: Given) -> Given:
    return {"data": [shops.with_keys(letzshop, shop) for shop in letzshop.every("shop")]}


def save_shop(letzshop: Letzshop, given: Given) -> Given:
    return shops.save_shop(letzshop, given)


def remove_shop(letzshop: Letzshop, given: Given) -> Given:
    shops.remove_shop(letzshop, given["code"])
    return {"code": given["code"], "deleted": True}


def save_key(letzshop: Letzshop, given: Given) -> Given:
    """A new key is good from now on."""
    role = given.get("role", shops.MANAGER)
    return shops.save_key(letzshop, str(given.get("key", "")), given.get("shops") or [], role)


def remove_key(letzshop: Letzshop, given: Given) -> Given:
    shops.remove_key(letzshop, given["key"])
    return {"key": given["key"], "deleted": True}


def save_product(letzshop: Letzshop, given: Given) -> Given:
    return shops.save_product(letzshop, given)


def place(letzshop: Letzshop, given: Given) -> Given:
    """Buyers order; answers with the orders and their shipments."""
    return {"data": [order_told(letzshop, order) for order in orders.place(letzshop, given)]}


def order_told(letzshop: Letzshop, order: Object) -> Object:
    """The order, and its shipments with their units."""
    found = [units.shipment_of(letzshop, shipment_id) for shipment_id in order["shipments"]]
    return {**order, "shipments": found}


def change_order(letzshop: Letzshop, given: Given) -> Given:
    """The buyer changes ``email``, ``locale``, ``shipAddress`` or ``billAddress`` of the order of a ``shipment``."""
    shipment = units.shipment_of(letzshop, str(given.get("shipment")))
    order = letzshop.get("order", shipment["order"])
    assert order is not None
    if set(given) - {"shipment", "email", "locale", "shipAddress", "billAddress"}:
        raise ControlError("Say shipment, and email, locale, shipAddress or billAddress.")
    for name in ("email", "locale"):
        order[name] = given.get(name, order[name])
    for name in ("shipAddress", "billAddress"):
        order[name] |= given.get(name, {})
    letzshop.put("order", order)
    letzshop.note("order_changed", shipment, by="buyer")
    return order_told(letzshop, order)


def decide(letzshop: Letzshop, given: Given) -> Given:
    """On the platform's own site the shop says whether ``units``, or those of a ``shipment``, are ``available``."""
    is_available = bool(given.get("available", True))
    asked = [(unit_id, is_available) for unit_id in _units(letzshop, given, units.OPEN)]
    return _outcome(units.decide(letzshop, asked, _every_shop(letzshop), "site"))


def take_back(letzshop: Letzshop, given: Given) -> Given:
    """The buyer returns ``units``, or ``count`` (all) of a ``shipment``."""
    found = _units(letzshop, given, units.AVAILABLE)
    return _outcome(units.take_back(letzshop, found, _every_shop(letzshop), "buyer"))


def track(letzshop: Letzshop, given: Given) -> Given:
    """The platform's own courier takes the parcel of a ``shipment``; ``code`` and ``provider`` if others."""
    shipment_id = str(given.get("shipment"))
    code = given.get("code") or f"GRECO{letzshop.store.number('greco') + 41_000_000}"
    said = (str(code), str(given.get("provider") or "greco"))
    shipment, errors = units.track(letzshop, shipment_id, *said, _every_shop(letzshop), "platform")
    if shipment is None:
        raise ControlError(errors[0]["message"])
    return shipment


def _units(letzshop: Letzshop, given: Given, state: str) -> list[str]:
    if "units" in given:
        return [str(one) for one in given["units"]]
    shipment = units.shipment_of(letzshop, str(given.get("shipment")))
    found = [unit["id"] for unit in shipment["units"] if unit["state"] == state]
    return found[: int(given.get("count", len(found)))]


def _every_shop(letzshop: Letzshop) -> list[str]:
    return [shop["code"] for shop in letzshop.every("shop")]


def _outcome(outcome: units.Outcome) -> Given:
    return {"data": [unit for _, unit in outcome.units], "errors": outcome.errors}


def show_settings(letzshop: Letzshop, _given: Given) -> Given:
    return letzshop.settings()


def change_settings(letzshop: Letzshop, given: Given) -> Given:
    return letzshop.change_settings(given)


def set_feeds(letzshop: Letzshop, given: Given) -> Given:
    """``shop`` and ``feeds``: address by language."""
    return shops.set_feeds(letzshop, str(given.get("shop", "")), given.get("feeds") or {})


def list_products(letzshop: Letzshop, given: Given) -> Given:
    """What a ``shop`` offers, or the one product with the ``sku``; ``changed_at`` is system time."""
    shop = letzshop.shop(str(given.get("shop", "")))
    if "sku" in given:
        found = letzshop.by_ref("product", given["sku"], shop["code"])
    else:
        found = letzshop.every("product", shop=shop["code"])
    names = ("id", "sku", "gtin", "price_cents", "name", "availability", "feeds", "changed_at")
    today = (shops.priced(one, letzshop.store.now()) for one in found)
    return {"data": [{name: one[name] for name in names} for one in today]}


def list_events(letzshop: Letzshop, given: Given) -> Given:
    """What happened, oldest first; of one ``shop`` or all."""
    shop = str(given["shop"]).upper() if "shop" in given else None
    return {"data": letzshop.every("event", shop=shop)}


def list_pushes(letzshop: Letzshop, _given: Given) -> Given:
    return {"data": letzshop.every("push")}


def dump(letzshop: Letzshop, given: Given) -> Given:
    """Every shipment with its units, tracking and order number; of one ``shop`` or all."""
    shop = letzshop.shop(given["shop"])["code"] if "shop" in given else None
    told = []
    for shipment in letzshop.every("shipment", shop=shop):
        states = {unit["id"]: unit["state"] for unit in shipment["units"]}
        products = {unit["id"]: unit["product"]["sku"] for unit in shipment["units"]}
        kept = {name: shipment[name] for name in ("id", "number", "order", "shop", "tracking")}
        told.append({**kept, "units": states, "skus": products})
    return {"shipments": told}


def list_faults(letzshop: Letzshop, _given: Given) -> Given:
    return {"data": faults.all_faults(letzshop.store, faults.LETZSHOP)}


def add_fault(letzshop: Letzshop, given: Given) -> Given:
    return faults.add(letzshop.store, given, faults.LETZSHOP)


def clear_faults(letzshop: Letzshop, _given: Given) -> Given:
    faults.clear(letzshop.store, faults.LETZSHOP)
    return {"data": []}


def clear(letzshop: Letzshop, _given: Given) -> Given:
    """Forget everything of Letzshop; unlike after a reset, nothing is made anew."""
    letzshop.clear()
    faults.clear(letzshop.store, faults.LETZSHOP)
    return {"is_cleared": True}


def pull(letzshop: Letzshop, given: Given) -> Given:
    """Pull the feeds of a ``shop``, or of all, without waiting for their turn; says what came of each."""
    code = str(given["shop"]) if "shop" in given else None
    return {"data": pull_now(letzshop, code)}


Door = Callable[[Letzshop, Given], Given]
DOORS: tuple[tuple[str, str, Door], ...] = (
    ("GET", "/shops", list_shops),
    ("POST", "/shops", save_shop),
    ("DELETE", "/shops/{code}", remove_shop),
    ("POST", "/keys", save_key),
    ("DELETE", "/keys/{key}", remove_key),
    ("POST", "/products", save_product),
    ("POST", "/place", place),
    ("POST", "/change", change_order),
    ("POST", "/decide", decide),
    ("POST", "/return", take_back),
    ("POST", "/track", track),
    ("GET", "/settings", show_settings),
    ("POST", "/settings", change_settings),
    ("POST", "/feeds", set_feeds),
    ("GET", "/listings", list_products),
    ("GET", "/events", list_events),
    ("GET", "/pushes", list_pushes),
    ("GET", "/dump", dump),
    ("GET", "/faults", list_faults),
    ("POST", "/faults", add_fault),
    ("DELETE", "/faults", clear_faults),
    ("POST", "/clear", clear),
    ("POST", "/pull", pull),
)


def routes(letzshop: Letzshop) -> list[Route]:
    """The doors, mounted under ``/_control/letzshop``. Each is one transaction; but a pull waits for others."""
    inside = [(method, path, door if door is pull else _in_work(door)) for method, path, door in DOORS]
    return door_routes(letzshop, inside)


def _in_work(door: Door) -> Door:
    def work(letzshop: Letzshop, given: Given) -> Given:
        with letzshop.work():
            return door(letzshop, given)

    return work
