"""The pages of one webhook endpoint and of one message to it, for both areas."""

from uuid import UUID

import orjson
from fastapi import Response

from app.core.ids import to_public
from app.modules.core.contracts import HomeArea
from app.modules.core.enums import DeliveryState
from app.modules.core.models.webhook import WebhookEndpoint
from app.modules.core.services import webhook_delivery_service, webhook_secret_service, webhook_service
from app.modules.core.services.webhook_list_service import ENDPOINT_TONES, STATE_TONES, condition
from app.modules.menu import pages
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pages import PageContext

_LAST = 10
REPLAY_HOURS = (1, 24, 168)


def area_of(ctx: PageContext) -> HomeArea:
    """The area of a page of signed-in people."""
    return "vendor" if ctx.area == "vendor" else "admin"


def show_endpoint(ctx: PageContext, endpoint_id: UUID, *, secret: str | None = None) -> Response:
    """The page of an endpoint; with ``secret`` it is shown, this once."""
    endpoint = webhook_service.get_webhook(ctx.session, endpoint_id)
    ctx.page = pages()[f"core.{area_of(ctx)}.webhook"]  # also in the answer of an action
    public = to_public(webhook_service.ENDPOINT_PREFIX, endpoint.id)
    may_manage = _may_manage(ctx, endpoint)
    here = ctx.url(f"core.{area_of(ctx)}.webhook", webhook_id=public)
    state = condition(endpoint)
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
        back=(ctx.url(f"core.{area_of(ctx)}.webhooks"), ctx.t("core.pages.webhooks")),
        badges=[(ENDPOINT_TONES[state], ctx.t(f"core.webhooks.condition.{state}"))],
        actions=_actions(ctx, endpoint, here) if may_manage else (),
        more=_more(ctx, here, is_on=endpoint.is_enabled) if may_manage else (),
        target=public,
        notice=(notices[state], ctx.t(f"core.webhooks.notice_{state}")) if state in notices else None,
    )
    return show_detail(ctx, detail)


def show_delivery(ctx: PageContext, delivery_id: UUID) -> Response:
    """The page of one message: what was sent, and what came of each try."""
    delivery = webhook_delivery_service.get_delivery(ctx.session, delivery_id)
    endpoint = webhook_service.get_webhook(ctx.session, delivery.endpoint_id)
    public = to_public(webhook_delivery_service.DELIVERY_PREFIX, delivery.id)
    area = area_of(ctx)
    endpoint_url = ctx.url(
        f"core.{area}.webhook", webhook_id=to_public(webhook_service.ENDPOINT_PREFIX, endpoint.id)
    )
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
    here = ctx.url(f"core.{area}.webhook_delivery", webhook_delivery_id=public)
    replay = Action(ctx.t("core.webhooks.replay"), f"{here}/replay", "repeat", "primary")
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
        back=(ctx.url(f"core.{area}.webhook_deliveries"), ctx.t("core.pages.webhook_deliveries")),
        badges=[(STATE_TONES[delivery.state], ctx.t(f"core.webhooks.state.{delivery.state}"))],
        actions=(replay,) if _may_manage(ctx, endpoint) and endpoint.is_enabled else (),
        refresh=delivery.state == DeliveryState.PENDING and delivery.attempts == 0,
    )
    return show_detail(ctx, detail)


def _may_manage(ctx: PageContext, endpoint: WebhookEndpoint) -> bool:
    permission = "core.webhooks.manage" if ctx.area == "vendor" else "core.admin_webhooks.manage"
    return permission in ctx.who.permissions and webhook_service.is_own(ctx.session, endpoint)


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
    area = area_of(ctx)
    deliveries = webhook_delivery_service.list_deliveries(ctx.session, endpoint.id, limit=_LAST)
    rows = [
        (
            ctx.url(
                f"core.{area}.webhook_delivery",
                webhook_delivery_id=to_public(webhook_delivery_service.DELIVERY_PREFIX, one.id),
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
            "tones": STATE_TONES,
            "all_url": ctx.url(f"core.{area}.webhook_deliveries", endpoint=public),
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
