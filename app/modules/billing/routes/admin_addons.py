"""Add-ons, for the operator: list, page, forms."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from fastapi import Response

from app.core.database import SYSTEM
from app.core.i18n import LANGUAGES, format_money, language_name
from app.core.ids import to_public
from app.modules.billing.contracts import AddonInput
from app.modules.billing.enums import Interval
from app.modules.billing.models.subscription_tier import Addon
from app.modules.billing.services import addon_service, tier_service
from app.modules.billing.services import operator_list_service as lists
from app.modules.billing.services.addon_service import ADDON_PREFIX
from app.modules.billing.services.operator_view_service import offer_actions
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
_TONES = {"sold": "success", "archived": "neutral"}
_F = "billing.admin.fields"
_INTERVALS = [(one.value, f"billing.intervals.{one}") for one in Interval]

mount_list(
    router,
    ListSpec(
        "billing.admin.addons",
        "billing.admin.addons",
        lists.select_addons,
        Addon.id,
        columns=(
            Column("code", f"{_F}.code", "code", sort=Addon.code),
            Column("name", f"{_F}.name", is_wide=True),
            Column("price", f"{_F}.price", "money", lambda row: row.price_cents, sort=Addon.price_cents),
            Column("interval", f"{_F}.interval", text_prefix="billing.intervals"),
            Column("gives", f"{_F}.gives"),
            Column("amount", f"{_F}.amount", "number"),
            Column("state", f"{_F}.state", "badge", text_prefix="billing.admin.sale", tones=_TONES),
            Column("booked", f"{_F}.booked", "number"),
        ),
        default_sort="code",
        search=lists.matching_addons,
        filters=(
            Filter(
                "state",
                f"{_F}.state",
                lambda chosen: lists.ADDON_STATE.in_(chosen),
                options=[(name, f"billing.admin.sale.{name}") for name in _TONES],
            ),
            Filter(
                "interval", f"{_F}.interval", lambda chosen: Addon.interval.in_(chosen), options=_INTERVALS
            ),
        ),
        actions=(Link("billing.admin.addons.add", "billing.admin.addon_new", _MANAGE, "plus"),),
        row_page="billing.admin.addon",
        row_id="addon_id",
        prefix=ADDON_PREFIX,
        icon="puzzle",
        is_in_palette=True,
        scope=SYSTEM,  # the select shows only those of the reader's platforms
    ),
)


def _addon(ctx: PageContext) -> Addon:
    return lists.get_addon(ctx.session, public_id(ADDON_PREFIX, ctx.path["addon_id"]))


def _url(ctx: PageContext, addon_id: UUID) -> str:
    return ctx.url("billing.admin.addon", addon_id=to_public(ADDON_PREFIX, addon_id))


def _list(ctx: PageContext) -> tuple[str, str]:
    return ctx.url("billing.admin.addons"), ctx.t("billing.admin_pages.addons")


def _title(ctx: PageContext, addon: Addon) -> str:
    return tier_service.name_of(addon.names, ctx.language)


def _platforms(ctx: PageContext) -> Sequence[tuple[str, str]]:
    return [(to_public("plt", one.id), one.name) for one in list_platforms(ctx.session)]


def _features(ctx: PageContext) -> Sequence[tuple[str, str]]:
    return [(code, ctx.t(one.label_key)) for code, one in features().items()]


_FIELDS = (
    *(
        Field(
            f"name_{code}",
            f"{_F}.name",
            is_required=code == "en",
            max_length=80,
            label=language_name(code),
            section_key="billing.admin.names" if index == 0 else None,
        )
        for index, code in enumerate(LANGUAGES)
    ),
    Field("price_cents", f"{_F}.price", "money", section_key="billing.admin.prices"),
    Field("currency", f"{_F}.currency", max_length=3),
    Field("interval", f"{_F}.interval", "radios", options=_INTERVALS),
    Field(
        "feature_code",
        f"{_F}.gives",
        "select",
        is_required=False,
        hint_key="billing.admin.hints.gives",
        options=_features,
    ),
    Field("amount", f"{_F}.amount", "number", is_required=False, max_length=9),
)


def _input(values: Mapping[str, Any]) -> AddonInput:
    return AddonInput(
        names={code: values[f"name_{code}"] for code in LANGUAGES},
        price_cents=values["price_cents"],
        interval=values["interval"],
        currency=values["currency"].upper(),
        feature_code=values["feature_code"] or None,
        amount=values["amount"] or 0,
    )


def _create(ctx: PageContext, values: Mapping[str, Any]) -> str:
    platform_id = public_id("plt", values["platform_id"])
    addon = addon_service.create_addon(ctx.session, platform_id, values["code"], _input(values))
    return _url(ctx, addon.id)


mount_form(
    router,
    FormSpec(
        "billing.admin.addon_new",
        "billing.admin.addon_new",
        (
            Field("platform_id", f"{_F}.platform", "select", options=_platforms),
            Field("code", f"{_F}.code", hint_key="billing.admin.hints.code", max_length=32),
            *_FIELDS,
        ),
        _create,
        load=lambda _ctx: {"currency": "EUR", "interval": Interval.MONTH.value},
        back=_list,
    ),
)


def _load(ctx: PageContext) -> Mapping[str, Any]:
    addon = _addon(ctx)
    return {
        **{f"name_{code}": name for code, name in addon.names.items()},
        "price_cents": addon.price_cents,
        "currency": addon.currency,
        "interval": addon.interval,
        "feature_code": addon.feature_code or "",
        "amount": addon.amount,
        "version": addon.version,
    }


def _update(ctx: PageContext, values: Mapping[str, Any]) -> str:
    key = _addon(ctx).id
    addon_service.update_addon(ctx.session, key, _input(values), version=values["version"])
    return _url(ctx, key)


mount_form(
    router,
    FormSpec(
        "billing.admin.addon_edit",
        "billing.admin.addon_edit",
        _FIELDS,
        _update,
        load=_load,
        back=lambda ctx: (_url(ctx, _addon(ctx).id), _title(ctx, _addon(ctx))),
        has_intro=True,
    ),
)


@router.page("billing.admin.addon")
def addon(ctx: PageContext, addon_id: str) -> Response:
    """One add-on: its price, what it gives, and what Stripe knows of it."""
    found = _addon(ctx)
    here = _url(ctx, found.id)
    state = "sold" if found.archived_at is None else "archived"
    may_manage = _MANAGE in ctx.who.permissions
    edit = Action(ctx.t("billing.admin.act.edit"), f"{here}/edit", "pencil", "primary", is_post=False)
    at_stripe = [
        Fact(ctx.t(f"{_F}.stripe_product"), found.stripe_product_id, "code"),
        Fact(ctx.t(f"{_F}.stripe_price"), found.stripe_price_id, "code"),
    ]
    return show_detail(
        ctx,
        Detail(
            found.id,
            _title(ctx, found),
            (
                Block("facts", ctx.t("billing.admin.prices"), _facts(ctx, found), order=10),
                Block("stripe", "Stripe", at_stripe, column="side", order=20),
            ),
            subtitle=found.code,
            back=_list(ctx),
            badges=((_TONES[state], ctx.t(f"billing.admin.sale.{state}")),),
            actions=(edit,) if may_manage else (),
            more=offer_actions(ctx, found, here) if may_manage else (),
            target=addon_id,
            raw=found,
        ),
    )


def _facts(ctx: PageContext, addon: Addon) -> list[Fact]:
    feature = features().get(addon.feature_code or "")
    platform = next((one.name for one in list_platforms(ctx.session) if one.id == addon.platform_id), None)
    return [
        Fact(ctx.t(f"{_F}.price"), format_money(ctx.language, addon.price_cents, addon.currency)),
        Fact(ctx.t(f"{_F}.interval"), ctx.t(f"billing.intervals.{addon.interval}")),
        Fact(ctx.t(f"{_F}.gives"), ctx.t(feature.label_key) if feature else addon.feature_code),
        Fact(ctx.t(f"{_F}.amount"), addon.amount or None, "number"),
        Fact(ctx.t(f"{_F}.platform"), platform),
        Fact(
            ctx.t("billing.admin.names"), ", ".join(f"{code}: {name}" for code, name in addon.names.items())
        ),
    ]
