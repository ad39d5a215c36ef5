"""Lines of invoices, and invoice items that wait for the next one."""

from typing import Any

from sandbox.store import Object
from sandbox.stripe.account import Account
from sandbox.stripe.calendar import day_text


def part_of(amount: int, seconds: int, whole: int) -> int:
    """The share of an amount for so many seconds of a period, rounded to the cent, halves away from zero."""
    sign = -1 if amount < 0 else 1
    return sign * ((2 * abs(amount) * seconds + whole) // (2 * whole))


def price_of(item: Object) -> int:
    """What an item costs per period."""
    return int(item["price"]["unit_amount"]) * int(item["quantity"])


def period_line(account: Account, subscription: Object, item: Object, **changed: Any) -> Object:
    """The line for one period of an item."""
    price = item["price"]
    every = price["recurring"]["interval_count"]
    interval = price["recurring"]["interval"] if every == 1 else f"{every} {price['recurring']['interval']}s"
    at = f"{price['unit_amount'] / 100:.2f} {price['currency'].upper()}"
    line = _line(
        account,
        amount=price_of(item),
        description=f"{item['quantity']} × {product_name(account, price)} (at {at} / {interval})",
        period=(item["current_period_start"], item["current_period_end"]),
        price=price,
        quantity=item["quantity"],
    )
    line["subscription"] = subscription["id"]
    line["parent"] = _item_parent(subscription["id"], item["id"], None, is_proration=False)
    return {**line, **changed}


def trial_line(account: Account, subscription: Object, item: Object) -> Object:
    """The free line of a trial."""
    name = product_name(account, item["price"])
    return period_line(
        account, subscription, item, amount=0, subtotal=0, description=f"Trial period for {name}"
    )


def proration(account: Account, subscription: Object, item: Object, at: int, sign: int) -> Object:
    """What is left of the item's period from ``at``: taken back (sign -1) or charged (1), as a pending item."""
    start, end = item["current_period_start"], item["current_period_end"]
    name = product_name(account, item["price"])
    words = "Unused time on" if sign < 0 else "Remaining time on"
    quantity = f"{item['quantity']} × " if item["quantity"] != 1 else ""
    value = pending(
        account,
        {"id": subscription["customer"], "test_clock": subscription["test_clock"]},
        amount=sign * part_of(price_of(item), end - at, end - start),
        description=f"{words} {quantity}{name} after {day_text(at)}",
        period=(at, end),
        price=item["price"],
        quantity=item["quantity"],
        subscription_id=subscription["id"],
    )
    return account.change(value, None, proration=True, _item=item["id"])


def pending(
    account: Account,
    customer: Object,
    *,
    amount: int,
    description: str | None,
    period: tuple[int, int],
    price: Object,
    quantity: int = 1,
    subscription_id: str | None = None,
) -> Object:
    """An invoice item; the customer's next invoice takes it."""
    parent = {
        "subscription_details": {"subscription": subscription_id, "subscription_item": None},
        "type": "subscription_details",
    }
    value: Object = {
        "id": account.new_id("ii"),
        "object": "invoiceitem",
        "amount": amount,
        "currency": price["currency"],
        "customer": customer["id"],
        "customer_account": None,
        "date": account.now(),
        "description": description,
        "discountable": False,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "net_amount": amount,
        "parent": parent if subscription_id else None,
        "period": {"start": period[0], "end": period[1]},
        "pricing": _pricing(price),
        "proration": False,
        "proration_details": None,
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "tax_rates": [],
        "test_clock": customer.get("test_clock"),
        "_price": price,
        "_subscription": subscription_id,
        "_item": None,
    }
    return account.create(value, "invoiceitem.created")


def take_pending(
    account: Account, customer_id: str, subscription_id: str | None, invoice_id: str
) -> list[Object]:
    """The lines of what waits for this subscription (or for none), now on this invoice."""
    lines = []
    for value in account.store.find("invoiceitem", customer=customer_id):
        if value["invoice"] is None and value["_subscription"] in (subscription_id, None):
            account.change(value, None, invoice=invoice_id)
            lines.append(_line_of_pending(account, value))
    return lines


def _line_of_pending(account: Account, value: Object) -> Object:
    line = _line(
        account,
        amount=value["amount"],
        description=value["description"],
        period=(value["period"]["start"], value["period"]["end"]),
        price=value["_price"],
        quantity=value["quantity"],
    )
    line["metadata"] = value["metadata"]
    line["subscription"] = value["_subscription"]
    if value["_item"]:
        line["parent"] = _item_parent(value["_subscription"], value["_item"], value["id"], is_proration=True)
    else:
        line["parent"] = {
            "invoice_item_details": {
                "invoice_item": value["id"],
                "proration": False,
                "proration_details": None,
                "subscription": value["_subscription"],
            },
            "subscription_item_details": None,
            "type": "invoice_item_details",
        }
    return line


def _line(
    account: Account,
    *,
    amount: int,
    description: str | None,
    period: tuple[int, int],
    price: Object,
    quantity: int,
) -> Object:
    return {
        "id": account.new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": description,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "parent": None,
        "period": {"start": period[0], "end": period[1]},
        "pretax_credit_amounts": [],
        "pricing": _pricing(price),
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "subscription": None,
        "subtotal": amount,
        "taxes": [],
    }


def _pricing(price: Object) -> Object:
    return {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": price["unit_amount_decimal"],
    }


def _item_parent(subscription_id: str, item_id: str, pending_id: str | None, *, is_proration: bool) -> Object:
    return {
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": pending_id,
            "proration": is_proration,
            "proration_details": {"credited_items": None},
            "subscription": subscription_id,
            "subscription_item": item_id,
        },
        "type": "subscription_item_details",
    }


def product_name(account: Account, price: Object) -> str:
    """The name of the product of a price."""
    product = account.store.load(price["product"])
    return str(product["name"]) if product else str(price["product"])
