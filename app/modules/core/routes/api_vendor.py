"""The caller, jobs and webhooks in the vendor's API."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from app.core.ids import to_public
from app.modules.api import ApiContext, ApiRouter, Page, key_of
from app.modules.api.jobs import JOB_PREFIX, JobDetails, job_details
from app.modules.api.pages import read_spec
from app.modules.core.contracts import NewWebhook
from app.modules.core.enums import DeliveryState, DisabledReason
from app.modules.core.models.webhook import WebhookEndpoint
from app.modules.core.schemas.platform import KeyInfo
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
from app.modules.core.services.api_list_service import key_info
from app.modules.core.services.webhook_delivery_service import DELIVERY_PREFIX
from app.modules.core.services.webhook_service import ENDPOINT_PREFIX
from app.tasks.errors import JobNotFoundError
from app.tasks.models import Job

router = ApiRouter()

_VIEW, _MANAGE = "core.webhooks.view", "core.webhooks.manage"


@router.vendor("GET", "/me", permission="core.home.view")
def me_get(ctx: ApiContext) -> KeyInfo:
    """Say whose key this is and what it may do."""
    return key_info(ctx)


@router.vendor("GET", "/jobs/{job_id}", permission="core.home.view")
def jobs_get(ctx: ApiContext, job_id: str) -> JobDetails:
    """Get a job: how far the work is that an operation answered 202 for.

    The key needs a permission of the module whose work it is.
    """
    job = ctx.session.get(Job, key_of(JOB_PREFIX, job_id))
    if job is None or not any(one.startswith(f"{job.module}.") for one in ctx.principal.permissions):
        raise JobNotFoundError
    return job_details(job)


@router.vendor("GET", "/webhooks", permission=_VIEW)
def webhooks_list(ctx: ApiContext, query: Annotated[WebhookQuery, Query()]) -> Page[WebhookDetails]:
    """List webhook endpoints."""
    return read_spec(ctx, api_list_service.WEBHOOKS, query, _shown)


@router.vendor("GET", "/webhooks/{webhook_id}", permission=_VIEW)
def webhooks_get(ctx: ApiContext, webhook_id: str) -> WebhookDetails:
    """Get a webhook endpoint."""
    return _shown(webhook_service.get_webhook(ctx.session, key_of(ENDPOINT_PREFIX, webhook_id)))


@router.vendor("POST", "/webhooks", permission=_MANAGE, status=201)
def webhooks_create(ctx: ApiContext, endpoint: NewWebhookBody) -> WebhookCreated:
    """Make a webhook endpoint. Its secret is in this answer only."""
    wanted = NewWebhook(endpoint.url, endpoint.event_types, endpoint.description)
    made = webhook_service.create_webhook(ctx.session, wanted, by=ctx.principal.user_id)
    ctx.location(f"/vendor/webhooks/{to_public(ENDPOINT_PREFIX, made.id)}")
    shown = _shown(webhook_service.get_webhook(ctx.session, made.id))
    return WebhookCreated(**shown.model_dump(), secret=made.secret)


@router.vendor("PATCH", "/webhooks/{webhook_id}", permission=_MANAGE, needs_version=True)
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


@router.vendor("DELETE", "/webhooks/{webhook_id}", permission=_MANAGE, needs_version=True)
def webhooks_delete(ctx: ApiContext, webhook_id: str) -> None:
    """Remove a webhook endpoint with its log."""
    webhook_service.delete_webhook(ctx.session, _own(ctx, webhook_id).id, by=ctx.principal.user_id)


@router.vendor("GET", "/webhooks/{webhook_id}/deliveries", permission=_VIEW)
def deliveries_list(
    ctx: ApiContext, webhook_id: str, query: Annotated[DeliveryQuery, Query()]
) -> Page[DeliveryItem]:
    """List messages to a webhook endpoint."""
    endpoint = webhook_service.get_webhook(ctx.session, key_of(ENDPOINT_PREFIX, webhook_id))
    return read_spec(
        ctx,
        api_list_service.deliveries_of(endpoint.id),
        query,
        lambda row: DeliveryItem(
            id=to_public(DELIVERY_PREFIX, row.id),
            event=row.event_type,
            state=DeliveryState(row.state),
            attempts=row.attempts,
            created_at=row.created_at,
        ),
    )


def _own(ctx: ApiContext, public: str) -> WebhookEndpoint:
    key: UUID = key_of(ENDPOINT_PREFIX, public)
    endpoint = webhook_service.get_own_webhook(ctx.session, key)
    ctx.check_version(endpoint.version)
    return endpoint


def _shown(row: WebhookEndpoint) -> WebhookDetails:
    return WebhookDetails(
        id=to_public(ENDPOINT_PREFIX, row.id),
        url=row.url,
        description=row.description,
        event_types=row.event_types,
        is_enabled=row.is_enabled,
        disabled_reason=DisabledReason(row.disabled_reason) if row.disabled_reason else None,
        failing_since=row.failing_since,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )
