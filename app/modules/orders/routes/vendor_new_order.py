"""An order that somebody takes by hand: at the counter, by telephone, by letter."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from babel import Locale

from app.core.errors import FieldError, ValidationFailedError
from app.core.i18n import LANGUAGES
from app.core.ids import to_public
from app.modules.catalog.contracts import OrderedProduct
from app.modules.catalog.facade import find_ordered
from app.modules.customers.contracts import Address, Buyer
from app.modules.orders.contracts import By, NewLine, NewOrder
from app.modules.orders.enums import Source
from app.modules.orders.exceptions import OrdersException
from app.modules.orders.services.order_reads import PREFIX
from app.modules.orders.services.place_service import place_order
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter

router = AreaRouter("vendor")
CHANNEL = "manual"
_ROWS = range(1, 9)
_COUNTRIES = (
    "LU", "BE", "DE", "FR", "NL", "AT", "BG", "CH", "CY", "CZ", "DK", "EE", "ES", "FI", "GB", "GR", "HR", "HU", "IE",
    "IT", "LT", "LV", "MT", "NO", "PL", "PT", "RO", "SE", "SI", "SK", "US",
)  # fmt: skip
_BUYER = (
    ("email", "email", "email"),
    ("first_name", "text", "given-name"),
    ("last_name", "text", "family-name"),
    ("company_name", "text", "organization"),
    ("vat_number", "text", None),
    ("phone", "text", "tel"),
)
_ADDRESS = (
    ("line1", "address-line1"),
    ("line2", "address-line2"),
    ("postcode", "postal-code"),
    ("city", "address-level2"),
)
_PAYMENT = ("", "bank_transfer", "cash", "card")


def _fields(ctx: PageContext) -> Sequence[Field]:
    return [*_line_fields(ctx), *_money_fields(ctx), *_buyer_fields(ctx), *_address_fields(ctx)]


def _line_fields(ctx: PageContext) -> Iterator[Field]:
    for row in _ROWS:
        section = "orders.new.lines" if row == 1 else None
        yield Field(
            f"sku_{row}",
            "orders.new.sku",
            is_required=row == 1,
            label=ctx.t("orders.new.sku_of", row=row),
            hint_key="orders.new.sku_hint" if row == 1 else None,
            section_key=section,
        )
        yield Field(
            f"quantity_{row}",
            "orders.new.quantity",
            "number",
            is_required=False,
            label=ctx.t("orders.new.quantity_of", row=row),
            max_length=9,
            is_beside=True,
        )
        yield Field(
            f"price_{row}",
            "orders.new.price",
            "money",
            is_required=False,
            label=ctx.t("orders.new.price_of", row=row),
            hint_key="orders.new.price_hint" if row == 1 else None,
            max_length=20,
            is_beside=True,
        )


def _money_fields(ctx: PageContext) -> Iterator[Field]:
    for index, name in enumerate(("shipping", "discount")):
        yield Field(
            name,
            f"orders.money.{name}",
            "money",
            is_required=False,
            max_length=20,
            section_key="orders.page.money" if index == 0 else None,
            is_beside=index > 0,
        )
    options = [(name, ctx.t(f"orders.payment.{name or 'open'}")) for name in _PAYMENT]
    yield Field(
        "payment",
        "orders.new.payment",
        "select",
        is_required=False,
        options=lambda _ctx: options,
    )


def _buyer_fields(ctx: PageContext) -> Iterator[Field]:
    for index, (name, kind, autocomplete) in enumerate(_BUYER):
        yield Field(
            name,
            f"orders.new.{name}",
            kind,  # type: ignore[arg-type]
            is_required=name == "last_name",
            autocomplete=autocomplete,
            section_key="orders.page.buyer" if index == 0 else None,
            is_beside=name in ("last_name", "vat_number"),
        )
    languages = [(one, ctx.t(f"core.languages.{one}")) for one in LANGUAGES]
    yield Field("language", "orders.new.language", "select", options=lambda _ctx: languages)


def _address_fields(ctx: PageContext) -> Iterator[Field]:
    names = Locale.parse(ctx.language).territories
    countries = [(code, names.get(code, code)) for code in _COUNTRIES]
    for kind in ("shipping", "billing"):
        is_first = kind == "shipping"
        if not is_first:
            yield Field(
                "is_billed_apart",
                "orders.new.is_billed_apart",
                "checkbox",
                is_required=False,
                section_key="orders.fields.billing_address",
            )
        for index, (name, autocomplete) in enumerate(_ADDRESS):
            yield Field(
                f"{kind}_{name}",
                f"orders.new.{name}",
                is_required=is_first and name != "line2",
                autocomplete=f"{kind} {autocomplete}",
                section_key="orders.fields.shipping_address" if is_first and index == 0 else None,
                is_beside=name == "city",
            )
        yield Field(
            f"{kind}_country",
            "orders.fields.country",
            "select",
            options=lambda _ctx: countries,
            autocomplete=f"{kind} country",
        )
    yield Field("note", "orders.fields.customer_note", "textarea", is_required=False, max_length=2000)


def _load(_ctx: PageContext) -> Mapping[str, Any]:
    return {"language": "fr", "shipping_country": "LU", "billing_country": "LU", "quantity_1": 1}


def _lines(ctx: PageContext, values: Mapping[str, Any]) -> list[NewLine]:
    """The rows that were filled; an error at each whose SKU the catalogue does not have."""
    rows = [row for row in _ROWS if values[f"sku_{row}"]]
    skus = {values[f"sku_{row}"] for row in rows}
    found = {one.sku: one for one in find_ordered(ctx.session, language=ctx.language, skus=skus)}
    errors = [
        FieldError(f"sku_{row}", "unknown", "orders.new.unknown_sku", {})
        for row in rows
        if values[f"sku_{row}"] not in found
    ]
    errors += [
        FieldError(f"quantity_{row}", "quantity", "orders.new.whole_quantity", {})
        for row in rows
        if (values[f"quantity_{row}"] or 1) < 1
    ]
    if errors:
        raise ValidationFailedError(errors=errors)
    return [_line(found[values[f"sku_{row}"]], values, row) for row in rows]


def _line(product: OrderedProduct, values: Mapping[str, Any], row: int) -> NewLine:
    price = values[f"price_{row}"]
    return NewLine(
        product_id=product.id,
        sku=product.sku,
        gtin=product.gtin,
        title=product.title,
        quantity=values[f"quantity_{row}"] or 1,
        unit_price_cents=product.price_cents if price is None else price,
    )


def _address(values: Mapping[str, Any], kind: str) -> Address:
    name = " ".join(filter(None, (values["first_name"], values["last_name"])))
    parts = {part: values[f"{kind}_{part}"] or None for part, _ in _ADDRESS}
    return Address(
        name=name or None,
        company=values["company_name"] or None,
        country=values[f"{kind}_country"],
        phone=values["phone"] or None,
        **parts,
    )


def _save(ctx: PageContext, values: Mapping[str, Any]) -> str:
    buyer = Buyer(language=values["language"], **{name: values[name] or None for name, *_ in _BUYER})
    shipping = _address(values, "shipping")
    new = NewOrder(
        channel=CHANNEL,
        buyer=buyer,
        shipping_address=shipping,
        billing_address=_address(values, "billing") if values["is_billed_apart"] else shipping,
        lines=_lines(ctx, values),
        shipping_cents=values["shipping"] or 0,
        discount_cents=values["discount"] or 0,
        customer_note=values["note"] or None,
        payment_method=values["payment"] or None,
        is_paid=bool(values["payment"]),
    )
    by = By(Source.USER, ctx.who.user_id)
    try:
        placed = place_order(ctx.session, ctx.vendor.id, new, when_short="refuse", by=by)
    except ValidationFailedError:
        raise
    except OrdersException as error:  # said above the form, with everything typed kept
        raise ValidationFailedError(error.detail, message_key=error.message_key, **error.params) from error
    return ctx.url("orders.vendor.order", order_id=to_public(PREFIX, placed.order_id))


mount_form(
    router,
    FormSpec(
        "orders.vendor.new_order",
        "orders.new",
        _fields,
        _save,
        load=_load,
        back=lambda ctx: (ctx.url("orders.vendor.orders"), ctx.t("orders.pages.orders")),
        has_intro=True,
    ),
)
