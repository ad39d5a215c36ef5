"""Shops and their keys, orders that buyers place, and what becomes of the pieces."""

from collections import Counter
from typing import Any

from sandbox.control import ControlError
from sandbox.letzshop import control, orders, shops, units
from sandbox.letzshop.pages.form import Form, first
from sandbox.letzshop.state import Letzshop
from sandbox.pages.shown import Page, Redirect
from sandbox.store import Object

_MOST_ROWS = 50
_MOST_CHOICES = 300


def list_shops(letzshop: Letzshop, _id: str, _form: Form) -> Page:
    every = letzshop.every("shop")
    keyed = {code for key in letzshop.every("key") for code in key["shops"]}
    rows = [_counted(letzshop, shop) for shop in every if shop["code"] in keyed]
    neighbours = [shop for shop in every if shop["code"] not in keyed]
    return Page("shops.html", {"rows": rows, "neighbours": neighbours, "url": letzshop.url})


def _counted(letzshop: Letzshop, shop: Object) -> Object:
    only = [shop["code"]]
    return {
        "shop": shop,
        "open": letzshop.count("shipment", shops=only, state="unconfirmed"),
        "shipments": letzshop.count("shipment", shops=only),
        "products": letzshop.count("product", shops=only),
    }


def show_shop(letzshop: Letzshop, code: str, _form: Form) -> Page:
    shop = letzshop.shop(code)
    only = [shop["code"]]
    now = letzshop.store.now()
    listed = letzshop.rows("product", shops=only, limit=_MOST_CHOICES)
    products = [shops.priced(value, now) for _, value in listed]
    values: dict[str, Any] = {
        "shop": shops.with_keys(letzshop, shop),
        "choices": products,
        "products": products[:_MOST_ROWS],
        "product_count": letzshop.count("product", shops=only),
        "open_count": letzshop.count("shipment", shops=only, state="unconfirmed"),
        "shipments": [
            _told(letzshop, one) for one in letzshop.latest("shipment", _MOST_ROWS, shop=shop["code"])
        ],
    }
    return Page("shop.html", values)


def _told(letzshop: Letzshop, shipment: Object) -> Object:
    order = letzshop.get("order", shipment["order"])
    return {
        "shipment": shipment,
        "order": order,
        "states": Counter(unit["state"] for unit in shipment["units"]),
    }


def save_feeds(letzshop: Letzshop, code: str, form: Form) -> Redirect:
    """The worker pulls within seconds."""
    languages: tuple[str, ...] = ("fr", "de", "en")
    given = {language: first(form, language) for language in languages if language in form}
    shop = shops.set_feeds(letzshop, code, given)
    return Redirect(f"/letzshop/shops/{shop['code']}")


def place(letzshop: Letzshop, _id: str, form: Form) -> Redirect:
    shop = first(form, "shop")
    pairs = zip(form.get("product", []), form.get("quantity", []), strict=False)
    lines = [{"id": product, "quantity": int(quantity or 1)} for product, quantity in pairs if product]
    given: dict[str, Any] = {
        name: first(form, name) for name in ("shop", "locale", "country") if first(form, name)
    }
    if lines:
        given["lines"] = lines
    elif "product" in form:
        raise orders.OrderError("Choose a product.")
    else:
        given |= {
            "count": int(first(form, "count", "1")),
            "unknown_share": int(first(form, "unknown", "0")) / 100,
        }
    placed = orders.place(letzshop, given)
    if len(placed) == 1 and lines:
        return Redirect(f"/letzshop/shipments/{placed[0]['shipments'][0]}")
    return Redirect(f"/letzshop/shops/{shop}" if shop else "/letzshop/")


def show_shipment(letzshop: Letzshop, shipment_id: str, _form: Form) -> Page:
    return _shipment_page(letzshop, shipment_id)


def _shipment_page(letzshop: Letzshop, shipment_id: str, problem: str = "") -> Page:
    shipment = units.shipment_of(letzshop, shipment_id)
    order = letzshop.get("order", shipment["order"])
    assert order is not None
    others = [one for one in order["shipments"] if one != shipment_id]
    values = {"shipment": shipment, "order": order, "others": others, "problem": problem}
    return Page("shipment.html", values, 409 if problem else 200)


def move_units(letzshop: Letzshop, shipment_id: str, form: Form) -> Page | Redirect:
    """Somebody of the shop decides on the platform's own site, or the buyer sends something back."""
    act = first(form, "act")
    given: dict[str, Any] = {"units": form["unit"]} if form.get("unit") else {"shipment": shipment_id}
    if act == "return":
        done = control.take_back(letzshop, given)
    else:
        done = control.decide(letzshop, {**given, "available": act == "yes"})
    if done["errors"]:
        return _shipment_page(letzshop, shipment_id, done["errors"][0]["message"])
    return Redirect(f"/letzshop/shipments/{shipment_id}")


def track(letzshop: Letzshop, shipment_id: str, _form: Form) -> Page | Redirect:
    try:
        control.track(letzshop, {"shipment": shipment_id})
    except ControlError as error:
        return _shipment_page(letzshop, shipment_id, str(error))
    return Redirect(f"/letzshop/shipments/{shipment_id}")


def change(letzshop: Letzshop, shipment_id: str, form: Form) -> Redirect:
    address = {name: first(form, name) for name in ("streetName", "streetNumber")}
    control.change_order(letzshop, {"shipment": shipment_id, "shipAddress": address})
    return Redirect(f"/letzshop/shipments/{shipment_id}")
