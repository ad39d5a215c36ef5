"""What Letzshop sends, as our contracts: tolerant of what is missing or new, and loud where it would have to guess."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.core.config import get_settings
from app.modules.customers.contracts import Buyer
from app.modules.marketplace.adapters.letzshop.names import UNIT_STATES
from app.modules.marketplace.adapters.letzshop.values import (
    EURO,
    UnreadableError,
    address,
    language,
    moment,
    money,
    part,
    text,
    trade_number,
    translated,
)
from app.modules.marketplace.contracts import DirectoryShop, ExternalOrder, ExternalUnit, Listing, UnitState
from app.modules.marketplace.exceptions import ChannelUnavailableError
from app.modules.orders.contracts import NewLine, NewOrder

CODE, NAME = "letzshop", "Letzshop"
_MAX_TITLE = 300


def read_page(data: Mapping[str, Any], name: str) -> tuple[list[Mapping[str, Any]], str | None, bool]:
    """The nodes of a page, the cursor of the next one, and whether the API said if there is one.

    Raises ChannelUnavailableError where a node is missing: half a page is none.
    """
    page = part(data, name)
    nodes = page.get("nodes")
    if not isinstance(nodes, list) or not all(isinstance(node, Mapping) for node in nodes):
        raise ChannelUnavailableError(f"Letzshop answered only in part: {name}.nodes failed.")
    info = page.get("pageInfo")
    if not isinstance(info, Mapping):
        return nodes, None, False
    return nodes, text(info.get("endCursor")) if info.get("hasNextPage") else None, True


def shop_of(node: Mapping[str, Any]) -> str | None:
    """Which shop sells it: the short name; None where the API does not say."""
    return text(part(node, "vendor").get("slug"))


def read_shipment(node: Mapping[str, Any]) -> ExternalOrder:
    """An order of one vendor, which is a shipment there. Raises ChannelUnavailableError for one without an id."""
    external_id = text(node.get("id"))
    if external_id is None:
        raise ChannelUnavailableError("Letzshop answered only in part: a shipment has no id.")
    number = text(node.get("number")) or external_id
    order, fault = None, None
    units = _units(node)
    try:
        order = _order(external_id, number, node, units)
    except UnreadableError as error:
        fault = error.fault
    states = tuple(ExternalUnit(unit_id, _state(unit)) for unit in units if (unit_id := text(unit.get("id"))))
    return ExternalOrder(external_id, number, states, node, order, fault)


def _units(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = node.get("inventoryUnits")
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _state(unit: Mapping[str, Any]) -> UnitState:
    return UNIT_STATES.get(str(unit.get("state")), UnitState.UNKNOWN)


def _order(
    external_id: str, number: str, node: Mapping[str, Any], units: Sequence[Mapping[str, Any]]
) -> NewOrder:
    if not units:
        raise UnreadableError("no_units")
    order = part(node, "order")
    locale = language(order.get("locale"))
    shipping, billing = address(order.get("shipAddress")), address(order.get("billAddress"))
    read = [_line(group, locale) for group in _by_variant(units)]
    currencies = {currency for _, currency in read if currency}
    if len(currencies) > 1:
        raise UnreadableError("currency_mixed")
    return NewOrder(
        channel=CODE,
        buyer=_buyer(order, locale),
        shipping_address=shipping or billing,
        billing_address=billing,
        lines=[line for line, _ in read],
        currency=next(iter(currencies), EURO),
        external_id=external_id,
        external_number=text(order.get("number")) or number,
        placed_at=moment(order.get("completedAt")),
        payment_method=NAME,
        is_paid=True,  # buyers pay Letzshop; an order that is not paid is not completed and not shown
        raw=node,
    )


def _by_variant(units: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Units of the same variant together: each is one piece of goods. One without a variant stands alone."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for unit in units:
        unit_id = text(unit.get("id"))
        if unit_id is None:
            raise UnreadableError("no_unit_id")
        groups.setdefault(text(part(unit, "variant").get("id")) or f"unit {unit_id}", []).append(unit)
    return list(groups.values())


def _line(units: Sequence[Mapping[str, Any]], locale: str | None) -> tuple[NewLine, str | None]:
    """A line and the currency of its price. A variant that is gone has neither price nor name: people decide."""
    variant = part(units[0], "variant")
    cents, currency = money(variant.get("price")) if variant else (0, None)
    sku, gtin = text(variant.get("sku")), trade_number(variant.get("tradeId"))
    ids = tuple(str(text(unit.get("id"))) for unit in units)
    named = translated(part(variant, "product").get("name"), locale)
    title = named or sku or gtin or text(variant.get("mpn")) or ids[0]
    line = NewLine(
        product_id=None,
        sku=sku,
        gtin=gtin,
        title=title[:_MAX_TITLE],
        quantity=len(ids),
        unit_price_cents=cents,
        external_unit_ids=ids,
    )
    return line, currency


def _buyer(order: Mapping[str, Any], locale: str | None) -> Buyer:
    billed, shipped = part(order, "billAddress"), part(order, "shipAddress")
    # Who is invoiced is the customer; a present goes to somebody else.
    who = billed if billed.get("lastName") or billed.get("company") else shipped
    return Buyer(
        email=text(order.get("email")),
        first_name=text(who.get("firstName")),
        last_name=text(who.get("lastName")),
        company_name=text(who.get("company")),
        phone=text(who.get("phone")) or text(shipped.get("phone")),
        language=locale or get_settings().default_language,
    )


def read_listings(node: Mapping[str, Any]) -> list[Listing]:
    """The listings of a product: one for each of its variants. A price that cannot be read is not said."""
    title = translated(node.get("name"), None)
    variants = node.get("variants")
    return [
        Listing(
            external_id,
            text(variant.get("sku")),
            trade_number(variant.get("tradeId")),
            title,
            _cents(variant),
        )
        for variant in (variants if isinstance(variants, list) else [])
        if isinstance(variant, Mapping) and (external_id := text(variant.get("id")))
    ]


def _cents(variant: Mapping[str, Any]) -> int | None:
    try:
        return money(variant.get("price"))[0]
    except UnreadableError:
        return None


def read_shop(node: Mapping[str, Any]) -> DirectoryShop | None:
    """A shop of the directory; None for one that has no name of its own there."""
    external_id, slug = text(node.get("id")), text(node.get("slug"))
    if external_id is None or slug is None:
        return None
    place = address({**node, "streetName": node.get("street")})
    return DirectoryShop(
        external_id=external_id,
        slug=slug,
        name=text(node.get("name")) or slug,
        company_name=text(node.get("legalName")) or text(node.get("companyName")),
        email=text(node.get("email")),
        phone=text(node.get("phone")),
        homepage=text(node.get("homepage")),
        street=place.line1 if place else None,
        postcode=place.postcode if place else None,
        city=place.city if place else None,
        country=place.country if place else None,
        is_active=node.get("active") is not False,
        raw=node,
    )
