"""Lists that only programs have, and what a program may know of its key."""

from uuid import UUID

from sqlalchemy import select

from app.core import clock
from app.core.config import get_settings
from app.core.ids import to_public
from app.modules.api import ApiContext
from app.modules.core.models.webhook import WebhookDelivery, WebhookEndpoint
from app.modules.core.schemas.platform import KeyInfo
from app.modules.core.services import webhook_service
from app.modules.pagekit.lists import Column, Filter, ListSpec

# Keys are made in the order of time, and have an index.
WEBHOOKS = ListSpec(
    page_id="core.vendor.webhooks",
    texts="core.webhooks",
    select=lambda session, _language: select(*WebhookEndpoint.__table__.columns).where(
        webhook_service.here(session)
    ),
    key=WebhookEndpoint.id,
    columns=(Column("created_at", "core.webhooks.created_at", "datetime", sort=WebhookEndpoint.id),),
    default_sort="-created_at",
)


def deliveries_of(endpoint_id: UUID) -> ListSpec:
    """Messages to one endpoint."""
    columns = WebhookDelivery.__table__.columns
    return ListSpec(
        page_id="core.vendor.webhook",
        texts="core.webhooks",
        select=lambda _session, _language: select(*columns).where(columns.endpoint_id == endpoint_id),
        key=WebhookDelivery.id,
        columns=(Column("created_at", "core.webhooks.created_at", "datetime", sort=WebhookDelivery.id),),
        default_sort="-created_at",
        filters=(Filter("state", "core.webhooks.state", lambda values: WebhookDelivery.state.in_(values)),),
    )


def key_info(ctx: ApiContext) -> KeyInfo:
    """Whose key a request came with."""
    vendor = ctx.principal.vendor
    return KeyInfo(
        key_id=to_public("key", ctx.key_id),
        name=ctx.principal.name,
        area="vendor" if vendor else "admin",
        vendor_id=to_public("vnd", vendor.id) if vendor else None,
        vendor_code=vendor.code if vendor else None,
        permissions=sorted(ctx.principal.permissions),
        requests_per_minute=get_settings().api_requests_per_minute,
        time=clock.now(),
    )
