"""Messages of providers as people look at them, with what became of each."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import Session

from app.modules.core.contracts import WorkItem
from app.modules.pages import PageContext
from app.modules.payments.enums import WebhookState
from app.modules.payments.models.webhook import IncomingWebhook
from app.tasks.models import Job

# A message that was not handled and whose job has ended, or is forgotten, waits for somebody to send it again.
STATE: ColumnElement[str] = case(
    (IncomingWebhook.processed_at.is_not(None), WebhookState.PROCESSED.value),
    (or_(Job.id.is_(None), Job.state.in_(("failed", "cancelled", "succeeded"))), WebhookState.DEAD.value),
    (IncomingWebhook.attempts > 0, WebhookState.RETRYING.value),
    else_=WebhookState.WAITING.value,
)
_COLUMNS = (
    "id",
    "external_id",
    "type",
    "object_id",
    "api_version",
    "sent_at",
    "received_at",
    "processed_at",
    "attempts",
    "error",
)


def select_webhooks() -> Select[Any]:
    """All messages that the session may see."""
    columns = [getattr(IncomingWebhook, name) for name in _COLUMNS]
    joined = select(*columns, STATE.label("state")).select_from(IncomingWebhook)
    return joined.outerjoin(Job, Job.id == IncomingWebhook.job_id)


def worklist(ctx: PageContext, session: Session) -> Sequence[WorkItem]:
    """Messages whose handling was given up."""
    if ctx.area != "admin" or "payments.admin_webhooks.view" not in ctx.who.permissions:
        return ()
    dead = select_webhooks().where(
        IncomingWebhook.processed_at.is_(None), STATE.in_([WebhookState.DEAD.value])
    )
    count = session.scalar(select(func.count()).select_from(dead.subquery())) or 0
    url = ctx.url("payments.admin.webhooks", state=WebhookState.DEAD.value)
    return (WorkItem(ctx.t("payments.worklist.dead"), count, url, "danger"),) if count else ()


def matching(words: str) -> ColumnElement[bool]:
    """Messages whose id, type or object is what somebody typed, or begins like it."""
    columns = (IncomingWebhook.external_id, IncomingWebhook.type, IncomingWebhook.object_id)
    return or_(*(column.istartswith(words, autoescape=True) for column in columns))
