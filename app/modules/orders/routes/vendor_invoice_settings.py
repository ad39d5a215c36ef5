"""What a vendor's documents say of it: the form of the settings."""

from collections.abc import Mapping
from typing import Any

from stdnum import iban
from stdnum.exceptions import ValidationError

from app.core.i18n import LANGUAGES
from app.modules.orders.services import invoice_settings_service
from app.modules.orders.services.document_paper_service import country_name
from app.modules.orders.services.invoice_settings_service import FIELDS
from app.modules.orders.services.tax_service import EU_STATES, find_vat_number
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FieldProblem, FormSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter

router = AreaRouter("vendor")

_TEXTS = "orders.invoice_settings"
_MOMENTS = ("manual", "on_confirm", "on_ship")
_OPTIONAL = (
    *(
        "legal_form",
        "line2",
        "vat_number",
        "trade_register",
        "business_permit",
        "email",
        "phone",
        "iban",
        "bic",
    ),
)


def _vat(typed: str) -> str:
    number = find_vat_number(typed)
    if number is None:
        raise FieldProblem(f"{_TEXTS}.vat_wrong")
    return number


def _iban(typed: str) -> str:
    try:
        return str(iban.validate(typed))
    except ValidationError:
        raise FieldProblem(f"{_TEXTS}.iban_wrong") from None


def _days(typed: str) -> int:
    if not typed.isdecimal() or int(typed[:5]) > 365:
        raise FieldProblem(f"{_TEXTS}.days_wrong")
    return int(typed)


def _field(name: str, **options: Any) -> Field:
    return Field(name, f"{_TEXTS}.{name}", **options)


def _states(ctx: PageContext) -> list[tuple[str, str]]:
    return sorted(((code, country_name(ctx.language, code)) for code in EU_STATES), key=lambda one: one[1])


_FIELDS = (
    _field("legal_name", max_length=100, section_key=f"{_TEXTS}.company", autocomplete="organization"),
    _field("legal_form", is_required=False, max_length=40, hint_key=f"{_TEXTS}.legal_form_hint"),
    _field("line1", max_length=100, autocomplete="address-line1"),
    _field("line2", is_required=False, max_length=100, autocomplete="address-line2"),
    _field("postcode", max_length=12, autocomplete="postal-code"),
    _field("city", max_length=60, autocomplete="address-level2"),
    _field("country", kind="select", options=_states),
    _field("email", kind="email", is_required=False, autocomplete="email"),
    _field("phone", is_required=False, max_length=30, autocomplete="tel"),
    _field("vat_number", is_required=False, max_length=20, clean=_vat, section_key=f"{_TEXTS}.registers"),
    _field("trade_register", is_required=False, max_length=30, hint_key=f"{_TEXTS}.trade_register_hint"),
    _field("business_permit", is_required=False, max_length=30),
    _field("iban", is_required=False, max_length=42, clean=_iban, section_key=f"{_TEXTS}.payment"),
    _field("bic", is_required=False, max_length=11),
    _field("due_days", max_length=5, clean=_days, hint_key=f"{_TEXTS}.due_days_hint", attrs={"inputmode": "numeric"}),
    _field("is_small_business", kind="checkbox", hint_key=f"{_TEXTS}.small_hint", section_key=f"{_TEXTS}.taxes"),
    _field("oss_since", kind="date", is_required=False, hint_key=f"{_TEXTS}.oss_hint"),
    _field(
        "issue_when",
        kind="radios",
        options=[(moment, f"{_TEXTS}.when.{moment}") for moment in _MOMENTS],
        section_key=f"{_TEXTS}.issuing",
    ),
    _field("is_mailed", kind="checkbox", hint_key=f"{_TEXTS}.is_mailed_hint"),
    _field("prefix", is_required=False, max_length=10, hint_key=f"{_TEXTS}.prefix_hint"),
    *(
        Field(
            f"footer_{language}",
            f"{_TEXTS}.footer_{language}",
            "textarea",
            is_required=False,
            max_length=500,
            attrs={"lang": language},
        )
        for language in LANGUAGES
    ),
)  # fmt: skip


def _load(ctx: PageContext) -> Mapping[str, Any]:
    settings = invoice_settings_service.find_settings(ctx.session, ctx.vendor.id)
    if settings is None:
        return {"country": "LU", "due_days": 14, "issue_when": "manual"}
    values = {name: getattr(settings, name) for name in (*FIELDS, "version")}
    footers = values.pop("footers")
    return values | {f"footer_{language}": footers.get(language, "") for language in LANGUAGES}


def _save(ctx: PageContext, values: Mapping[str, Any]) -> str:
    kept = {name: values[name] for name in FIELDS if name != "footers"}
    kept |= {name: kept[name] or None for name in _OPTIONAL}
    kept["footers"] = {language: values[f"footer_{language}"] for language in LANGUAGES}
    invoice_settings_service.save_settings(ctx.session, ctx.vendor.id, kept)
    return ctx.url("orders.vendor.documents")


mount_form(
    router,
    FormSpec(
        "orders.vendor.invoice_settings",
        _TEXTS,
        _FIELDS,
        _save,
        load=_load,
        back=lambda ctx: (ctx.url("orders.vendor.documents"), ctx.t("orders.document_pages.documents")),
        has_intro=True,
    ),
)
