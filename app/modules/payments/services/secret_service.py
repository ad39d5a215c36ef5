"""Credentials of accounts: stored sealed, read by the identity role only, never shown again."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.database import IdentityScope, acting_in
from app.core.security import reseal, seal, unseal
from app.modules.payments.models.account import PaymentSecret

API_KEY, WEBHOOK_SECRET = "api_key", "webhook_secret"


def store_secrets(session: Session, account_id: UUID, secrets: Mapping[str, str]) -> None:
    """Keep credentials by name, in place of earlier ones of the same names."""
    with acting_in(session, IdentityScope()):
        for name, plain in secrets.items():
            sealed = seal(plain)
            row = session.get(PaymentSecret, (account_id, name))
            if row is None:
                row = PaymentSecret(account_id=account_id, name=name)
                session.add(row)
            row.sealed, row.key_id = sealed, _key_id(sealed)


def read_secrets(session: Session, account_id: UUID) -> dict[str, str]:
    """The credentials of an account by name."""
    with acting_in(session, IdentityScope()):
        rows = session.scalars(select(PaymentSecret).where(PaymentSecret.account_id == account_id)).all()
    return {row.name: unseal(row.sealed) for row in rows}


def reseal_secrets(session: Session) -> int:
    """Seal everything under the current key that an older one sealed; how many. Afterwards that key can be removed."""
    changed = 0
    with acting_in(session, IdentityScope()):
        for row in session.scalars(select(PaymentSecret).with_for_update()):
            renewed = reseal(row.sealed)
            if renewed != row.sealed:
                row.sealed, row.key_id = renewed, _key_id(renewed)
                changed += 1
    return changed


def _key_id(sealed: str) -> str:
    return sealed.partition(":")[0]
