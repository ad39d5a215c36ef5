"""Lists of webhook endpoints and of the messages to them, and the form of an endpoint; for both areas."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import AppError
from app.core.i18n import translate
from app.core.ids import from_public, to_public
from app.modules.core.contracts import HomeArea, NewWebhook
from app.modules.core.enums import DeliveryState
from app.modules.core.models.webhook import WebhookDelivery, WebhookEndpoint
from app.modules.core.services import webhook_delivery_service, webhook_service
from app.modules.core.services.reach_service import vendor_of
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pagekit.lists import BulkAction, BulkOutcome, Column, Filter, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import public_id

STATE_TONES = {"pending": "info", "delivered": "success", "failed": "danger"}
ENDPOINT_TONES = {
    "on": "success",
    "failing": "warning",
    "off": "neutral",
    "gone": "danger",
    "given_up": "danger",
}
_STATES = tuple((state.value, f"core.webhooks.state.{state}") for state in DeliveryState)
_DELIVERY_COLUMNS = ("id", "event_type", "state", "attempts", "created_at", "next_attempt_at")
# What people are told of an endpoint, in one word.
_CONDITION = case(
    (WebhookEndpoint.disabled_reason == "gone", "gone"),
    (WebhookEndpoint.disabled_reason == "failing", "given_up"),
    (~WebhookEndpoint.is_enabled, "off"),
    (WebhookEndpoint.failing_since.is_not(None), "failing"),
    else_="on",
)


def condition(endpoint: WebhookEndpoint) -> str:
    """What the list says of an endpoint: on, failing, off, gone or given_up."""
    if not endpoint.is_enabled:
        return {"gone": "gone", "failing": "given_up"}.get(endpoint.disabled_reason or "", "off")
    return "failing" if endpoint.failing_since else "on"


def endpoint_list(area: HomeArea) -> ListSpec:
    """The endpoints of an area: a vendor's, or the operator's own."""
    permission = "core.webhooks.manage" if area == "vendor" else "core.admin_webhooks.manage"
    conditions = tuple((name, f"core.webhooks.condition.{name}") for name in ENDPOINT_TONES)
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
                tones=ENDPOINT_TONES,
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
                permission.replace("manage", "view"),
                icon="history",
            ),
            Link("core.webhooks.add", f"core.{area}.webhook_new", permission, icon="plus"),
        ),
        row_page=f"core.{area}.webhook",
        row_id="webhook_id",
        prefix=webhook_service.ENDPOINT_PREFIX,
        icon="webhook",
        has_intro=True,
        is_in_palette=True,
    )


def _search_endpoints(words: str) -> ColumnElement[bool]:
    return or_(
        WebhookEndpoint.url.icontains(words, autoescape=True),
        WebhookEndpoint.description.icontains(words, autoescape=True),
    )


def delivery_list(area: HomeArea) -> ListSpec:
    """Messages to the endpoints of an area; sent again one by one, ticked ones, or all that a filter leaves."""
    permission = "core.webhooks.manage" if area == "vendor" else "core.admin_webhooks.manage"
    return ListSpec(
        f"core.{area}.webhook_deliveries",
        "core.webhook_deliveries",
        _select_deliveries,
        WebhookDelivery.id,
        columns=(
            Column("event_type", "core.webhooks.event_type", "code", sort=WebhookDelivery.event_type),
            Column(
                "state",
                "core.webhooks.state",
                "badge",
                sort=WebhookDelivery.state,
                text_prefix="core.webhooks.state",
                tones=STATE_TONES,
            ),
            Column("url", "core.webhooks.url", is_wide=True),
            Column("attempts", "core.webhooks.attempts", "number"),
            Column("created_at", "core.webhooks.created_at", "datetime", sort=WebhookDelivery.created_at),
            Column("next_attempt_at", "core.webhooks.next_attempt_at", "datetime", is_default=False),
        ),
        default_sort="-created_at",
        filters=(
            Filter(
                "state",
                "core.webhooks.state",
                lambda chosen: WebhookDelivery.state.in_(chosen),
                options=_STATES,
            ),
            Filter(
                "endpoint",
                "core.webhooks.endpoint",
                lambda chosen: WebhookDelivery.endpoint_id.in_(_endpoint_keys(chosen)),
                options=_endpoint_options,
            ),
            Filter("since", "core.webhooks.since", _since, kind="date_from"),
            Filter("until", "core.webhooks.until", _until, kind="date_to"),
        ),
        bulk=(BulkAction("replay", "core.webhooks.replay", permission, _replay, icon="repeat"),),
        row_page=f"core.{area}.webhook_delivery",
        row_id="webhook_delivery_id",
        prefix=webhook_delivery_service.DELIVERY_PREFIX,
        icon="send",
    )


def count_given_up(session: Session) -> int:
    """How many endpoints went off by themselves."""
    off = WebhookEndpoint.disabled_reason.in_(("gone", "failing"))
    return session.scalar(select(func.count()).where(_here(session), off)) or 0


def count_recent(session: Session) -> int:
    """How many messages were made in the last 24 hours."""
    since = clock.now() - timedelta(hours=24)
    whose = WebhookDelivery.vendor_id == vendor_of(session)
    return session.scalar(select(func.count()).where(whose, WebhookDelivery.created_at >= since)) or 0


def new_form(area: HomeArea) -> FormSpec:
    """The form of a new endpoint."""

    def save(ctx: PageContext, values: Mapping[str, Any]) -> str:
        created = webhook_service.create_webhook(ctx.session, _wanted(values), by=ctx.who.user_id)
        return ctx.url(
            f"core.{area}.webhook", webhook_id=to_public(webhook_service.ENDPOINT_PREFIX, created.id)
        )

    return FormSpec(
        f"core.{area}.webhook_new",
        "core.webhook_new",
        _FIELDS,
        save,
        back=lambda ctx: (ctx.url(f"core.{area}.webhooks"), ctx.t("core.pages.webhooks")),
        has_intro=True,
    )


def edit_form(area: HomeArea) -> FormSpec:
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


def _wanted(values: Mapping[str, Any]) -> NewWebhook:
    return NewWebhook(values["url"], values["event_types"], values["description"])


def _endpoint_id(ctx: PageContext) -> UUID:
    return public_id(webhook_service.ENDPOINT_PREFIX, ctx.path["webhook_id"])


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
    ).where(_here(session))


def _select_deliveries(session: Session, _language: str) -> Select[Any]:
    columns = [getattr(WebhookDelivery, name) for name in _DELIVERY_COLUMNS]
    joined = select(*columns, WebhookEndpoint.url).join(
        WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id
    )
    return joined.where(_here(session))


def _here(session: Session) -> ColumnElement[bool]:
    vendor_id = vendor_of(session)
    return WebhookEndpoint.vendor_id == vendor_id if vendor_id else WebhookEndpoint.vendor_id.is_(None)


def _endpoint_options(ctx: PageContext) -> Sequence[tuple[str, str]]:
    return [
        (to_public(webhook_service.ENDPOINT_PREFIX, one.id), one.url)
        for one in webhook_service.list_webhooks(ctx.session)
    ]


def _endpoint_keys(chosen: Sequence[str]) -> list[UUID]:
    keys = (from_public(webhook_service.ENDPOINT_PREFIX, text) for text in chosen)
    return [key for key in keys if key is not None]


def _since(chosen: Sequence[str]) -> ColumnElement[bool]:
    return WebhookDelivery.created_at >= _day(chosen[0], 0)


def _until(chosen: Sequence[str]) -> ColumnElement[bool]:
    return WebhookDelivery.created_at < _day(chosen[0], 1)


def _day(text: str, later_days: int) -> datetime:
    return datetime.combine(date.fromisoformat(text), time(), UTC) + timedelta(days=later_days)


def _replay(session: Session, ids: Sequence[UUID]) -> BulkOutcome:
    done, failed = 0, {}
    for delivery_id in ids:
        try:
            webhook_delivery_service.replay(session, delivery_id)
            done += 1
        except AppError as error:
            failed[delivery_id] = error.message_key
    return BulkOutcome(done, failed)
