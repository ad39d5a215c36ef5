"""Messages to webhook endpoints: what is to be sent, what came of each try, and sending again."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import SYSTEM, acting_in
from app.core.ids import new_id, to_public
from app.modules.core.adapters.webhook_http import Outcome
from app.modules.core.contracts import Notice
from app.modules.core.enums import DeliveryState, DisabledReason
from app.modules.core.exceptions import WebhookDisabledError, WebhookNotFoundError
from app.modules.core.models.webhook import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from app.modules.core.services import notification_service, webhook_secret_service, webhook_service
from app.modules.core.services.reach_service import vendor_of
from app.modules.events import Event
from app.modules.problems import Problem, report_problem
from app.modules.registry import modules
from app.modules.tenancy.facade import list_users_with
from app.tasks.dispatcher import dispatch

DELIVERY_PREFIX, MESSAGE_PREFIX = "whd", "msg"
DELIVERY_TONES = {"pending": "info", "delivered": "success", "failed": "danger"}
TEST_EVENT = "webhook.test"
# Seconds before each attempt.
SCHEDULE = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
GIVE_UP_AFTER = timedelta(days=5)
MAX_REPLAYED = 1000
_SEND = "app.modules.core.tasks.webhooks.send_webhook"
_LONGEST_WAIT_SECONDS = 86_400.0
_MANAGE = "core.vendor_webhooks.manage"  # who is told when an endpoint goes off
_DELETE_BATCH = 5000


@dataclass(frozen=True, slots=True)
class Message:
    """What one try sends."""

    url: str
    headers: dict[str, str]
    body: str


def carry_out(session: Session, event: Event, event_id: UUID, vendor_id: UUID | None) -> None:
    """Queue a message about an event for each endpoint that wants it: the vendor's own and the operator's."""
    if not webhook_service.is_listening(session, event.name, vendor_id):
        return
    whose: ColumnElement[bool] = WebhookEndpoint.vendor_id.is_(None)
    if vendor_id is not None:
        whose = or_(whose, WebhookEndpoint.vendor_id == vendor_id)
    wanted = WebhookEndpoint.event_types.overlap([event.name, webhook_service.EVERYTHING])
    with acting_in(session, SYSTEM):
        found = session.execute(
            select(WebhookEndpoint.id, WebhookEndpoint.vendor_id).where(
                WebhookEndpoint.is_enabled, whose, wanted
            )
        ).all()
        if found:
            body = body_of(event.name, _data(event))
            for row in found:
                _queue(session, _delivery(row.id, row.vendor_id, event_id, event.name, body))


def send_test(session: Session, endpoint_id: UUID) -> UUID:
    """Queue a message that is about nothing; the delivery's id. Raises WebhookNotFoundError, WebhookDisabledError."""
    endpoint = _switched_on(session, endpoint_id)
    body = body_of(TEST_EVENT, {"endpoint_id": to_public(webhook_service.ENDPOINT_PREFIX, endpoint.id)})
    delivery = _delivery(endpoint.id, endpoint.vendor_id, new_id(), TEST_EVENT, body)
    delivery.tries_left = 1
    _queue(session, delivery)
    return delivery.id


def replay(session: Session, delivery_id: UUID) -> None:
    """Send a message again, at once and with all its tries; its id stays, so a receiver can tell.

    Raises WebhookNotFoundError, WebhookDisabledError.
    """
    delivery = get_delivery(session, delivery_id)
    _switched_on(session, delivery.endpoint_id)
    _again(session, delivery)


def replay_range(session: Session, endpoint_id: UUID, since: datetime, *, is_all: bool = False) -> int:
    """Send again what was made since then and failed, or everything; how many, ``MAX_REPLAYED`` at most.

    Raises WebhookNotFoundError, WebhookDisabledError.
    """
    _switched_on(session, endpoint_id)
    statement = select(WebhookDelivery).where(
        WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.created_at >= since
    )
    states = [DeliveryState.FAILED, DeliveryState.DELIVERED] if is_all else [DeliveryState.FAILED]
    found = session.scalars(
        statement.where(WebhookDelivery.state.in_(states)).order_by(WebhookDelivery.id).limit(MAX_REPLAYED)
    ).all()
    for delivery in found:
        _again(session, delivery)
    return len(found)


def get_delivery(session: Session, delivery_id: UUID) -> WebhookDelivery:
    """One message that the scope may see. Raises WebhookNotFoundError."""
    found = session.get(WebhookDelivery, delivery_id)
    if found is None:
        raise WebhookNotFoundError
    return found


