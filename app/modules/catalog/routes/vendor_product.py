"""A product's page, and what is done there."""

from typing import Annotated, Any

from fastapi import Form, Response

from app.core.errors import NotFoundError
from app.core.i18n import FALLBACK, LANGUAGES, format_date, format_money, has_message
from app.modules.catalog.contracts import PRODUCT_FIELDS, TRANSLATION_FIELDS, ProductDetail, display_gtin
from app.modules.catalog.routes.vendor import AVAILABILITY_TONES
from app.modules.catalog.services import limit_service, product_edit_service, product_service
from app.modules.catalog.services.product_edit_service import PREFIX
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_EDIT = "catalog.products.edit"
# Shown with the price, or as links.
_SHOWN_APART = frozenset(
    {"price_cents", "currency", "sale_price_cents", "sale_starts_at", "sale_ends_at"}
    | {"image_link", "additional_image_links"}
)
_CODES = frozenset({"gtin", "mpn", "item_group_id"})
_STATES = {
    "activate": (product_edit_service.set_active, True),
    "deactivate": (product_edit_service.set_active, False),
    "archive": (product_edit_service.set_archived, True),
    "restore": (product_edit_service.set_archived, False),
}


@router.page("catalog.vendor.product")
def product(ctx: PageContext, product_id: str) -> Response:
    """One product: its texts side by side, facts, and what became of it."""
    key = public_id(PREFIX, product_id)
    found = product_service.get_product(ctx.session, key, language=ctx.language)
    blocks = [
        Block(
            "texts",
            ctx.t("catalog.product.texts"),
            template="catalog/vendor/texts.html",
            context={"texts": _texts(found), "missing": _missing_languages(found)},
            column="full",
            order=10,
        ),
        Block("facts", ctx.t("catalog.product.facts"), _facts(ctx, found), order=20),
        Block("price", ctx.t("catalog.product.price"), _prices(ctx, found), column="side", order=10),
        Block("about", ctx.t("catalog.product.about"), _about(ctx, found), column="side", order=20),
    ]
    pictures = [*filter(None, [found.facts.image_link]), *found.facts.additional_image_links]
    if pictures:
        shown = {"links": pictures}
        title = ctx.t("catalog.product.pictures")
        blocks.append(
            Block(
                "pictures",
                title,
                template="catalog/vendor/links.html",
                context=shown,
                column="side",
                order=30,
            )
        )
    if found.facts.attributes:
        blocks.append(
            Block("attributes", ctx.t("catalog.product.attributes"), _attributes(ctx, found), order=60)
        )
    return show_detail(
        ctx,
        Detail(
            key,
            found.summary.title,
            blocks,
            subtitle=ctx.t("catalog.product.subtitle", sku=found.summary.sku),
            back=(ctx.url("catalog.vendor.products"), ctx.t("catalog.products.title")),
            badges=_badges(ctx, found),
            actions=_actions(ctx, product_id, found)[:1],
            more=_actions(ctx, product_id, found)[1:],
            target=product_id,
            raw=found,
        ),
    )


@router.action("/products/{product_id}/state", permission=_EDIT)
def change_state(ctx: PageContext, product_id: str, to: Annotated[str, Form()] = "") -> Response:
    """Activate, deactivate, archive or restore a product."""
    product = product_edit_service.get_for_change(ctx.session, public_id(PREFIX, product_id))
    if to not in _STATES:
        raise NotFoundError
    if to == "restore":
        limit_service.claim_room(ctx.session)
    elif to != "archive":
        limit_service.check_editable(ctx.session, product)
    act, wanted = _STATES[to]
    act(ctx.session, [product.id], wanted)
    ctx.flash("success", f"catalog.product.done.{to}")
    return ctx.redirect("catalog.vendor.product", product_id=product_id)


