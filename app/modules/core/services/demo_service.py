"""Demo records of the core module: a webhook with a log, a key, notifications, a view and an export at each place.

The webhooks are off: their addresses do not exist, and the demo calls nobody.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import IdentityScope, TenantScope, acting_in
from app.core.ids import new_id, to_public
from app.core.security import hash_token, new_token
from app.modules.api.callers import TEST_PREFIX
from app.modules.core.adapters.webhook_http import Outcome
from app.modules.core.contracts import Notice
from app.modules.core.enums import DeliveryState, DisabledReason, ListJobKind
from app.modules.core.models.api_key import ApiKey
from app.modules.core.models.list_job import ListJob
from app.modules.core.models.webhook import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from app.modules.core.services import (
    list_job_service,
    notification_service,
    saved_view_service,
    webhook_delivery_service,
    webhook_secret_service,
    webhook_service,
)
from app.modules.core.services.reach_service import vendor_of
from app.modules.core.services.webhook_delivery_service import TEST_EVENT
from app.modules.problems import Problem, report_problem
from app.modules.setup import DemoLogin
from app.modules.tenancy.facade import find_vendor, list_users_with
from app.tasks.dispatcher import dispatch

_TASK = "app.modules.core.tasks.demo.make_demo_records"
_VENDORS = ("MOSELLE", "GUTLAND", "MINETT")
_HOME, _ADMIN_HOME = "core.vendor_home.view", "core.admin_home.view"
_TRIES = (
    Outcome(milliseconds=212, status=503, excerpt="Service Unavailable"),
    Outcome(milliseconds=15_004, error="timeout"),
    Outcome(milliseconds=38, error="connection"),
)


def seed(session: Session) -> list[DemoLogin]:
    """Have the records made as soon as a worker runs, unless they are there."""
    if session.scalar(select(WebhookEndpoint.id).limit(1)) is None:
        dispatch(session, _TASK, unique_key=_TASK)
    return []


def make_records(session: Session) -> int:
    """Make them where there are none yet; at how many places. Needs the system scope."""
    made = 0
    for code in _VENDORS:
        vendor = find_vendor(code=code)
        if vendor is None:
            continue
        with acting_in(session, TenantScope(vendor.id)):
            if not webhook_service.list_webhooks(session):
                _make(session, vendor.id)
                made += 1
    if not webhook_service.list_webhooks(session):
        _make(session, None)
        made += 1
    return made


def _make(session: Session, vendor_id: UUID | None) -> None:
    people = list_users_with(session, vendor_id, _HOME if vendor_id else _ADMIN_HOME)
    if not people:
        return
    endpoint = _endpoint(session, people[0].id)
    _api_key(session, vendor_id, people[0].id)
    for person in people:
        for notice in _notices(endpoint):
            notification_service.notify(session, notice, user_id=person.id, vendor_id=vendor_id)
    for notice in _notices(endpoint):
        key = webhook_service.problem_key(endpoint)
        problem = Problem(key, notice.title_key, notice.params, url=notice.url, critical_after=1)
        report_problem(session, problem, vendor_id=vendor_id)
    area = "vendor" if vendor_id else "admin"
    page_id = f"core.{area}.webhook_deliveries"
    saved_view_service.save_view(
        session, people[0].id, page_id, "Failed", f"state={DeliveryState.FAILED}", is_shared=True
    )
    row = ListJob(
        id=new_id(),
        vendor_id=vendor_id,
        kind=ListJobKind.EXPORT,
        area=area,
        page_id=page_id,
        query="",
        language="en",
        created_by=people[0].id,
    )
    list_job_service.queue_list_job(session, row)


def _api_key(session: Session, vendor_id: UUID | None, user_id: UUID) -> None:
    """Nobody knows the key itself."""
    token = TEST_PREFIX + new_token()
    key = ApiKey(
        vendor_id=vendor_id,
        user_id=None if vendor_id else user_id,
        name="ERP",
        start=token[: len(TEST_PREFIX) + 6],
        token_hash=hash_token(token),
        scopes=["catalog.products.view"] if vendor_id else ["tenancy.vendors.view"],
        networks=[],
        created_by=user_id,
    )
    with acting_in(session, IdentityScope()):
        session.add(key)


def _endpoint(session: Session, user_id: UUID) -> WebhookEndpoint:
    since = clock.now() - timedelta(days=5)
    endpoint = WebhookEndpoint(
        id=new_id(),
        vendor_id=vendor_of(session),
        url="https://hooks.erp.example/wizamart",
        description="ERP",
        event_types=[webhook_service.EVERYTHING],
        is_enabled=False,
        disabled_reason=DisabledReason.FAILING,
        failing_since=since,
        created_by=user_id,
    )
    session.add(endpoint)
    session.flush()
    webhook_secret_service.make_secret(session, endpoint.id)
    public = to_public(webhook_service.ENDPOINT_PREFIX, endpoint.id)
    for state, tries in ((DeliveryState.DELIVERED, 1), (DeliveryState.FAILED, len(_TRIES))):
        since += timedelta(hours=1)
        body = webhook_delivery_service.body_of(TEST_EVENT, {"endpoint_id": public}, since)
        delivery = WebhookDelivery(
            id=new_id(),
            vendor_id=endpoint.vendor_id,
            endpoint_id=endpoint.id,
            message_id=new_id(),
            event_type=TEST_EVENT,
            body=body,
            state=state,
            attempts=tries,
            tries_left=0,
            created_at=since,
            ended_at=since + timedelta(minutes=tries),
        )
        session.add(delivery)
        session.flush()
        _try(session, delivery, _TRIES if state is DeliveryState.FAILED else (Outcome(87, 204),))
    return endpoint


def _try(session: Session, delivery: WebhookDelivery, outcomes: Sequence[Outcome]) -> None:
    session.add_all(
        WebhookAttempt(
            delivery_id=delivery.id,
            number=number,
            vendor_id=delivery.vendor_id,
            at=delivery.created_at + timedelta(minutes=number),
            milliseconds=one.milliseconds,
            status=one.status,
            error=one.error,
            excerpt=one.excerpt,
        )
        for number, one in enumerate(outcomes, 1)
    )
    session.flush()


def _notices(endpoint: WebhookEndpoint) -> tuple[Notice, ...]:
    return (
        Notice(
            notification_service.WEBHOOK_DISABLED,
            "danger",
            "core.webhooks.disabled_failing",
            {"url": endpoint.url},
            url=webhook_service.path_of(endpoint),
        ),
    )
