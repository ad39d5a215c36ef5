"""Products and prices."""

from typing import Any

from sandbox.store import Object
from sandbox.stripe.account import Account
from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.forms import Params, Spec
from sandbox.stripe.lists import PAGING, page
from sandbox.stripe.operations import assign, metadata, need, operation

_RECURRING: Spec = {
    "interval": ("day", "week", "month", "year"),
    "interval_count": int,
    "usage_type": ("licensed",),
}
_PRICE_DATA: Spec = {
    "currency": str,
    "unit_amount": int,
    "recurring": _RECURRING,
    "tax_behavior": ("exclusive", "inclusive", "unspecified"),
    "metadata": dict,
}
INLINE_PRICE: Spec = {
    **_PRICE_DATA,
    "product": str,
    "product_data": {"name": str, "description": str, "metadata": dict},
}
_PRODUCT: dict[str, Spec] = {
    "active": bool,
    "description": str,
    "metadata": dict,
    "name": str,
    "statement_descriptor": str,
    "tax_code": str,
    "unit_label": str,
    "url": str,
}
_PLAIN = ("active", "description", "name", "statement_descriptor", "tax_code", "unit_label", "url")


@operation("POST", "/v1/products", {**_PRODUCT, "id": str, "default_price_data": _PRICE_DATA})
def create_product(account: Account, params: Params) -> Object:
    need(params, "name")
    if params.get("id") and account.store.load(params["id"]):
        raise StripeError(
            400, f"Product already exists: '{params['id']}'", code="resource_already_exists", param="id"
        )
    product: Object = {
        "id": params.get("id") or account.new_id("prod", 14),
        "object": "product",
        "active": True,
        "created": account.now(),
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": metadata({}, params.get("metadata")),
        "name": params["name"],
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": account.now(),
        "url": None,
    }
    assign(product, params, *_PLAIN)
    account.create(product, "product.created")
    if params.get("default_price_data"):
        price = make_price(account, {**params["default_price_data"], "product": product["id"]})
        account.change(product, "product.updated", default_price=price["id"])
    return product


@operation("GET", "/v1/products/{id}")
def retrieve_product(account: Account, _params: Params, product_id: str) -> Object:
    return account.get("product", product_id)


@operation("POST", "/v1/products/{id}", {**_PRODUCT, "default_price": str})
def update_product(account: Account, params: Params, product_id: str) -> Object:
    product = account.get("product", product_id)
    assign(product, params, *_PLAIN, "default_price")
    product["metadata"] = metadata(product["metadata"], params.get("metadata"))
    return account.change(product, "product.updated", updated=account.now())


@operation("DELETE", "/v1/products/{id}")
def delete_product(account: Account, _params: Params, product_id: str) -> Object:
    product = account.get("product", product_id)
    if account.store.find("price", product=product_id, limit=1):
        raise invalid(
            "This product cannot be deleted because it has one or more user-created prices. Set active to false."
        )
    account.emit("product.deleted", product)
    account.store.remove(product_id)
    return {"id": product_id, "object": "product", "deleted": True}


@operation("GET", "/v1/products", {**PAGING, "active": bool, "ids": [str]})
def list_products(account: Account, params: Params) -> Object:
    ids = params.get("ids")
    return page(
        account,
        "product",
        params,
        "/v1/products",
        keeps=lambda row: ids is None or row["id"] in ids,
        active=params.get("active"),
    )


@operation(
    "POST",
    "/v1/prices",
    {
        **INLINE_PRICE,
        "active": bool,
        "lookup_key": str,
        "nickname": str,
        "transfer_lookup_key": bool,
    },
)
def create_price(account: Account, params: Params) -> Object:
    return make_price(account, params)


def make_price(account: Account, params: Params) -> Object:
    """A price; with ``product_data`` and its product."""
    need(params, "currency", "unit_amount")
    amount = params["unit_amount"]
    if amount < 0:
        raise invalid("This value must be greater than or equal to 0.", "unit_amount")
    if params.get("product_data"):
        product = create_product(account, params["product_data"])
    else:
        need(params, "product")
        product = account.get("product", params["product"], "product")
    recurring: dict[str, Any] | None = params.get("recurring") or None
    if recurring is not None:
        need(recurring, "interval")
        recurring = {
            "interval": recurring["interval"],
            "interval_count": recurring.get("interval_count", 1),
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        }
    price: Object = {
        "id": account.new_id("price"),
        "object": "price",
        "active": params.get("active", True),
        "billing_scheme": "per_unit",
        "created": account.now(),
        "currency": params["currency"].lower(),
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": metadata({}, params.get("metadata")),
        "nickname": params.get("nickname") or None,
        "product": product["id"],
        "recurring": recurring,
        "tax_behavior": params.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }
    _take_lookup_key(account, price, params)
    return account.create(price, "price.created")


def _take_lookup_key(account: Account, price: Object, params: Params) -> None:
    key = params.get("lookup_key")
    if key is None:
        return
    for other in account.store.find("price", lookup_key=key) if key else []:
        if other["id"] == price["id"]:
            continue
        if not params.get("transfer_lookup_key"):
            raise invalid(
                f"A price (`{other['id']}`) already uses that lookup key.",
                "lookup_key",
                "resource_already_exists",
            )
        account.change(other, "price.updated", lookup_key=None)
    price["lookup_key"] = key or None


@operation("GET", "/v1/prices/{id}")
def retrieve_price(account: Account, _params: Params, price_id: str) -> Object:
    return account.get("price", price_id)


@operation(
    "POST",
    "/v1/prices/{id}",
    {"active": bool, "lookup_key": str, "metadata": dict, "nickname": str, "transfer_lookup_key": bool},
)
def update_price(account: Account, params: Params, price_id: str) -> Object:
    price = account.get("price", price_id)
    assign(price, params, "active", "nickname")
    _take_lookup_key(account, price, params)
    price["metadata"] = metadata(price["metadata"], params.get("metadata"))
    return account.change(price, "price.updated")


@operation(
    "GET",
    "/v1/prices",
    {
        **PAGING,
        "active": bool,
        "product": str,
        "currency": str,
        "lookup_keys": [str],
        "type": ("one_time", "recurring"),
    },
)
def list_prices(account: Account, params: Params) -> Object:
    keys = params.get("lookup_keys")
    return page(
        account,
        "price",
        params,
        "/v1/prices",
        keeps=lambda row: keys is None or row["lookup_key"] in keys,
        active=params.get("active"),
        product=params.get("product"),
        currency=params.get("currency"),
        type=params.get("type"),
    )


def plan_of(price: Object) -> Object:
    """The old name for a recurring price, still part of subscription items."""
    recurring = price["recurring"]
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": False,
        "metadata": price["metadata"],
        "meter": None,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
