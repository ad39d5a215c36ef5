"""Messages to webhook endpoints: the list, one message with what came of each try, and sending again."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import orjson
from fastapi import Response
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from app.core.errors import AppError
from app.core.ids import from_public, to_public
from app.modules.base import Area
from app.modules.core.enums import DeliveryState
from app.modules.core.models.webhook import WebhookDelivery, WebhookEndpoint
from app.modules.core.services import webhook_delivery_service, webhook_service
from app.modules.core.services.webhook_delivery_service import DELIVERY_PREFIX, DELIVERY_TONES
from app.modules.core.services.webhook_service import ENDPOINT_PREFIX
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import BulkAction, BulkOutcome, Column, Filter, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("admin", "vendor")

_MANAGE = "core.{area}_webhooks.manage"
_STATES = tuple((state.value, f"core.webhooks.state.{state}") for state in DeliveryState)
_COLUMNS = ("id", "event_type", "state", "attempts", "created_at", "next_attempt_at")


def _delivery_list(area: Area) -> ListSpec:
    """Messages to the endpoints of an area; sent again one by one, ticked ones, or all that a filter leaves."""
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
                tones=DELIVERY_TONES,
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
        bulk=(
            BulkAction("replay", "core.webhooks.replay", _MANAGE.format(area=area), _replay, icon="repeat"),
        ),
        row_page=f"core.{area}.webhook_delivery",
        row_id="webhook_delivery_id",
        prefix=DELIVERY_PREFIX,
        icon="send",
    )


def _select_deliveries(session: Session, _language: str) -> Select[Any]:
    columns = [getattr(WebhookDelivery, name) for name in _COLUMNS]
    joined = select(*columns, WebhookEndpoint.url).join(
        WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id
    )
    return joined.where(webhook_service.here(session))


def _endpoint_options(ctx: PageContext) -> Sequence[tuple[str, str]]:
    return [
        (to_public(ENDPOINT_PREFIX, one.id), one.url) for one in webhook_service.list_webhooks(ctx.session)
    ]


def _endpoint_keys(chosen: Sequence[str]) -> list[UUID]:
    keys = (from_public(ENDPOINT_PREFIX, text) for text in chosen)
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


mount_list(router, _delivery_list)


@router.page("core.{area}.webhook_delivery")
def webhook_delivery(ctx: PageContext, webhook_delivery_id: str) -> Response:
    """One message: what was sent, and what came of each try."""
    key = public_id(DELIVERY_PREFIX, webhook_delivery_id)
    delivery = webhook_delivery_service.get_delivery(ctx.session, key)
    endpoint = webhook_service.get_webhook(ctx.session, delivery.endpoint_id)
    endpoint_url = ctx.url(f"core.{ctx.area}.webhook", webhook_id=to_public(ENDPOINT_PREFIX, endpoint.id))
    message = to_public(webhook_delivery_service.MESSAGE_PREFIX, delivery.message_id)
    facts = (
        Fact(ctx.t("core.webhooks.endpoint"), endpoint.url, url=endpoint_url),
        Fact(ctx.t("core.webhooks.message_id"), message, "code"),
        Fact(ctx.t("core.webhooks.created_at"), delivery.created_at, "datetime"),
        Fact(ctx.t("core.webhooks.attempts"), delivery.attempts, "number"),
        Fact(ctx.t("core.webhooks.next_attempt_at"), delivery.next_attempt_at, "datetime"),
    )
    body = orjson.dumps(orjson.loads(delivery.body), option=orjson.OPT_INDENT_2).decode()
    attempts = webhook_delivery_service.list_attempts(ctx.session, delivery.id)
    here = ctx.url(f"core.{ctx.area}.webhook_delivery", webhook_delivery_id=webhook_delivery_id)
    replay = Action(ctx.t("core.webhooks.replay"), f"{here}/replay", "repeat", "primary")
    may_replay = (
        endpoint.is_enabled
        and _MANAGE.format(area=ctx.area) in ctx.who.permissions
        and webhook_service.is_own(ctx.session, endpoint)
    )
    detail = Detail(
        delivery.id,
        delivery.event_type,
        [
            Block(
                "attempts",
                ctx.t("core.webhooks.attempts"),
                template="core/webhook_attempts.html",
                context={"attempts": attempts},
                is_flush=bool(attempts),
                order=10,
            ),
            Block("facts", ctx.t("core.webhooks.facts"), facts, column="side"),
            Block(
                "body",
                ctx.t("core.webhooks.body"),
                template="core/webhook_body.html",
                context={"body": body},
                order=20,
            ),
        ],
        back=(ctx.url(f"core.{ctx.area}.webhook_deliveries"), ctx.t("core.pages.webhook_deliveries")),
        badges=[(DELIVERY_TONES[delivery.state], ctx.t(f"core.webhooks.state.{delivery.state}"))],
        actions=(replay,) if may_replay else (),
        refresh=delivery.state == DeliveryState.PENDING and delivery.attempts == 0,
    )
    return show_detail(ctx, detail)


@router.action("/webhook-deliveries/{webhook_delivery_id}/replay", permission=_MANAGE)
def replay(ctx: PageContext, webhook_delivery_id: str) -> Response:
    """Send one message again."""
    webhook_delivery_service.replay(ctx.session, public_id(DELIVERY_PREFIX, webhook_delivery_id))
    ctx.flash("success", "core.webhooks.replaying")
    return ctx.redirect(f"core.{ctx.area}.webhook_delivery", webhook_delivery_id=webhook_delivery_id)
