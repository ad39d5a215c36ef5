"""Messages of providers: the list, one message with what became of it, and handling it again."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import orjson
from fastapi import Response
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from app.core.ids import to_public
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import BulkAction, BulkOutcome, Column, Filter, ListSpec, View
from app.modules.pages import PageContext
from app.modules.payments.enums import WebhookState
from app.modules.payments.exceptions import WebhookNotFoundError
from app.modules.payments.models.webhook import IncomingWebhook
from app.modules.payments.services import webhook_list_service, webhook_service
from app.modules.payments.services.account_service import ACCOUNT_PREFIX
from app.modules.payments.services.webhook_service import INCOMING_PREFIX
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("admin")

_MANAGE = "payments.admin_webhooks.manage"
_TONES = {"waiting": "info", "retrying": "warning", "processed": "success", "dead": "danger"}
_STATES = tuple((state.value, f"payments.webhooks.state.{state}") for state in WebhookState)


def _since(chosen: Sequence[str]) -> ColumnElement[bool]:
    return IncomingWebhook.received_at >= _day(chosen[0], 0)


def _until(chosen: Sequence[str]) -> ColumnElement[bool]:
    return IncomingWebhook.received_at < _day(chosen[0], 1)


def _day(text: str, later_days: int) -> datetime:
    return datetime.combine(date.fromisoformat(text), time(), UTC) + timedelta(days=later_days)


def _replay(session: Session, ids: Sequence[UUID]) -> BulkOutcome:
    for webhook_id in ids:
        webhook_service.replay(session, webhook_id)
    return BulkOutcome(len(ids), {})


mount_list(
    router,
    ListSpec(
        "payments.admin.webhooks",
        "payments.webhooks",
        lambda _session, _language: webhook_list_service.select_webhooks(),
        IncomingWebhook.id,
        columns=(
            Column("type", "payments.webhooks.type", "code", sort=IncomingWebhook.type),
            Column(
                "state",
                "payments.webhooks.state",
                "badge",
                text_prefix="payments.webhooks.state",
                tones=_TONES,
            ),
            Column("object_id", "payments.webhooks.object", "code"),
            Column("external_id", "payments.webhooks.event", "code", is_default=False),
            Column("attempts", "payments.webhooks.attempts", "number"),
            Column("error", "payments.webhooks.error", is_wide=True, is_default=False),
            Column("received_at", "payments.webhooks.received", "datetime", sort=IncomingWebhook.received_at),
            Column("processed_at", "payments.webhooks.processed", "datetime", is_default=False),
            Column("api_version", "payments.webhooks.version", "code", is_default=False),
        ),
        default_sort="-received_at",
        search=webhook_list_service.matching,
        filters=(
            Filter(
                "state",
                "payments.webhooks.state",
                lambda chosen: webhook_list_service.STATE.in_(chosen),
                options=_STATES,
            ),
            Filter("since", "payments.webhooks.since", _since, kind="date_from"),
            Filter("until", "payments.webhooks.until", _until, kind="date_to"),
        ),
        bulk=(BulkAction("replay", "payments.webhooks.replay", _MANAGE, _replay, icon="repeat"),),
        views=(View("dead", "payments.webhooks.state.dead", "state=dead"),),
        row_page="payments.admin.webhook",
        row_id="incoming_webhook_id",
        prefix=INCOMING_PREFIX,
        icon="inbox",
        has_intro=True,
        is_running=lambda row: row.state in (WebhookState.WAITING, WebhookState.RETRYING),
    ),
)


@router.page("payments.admin.webhook")
def webhook(ctx: PageContext, incoming_webhook_id: str) -> Response:
    """One message: what it says, and what became of it."""
    key = public_id(INCOMING_PREFIX, incoming_webhook_id)
    row = ctx.session.get(IncomingWebhook, key)
    if row is None:
        raise WebhookNotFoundError
    state = str(
        ctx.session.execute(webhook_list_service.select_webhooks().where(IncomingWebhook.id == key))
        .one()
        .state
    )
    here = ctx.url("payments.admin.webhook", incoming_webhook_id=incoming_webhook_id)
    replay_it = Action(ctx.t("payments.webhooks.replay"), f"{here}/replay", "repeat", "primary")
    body = orjson.dumps(row.payload, option=orjson.OPT_INDENT_2).decode()
    detail = Detail(
        row.id,
        row.type,
        [
            Block("facts", ctx.t("payments.webhooks.facts"), _facts(ctx, row), order=10),
            Block(
                "body",
                ctx.t("payments.webhooks.body"),
                template="payments/webhook_body.html",
                context={"body": body},
                order=20,
            ),
        ],
        back=(ctx.url("payments.admin.webhooks"), ctx.t("payments.pages.webhooks")),
        badges=[(_TONES[state], ctx.t(f"payments.webhooks.state.{state}"))],
        actions=(replay_it,) if _MANAGE in ctx.who.permissions else (),
        notice=("danger", row.error) if row.error else None,
        refresh=state in (WebhookState.WAITING, WebhookState.RETRYING),
    )
    return show_detail(ctx, detail)


def _facts(ctx: PageContext, row: IncomingWebhook) -> list[Fact]:
    account = to_public(ACCOUNT_PREFIX, row.account_id) if row.account_id else None
    return [
        Fact(ctx.t("payments.webhooks.event"), row.external_id, "code"),
        Fact(ctx.t("payments.webhooks.object"), row.object_id, "code"),
        Fact(ctx.t("payments.webhooks.account"), account or ctx.t("payments.webhooks.environment")),
        Fact(ctx.t("payments.webhooks.version"), row.api_version, "code"),
        Fact(ctx.t("payments.webhooks.sent"), row.sent_at, "datetime"),
        Fact(ctx.t("payments.webhooks.received"), row.received_at, "datetime"),
        Fact(ctx.t("payments.webhooks.processed"), row.processed_at, "datetime"),
        Fact(ctx.t("payments.webhooks.attempts"), row.attempts, "number"),
    ]


@router.action("/incoming-webhooks/{incoming_webhook_id}/replay", permission=_MANAGE)
def replay_webhook(ctx: PageContext, incoming_webhook_id: str) -> Response:
    """Handle a message again."""
    key = public_id(INCOMING_PREFIX, incoming_webhook_id)
    webhook_service.replay(ctx.session, key, by=ctx.who.user_id)
    ctx.flash("success", "payments.webhooks.replaying")
    return ctx.redirect("payments.admin.webhook", incoming_webhook_id=incoming_webhook_id)
