"""Payment providers of a vendor, or of the operator's platforms: list, forms with keys that are never shown, page."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from fastapi import Response
from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.core.config import get_settings
from app.core.ids import from_public, to_public
from app.modules.base import Area
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.payments.enums import Provider
from app.modules.payments.models.account import PaymentAccount
from app.modules.payments.services import account_edit_service, job_state_service
from app.modules.payments.services.account_edit_service import AccountChange
from app.modules.payments.services.account_service import ACCOUNT_PREFIX
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.facade import list_platforms

router = AreaRouter("admin", "vendor")

_MANAGE = "payments.{area}_providers.manage"
_PLATFORM_PREFIX = "plt"
_NAMES = tuple((one.value, f"payments.provider.{one}") for one in Provider)
_CHECK_TONES = {"ok": "success", "refused": "danger", "unreachable": "warning", "incomplete": "warning"}


def _account_list(area: Area) -> ListSpec:
    """The accounts of an area."""
    columns = [
        Column(
            "provider",
            "payments.account.provider",
            text_prefix="payments.provider",
            sort=PaymentAccount.provider,
        ),
        Column("is_enabled", "payments.account.is_enabled", "flag", sort=PaymentAccount.is_enabled),
        Column("mode", "payments.account.mode", "badge", text_prefix="payments.mode", tones={"live": "info"}),
        Column("key_hint", "payments.account.key_hint", "code"),
        Column(
            "check_outcome",
            "payments.account.checked",
            "badge",
            text_prefix="payments.check_word",
            tones=_CHECK_TONES,
        ),
        Column("checked_at", "payments.account.checked_at", "datetime", is_default=False),
    ]
    if area == "admin":
        columns.insert(1, Column("platform", "payments.account.platform"))
    manage = _MANAGE.format(area=area)
    return ListSpec(
        f"payments.{area}.providers",
        "payments.providers",
        lambda session, _language: account_edit_service.select_columns(session),
        PaymentAccount.id,
        columns=columns,
        default_sort="provider",
        filters=(
            Filter(
                "provider",
                "payments.account.provider",
                lambda chosen: PaymentAccount.provider.in_(chosen),
                options=_NAMES,
            ),
        ),
        actions=(Link("payments.providers.add", f"payments.{area}.provider_new", manage, icon="plus"),),
        row_page=f"payments.{area}.provider",
        row_id="payment_account_id",
        prefix=ACCOUNT_PREFIX,
        icon="plug",
        has_intro=True,
        enrich=_with_platforms if area == "admin" else None,
    )


def _with_platforms(session: Session, rows: Sequence[Row[Any]]) -> Sequence[Any]:
    names = {one.id: one.name for one in list_platforms(session)}
    return [SimpleNamespace(**row._mapping, platform=names.get(row.platform_id, "")) for row in rows]


def _new_form(area: Area) -> FormSpec:
    """The form that adds a provider."""

    def fields(_ctx: PageContext) -> Sequence[Field]:
        options = [(one.value, f"payments.provider.{one}") for one in account_edit_service.choices()]
        asked = [Field("provider", "payments.account.provider", "select", options=options)]
        if area == "admin":
            asked.append(Field("platform", "payments.account.platform", "select", options=_platform_options))
        return asked

    def save(ctx: PageContext, values: Mapping[str, Any]) -> str:
        platform_id = from_public(_PLATFORM_PREFIX, values["platform"]) if "platform" in values else None
        row = account_edit_service.create_account(
            ctx.session, Provider(values["provider"]), platform_id=platform_id, by=ctx.who.user_id
        )
        return ctx.url(f"payments.{area}.provider_edit", payment_account_id=to_public(ACCOUNT_PREFIX, row.id))

    return FormSpec(
        f"payments.{area}.provider_new",
        "payments.provider_new",
        fields,
        save,
        back=lambda ctx: (ctx.url(f"payments.{area}.providers"), ctx.t("payments.pages.providers")),
    )


def _platform_options(ctx: PageContext) -> list[tuple[str, str]]:
    return [(to_public(_PLATFORM_PREFIX, one.id), one.name) for one in list_platforms(ctx.session)]


_FIELDS: Mapping[Provider, Sequence[Field]] = {
    Provider.STRIPE: (
        Field(
            "api_key",
            "payments.account.api_key",
            "password",
            is_required=False,
            hint_key="payments.account.api_key_hint",
            max_length=300,
            autocomplete="off",
        ),
        Field(
            "webhook_secret",
            "payments.account.webhook_secret",
            "password",
            is_required=False,
            hint_key="payments.account.webhook_secret_hint",
            max_length=300,
            autocomplete="off",
        ),
    ),
    Provider.BANK_TRANSFER: (
        Field("holder", "payments.account.holder", max_length=70),
        Field("iban", "payments.account.iban", max_length=42),
        Field("bic", "payments.account.bic", is_required=False, max_length=11),
    ),
    Provider.CASH: (
        Field(
            "words",
            "payments.account.words",
            "textarea",
            is_required=False,
            hint_key="payments.account.words_hint",
            max_length=500,
        ),
    ),
    Provider.SANDBOX: (Field("about", "payments.account.sandbox_note", "note"),),
}


def _edit_form(area: Area) -> FormSpec:
    """The form of a provider's details; keys are written, never shown."""

    def load(ctx: PageContext) -> Mapping[str, Any]:
        row = _own(ctx)
        return {**row.settings, "version": row.version}

    def save(ctx: PageContext, values: Mapping[str, Any]) -> str:
        row = _own(ctx)
        secrets = {name: values.get(name, "") for name in ("api_key", "webhook_secret")}
        settings = {name: text for name, text in values.items() if name not in {*secrets, "version", "about"}}
        change = AccountChange(settings, **secrets)
        account_edit_service.update_account(
            ctx.session, row.id, change, version=values["version"], by=ctx.who.user_id
        )
        return back(ctx)[0]

    def back(ctx: PageContext) -> tuple[str, str]:
        url = ctx.url(f"payments.{area}.provider", payment_account_id=ctx.path["payment_account_id"])
        return url, ctx.t("payments.pages.provider")

    return FormSpec(
        f"payments.{area}.provider_edit",
        "payments.provider_edit",
        lambda ctx: _FIELDS[Provider(_own(ctx).provider)],
        save,
        load=load,
        title=lambda ctx: ctx.t(f"payments.provider.{_own(ctx).provider}"),
        back=back,
    )


