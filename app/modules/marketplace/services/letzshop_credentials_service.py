"""Keys of the Letzshop API: stored sealed, read by the identity role only, never shown again."""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import IdentityScope, acting_in
from app.core.errors import FieldError, ValidationFailedError
from app.core.security import reseal, seal, unseal
from app.modules.marketplace.models.letzshop_credentials import LetzshopCredential

_KEY = re.compile(r"[!-~]{8,512}")  # it goes into a header
_HINT_LETTERS = 4


@dataclass(frozen=True, slots=True)
class Credential:
    """What people may know of a key: its last letters, since when (UTC), how many it has replaced, and which shop is
    meant, if somebody has said."""

    hint: str
    set_at: datetime
    rotations: int
    shop_slug: str | None


def clean_key(typed: str) -> str:
    """A key without the blanks that come with copying. Raises ValidationFailedError for what can be none."""
    key = typed.strip().removeprefix("Bearer ").strip()
    if not _KEY.fullmatch(key):
        fault = FieldError("key", "marketplace.letzshop_key", "marketplace.errors.letzshop_key", {})
        raise ValidationFailedError("This is no key of Letzshop.", [fault])
    return key


def store_key(session: Session, connection_id: UUID, typed: str) -> Credential:
    """Keep the key of a connection, in place of an earlier one; every call made from now on uses it.

    Raises ValidationFailedError.
    """
    key = clean_key(typed)
    sealed = seal(key)
    with acting_in(session, IdentityScope()):
        row = session.get(LetzshopCredential, connection_id, with_for_update=True)
        if row is None:
            row = LetzshopCredential(connection_id=connection_id, rotations=-1)
            session.add(row)
        row.rotations += 1
        row.sealed, row.key_id = sealed, _key_id(sealed)
        row.hint, row.set_at = f"…{key[-_HINT_LETTERS:]}", clock.system_now()
        return _shown(row)


def find(session: Session, connection_id: UUID) -> Credential | None:
    """What may be known of a connection's key; None where it has none."""
    with acting_in(session, IdentityScope()):
        row = session.get(LetzshopCredential, connection_id)
        return _shown(row) if row else None


def read_key(session: Session, connection_id: UUID) -> str | None:
    """The key itself, for a call; None where there is none."""
    with acting_in(session, IdentityScope()):
        row = session.get(LetzshopCredential, connection_id)
        return unseal(row.sealed) if row else None


def choose_shop(session: Session, connection_id: UUID, slug: str | None) -> None:
    """Say which of the key's shops the connection is for, by the short name in its address; None: its only one."""
    with acting_in(session, IdentityScope()):
        row = session.get(LetzshopCredential, connection_id)
        if row is not None:
            row.shop_slug = (slug or "").strip().rstrip("/").rpartition("/")[2] or None


def forget_key(session: Session, connection_id: UUID) -> None:
    """Remove the key of a connection, if it has one."""
    with acting_in(session, IdentityScope()):
        row = session.get(LetzshopCredential, connection_id)
        if row is not None:
            session.delete(row)


def reseal_keys(session: Session) -> int:
    """Seal everything under the current encryption key that an older one sealed; how many."""
    changed = 0
    with acting_in(session, IdentityScope()):
        for row in session.scalars(select(LetzshopCredential).with_for_update()):
            renewed = reseal(row.sealed)
            if renewed != row.sealed:
                row.sealed, row.key_id = renewed, _key_id(renewed)
                changed += 1
    return changed


def _shown(row: LetzshopCredential) -> Credential:
    return Credential(row.hint, row.set_at, row.rotations, row.shop_slug)


def _key_id(sealed: str) -> str:
    return sealed.partition(":")[0]