def list_deliveries(
    session: Session, endpoint_id: UUID, *, limit: int, before: UUID | None = None
) -> Sequence[WebhookDelivery]:
    """Messages to an endpoint, the newest first (older than ``before``)."""
    statement = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id)
    if before is not None:
        statement = statement.where(WebhookDelivery.id < before)
    return session.scalars(statement.order_by(WebhookDelivery.id.desc()).limit(limit)).all()


def list_attempts(session: Session, delivery_id: UUID) -> Sequence[WebhookAttempt]:
    """The tries of a message, the newest first."""
    return session.scalars(
        select(WebhookAttempt)
        .where(WebhookAttempt.delivery_id == delivery_id)
        .order_by(WebhookAttempt.number.desc())
    ).all()


def prepare(session: Session, delivery_id: UUID, job_id: UUID) -> Message | None:
    """What the job is to send; None when there is nothing to send any more, or another job does."""
    delivery = session.get(WebhookDelivery, delivery_id)
    if delivery is None or delivery.job_id != job_id or delivery.state != DeliveryState.PENDING:
        return None
    endpoint = session.get_one(WebhookEndpoint, delivery.endpoint_id)
    if not endpoint.is_enabled:
        _end(delivery, DeliveryState.FAILED)
        return None
    secrets = webhook_secret_service.current_secrets(session, endpoint.id)
    message_id = to_public(MESSAGE_PREFIX, delivery.message_id)
    headers = webhook_secret_service.signed_headers(secrets, message_id, delivery.body)
    standard = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    return Message(endpoint.url, {**standard, **headers}, delivery.body)


def record(session: Session, delivery_id: UUID, job_id: UUID, outcome: Outcome) -> str:
    """Write down what came of a try, and queue the next one or give up; the message's state now."""
    delivery = session.get(WebhookDelivery, delivery_id, with_for_update=True)
    if delivery is None:
        return DeliveryState.FAILED  # the endpoint was removed meanwhile
    delivery.attempts += 1
    session.add(
        WebhookAttempt(
            delivery_id=delivery.id,
            number=delivery.attempts,
            vendor_id=delivery.vendor_id,
            at=clock.now(),
            milliseconds=outcome.milliseconds,
            status=outcome.status,
            error=outcome.error,
            excerpt=outcome.excerpt,
        )
    )
    if delivery.job_id == job_id:
        _judge(session, delivery, outcome)
    session.flush()
    return delivery.state


def delete_old(session: Session, days: int) -> int:
    """Remove messages and tries that ended more than so many days ago, in parts; how many messages."""
    before = clock.now() - timedelta(days=days)
    old = (
        select(WebhookDelivery.id)
        .where(WebhookDelivery.created_at < before, WebhookDelivery.state != DeliveryState.PENDING)
        .limit(_DELETE_BATCH)
    )
    removed = session.execute(
        delete(WebhookDelivery).where(WebhookDelivery.id.in_(old)).returning(WebhookDelivery.id)
    )
    return len(removed.all())


def _judge(session: Session, delivery: WebhookDelivery, outcome: Outcome) -> None:
    delivery.tries_left -= 1
    if outcome.status is not None and 200 <= outcome.status < 300:
        _end(delivery, DeliveryState.DELIVERED)
        _note_endpoint(session, delivery, failing_since=None)
        return
    is_test = delivery.event_type == TEST_EVENT
    reason = None if is_test else _reason_to_disable(session, delivery, outcome)
    if reason is not None:
        _disable(session, delivery.endpoint_id, reason)
    if reason is not None or delivery.tries_left <= 0:
        _end(delivery, DeliveryState.FAILED)
        return
    wait = max(float(SCHEDULE[-delivery.tries_left]), min(outcome.retry_after_seconds, _LONGEST_WAIT_SECONDS))
    _send(session, delivery, wait * random.uniform(1.0, 1.1))  # noqa: S311


def _reason_to_disable(
    session: Session, delivery: WebhookDelivery, outcome: Outcome
) -> DisabledReason | None:
    if outcome.status == 410:
        return DisabledReason.GONE
    endpoint = session.get_one(WebhookEndpoint, delivery.endpoint_id, populate_existing=True)
    if endpoint.failing_since is None:
        _note_endpoint(session, delivery, failing_since=clock.now())
    elif clock.now() - endpoint.failing_since >= GIVE_UP_AFTER:
        return DisabledReason.FAILING
    return None


def _note_endpoint(session: Session, delivery: WebhookDelivery, *, failing_since: datetime | None) -> None:
    """Without a look at the endpoint's version: people change it, and other jobs note the same at once."""
    known = WebhookEndpoint.failing_since
    changes = known.is_not(None) if failing_since is None else known.is_(None)
    session.execute(
        update(WebhookEndpoint)
        .where(WebhookEndpoint.id == delivery.endpoint_id, changes)
        .values(failing_since=failing_since)
        .execution_options(synchronize_session=False)
    )


def _disable(session: Session, endpoint_id: UUID, reason: DisabledReason) -> None:
    endpoint = session.get_one(WebhookEndpoint, endpoint_id, with_for_update=True, populate_existing=True)
    if not endpoint.is_enabled:
        return
    endpoint.is_enabled, endpoint.disabled_reason = False, reason
    session.flush()
    notice = Notice(
        notification_service.WEBHOOK_DISABLED,
        "danger",
        f"core.webhooks.disabled_{reason}",
        {"url": endpoint.url},
        url=webhook_service.path_of(endpoint),
    )
    problem = Problem(
        webhook_service.problem_key(endpoint),
        notice.title_key,
        notice.params,
        url=notice.url,
        critical_after=1,
    )
    report_problem(session, problem, vendor_id=endpoint.vendor_id)
    for person in list_users_with(session, endpoint.vendor_id, _MANAGE):
        notification_service.notify(session, notice, user_id=person.id, vendor_id=endpoint.vendor_id)


def _switched_on(session: Session, endpoint_id: UUID) -> WebhookEndpoint:
    endpoint = webhook_service.get_webhook(session, endpoint_id)
    if not webhook_service.is_own(session, endpoint):
        raise WebhookNotFoundError
    if not endpoint.is_enabled:
        raise WebhookDisabledError
    return endpoint


def _again(session: Session, delivery: WebhookDelivery) -> None:
    delivery.state, delivery.ended_at = DeliveryState.PENDING, None
    delivery.tries_left = 1 if delivery.event_type == TEST_EVENT else len(SCHEDULE)
    _send(session, delivery, SCHEDULE[0])


def _delivery(
    endpoint_id: UUID, vendor_id: UUID | None, message_id: UUID, event_type: str, body: str
) -> WebhookDelivery:
    return WebhookDelivery(
        id=new_id(),
        vendor_id=vendor_id,
        endpoint_id=endpoint_id,
        message_id=message_id,
        event_type=event_type,
        body=body,
        state=DeliveryState.PENDING,
        tries_left=len(SCHEDULE),
    )


def _queue(session: Session, delivery: WebhookDelivery) -> None:
    session.add(delivery)
    session.flush()
    _send(session, delivery, SCHEDULE[0])


def _send(session: Session, delivery: WebhookDelivery, wait_seconds: float) -> None:
    delivery.next_attempt_at = clock.now() + timedelta(seconds=wait_seconds)
    delivery.job_id = dispatch(
        session,
        _SEND,
        kwargs={"delivery_id": delivery.id},
        vendor_id=delivery.vendor_id,
        run_after=delivery.next_attempt_at,
        cause=f"event:{delivery.event_type}",
    ).id
    session.flush()


def _end(delivery: WebhookDelivery, state: DeliveryState) -> None:
    delivery.state, delivery.ended_at, delivery.next_attempt_at = state, clock.now(), None


def body_of(event_type: str, data: dict[str, Any], at: datetime | None = None) -> str:
    """As it is signed and sent: type, time and data."""
    timestamp = (at or clock.now()).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return orjson.dumps({"type": event_type, "timestamp": timestamp, "data": data}).decode()


def _data(event: Event) -> dict[str, Any]:
    """The event's fields; ids in the form that the API shows, where a module declares one for the field's name."""
    prefixes = {
        name: prefix for module in modules().values() for name, (prefix, _) in module.public_ids.items()
    }
    data: dict[str, Any] = TypeAdapter(type(event)).dump_python(event, mode="json")
    for name, prefix in prefixes.items():
        key = getattr(event, name, None)
        if isinstance(key, UUID):
            data[name] = to_public(prefix, key)
    return data


def count_recent(session: Session) -> int:
    """How many messages the session's tenant's endpoints were to get in the last 24 hours."""
    since = clock.now() - timedelta(hours=24)
    whose = WebhookDelivery.vendor_id == vendor_of(session)
    return session.scalar(select(func.count()).where(whose, WebhookDelivery.created_at >= since)) or 0
