"""Forms of a customer: fields, addresses, consent, block, merge, erasure."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.core.errors import FieldError, ValidationFailedError
from app.core.i18n import LANGUAGES
from app.core.ids import from_public, to_public
from app.modules.customers.contracts import Address
from app.modules.customers.enums import ConsentPurpose, RequestKind
from app.modules.customers.models.customer import Customer, CustomerAddress
from app.modules.customers.services import (
    customer_edit_service,
    data_request_service,
    detail_service,
    merge_service,
)
from app.modules.customers.services.customer_edit_service import ADDRESS_FIELDS, FIELDS
from app.modules.customers.services.customer_service import (
    DEFAULT_LANGUAGE,
    PREFIX,
    find_customer,
    get_row,
)
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")
_F = "customers.fields"
_DEFAULTS = ("is_shipping_default", "is_billing_default")


def _row(ctx: PageContext) -> Customer:
    return get_row(ctx.session, public_id(PREFIX, ctx.path["customer_id"]))


def _url(ctx: PageContext, customer_id: UUID) -> str:
    return ctx.url("customers.vendor.customer", customer_id=to_public(PREFIX, customer_id))


def _back(ctx: PageContext) -> tuple[str, str]:
    found = _row(ctx)
    return _url(ctx, found.id), detail_service.title_of(ctx, found)


def _optional(name: str, kind: Any = "text", **more: Any) -> Field:
    return Field(name, f"{_F}.{name}", kind, is_required=False, **more)


_FIELDS = (
    _optional("first_name", autocomplete="off", max_length=100),
    _optional("last_name", max_length=100),
    _optional("email", "email", max_length=254),
    _optional("phone", max_length=40, attrs={"inputmode": "tel"}),
    _optional("company_name", section_key="customers.form.company"),
    _optional("vat_number", max_length=20, hint_key="customers.form.vat_hint"),
    Field(
        "language",
        f"{_F}.language",
        "select",
        options=[(one, f"core.languages.{one}") for one in LANGUAGES],
        section_key="customers.form.language",
    ),
)


def _empty_as_none(values: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: values[name] or None for name in names}


def _create(ctx: PageContext, values: Mapping[str, Any]) -> str:
    made = customer_edit_service.create_customer(ctx.session, ctx.vendor.id, _empty_as_none(values, FIELDS))
    return _url(ctx, made.id)


def _load(ctx: PageContext) -> Mapping[str, Any]:
    found = _row(ctx)
    return {name: getattr(found, name) for name in (*FIELDS, "version")}


def _save(ctx: PageContext, values: Mapping[str, Any]) -> str:
    found = _row(ctx)
    customer_edit_service.change_customer(ctx.session, found, _empty_as_none(values, FIELDS))
    return _url(ctx, found.id)


mount_form(
    router,
    FormSpec(
        "customers.vendor.new_customer",
        "customers.new_customer",
        _FIELDS,
        _create,
        load=lambda _ctx: {"language": DEFAULT_LANGUAGE},
        back=lambda ctx: (ctx.url("customers.vendor.customers"), ctx.t("customers.pages.customers")),
        has_intro=True,
    ),
)
mount_form(
    router,
    FormSpec(
        "customers.vendor.edit_customer", "customers.edit_customer", _FIELDS, _save, load=_load, back=_back
    ),
)


def _countries(ctx: PageContext) -> Sequence[tuple[str, str]]:
    names = detail_service.country_names(ctx.language)
    near = [code for code in ("LU", "DE", "FR", "BE") if code in names]
    rest = sorted(names.keys() - set(near), key=lambda code: names[code])
    return [(code, names[code]) for code in (*near, *rest)]


_ADDRESS = (
    _optional("name", autocomplete="off"),
    _optional("company"),
    Field("line1", f"{_F}.line1"),
    _optional("line2"),
    Field("postcode", f"{_F}.postcode", max_length=20),
    Field("city", f"{_F}.city", max_length=100),
    Field("country", f"{_F}.country", "select", options=_countries),
    _optional("phone", max_length=40, attrs={"inputmode": "tel"}),
    *(Field(name, f"{_F}.{name}", "checkbox") for name in _DEFAULTS),
)


def _address(ctx: PageContext) -> CustomerAddress:
    return customer_edit_service.get_address(ctx.session, public_id("adr", ctx.path["address_id"]))


def _load_address(ctx: PageContext) -> Mapping[str, Any]:
    row = _address(ctx)
    return {name: getattr(row, name) for name in (*ADDRESS_FIELDS, *_DEFAULTS, "version")}


def _keep_address(ctx: PageContext, customer_id: UUID, values: Mapping[str, Any], key: UUID | None) -> str:
    address = Address(**_empty_as_none(values, ADDRESS_FIELDS))
    defaults = {name: values[name] for name in _DEFAULTS}
    customer_edit_service.save_address(ctx.session, customer_id, address, address_id=key, **defaults)
    return _url(ctx, customer_id)


def _add_address(ctx: PageContext, values: Mapping[str, Any]) -> str:
    return _keep_address(ctx, _row(ctx).id, values, None)


def _change_address(ctx: PageContext, values: Mapping[str, Any]) -> str:
    row = _address(ctx)
    return _keep_address(ctx, row.customer_id, values, row.id)


def _back_from_address(ctx: PageContext) -> tuple[str, str]:
    found = get_row(ctx.session, _address(ctx).customer_id)
    return _url(ctx, found.id), detail_service.title_of(ctx, found)


mount_form(
    router,
    FormSpec(
        "customers.vendor.new_address",
        "customers.address",
        _ADDRESS,
        _add_address,
        load=lambda _ctx: {"country": "LU"},
        back=_back,
    ),
)
mount_form(
    router,
    FormSpec(
        "customers.vendor.edit_address",
        "customers.address",
        _ADDRESS,
        _change_address,
        load=_load_address,
        back=_back_from_address,
        template="customers/address_form.html",
        extra=lambda ctx: {"delete_url": f"{ctx.request.url.path}/delete"},
    ),
)


def _save_consent(ctx: PageContext, values: Mapping[str, Any]) -> str:
    found = _row(ctx)
    customer_edit_service.record_consent(
        ctx.session,
        found,
        ConsentPurpose(values["purpose"]),
        values["answer"] == "given",
        source=values["source"],
    )
    return _url(ctx, found.id)


mount_form(
    router,
    FormSpec(
        "customers.vendor.consent",
        "customers.consent",
        (
            Field(
                "purpose",
                f"{_F}.purpose",
                "radios",
                options=[(one.value, f"customers.purposes.{one}") for one in ConsentPurpose],
            ),
            Field(
                "answer",
                f"{_F}.answer",
                "radios",
                options=[(one, f"customers.consent.{one}") for one in ("given", "withdrawn")],
            ),
            Field(
                "source",
                f"{_F}.source",
                "select",
                options=[(one, f"customers.sources.{one}") for one in ("person", "phone", "mail", "shop")],
            ),
        ),
        _save_consent,
        back=_back,
        has_intro=True,
    ),
)


def _block(ctx: PageContext, values: Mapping[str, Any]) -> str:
    found = _row(ctx)
    customer_edit_service.block_customer(ctx.session, found, values["reason"])
    return _url(ctx, found.id)


mount_form(
    router,
    FormSpec(
        "customers.vendor.block_customer",
        "customers.block",
        (Field("reason", f"{_F}.reason", "textarea", max_length=500),),
        _block,
        back=_back,
        has_intro=True,
        is_danger=True,
    ),
)


def _merge(ctx: PageContext, values: Mapping[str, Any]) -> str:
    found, typed = _row(ctx), values["other"].strip()
    other = from_public(PREFIX, typed)
    if other is None:
        named = find_customer(ctx.session, typed)
        other = named.id if named else None
    if other is None:
        refused = FieldError("other", "unknown", "errors.customers.merge_unknown", {})
        raise ValidationFailedError(errors=[refused])
    merge_service.merge_customers(ctx.session, other, found.id)
    return _url(ctx, found.id)


mount_form(
    router,
    FormSpec(
        "customers.vendor.merge_customer",
        "customers.merge",
        (Field("other", f"{_F}.other", max_length=254, hint_key="customers.merge.other_hint"),),
        _merge,
        back=_back,
        has_intro=True,
        is_danger=True,
    ),
)


def _erase(ctx: PageContext, values: Mapping[str, Any]) -> str:
    found = _row(ctx)
    data_request_service.ask(
        ctx.session, found, RequestKind.ERASE, user_id=ctx.who.user_id, reason=values["reason"]
    )
    return _url(ctx, found.id)


mount_form(
    router,
    FormSpec(
        "customers.vendor.erase_customer",
        "customers.erase",
        (Field("reason", f"{_F}.reason", "textarea", max_length=500),),
        _erase,
        back=_back,
        has_intro=True,
        is_danger=True,
        in_read_only=True,
    ),
)
