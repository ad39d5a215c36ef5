"""Messages of providers: taken in once, handled once, handled again when somebody asks for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from stripe import StripeClient

from app.core import clock
from app.core.ids import from_public, new_id
from app.core.logging import mask
from app.modules.payments.adapters.stripe_gateway import StripeGateway
from app.modules.payments.contracts import WEBHOOK_HANDLERS, WebhookHandler, WebhookMessage
from app.modules.payments.enums import Provider
from app.modules.payments.exceptions import WebhookNotFoundError, WebhookRefusedError
from app.modules.payments.models.account import PaymentAccount
from app.modules.payments.models.webhook import IncomingWebhook
from app.modules.payments.services import account_service
from app.tasks.dispatcher import dispatch

INCOMING_PREFIX = "iwh"
ENVIRONMENT = "default"  # in the address of the door
_PROCESS = "app.modules.payments.tasks.webhooks.process_webhook"
_DELETE_BATCH = 5000
_MOST_ERROR = 500
_MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Reading:
    """What a job has to read again, with no transaction open. ``also``: other messages about the same object, that came
    before the reading and that it answers too."""

    message: WebhookMessage
    client: StripeClient
    handlers: Sequence[WebhookHandler]
    also: Sequence[UUID] = ()

    def fetch(self) -> list[Any]:
        """What each handler reads."""
        return [handler.fetch(self.client, self.message) for handler in self.handlers]


def receive(session: Session, provider: str, account: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Check the signature and store the message with its job; nothing the second time it comes.

    In the system's scope. Raises WebhookRefusedError, WebhookNotFoundError for an account that is not there.
    """
    row = _account_at(session, provider, account)
    credentials = account_service.credentials_of(session, row)
    if not credentials.webhook_secret:
        raise WebhookRefusedError("There is no secret to check the signature with.")
    message = StripeGateway(credentials.open(), credentials.webhook_secret).parse_webhook(body, headers)
    values = {
        "id": new_id(),
        "vendor_id": row.vendor_id if row else None,
        "platform_id": row.platform_id if row else None,
        "account_id": row.id if row else None,
        "provider": provider,
        "external_id": message.id,
        "type": message.type,
        "object_id": message.object_id,
        "object_type": message.object_type,
        "api_version": message.api_version,
        "payload": message.payload,
        "sent_at": message.created_at,
    }
    is_read = not _handlers(message, is_vendors=values["vendor_id"] is not None)
    if is_read:
        values["processed_at"] = clock.now()  # nobody does anything about it
    insertion = insert(IncomingWebhook).values(values).on_conflict_do_nothing()
    made = session.scalar(insertion.returning(IncomingWebhook.id))
    if made is not None and not is_read:
        _dispatch(session, session.get_one(IncomingWebhook, made))


def _account_at(session: Session, provider: str, account: str) -> PaymentAccount | None:
    if provider != Provider.STRIPE:
        raise WebhookNotFoundError
    if account == ENVIRONMENT:
        return None
    key = from_public(account_service.ACCOUNT_PREFIX, account)
    row = session.get(PaymentAccount, key) if key else None
    if row is None or row.provider != provider:
        raise WebhookNotFoundError
    return row


def prepare(session: Session, webhook_id: UUID) -> Reading | None:
    """What is to be read for a message; None when it was handled already, or is gone."""
    row = session.get(IncomingWebhook, webhook_id)
    if row is None or row.processed_at is not None:
        return None
    account = account_service.get_row(session, row.account_id) if row.account_id else None
    message = _message_of(row)
    handlers = _handlers(message, is_vendors=row.vendor_id is not None)
    client = account_service.credentials_of(session, account).open()
    return Reading(message, client, handlers, _also(session, row, handlers))


def _handlers(message: WebhookMessage, *, is_vendors: bool) -> list[WebhookHandler]:
    """Who does something about a message."""
    return [
        handler
        for ask in WEBHOOK_HANDLERS.implementations()
        for handler in ask()
        if message.type in handler.types
        and (handler.is_for_vendors or not is_vendors)
        and (handler.concerns is None or handler.concerns(message))
    ]