def _actions(ctx: PageContext, product_id: str, found: ProductDetail) -> list[Action]:
    if _EDIT not in ctx.who.permissions:
        return []
    url = ctx.url("catalog.vendor.product", product_id=product_id)
    states = ["deactivate" if found.summary.is_active else "activate"]
    states.append("archive" if found.archived_at is None else "restore")
    icons = {"activate": "circle-play", "deactivate": "circle-pause"}
    icons |= {"archive": "archive", "restore": "archive-restore"}
    edit = ctx.url("catalog.vendor.edit_product", product_id=product_id)
    return [
        Action(ctx.t("catalog.actions.edit"), edit, "pencil", "primary", is_post=False),
        *(
            Action(ctx.t(f"catalog.actions.{state}"), f"{url}/state", icons[state], fields={"to": state})
            for state in states
        ),
    ]


def _badges(ctx: PageContext, found: ProductDetail) -> list[tuple[str, str]]:
    summary, badges = found.summary, []
    if found.archived_at:
        badges.append(("neutral", ctx.t("catalog.product.archived")))
    if not summary.is_active:
        badges.append(("neutral", ctx.t("catalog.products.inactive")))
    if summary.availability:
        text = ctx.t(f"catalog.availability.{summary.availability}")
        badges.append((AVAILABILITY_TONES[summary.availability], text))
    return badges


def _texts(found: ProductDetail) -> list[dict[str, Any]]:
    return [
        {
            "text": text,
            "filled": sum(bool(getattr(text, name)) for name in TRANSLATION_FIELDS),
            "of": len(TRANSLATION_FIELDS),
        }
        for text in found.texts
    ]


def _missing_languages(found: ProductDetail) -> list[str]:
    present = {text.language for text in found.texts}
    return [language for language in LANGUAGES if language not in present]


def _label(ctx: PageContext, found: ProductDetail, name: str) -> str:
    label = ctx.t(f"catalog.fields.{name}")
    return ctx.t("catalog.product.edited_field", field=label) if name in found.edited_fields else label


def _facts(ctx: PageContext, found: ProductDetail) -> list[Fact]:
    """What the product has, in the order of the columns."""
    facts = []
    for name in PRODUCT_FIELDS:
        value = getattr(found.facts, name)
        if name in _SHOWN_APART or value is None:
            continue
        if name == "gtin":
            value = display_gtin(value)
        elif name in ("availability", "condition"):
            value = ctx.t(f"catalog.{name}.{value}")
        kind = "date" if name == "availability_date" else "code" if name in _CODES else "text"
        facts.append(Fact(_label(ctx, found, name), value, kind))  # type: ignore[arg-type]
    return facts


def _prices(ctx: PageContext, found: ProductDetail) -> list[Fact]:
    facts, currency = found.facts, found.summary.currency
    shown = [
        Fact(_label(ctx, found, "price_cents"), format_money(ctx.language, facts.price_cents, currency)),
    ]
    if facts.sale_price_cents is not None:
        sale = format_money(ctx.language, facts.sale_price_cents, currency)
        shown.append(Fact(_label(ctx, found, "sale_price_cents"), sale))
    if facts.sale_starts_at and facts.sale_ends_at:
        period = [format_date(ctx.language, day.date()) for day in (facts.sale_starts_at, facts.sale_ends_at)]
        shown.append(Fact(ctx.t("catalog.fields.sale_period"), " – ".join(period)))
    shown.append(Fact(ctx.t("catalog.fields.tax_class"), ctx.t(f"catalog.tax_class.{found.tax_class}")))
    return shown


def _about(ctx: PageContext, found: ProductDetail) -> list[Fact]:
    return [
        Fact(ctx.t("catalog.fields.sku"), found.summary.sku, "code"),
        Fact(ctx.t("catalog.fields.kind"), ctx.t(f"catalog.kind.{found.kind}")),
        Fact(ctx.t("catalog.fields.created_at"), found.created_at, "datetime"),
        Fact(ctx.t("catalog.fields.updated_at"), found.summary.updated_at, "datetime"),
    ]


def _attributes(ctx: PageContext, found: ProductDetail) -> list[Fact]:
    def shown(value: Any) -> Any:
        if isinstance(value, bool):
            return ctx.t("ui.yes") if value else ctx.t("ui.no")
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def label(name: str) -> str:
        key = f"catalog.attributes.{name}"
        return ctx.t(key) if has_message(FALLBACK, key) else name

    return [Fact(label(name), shown(value)) for name, value in sorted(found.facts.attributes.items())]
