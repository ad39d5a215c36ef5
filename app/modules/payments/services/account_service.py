"""Accounts at providers: which one takes a payment, and with which credentials."""

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session
from stripe import StripeClient

from app.core.config import get_settings
from app.core.database import SYSTEM, acting_in
from app.modules.payments.adapters.stripe_api import open_client
from app.modules.payments.config import PaymentsSettings
from app.modules.payments.contracts import AccountInfo
from app.modules.payments.enums import KeyMode, Provider
from app.modules.payments.exceptions import StripeNotConfiguredError
from app.modules.payments.models.account import PaymentAccount
from app.modules.payments.services.secret_service import API_KEY, WEBHOOK_SECRET, read_secrets

ACCOUNT_PREFIX = "pac"
# The stand-in takes these; it moves no money.
_STAND_IN_KEY = "sk_test_sandbox"
_STAND_IN_WEBHOOK_SECRET = "whsec_sandbox"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Credentials:
    """What opens an account at Stripe. ``stand_in_url``: it is not Stripe that is asked."""

    api_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    stand_in_url: str | None = None

    def open(self) -> StripeClient:
        """A client with these credentials."""
        return open_client(self.api_key, stand_in_url=self.stand_in_url)


def find_account(
    session: Session,
    provider: Provider,
    *,
    vendor_id: UUID | None = None,
    platform_id: UUID | None = None,
) -> AccountInfo | None:
    """The account of a vendor or of a platform at a provider, if it is switched on, whatever the session's scope."""
    row = find_row(session, provider, vendor_id=vendor_id, platform_id=platform_id)
    return info_of(row) if row else None


def find_row(
    session: Session,
    provider: Provider,
    *,
    vendor_id: UUID | None = None,
    platform_id: UUID | None = None,
) -> PaymentAccount | None:
    """The same, as the row."""
    if vendor_id is None and platform_id is None:
        return None
    owner = PaymentAccount.vendor_id == vendor_id if vendor_id else PaymentAccount.platform_id == platform_id
    statement = select(PaymentAccount).where(
        owner, PaymentAccount.provider == provider, PaymentAccount.is_enabled
    )
    with acting_in(session, SYSTEM):
        return session.scalar(statement)


def get_row(session: Session, account_id: UUID) -> PaymentAccount:
    """An account that a payment or a message names, whatever the session's scope."""
    with acting_in(session, SYSTEM):
        return session.get_one(PaymentAccount, account_id)


def stripe_client(session: Session, platform_id: UUID | None) -> StripeClient:
    """A client of the operator's account at Stripe: the platform's own, else the environment's, else the stand-in.

    Make it inside a transaction, use it outside. Raises StripeNotConfiguredError.
    """
    row = find_row(session, Provider.STRIPE, platform_id=platform_id)
    return credentials_of(session, row).open()


def credentials_of(session: Session, account: PaymentAccount | None) -> Credentials:
    """What opens an account; without one, the environment's. Raises StripeNotConfiguredError."""
    if account is None:
        return environment_credentials()
    found = read_secrets(session, account.id)
    if API_KEY not in found:
        raise StripeNotConfiguredError(f"The account {account.id} has no key.")
    # A vendor tries Stripe out with the stand-in's key: that never goes to Stripe itself.
    stand_in = _stand_in_url() if found[API_KEY].startswith(_STAND_IN_KEY) else None
    return Credentials(found[API_KEY], found.get(WEBHOOK_SECRET, ""), stand_in)


def environment_credentials() -> Credentials:
    """PAYMENTS_STRIPE_API_KEY, else those of the stand-in that runs. Raises StripeNotConfiguredError."""
    settings = PaymentsSettings()
    webhook_secret = settings.stripe_webhook_secret
    if settings.stripe_api_key is not None:
        return Credentials(
            settings.stripe_api_key.get_secret_value(),
            webhook_secret.get_secret_value() if webhook_secret else "",
        )
    stand_in = _stand_in_url()
    secret = webhook_secret.get_secret_value() if webhook_secret else _STAND_IN_WEBHOOK_SECRET
    return Credentials(_STAND_IN_KEY, secret, stand_in)


def _stand_in_url() -> str:
    url = get_settings().sandbox_url
    if url is None:
        raise StripeNotConfiguredError(
            "There is no key of Stripe: set PAYMENTS_STRIPE_API_KEY, or store one under Payment providers."
        )
    return url


def mode_of(api_key: str) -> KeyMode | None:
    """test or live by the key's prefix; None for what is no secret key of Stripe's."""
    for mode in KeyMode:
        if api_key.startswith((f"sk_{mode}_", f"rk_{mode}_")) and len(api_key) >= len("sk_live_") + 6:
            return mode
    return None


def info_of(row: PaymentAccount) -> AccountInfo:
    """An account as others see it."""
    return AccountInfo(
        row.id,
        Provider(row.provider),
        row.vendor_id,
        row.platform_id,
        row.is_enabled,
        row.mode,
        row.key_hint,
    )
