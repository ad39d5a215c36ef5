"""Plans, for the operator: list, page, forms."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import Response

from app.core.database import SYSTEM
from app.core.i18n import LANGUAGES, format_money, language_name
from app.core.ids import to_public
from app.modules.billing.contracts import TierInput
from app.modules.billing.models.subscription_tier import SubscriptionTier
from app.modules.billing.services import operator_list_service as lists
from app.modules.billing.services import tier_service
from app.modules.billing.services.operator_view_service import limits_in_words, offer_actions
from app.modules.billing.services.tier_service import TIER_PREFIX
from app.modules.entitlements import features
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.facade import list_platforms

router = AreaRouter("admin")
_MANAGE = "billing.manage_tiers"
_TONES = {"sold": "success", "hidden": "info", "archived": "neutral"}
_F = "billing.admin.fields"
_MAX_ORDER = 10_000


def _columns() -> tuple[Column, ...]:
    """A column for each feature with a number, one for all that are included or not."""
    included = (
        (Column("included", f"{_F}.included", "tags", lambda row: getattr(row, "included", ())),)
        if lists.switched()
        else ()
    )
    limits = [
        Column(name, one.label_key, value=partial(_limit_of, name))
        for one in lists.counted()
        if (name := lists.limit_name(one))
    ]
    return (
        Column("order_index", f"{_F}.order", "number", sort=SubscriptionTier.order_index),
        Column("code", f"{_F}.code", "code", sort=SubscriptionTier.code),
        Column("name", f"{_F}.name", is_wide=True),
        Column(
            "monthly",
            f"{_F}.monthly",
            "money",
            lambda row: row.monthly_cents,
            sort=SubscriptionTier.monthly_cents,
        ),
        Column(
            "annual",
            f"{_F}.annual",
            "money",
            lambda row: row.annual_cents,
            sort=SubscriptionTier.annual_cents,
        ),
        *limits,
        *included,
        Column("state", f"{_F}.state", "badge", text_prefix="billing.admin.sale", tones=_TONES),
        Column("subscriptions", f"{_F}.subscriptions", "number"),
        Column("mrr", f"{_F}.mrr", "money", lambda row: row.mrr_cents),
    )


def _limit_of(name: str, row: Any) -> str | None:
    """None where the module that declared the feature is gone since the list was made."""
    limit: str | None = getattr(row, name, None)
    return limit


mount_list(
    router,
    ListSpec(
        "billing.admin.tiers",
        "billing.admin.tiers",
        lists.select_tiers,
        SubscriptionTier.id,
        columns=_columns(),
        default_sort="order_index",
        search=lists.matching_tiers,
        filters=(
            Filter(
                "state",
                f"{_F}.state",
                lambda chosen: lists.TIER_STATE.in_(chosen),
                options=[(name, f"billing.admin.sale.{name}") for name in _TONES],
            ),
        ),
        actions=(
            Link(
                "billing.admin_pages.tier_preview", "billing.admin.tier_preview", "billing.view_tiers", "eye"
            ),
            Link("billing.admin.tiers.add", "billing.admin.tier_new", _MANAGE, "plus"),
        ),
        row_page="billing.admin.tier",
        row_id="tier_id",
        prefix=TIER_PREFIX,
        icon="layers",
        is_in_palette=True,
        scope=SYSTEM,  # the select shows only those of the reader's platforms
        enrich=lists.with_revenue,
    ),
)


def _tier(ctx: PageContext) -> SubscriptionTier:
    return lists.get_tier(ctx.session, public_id(TIER_PREFIX, ctx.path["tier_id"]))


def _url(ctx: PageContext, tier_id: UUID) -> str:
    return ctx.url("billing.admin.tier", tier_id=to_public(TIER_PREFIX, tier_id))


def _list(ctx: PageContext) -> tuple[str, str]:
    return ctx.url("billing.admin.tiers"), ctx.t("billing.admin_pages.tiers")


def _platforms(ctx: PageContext) -> Sequence[tuple[str, str]]:
    return [(to_public("plt", one.id), one.name) for one in list_platforms(ctx.session)]


def _limit_fields() -> list[Field]:
    """What the plan holds of each declared feature."""
    fields = []
    for index, one in enumerate(features().values()):
        section = "billing.admin.limits" if index == 0 else None
        kind: Any = "number" if one.kind == "quantitative" else "checkbox"
        hint = "billing.admin.hints.limit" if one.kind == "quantitative" else None
        fields.append(
            Field(
                f"limit_{one.code}",
                one.label_key,
                kind,
                is_required=False,
                hint_key=hint,
                max_length=12,
                section_key=section,
            )
        )
    return fields


_NAMES = [
    Field(
        f"name_{code}",
        f"{_F}.name",
        is_required=code == "en",
        max_length=80,
        label=language_name(code),
        section_key="billing.admin.names" if index == 0 else None,
    )
    for index, code in enumerate(LANGUAGES)
]
_PRICES = (
    Field("monthly_cents", f"{_F}.monthly", "money", section_key="billing.admin.prices"),
    Field("annual_cents", f"{_F}.annual", "money"),
    Field("currency", f"{_F}.currency", max_length=3),
    Field("order_index", f"{_F}.order", "number", hint_key="billing.admin.hints.order", max_length=5),
    Field("is_public", f"{_F}.is_public", "checkbox", is_required=False),
)


def _fields(_ctx: PageContext) -> Sequence[Field]:
    return (*_NAMES, *_PRICES, *_limit_fields())


def _input(values: Mapping[str, Any], kept: Mapping[str, int | None]) -> TierInput:
    """What was typed; limits of features that no installed module declares stay as they were."""
    limits = dict(kept)
    for one in features().values():
        value = values[f"limit_{one.code}"]
        limits[one.code] = value if one.kind == "quantitative" else int(value)
    return TierInput(
        names={code: values[f"name_{code}"] for code in LANGUAGES},
        order_index=min(max(values["order_index"], 0), _MAX_ORDER),
        monthly_cents=values["monthly_cents"],
        annual_cents=values["annual_cents"],
        currency=values["currency"].upper(),
        is_public=values["is_public"],
        limits=limits,
    )


def _create(ctx: PageContext, values: Mapping[str, Any]) -> str:
    platform_id = public_id("plt", values["platform_id"])
    tier = tier_service.create_tier(ctx.session, platform_id, values["code"], _input(values, {}))
    return _url(ctx, tier.id)


def _defaults(_ctx: PageContext) -> Mapping[str, Any]:
    limits = {
        f"limit_{one.code}": one.default_limit if one.kind == "quantitative" else one.default_limit != 0
        for one in features().values()
    }
    return {"currency": "EUR", "is_public": True, **limits}


mount_form(
    router,
    FormSpec(
        "billing.admin.tier_new",
        "billing.admin.tier_new",
        lambda ctx: (
            Field("platform_id", f"{_F}.platform", "select", options=_platforms),
            Field("code", f"{_F}.code", hint_key="billing.admin.hints.code", max_length=32),
            *_fields(ctx),
        ),
        _create,
        load=_defaults,
        back=_list,
    ),
)


def _load(ctx: PageContext) -> Mapping[str, Any]:
    tier = _tier(ctx)
    limits = tier_service.limits_of(ctx.session, [tier.id])[tier.id]
    return {
        **_defaults(ctx),
        **{f"limit_{code}": limit for code, limit in limits.items()},
        **{f"name_{code}": name for code, name in tier.names.items()},
        "monthly_cents": tier.monthly_cents,
        "annual_cents": tier.annual_cents,
        "currency": tier.currency,
        "order_index": tier.order_index,
        "is_public": tier.is_public,
        "version": tier.version,
    }


def _update(ctx: PageContext, values: Mapping[str, Any]) -> str:
    tier = _tier(ctx)
    kept = tier_service.limits_of(ctx.session, [tier.id])[tier.id]
    tier_service.update_tier(ctx.session, tier.id, _input(values, kept), version=values["version"])
    return _url(ctx, tier.id)


mount_form(
    router,
    FormSpec(
        "billing.admin.tier_edit",
        "billing.admin.tier_edit",
        _fields,
        _update,
        load=_load,
        back=lambda ctx: (_url(ctx, _tier(ctx).id), _title(ctx, _tier(ctx))),
        has_intro=True,
    ),
)


def _title(ctx: PageContext, tier: SubscriptionTier) -> str:
    return tier_service.name_of(tier.names, ctx.language)


def _state(tier: SubscriptionTier) -> str:
    if tier.archived_at is not None:
        return "archived"
    return "sold" if tier.is_public else "hidden"


@router.page("billing.admin.tier")
def tier(ctx: PageContext, tier_id: str) -> Response:
    """One plan: prices, limits, who has it, and what Stripe knows of it."""
    found = _tier(ctx)
    state, here = _state(found), _url(ctx, found.id)
    may_manage = _MANAGE in ctx.who.permissions
    edit = Action(ctx.t("billing.admin.act.edit"), f"{here}/edit", "pencil", "primary", is_post=False)
    return show_detail(
        ctx,
        Detail(
            found.id,
            _title(ctx, found),
            (
                Block("facts", ctx.t("billing.admin.prices"), _facts(ctx, found), order=10),
                Block("limits", ctx.t("billing.admin.limits"), limits_in_words(ctx, found), order=20),
                Block(
                    "figures", ctx.t("billing.admin.figures"), _figures(ctx, found), column="side", order=10
                ),
                Block("stripe", "Stripe", _at_stripe(ctx, found), column="side", order=20),
            ),
            subtitle=found.code,
            back=_list(ctx),
            badges=((_TONES[state], ctx.t(f"billing.admin.sale.{state}")),),
            actions=(edit,) if may_manage else (),
            more=offer_actions(ctx, found, here) if may_manage else (),
            target=tier_id,
            raw=found,
        ),
    )


def _facts(ctx: PageContext, tier: SubscriptionTier) -> list[Fact]:
    platform = next((one.name for one in list_platforms(ctx.session) if one.id == tier.platform_id), None)
    return [
        Fact(ctx.t(f"{_F}.monthly"), format_money(ctx.language, tier.monthly_cents, tier.currency)),
        Fact(ctx.t(f"{_F}.annual"), format_money(ctx.language, tier.annual_cents, tier.currency)),
        Fact(ctx.t(f"{_F}.order"), tier.order_index, "number"),
        Fact(ctx.t(f"{_F}.platform"), platform),
        Fact(ctx.t("billing.admin.names"), ", ".join(f"{code}: {name}" for code, name in tier.names.items())),
    ]


def _figures(ctx: PageContext, tier: SubscriptionTier) -> list[Fact]:
    figures = tier_service.figures(ctx.session).get(tier.id, tier_service.TierFigures())
    url = None
    if "billing.view_subscriptions" in ctx.who.permissions:
        url = ctx.url("billing.admin.subscriptions", tier=to_public(TIER_PREFIX, tier.id))
    return [
        Fact(ctx.t(f"{_F}.running"), figures.subscriptions, "number", url),
        Fact(ctx.t(f"{_F}.mrr"), format_money(ctx.language, figures.monthly_cents, tier.currency)),
    ]


def _at_stripe(ctx: PageContext, tier: SubscriptionTier) -> list[Fact]:
    return [
        Fact(ctx.t(f"{_F}.stripe_product"), tier.stripe_product_id, "code"),
        Fact(ctx.t(f"{_F}.stripe_monthly"), tier.stripe_monthly_price_id, "code"),
        Fact(ctx.t(f"{_F}.stripe_annual"), tier.stripe_annual_price_id, "code"),
    ]