def _own(ctx: PageContext) -> PaymentAccount:
    return account_edit_service.get_own(
        ctx.session, public_id(ACCOUNT_PREFIX, ctx.path["payment_account_id"])
    )


mount_list(router, _account_list)
mount_form(router, _new_form)
mount_form(router, _edit_form)


@router.page("payments.{area}.provider")
def provider(ctx: PageContext, payment_account_id: str) -> Response:
    """One provider: its details, whether it is on, and what the last check said."""
    row = account_edit_service.get_own(ctx.session, public_id(ACCOUNT_PREFIX, payment_account_id))
    here = ctx.url(f"payments.{ctx.area}.provider", payment_account_id=payment_account_id)
    is_checking = job_state_service.is_unfinished(ctx.session, row.check_job_id)
    detail = Detail(
        row.id,
        ctx.t(f"payments.provider.{row.provider}"),
        _blocks(ctx, row, payment_account_id),
        back=(ctx.url(f"payments.{ctx.area}.providers"), ctx.t("payments.pages.providers")),
        badges=_badges(ctx, row),
        actions=_actions(ctx, row, here) if _MANAGE.format(area=ctx.area) in ctx.who.permissions else (),
        target=payment_account_id,
        notice=_notice(ctx, row, is_checking=is_checking),
        refresh=is_checking,
    )
    return show_detail(ctx, detail)