def _also(session: Session, row: IncomingWebhook, handlers: Sequence[WebhookHandler]) -> list[UUID]:
    """Messages about the same object that wait for the same handlers."""
    others = session.scalars(
        select(IncomingWebhook)
        .where(
            IncomingWebhook.object_id == row.object_id,
            IncomingWebhook.account_id.is_not_distinct_from(row.account_id),
            IncomingWebhook.processed_at.is_(None),
            IncomingWebhook.id != row.id,
        )
        .limit(_MOST_AT_ONCE)
    )
    is_vendors = row.vendor_id is not None
    return [one.id for one in others if _handlers(_message_of(one), is_vendors=is_vendors) == list(handlers)]


def apply(session: Session, webhook_id: UUID, reading: Reading, fetched: Sequence[Any]) -> bool:
    """Let the handlers write and mark the message as handled, in one transaction; False if another job was first."""
    row = _locked(session, webhook_id)
    if row.processed_at is not None:
        return False
    for handler, found in zip(reading.handlers, fetched, strict=True):
        handler.apply(session, reading.message, found)
    now = clock.now()
    row.attempts += 1
    row.processed_at, row.error = now, ""
    if reading.also:
        open_ones = IncomingWebhook.id.in_(reading.also), IncomingWebhook.processed_at.is_(None)
        session.execute(update(IncomingWebhook).where(*open_ones).values(processed_at=now, error=""))
    return True


def note_failure(session: Session, webhook_id: UUID, error: BaseException) -> None:
    """Remember why an attempt did not work."""
    row = _locked(session, webhook_id)
    row.attempts += 1
    row.error = str(mask(f"{type(error).__name__}: {error}"))[:_MOST_ERROR]


def replay(session: Session, webhook_id: UUID, *, by: UUID | None = None) -> None:
    """Handle a message again, whatever became of it; its objects are read again. Raises WebhookNotFoundError."""
    if session.get(IncomingWebhook, webhook_id) is None:
        raise WebhookNotFoundError
    row = _locked(session, webhook_id)
    row.processed_at, row.error = None, ""
    _dispatch(session, row, by=by)


def find_by_event(session: Session, text: str) -> Sequence[IncomingWebhook]:
    """Messages by their own id or by the one that the provider gave them."""
    key = from_public(INCOMING_PREFIX, text)
    condition = IncomingWebhook.id == key if key else IncomingWebhook.external_id == text
    return session.scalars(select(IncomingWebhook).where(condition)).all()


def delete_processed(session: Session, days: int) -> int:
    """Remove handled messages that are older, a batch at a time; how many. What was not handled stays."""
    old = clock.now() - timedelta(days=days)
    chosen = (
        select(IncomingWebhook.id)
        .where(IncomingWebhook.received_at < old, IncomingWebhook.processed_at.is_not(None))
        .limit(_DELETE_BATCH)
    )
    removed = session.execute(
        delete(IncomingWebhook).where(IncomingWebhook.id.in_(chosen)).returning(IncomingWebhook.id)
    )
    return len(removed.all())


def _locked(session: Session, webhook_id: UUID) -> IncomingWebhook:
    return session.get_one(IncomingWebhook, webhook_id, with_for_update=True, populate_existing=True)


def _dispatch(session: Session, row: IncomingWebhook, *, by: UUID | None = None) -> None:
    """Messages about one object are handled one after the other."""
    job = dispatch(
        session,
        _PROCESS,
        kwargs={"webhook_id": row.id},
        vendor_id=row.vendor_id,
        unique_key=f"payments:webhook:{row.id}",
        ordering_key=f"payments:{row.account_id or ENVIRONMENT}:{row.object_id}",
        cause="message",
        created_by=by,
    )
    row.job_id = job.id


def _message_of(row: IncomingWebhook) -> WebhookMessage:
    return WebhookMessage(
        row.external_id,
        row.type,
        row.sent_at,
        row.object_id,
        row.object_type,
        row.api_version,
        row.payload,
        row.account_id,
        row.vendor_id,
        row.platform_id,
    )
