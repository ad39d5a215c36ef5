"""What a page answers, and how it writes money and time."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.store import Object
from sandbox.stripe.account import Account
from sandbox.stripe.cards import card_of, is_valid_number
from sandbox.stripe.payment_methods import make


@dataclass(frozen=True)
class Page:
    """A template and its values. ``leads_to``: the address a form may redirect to."""

    template: str
    values: dict[str, Any]
    status: int = 200


@dataclass(frozen=True)
class Redirect:
    """On to another page."""

    url: str


class CardError(ValueError):
    """What was typed is no card."""


def money(cents: int, currency: str) -> str:
    """``49.00 EUR``"""
    return f"{cents / 100:.2f} {currency.upper()}"


def moment(seconds: int | None) -> str:
    """``06 Dec 2026 10:00 UTC``"""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%d %b %Y %H:%M UTC")


def title_of(product: Object) -> str:
    """The name of a product in the first language that has one."""
    names: list[str] = [name for name in product["name"].values() if name]
    return names[0] if names else "No name"


def words(name: str) -> str:
    """``confirmed_available`` for people."""
    return name.replace("_", " ")


def read_card(account: Account, form: dict[str, str]) -> Object:
    """A payment method of the typed card."""
    digits = "".join(filter(str.isdigit, form.get("number", "")))
    if not is_valid_number(digits):
        raise CardError("The card number is not complete or not right.")
    month, _, year = form.get("exp", "").replace(" ", "").partition("/")
    if not (month.isdigit() and year.isdigit() and 1 <= int(month) <= 12):
        raise CardError("Write the expiry as month/year, for example 12/34.")
    full_year = int(year) + (2000 if int(year) < 100 else 0)
    now = datetime.fromtimestamp(account.now(), UTC)
    if (full_year, int(month)) < (now.year, now.month):
        raise CardError("The card has expired.")
    if len(form.get("cvc", "")) not in (3, 4) or not form["cvc"].isdigit():
        raise CardError("The security code has three or four digits.")
    details = {"name": form.get("name"), "email": form.get("email")}
    return make(account, card_of(digits), details, year=full_year, month=int(month))


def asks_bank(form: dict[str, str]) -> bool:
    """Whether the bank of this card asks, and has not been answered yet."""
    return card_of(form.get("number", "")).authenticates != "never" and "bank" not in form
