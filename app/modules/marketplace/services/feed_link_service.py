"""The address at which others fetch a vendor's feed: signed, so that nothing is looked up by a name or guessed.

It stays the same until the vendor renews it, or the installation's secret key changes.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.config import get_settings
from app.core.i18n import LANGUAGES
from app.core.ids import to_public
from app.core.keys import get_keys
from app.modules.marketplace.models.feed_settings import FeedSettings
from app.modules.tenancy.facade import record_audit

_ID, _VERSION, _LANGUAGE, _MAC = 16, 2, 2, 16  # bytes
_PAYLOAD = _ID + _VERSION + _LANGUAGE


@dataclass(frozen=True, slots=True)
class FeedLink:
    """What an address says; ``version`` must be the one in the vendor's settings."""

    vendor_id: UUID
    language: str
    version: int


def feed_address(session: Session, *, vendor_id: UUID, language: str) -> str:
    """The address of the vendor's file in a language, for people to pass on."""
    token = make_token(FeedLink(vendor_id, language, link_version(session)))
    return f"{get_settings().base_url}/feeds/{token}"


def renew_link(session: Session, *, vendor_id: UUID) -> None:
    """End all addresses that were given out for the vendor; from now on there are others."""
    settings = session.scalars(select(FeedSettings).with_for_update()).one()
    settings.link_version += 1
    session.flush()
    target = to_public("vnd", vendor_id)
    record_audit(session, "marketplace.feed_link_renewed", vendor_id=vendor_id, target=target)


def link_version(session: Session) -> int:
    """The version of the addresses that are good, of the session's vendor."""
    return session.scalar(select(FeedSettings.link_version)) or 0


def make_token(link: FeedLink) -> str:
    """The end of an address."""
    payload = link.vendor_id.bytes + link.version.to_bytes(_VERSION, "big") + link.language.encode()
    return base64.urlsafe_b64encode(payload + _mac(payload)).decode()


def read_token(token: str) -> FeedLink | None:
    """What an address says; None when we did not make it."""
    try:
        content = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    payload, mac = content[:_PAYLOAD], content[_PAYLOAD:]
    if len(content) != _PAYLOAD + _MAC or not hmac.compare_digest(mac, _mac(payload)):
        return None
    language = payload[-_LANGUAGE:].decode()
    version = int.from_bytes(payload[_ID:-_LANGUAGE], "big")
    return FeedLink(UUID(bytes=payload[:_ID]), language, version) if language in LANGUAGES else None


def _mac(payload: bytes) -> bytes:
    secret = get_keys(get_settings()).secret_key.encode()
    return hmac.new(secret, b"wizamart.marketplace.feed\0" + payload, hashlib.sha256).digest()[:_MAC]
