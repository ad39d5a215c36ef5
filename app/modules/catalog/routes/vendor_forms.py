"""Forms of a product: changing one, and making one by hand."""

from collections.abc import Mapping
from typing import Any

from app.core.i18n import LANGUAGES
from app.core.ids import to_public
from app.modules.catalog.contracts import GtinError, display_gtin, parse_gtin
from app.modules.catalog.enums import Availability, ProductKind, TaxClass
from app.modules.catalog.models.product import Product
from app.modules.catalog.services import product_edit_service
from app.modules.catalog.services.product_edit_service import FACTS, PREFIX, TEXTS
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FieldProblem, FormSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")


def _gtin(typed: str) -> str:
    try:
        return parse_gtin(typed)
    except GtinError as error:
        raise FieldProblem(f"catalog.gtin_faults.{error.fault}") from None


def _text_fields() -> list[Field]:
    fields = []
    for language in LANGUAGES:
        attrs = {"lang": language}
        section = f"core.languages.{language}"
        fields += [
            Field(
                f"title_{language}",
                "catalog.fields.title",
                is_required=False,
                max_length=150,
                attrs=attrs,
                section_key=section,
            ),
            Field(
                f"description_{language}",
                "catalog.fields.description",
                "textarea",
                is_required=False,
                max_length=5000,
                attrs=attrs,
            ),
        ]
    return fields


_FACT_FIELDS = (
    Field("is_active", "catalog.fields.is_active", "checkbox", hint_key="catalog.form.is_active_hint"),
    Field("price_cents", "catalog.fields.price_cents", "money", section_key="catalog.product.price"),
    Field(
        "sale_price_cents",
        "catalog.fields.sale_price_cents",
        "money",
        is_required=False,
        hint_key="catalog.form.sale_price_hint",
    ),
    Field(
        "tax_class",
        "catalog.fields.tax_class",
        "select",
        options=[(value.value, f"catalog.tax_class.{value}") for value in TaxClass],
        hint_key="catalog.form.tax_class_hint",
    ),
    Field(
        "kind",
        "catalog.fields.kind",
        "select",
        options=[(value.value, f"catalog.kind.{value}") for value in ProductKind],
    ),
    Field(
        "availability",
        "catalog.fields.availability",
        "select",
        is_required=False,
        options=[(value.value, f"catalog.availability.{value}") for value in Availability],
        section_key="catalog.product.facts",
    ),
    Field("brand", "catalog.fields.brand", is_required=False, max_length=70),
    Field(
        "gtin",
        "catalog.fields.gtin",
        is_required=False,
        max_length=50,
        hint_key="catalog.form.gtin_hint",
        clean=_gtin,
        attrs={"inputmode": "numeric"},
    ),
    Field("image_link", "catalog.fields.image_link", "url", is_required=False, max_length=2000),
)
_NEW = {
    "is_active": True,
    "availability": Availability.IN_STOCK.value,
    "tax_class": TaxClass.STANDARD.value,
    "kind": ProductKind.PHYSICAL.value,
}
_SKU = Field("sku", "catalog.fields.sku", max_length=50, hint_key="catalog.form.sku_hint")


def _facts_of(values: Mapping[str, Any]) -> dict[str, Any]:
    # An empty text is no value; a price of nothing is one.
    facts = {name: None if values[name] == "" else values[name] for name in FACTS}
    return {**facts, "is_active": values["is_active"]}


def _texts_of(values: Mapping[str, Any]) -> dict[str, dict[str, str | None]]:
    return {
        language: {name: values[f"{name}_{language}"] or None for name in TEXTS} for language in LANGUAGES
    }


def _product(ctx: PageContext) -> Product:
    return product_edit_service.get_for_change(ctx.session, public_id(PREFIX, ctx.path["product_id"]))


def _load(ctx: PageContext) -> Mapping[str, Any]:
    product = _product(ctx)
    values: dict[str, Any] = {name: getattr(product, name) for name in (*FACTS, "is_active", "version")}
    values["gtin"] = display_gtin(product.gtin) if product.gtin else ""
    for text in product_edit_service.list_texts(ctx.session, product.id):
        values |= {f"{name}_{text.language}": getattr(text, name) for name in TEXTS}
    return values


def _save(ctx: PageContext, values: Mapping[str, Any]) -> str:
    product = _product(ctx)
    product_edit_service.change_product(ctx.session, product, _facts_of(values), _texts_of(values))
    return _url(ctx, product)


def _create(ctx: PageContext, values: Mapping[str, Any]) -> str:
    product = product_edit_service.create_product(
        ctx.session,
        vendor_id=ctx.vendor.id,
        sku=values["sku"],
        facts=_facts_of(values),
        texts=_texts_of(values),
    )
    return _url(ctx, product)


def _url(ctx: PageContext, product: Product) -> str:
    return ctx.url("catalog.vendor.product", product_id=to_public(PREFIX, product.id))


mount_form(
    router,
    FormSpec(
        "catalog.vendor.edit_product",
        "catalog.edit_product",
        (*_FACT_FIELDS, *_text_fields()),
        _save,
        load=_load,
        back=lambda ctx: (_url(ctx, _product(ctx)), ctx.t("catalog.product.title")),
        has_intro=True,
    ),
)
mount_form(
    router,
    FormSpec(
        "catalog.vendor.new_product",
        "catalog.new_product",
        (_SKU, *_FACT_FIELDS, *_text_fields()),
        _create,
        load=lambda _ctx: _NEW,
        back=lambda ctx: (ctx.url("catalog.vendor.products"), ctx.t("catalog.products.title")),
        has_intro=True,
    ),
)
