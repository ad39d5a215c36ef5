"""Webhook endpoints, a vendor's or the operator's own: list, forms, page, secrets, switches."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Response
from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.i18n import ntranslate, translate
from app.core.ids import to_public
from app.modules.base import Area
from app.modules.core.contracts import NewWebhook
from app.modules.core.models.webhook import WebhookEndpoint
from app.modules.core.services import webhook_delivery_service, webhook_secret_service, webhook_service
from app.modules.core.services.webhook_delivery_service import DELIVERY_PREFIX, DELIVERY_TONES
from app.modules.core.services.webhook_service import ENDPOINT_PREFIX
from app.modules.menu import pages
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("admin", "vendor")

_MANAGE = "core.{area}_webhooks.manage"
_LAST = 10
_REPLAY_HOURS = (1, 24, 168)
_TONES = {
    "on": "success",
    "failing": "warning",
    "off": "neutral",
    "gone": "danger",
    "given_up": "danger",
}
# What people are told of an endpoint, in one word.
_CONDITION = case(
    (WebhookEndpoint.disabled_reason == "gone", "gone"),
    (WebhookEndpoint.disabled_reason == "failing", "given_up"),
    (~WebhookEndpoint.is_enabled, "off"),
    (WebhookEndpoint.failing_since.is_not(None), "failing"),
    else_="on",
)


def _endpoint_list(area: Area) -> ListSpec:
    """The endpoints of an area: a vendor's, or the operator's own."""
    conditions = tuple((name, f"core.webhooks.condition.{name}") for name in _TONES)
    return ListSpec(
        f"core.{area}.webhooks",
        "core.webhooks",
        _select_endpoints,
        WebhookEndpoint.id,
        columns=(
            Column("url", "core.webhooks.url", sort=WebhookEndpoint.url, is_wide=True),
            Column("description", "core.webhooks.description"),
            Column("events", "core.webhooks.event_types"),
            Column(
                "condition",
                "core.webhooks.condition",
                "badge",
                text_prefix="core.webhooks.condition",
                tones=_TONES,
            ),
            Column("created_at", "core.webhooks.created_at", "datetime", sort=WebhookEndpoint.created_at),
        ),
        default_sort="-created_at",
        search=_search_endpoints,
        filters=(
            Filter(
                "condition",
                "core.webhooks.condition",
                lambda chosen: _CONDITION.in_(chosen),
                options=conditions,
            ),
        ),
        actions=(
            Link(
                "core.webhooks.deliveries",
                f"core.{area}.webhook_deliveries",
                f"core.{area}_webhooks.view",
                icon="history",
            ),
            Link("core.webhooks.add", f"core.{area}.webhook_new", _MANAGE.format(area=area), icon="plus"),
        ),
        row_page=f"core.{area}.webhook",
        row_id="webhook_id",
        prefix=ENDPOINT_PREFIX,
        icon="webhook",
        has_intro=True,
        is_in_palette=True,
    )


def _search_endpoints(words: str) -> ColumnElement[bool]:
    return or_(
        WebhookEndpoint.url.icontains(words, autoescape=True),
        WebhookEndpoint.description.icontains(words, autoescape=True),
    )


def _select_endpoints(session: Session, language: str) -> Select[Any]:
    events = case(
        (
            WebhookEndpoint.event_types.contains([webhook_service.EVERYTHING]),
            translate(language, "core.webhooks.everything"),
        ),
        else_=func.array_to_string(WebhookEndpoint.event_types, ", "),
    )
    return select(
        WebhookEndpoint.id,
        WebhookEndpoint.url,
        WebhookEndpoint.description,
        WebhookEndpoint.created_at,
        events.label("events"),
        _CONDITION.label("condition"),
    ).where(webhook_service.here(session))


def _event_options(ctx: PageContext) -> Sequence[tuple[str, ...]]:
    types = webhook_service.event_types(ctx.who.platform_ids)
    return [
        (webhook_service.EVERYTHING, ctx.t("core.webhooks.everything")),
        *((name, name) for name in types),
    ]


_FIELDS = (
    Field(
        "url",
        "core.webhooks.url",
        "url",
        hint_key="core.webhooks.url_hint",
        max_length=2000,
    ),
    Field("description", "core.webhooks.description", is_required=False),
    Field(
        "event_types",
        "core.webhooks.event_types",
        "checkboxes",
        hint_key="core.webhooks.event_types_hint",
        options=_event_options,
    ),
)


def _new_form(area: Area) -> FormSpec:
    """The form of a new endpoint."""

    def save(ctx: PageContext, values: Mapping[str, Any]) -> str:
        created = webhook_service.create_webhook(ctx.session, _wanted(values), by=ctx.who.user_id)
        return ctx.url(f"core.{area}.webhook", webhook_id=to_public(ENDPOINT_PREFIX, created.id))

    return FormSpec(
        f"core.{area}.webhook_new",
        "core.webhook_new",
        _FIELDS,
        save,
        back=lambda ctx: (ctx.url(f"core.{area}.webhooks"), ctx.t("core.pages.webhooks")),
        has_intro=True,
    )


def _edit_form(area: Area) -> FormSpec:
    """The form of an endpoint that is there."""

    def load(ctx: PageContext) -> Mapping[str, Any]:
        endpoint = webhook_service.get_own_webhook(ctx.session, _endpoint_id(ctx))
        names = ("url", "description", "event_types", "version")
        return {name: getattr(endpoint, name) for name in names}

    def save(ctx: PageContext, values: Mapping[str, Any]) -> str:
        webhook_service.update_webhook(
            ctx.session,
            _endpoint_id(ctx),
            _wanted(values),
            version=values["version"],
            by=ctx.who.user_id,
        )
        return back(ctx)[0]

    def back(ctx: PageContext) -> tuple[str, str]:
        return ctx.url(f"core.{area}.webhook", webhook_id=ctx.path["webhook_id"]), ctx.t("core.pages.webhook")

    return FormSpec(f"core.{area}.webhook_edit", "core.webhook_edit", _FIELDS, save, load=load, back=back)


def _wanted(values: Mapping[str, Any]) -> NewWebhook:
    return NewWebhook(values["url"], values["event_types"], values["description"])


def _endpoint_id(ctx: PageContext) -> UUID:
    return public_id(ENDPOINT_PREFIX, ctx.path["webhook_id"])


mount_list(router, _endpoint_list)
mount_form(router, _new_form)
mount_form(router, _edit_form)


@router.page("core.{area}.webhook")
def webhook(ctx: PageContext, webhook_id: str) -> Response:
    """One endpoint, with the last messages to it."""
    return _show_endpoint(ctx, public_id(ENDPOINT_PREFIX, webhook_id))


@router.action("/webhooks/{webhook_id}/secret", permission=_MANAGE, in_read_only=True)
def show_secret(ctx: PageContext, webhook_id: str) -> Response:
    """Show the newest secret, once."""
    key = public_id(ENDPOINT_PREFIX, webhook_id)
    secret = webhook_service.reveal_secret(ctx.session, key, by=ctx.who.user_id)
    return _show_endpoint(ctx, key, secret=secret)


@router.action("/webhooks/{webhook_id}/rotate", permission=_MANAGE)
def rotate_secret(ctx: PageContext, webhook_id: str) -> Response:
    """Make a new secret; the former signs too for a day."""
    webhook_service.rotate_secret(ctx.session, public_id(ENDPOINT_PREFIX, webhook_id), by=ctx.who.user_id)
    ctx.flash("success", "core.webhooks.rotated")
    return ctx.redirect(f"core.{ctx.area}.webhook", webhook_id=webhook_id)


@router.action("/webhooks/{webhook_id}/test", permission=_MANAGE)
def send_test(ctx: PageContext, webhook_id: str) -> Response:
    """Send a message that is about nothing, and show what comes of it."""
    delivery_id = webhook_delivery_service.send_test(ctx.session, public_id(ENDPOINT_PREFIX, webhook_id))
    return ctx.redirect(
        f"core.{ctx.area}.webhook_delivery", webhook_delivery_id=to_public(DELIVERY_PREFIX, delivery_id)
    )


@router.action("/webhooks/{webhook_id}/switch-on", permission=_MANAGE)
def switch_on(ctx: PageContext, webhook_id: str) -> Response:
    """Send to the endpoint again."""
    return _switch(ctx, webhook_id, is_on=True)


@router.action("/webhooks/{webhook_id}/switch-off", permission=_MANAGE, in_read_only=True)
def switch_off(ctx: PageContext, webhook_id: str) -> Response:
    """Send nothing to the endpoint any more."""
    return _switch(ctx, webhook_id, is_on=False)


def _switch(ctx: PageContext, webhook_id: str, *, is_on: bool) -> Response:
    key = public_id(ENDPOINT_PREFIX, webhook_id)
    webhook_service.switch_webhook(ctx.session, key, is_on=is_on, by=ctx.who.user_id)
    ctx.flash("success", "core.webhooks.switched_on" if is_on else "core.webhooks.switched_off")
    return ctx.redirect(f"core.{ctx.area}.webhook", webhook_id=webhook_id)


@router.action("/webhooks/{webhook_id}/delete", permission=_MANAGE, in_read_only=True)
def delete_webhook(ctx: PageContext, webhook_id: str) -> Response:
    """Remove the endpoint with its log."""
    webhook_service.delete_webhook(ctx.session, public_id(ENDPOINT_PREFIX, webhook_id), by=ctx.who.user_id)
    ctx.flash("success", "core.webhooks.deleted")
    return ctx.redirect(f"core.{ctx.area}.webhooks")


@router.action("/webhooks/{webhook_id}/replay", permission=_MANAGE)
def replay_range(
    ctx: PageContext,
    webhook_id: str,
    hours: Annotated[str, Form()] = "",
    everything: Annotated[str, Form()] = "",
) -> Response:
    """Send again what failed in the last hours, or everything."""
    chosen = int(hours) if hours in map(str, _REPLAY_HOURS) else _REPLAY_HOURS[0]
    since = clock.now() - timedelta(hours=chosen)
    key = public_id(ENDPOINT_PREFIX, webhook_id)
    count = webhook_delivery_service.replay_range(ctx.session, key, since, is_all=bool(everything))
    ctx.flash_text("success" if count else "info", ntranslate(ctx.language, "core.webhooks.replayed", count))
    return ctx.redirect(f"core.{ctx.area}.webhook", webhook_id=webhook_id)


def _show_endpoint(ctx: PageContext, endpoint_id: UUID, *, secret: str | None = None) -> Response:
    endpoint = webhook_service.get_webhook(ctx.session, endpoint_id)
    ctx.page = pages()[f"core.{ctx.area}.webhook"]  # also in the answer of an action
    public = to_public(ENDPOINT_PREFIX, endpoint.id)
    may_manage = _MANAGE.format(area=ctx.area) in ctx.who.permissions and webhook_service.is_own(
        ctx.session, endpoint
    )
    here = ctx.url(f"core.{ctx.area}.webhook", webhook_id=public)
    state = _condition(endpoint)
    blocks = [_log(ctx, endpoint, public), _facts(ctx, endpoint)]
    if may_manage:
        blocks.append(_secret(ctx, endpoint, here, secret))
    if may_manage and endpoint.is_enabled:
        blocks.append(_replaying(ctx, here))
    notices = {"gone": "danger", "given_up": "danger", "failing": "warning"}
    detail = Detail(
        endpoint.id,
        endpoint.description or endpoint.url,
        blocks,
        subtitle=endpoint.url if endpoint.description else None,
        back=(ctx.url(f"core.{ctx.area}.webhooks"), ctx.t("core.pages.webhooks")),
        badges=[(_TONES[state], ctx.t(f"core.webhooks.condition.{state}"))],
        actions=_actions(ctx, endpoint, here) if may_manage else (),
        more=_more(ctx, here, is_on=endpoint.is_enabled) if may_manage else (),
        target=public,
        notice=(notices[state], ctx.t(f"core.webhooks.notice_{state}")) if state in notices else None,
    )
    return show_detail(ctx, detail)


def _condition(endpoint: WebhookEndpoint) -> str:
    if not endpoint.is_enabled:
        return {"gone": "gone", "failing": "given_up"}.get(endpoint.disabled_reason or "", "off")
    return "failing" if endpoint.failing_since else "on"


def _facts(ctx: PageContext, endpoint: WebhookEndpoint) -> Block:
    events = ", ".join(endpoint.event_types)
    if endpoint.event_types == [webhook_service.EVERYTHING]:
        events = ctx.t("core.webhooks.everything")
    facts = [
        Fact(ctx.t("core.webhooks.url"), endpoint.url, "code"),
        Fact(ctx.t("core.webhooks.event_types"), events),
        Fact(ctx.t("core.webhooks.created_at"), endpoint.created_at, "datetime"),
    ]
    if endpoint.failing_since:
        facts.append(Fact(ctx.t("core.webhooks.failing_since"), endpoint.failing_since, "datetime"))
    return Block("facts", ctx.t("core.webhooks.facts"), facts, column="side", order=10)


def _log(ctx: PageContext, endpoint: WebhookEndpoint, public: str) -> Block:
    deliveries = webhook_delivery_service.list_deliveries(ctx.session, endpoint.id, limit=_LAST)
    rows = [
        (
            ctx.url(
                f"core.{ctx.area}.webhook_delivery",
                webhook_delivery_id=to_public(DELIVERY_PREFIX, one.id),
            ),
            one,
        )
        for one in deliveries
    ]
    return Block(
        "log",
        ctx.t("core.webhooks.last_deliveries"),
        template="core/webhook_log.html",
        context={
            "rows": rows,
            "tones": DELIVERY_TONES,
            "all_url": ctx.url(f"core.{ctx.area}.webhook_deliveries", endpoint=public),
        },
        is_flush=bool(rows),
        order=10,
    )


def _secret(ctx: PageContext, endpoint: WebhookEndpoint, here: str, secret: str | None) -> Block:
    is_unseen = secret is None and webhook_secret_service.is_unseen(ctx.session, endpoint.id)
    context = {"secret": secret, "is_unseen": is_unseen, "here": here}
    return Block(
        "secret",
        ctx.t("core.webhooks.secret"),
        template="core/webhook_secret.html",
        context=context,
        column="full" if secret else "side",
        order=5 if secret or is_unseen else 20,
    )


def _replaying(ctx: PageContext, here: str) -> Block:
    return Block(
        "replay",
        ctx.t("core.webhooks.replay_range"),
        template="core/webhook_replay.html",
        context={"here": here},
        column="side",
        order=30,
    )


def _actions(ctx: PageContext, endpoint: WebhookEndpoint, here: str) -> list[Action]:
    edit = Action(ctx.t("core.webhooks.edit"), f"{here}/edit", "pencil", is_post=False)
    if not endpoint.is_enabled:
        return [edit, Action(ctx.t("core.webhooks.switch_on"), f"{here}/switch-on", "power", "primary")]
    return [edit, Action(ctx.t("core.webhooks.test"), f"{here}/test", "send", "primary")]


def _more(ctx: PageContext, here: str, *, is_on: bool) -> list[Action]:
    return [
        Action(ctx.t("core.webhooks.rotate"), f"{here}/rotate", "rotate-cw"),
        *([Action(ctx.t("core.webhooks.switch_off"), f"{here}/switch-off", "pause")] if is_on else []),
        Action(ctx.t("core.webhooks.delete"), f"{here}/delete", "trash-2", "danger"),
    ]