def _badges(ctx: PageContext, row: PaymentAccount) -> list[tuple[str, str]]:
    word = "on" if row.is_enabled else "off"
    badges = [("success" if row.is_enabled else "neutral", ctx.t(f"payments.account.{word}"))]
    if row.mode:
        badges.append(("info" if row.mode == "live" else "neutral", ctx.t(f"payments.mode.{row.mode}")))
    return badges


def _notice(ctx: PageContext, row: PaymentAccount, *, is_checking: bool) -> tuple[str, str] | None:
    if is_checking:
        return ("info", ctx.t("payments.account.checking"))
    if row.check_outcome is None:
        return None
    tone = _CHECK_TONES[row.check_outcome]
    return (tone, ctx.t(f"payments.check.{row.check_outcome}", name=row.check_name))


def _blocks(ctx: PageContext, row: PaymentAccount, public: str) -> list[Block]:
    facts = [
        Fact(ctx.t(f"payments.account.{name}"), text, "code" if name in ("iban", "bic") else "text")
        for name, text in row.settings.items()
        if text
    ]
    if row.provider == Provider.STRIPE:
        stored = ctx.t("payments.account.stored" if row.has_webhook_secret else "payments.account.missing")
        url = f"{get_settings().base_url.rstrip('/')}/webhooks/payments/stripe/{public}"
        facts += [
            Fact(ctx.t("payments.account.key_hint"), row.key_hint, "code"),
            Fact(ctx.t("payments.account.webhook_secret"), stored),
            Fact(ctx.t("payments.account.webhook_url"), url, "code"),
        ]
    facts.append(Fact(ctx.t("payments.account.checked_at"), row.checked_at, "datetime"))
    return [Block("facts", ctx.t("payments.account.facts"), facts, order=10)]


def _actions(ctx: PageContext, row: PaymentAccount, here: str) -> list[Action]:
    edit = Action(ctx.t("payments.account.edit"), f"{here}/edit", "pencil", is_post=False)
    check = Action(ctx.t("payments.account.check"), f"{here}/check", "plug")
    if row.is_enabled:
        off = Action(ctx.t("payments.account.switch_off"), f"{here}/switch-off", "pause")
        return [edit, check, off]
    on = Action(ctx.t("payments.account.switch_on"), f"{here}/switch-on", "power", "primary")
    return [edit, check, on]


@router.action("/payment-providers/{payment_account_id}/check", permission=_MANAGE)
def check_provider(ctx: PageContext, payment_account_id: str) -> Response:
    """Have a job look whether the provider can be used."""
    key = _key(payment_account_id)
    account_edit_service.start_check(ctx.session, key, by=ctx.who.user_id)
    return ctx.redirect(f"payments.{ctx.area}.provider", payment_account_id=payment_account_id)


@router.action("/payment-providers/{payment_account_id}/switch-on", permission=_MANAGE)
def switch_on(ctx: PageContext, payment_account_id: str) -> Response:
    """Offer this way to pay."""
    return _switch(ctx, payment_account_id, is_on=True)


@router.action("/payment-providers/{payment_account_id}/switch-off", permission=_MANAGE, in_read_only=True)
def switch_off(ctx: PageContext, payment_account_id: str) -> Response:
    """Offer this way to pay no more."""
    return _switch(ctx, payment_account_id, is_on=False)


def _switch(ctx: PageContext, public: str, *, is_on: bool) -> Response:
    account_edit_service.switch_account(ctx.session, _key(public), is_on=is_on, by=ctx.who.user_id)
    ctx.flash("success", "payments.account.switched_on" if is_on else "payments.account.switched_off")
    return ctx.redirect(f"payments.{ctx.area}.provider", payment_account_id=public)


def _key(public: str) -> UUID:
    return public_id(ACCOUNT_PREFIX, public)
