"""Webhooks in the API: a vendor's, and the operator's own."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from app.core.ids import to_public
from app.modules.api import ApiContext, ApiRouter, Page, key_of
from app.modules.api.answers import shown
from app.modules.api.pages import read_spec
from app.modules.core.contracts import NewWebhook
from app.modules.core.models.webhook import WebhookEndpoint
from app.modules.core.schemas.webhooks import (
    DeliveryItem,
    DeliveryQuery,
    NewWebhookBody,
    WebhookChange,
    WebhookCreated,
    WebhookDetails,
    WebhookQuery,
)
from app.modules.core.services import api_list_service, webhook_service
from app.modules.core.services.webhook_delivery_service import DELIVERY_PREFIX
from app.modules.core.services.webhook_service import ENDPOINT_PREFIX

router = ApiRouter()

_VIEW, _MANAGE = "core.{area}_webhooks.view", "core.{area}_webhooks.manage"


@router.both("GET", "/webhooks", permission=_VIEW)
def webhooks_list(ctx: ApiContext, query: Annotated[WebhookQuery, Query()]) -> Page[WebhookDetails]:
    """List webhook endpoints."""
    return read_spec(ctx, api_list_service.WEBHOOKS, query, _shown)


@router.both("GET", "/webhooks/{webhook_id}", permission=_VIEW)
def webhooks_get(ctx: ApiContext, webhook_id: str) -> WebhookDetails:
    """Get a webhook endpoint."""
    return _shown(webhook_service.get_own_webhook(ctx.session, key_of(ENDPOINT_PREFIX, webhook_id)))


@router.both("POST", "/webhooks", permission=_MANAGE, status=201)
def webhooks_create(ctx: ApiContext, endpoint: NewWebhookBody) -> WebhookCreated:
    """Make a webhook endpoint. Its secret is in this answer only."""
    wanted = NewWebhook(endpoint.url, endpoint.event_types, endpoint.description)
    made = webhook_service.create_webhook(ctx.session, wanted, by=ctx.principal.user_id)
    ctx.location(f"/{ctx.area}/webhooks/{to_public(ENDPOINT_PREFIX, made.id)}")
    shown = _shown(webhook_service.get_webhook(ctx.session, made.id))
    return WebhookCreated(**shown.model_dump(), secret=made.secret)


@router.both("PATCH", "/webhooks/{webhook_id}", permission=_MANAGE, needs_version=True)
def webhooks_update(ctx: ApiContext, webhook_id: str, change: WebhookChange) -> WebhookDetails:
    """Change a webhook endpoint, or switch it on or off."""
    endpoint = _own(ctx, webhook_id)
    given = change.model_dump(exclude_unset=True)
    is_on = given.pop("is_enabled", None)
    who = ctx.principal.user_id
    if given:
        present = {"url": endpoint.url, "event_types": endpoint.event_types}
        wanted = NewWebhook(**({**present, "description": endpoint.description} | given))
        webhook_service.update_webhook(ctx.session, endpoint.id, wanted, version=endpoint.version, by=who)
    if is_on is not None:
        webhook_service.switch_webhook(ctx.session, endpoint.id, is_on=is_on, by=who)
    return _shown(endpoint)


@router.both("DELETE", "/webhooks/{webhook_id}", permission=_MANAGE, needs_version=True, in_read_only=True)
def webhooks_delete(ctx: ApiContext, webhook_id: str) -> None:
    """Remove a webhook endpoint with its log."""
    webhook_service.delete_webhook(ctx.session, _own(ctx, webhook_id).id, by=ctx.principal.user_id)


@router.both("GET", "/webhooks/{webhook_id}/deliveries", permission=_VIEW)
def deliveries_list(
    ctx: ApiContext, webhook_id: str, query: Annotated[DeliveryQuery, Query()]
) -> Page[DeliveryItem]:
    """List messages to a webhook endpoint."""
    endpoint = webhook_service.get_own_webhook(ctx.session, key_of(ENDPOINT_PREFIX, webhook_id))
    return read_spec(
        ctx,
        api_list_service.deliveries_of(endpoint.id),
        query,
        lambda row: shown(DeliveryItem, row, DELIVERY_PREFIX, event=row.event_type),
    )


def _own(ctx: ApiContext, public: str) -> WebhookEndpoint:
    key: UUID = key_of(ENDPOINT_PREFIX, public)
    endpoint = webhook_service.get_own_webhook(ctx.session, key)
    ctx.check_version(endpoint.version)
    return endpoint


def _shown(row: Any) -> WebhookDetails:
    return shown(WebhookDetails, row, ENDPOINT_PREFIX)
