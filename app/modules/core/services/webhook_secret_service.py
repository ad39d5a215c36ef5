"""Secrets of webhook endpoints and signatures with them, as Standard Webhooks writes them."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, delete, or_, select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import IdentityScope, acting_in
from app.core.ids import new_id
from app.core.security import seal, unseal
from app.modules.core.models.webhook import WebhookSecret

OVERLAP = timedelta(hours=24)
_PREFIX = "whsec_"
_BYTES = 32


def make_secret(session: Session, endpoint_id: UUID) -> str:
    """A new secret of an endpoint; the former ones sign too for another 24 hours."""
    secret = _PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()
    now = clock.system_now()
    with acting_in(session, IdentityScope()):
        session.execute(
            delete(WebhookSecret).where(
                WebhookSecret.endpoint_id == endpoint_id, WebhookSecret.expires_at <= now
            )
        )
        session.execute(
            update(WebhookSecret)
            .where(WebhookSecret.endpoint_id == endpoint_id, WebhookSecret.expires_at.is_(None))
            .values(expires_at=now + OVERLAP)
        )
        session.add(WebhookSecret(id=new_id(), endpoint_id=endpoint_id, sealed=seal(secret)))
    return secret


def is_unseen(session: Session, endpoint_id: UUID) -> bool:
    """Whether the newest secret was never shown to a person."""
    with acting_in(session, IdentityScope()):
        return session.scalar(_unseen(endpoint_id).with_only_columns(WebhookSecret.id)) is not None


def show_once(session: Session, endpoint_id: UUID) -> str | None:
    """The newest secret, if nobody has seen it; None ever after."""
    with acting_in(session, IdentityScope()):
        newest = session.scalar(_unseen(endpoint_id).with_for_update())
        if newest is None:
            return None
        newest.shown_at = clock.system_now()
        return unseal(newest.sealed)


def _unseen(endpoint_id: UUID) -> Select[WebhookSecret]:
    return select(WebhookSecret).where(
        WebhookSecret.endpoint_id == endpoint_id,
        WebhookSecret.expires_at.is_(None),
        WebhookSecret.shown_at.is_(None),
    )


def current_secrets(session: Session, endpoint_id: UUID) -> list[str]:
    """The secrets that sign now, the newest first."""
    with acting_in(session, IdentityScope()):
        sealed = session.scalars(
            select(WebhookSecret.sealed)
            .where(
                WebhookSecret.endpoint_id == endpoint_id,
                or_(WebhookSecret.expires_at.is_(None), WebhookSecret.expires_at > clock.system_now()),
            )
            .order_by(WebhookSecret.id.desc())
        ).all()
    return [unseal(one) for one in sealed]


def signed_headers(secrets_: Sequence[str], message_id: str, body: str) -> dict[str, str]:
    """The headers that a receiver verifies: id, time and one signature for each secret."""
    timestamp = str(int(clock.system_now().timestamp()))
    signed = f"{message_id}.{timestamp}.{body}".encode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{_mac(secret, signed)}" for secret in secrets_),
    }


def _mac(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
