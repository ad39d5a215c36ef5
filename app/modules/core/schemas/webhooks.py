"""Webhooks in the API."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from app.modules.api import Input, ListQuery, Versioned, WebAddress, example, left_out
from app.modules.core.enums import DeliveryState, DisabledReason
from app.modules.registry import modules

_ID = "whe_01m838cj1be8a8mtx8xj3yxfvz"
_ENDPOINT = {
    "id": _ID,
    "url": "https://shop.example/hooks",
    "description": "Stock system",
    "event_types": ["*"],
    "is_enabled": True,
    "disabled_reason": None,
    "failing_since": None,
    "created_at": "2026-11-23T07:00:00Z",
    "updated_at": "2026-11-23T07:00:00Z",
    "version": 1,
}


def _name_events(schema: dict[str, Any]) -> None:
    """The events there are, in the description."""
    schema["items"] = {"type": "string", "enum": _events()}


def _events() -> list[str]:
    return ["*", *sorted({name for module in modules().values() for name in module.publishes})]


def _known(names: list[str]) -> list[str]:
    if not set(names) <= set(_events()):
        raise ValueError("choose events that there are")
    return names


EventTypes = Annotated[
    list[str],
    Field(min_length=1, max_length=100, json_schema_extra=_name_events),
    AfterValidator(_known),
]


class WebhookDetails(Versioned):
    """An address that is told about events, as Standard Webhooks describe it."""

    model_config = example(**_ENDPOINT)

    id: str
    url: str
    description: str
    event_types: list[str] = Field(description="Names of events; `*` is all of them.")
    is_enabled: bool
    disabled_reason: DisabledReason | None
    failing_since: datetime | None
    created_at: datetime
    updated_at: datetime


class WebhookCreated(WebhookDetails):
    """A new endpoint with its secret, which is shown this once."""

    model_config = example(**_ENDPOINT, secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")  # noqa: S106

    secret: str


class WebhookQuery(ListQuery):
    """Pages of the list of endpoints."""

    sort: Literal["created_at", "-created_at"] = "-created_at"


class NewWebhookBody(Input):
    """An endpoint to be made."""

    model_config = example(url="https://shop.example/hooks", event_types=["*"])

    url: WebAddress
    event_types: EventTypes
    description: str = Field("", max_length=200)


class WebhookChange(Input):
    """What is to be different; what is left out stays."""

    model_config = example(is_enabled=False)

    url: WebAddress = left_out()
    event_types: EventTypes = left_out()
    description: str = left_out(max_length=200)
    is_enabled: bool = left_out(strict=True)


class DeliveryItem(BaseModel):
    """A message to an endpoint."""

    model_config = example(
        id="whd_01m838cj1be8a8mtx8xj3yxfvz",
        event="tenancy.vendor_created",
        state="delivered",
        attempts=1,
        created_at="2026-11-23T07:00:00Z",
    )

    id: str
    event: str
    state: DeliveryState
    attempts: int
    created_at: datetime


class DeliveryQuery(ListQuery):
    """Filters and order of the list of messages."""

    state: list[DeliveryState] | None = Field(None, max_length=3)
    sort: Literal["created_at", "-created_at"] = "-created_at"
