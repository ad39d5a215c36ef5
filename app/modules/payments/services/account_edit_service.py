"""Changing accounts: details, keys that are written and never shown, switches, and the check by a job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from stdnum import bic, iban

from app.core import clock
from app.core.config import get_settings
from app.core.database import ScopedSession, TenantScope
from app.core.errors import ConflictError, FieldError
from app.core.ids import to_public
from app.modules.payments.contracts import PaymentGateway
from app.modules.payments.enums import CheckOutcome, Provider
from app.modules.payments.exceptions import (
    AccountIncompleteError,
    AccountInputError,
    AccountNotFoundError,
    GatewayRefusedError,
    GatewayUnavailableError,
    StripeNotConfiguredError,
)
from app.modules.payments.models.account import PaymentAccount
from app.modules.payments.services import gateway_service
from app.modules.payments.services.account_service import ACCOUNT_PREFIX, mode_of
from app.modules.payments.services.secret_service import API_KEY, WEBHOOK_SECRET, store_secrets
from app.modules.tenancy.facade import record_audit
from app.tasks.dispatcher import dispatch

_CHECK = "app.modules.payments.tasks.accounts.check_account"
_HINT_LETTERS = 4
_WEBHOOK_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What somebody typed; a credential that is empty stays as it is."""

    settings: Mapping[str, str] = field(default_factory=dict)
    api_key: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What came of a look at an account."""

    outcome: CheckOutcome
    name: str = ""


def choices() -> list[Provider]:
    """The providers that can be added; the sandbox not in production."""
    is_real = get_settings().env == "production"
    return [one for one in Provider if not (is_real and one is Provider.SANDBOX)]


def here(session: Session) -> ColumnElement[bool]:
    """The condition for the accounts of the session's place: the vendor's, or the operator's."""
    return PaymentAccount.vendor_id.is_not_distinct_from(_vendor_of(session))


def select_accounts(session: Session) -> Select[PaymentAccount]:
    """The accounts of the session's place."""
    return select(PaymentAccount).where(here(session))


def select_columns(session: Session) -> Select[Any]:
    """The same for a list, column by column."""
    return select(*PaymentAccount.__table__.columns).where(here(session))


def get_own(session: Session, account_id: UUID) -> PaymentAccount:
    """One of them. Raises AccountNotFoundError."""
    found = session.scalar(select_accounts(session).where(PaymentAccount.id == account_id))
    if found is None:
        raise AccountNotFoundError
    return found


def create_account(
    session: Session, provider: Provider, *, platform_id: UUID | None = None, by: UUID | None
) -> PaymentAccount:
    """A new account, off; of the session's vendor, or of a platform. Raises AccountInputError."""
    vendor_id = _vendor_of(session)
    if provider not in choices() or (vendor_id is None) == (platform_id is None):
        raise _refused("provider", "choose")
    row = PaymentAccount(vendor_id=vendor_id, platform_id=platform_id, provider=provider)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise _refused("provider", "taken") from None
    _audit(session, "payments.account_created", row, by, provider=provider.value)
    return row


def update_account(
    session: Session, account_id: UUID, change: AccountChange, *, version: int, by: UUID | None
) -> PaymentAccount:
    """Change details and keys. Raises AccountInputError, AccountNotFoundError, ConflictError for a stale version."""
    row = get_own(session, account_id)
    if row.version != version:
        raise ConflictError
    row.settings = _checked_settings(Provider(row.provider), change.settings)
    secrets = _checked_secrets(Provider(row.provider), change)
    if API_KEY in secrets:
        mode = mode_of(change.api_key)
        row.mode = mode
        row.key_hint = f"{change.api_key[: len('sk_test_')]}…{change.api_key[-_HINT_LETTERS:]}"
    row.has_webhook_secret = row.has_webhook_secret or WEBHOOK_SECRET in secrets
    row.checked_at = row.check_outcome = None
    session.flush()
    store_secrets(session, row.id, secrets)
    _audit(session, "payments.account_updated", row, by, changed=sorted([*change.settings, *secrets]))
    return row


def switch_account(session: Session, account_id: UUID, *, is_on: bool, by: UUID | None) -> None:
    """Offer a way to pay, or offer it no more; payments under way go on. Raises AccountIncompleteError."""
    row = get_own(session, account_id)
    if is_on and not is_complete(row):
        raise AccountIncompleteError
    row.is_enabled = is_on
    _audit(session, "payments.account_switched_on" if is_on else "payments.account_switched_off", row, by)


def is_complete(row: PaymentAccount) -> bool:
    """Whether it has what its provider needs."""
    if row.provider == Provider.STRIPE:
        return row.key_hint is not None
    return row.provider != Provider.BANK_TRANSFER or bool(row.settings.get("iban"))


def start_check(session: Session, account_id: UUID, *, by: UUID | None) -> None:
    """Have a job look whether the account can be used."""
    row = get_own(session, account_id)
    job = dispatch(
        session,
        _CHECK,
        kwargs={"account_id": row.id},
        vendor_id=row.vendor_id,
        unique_key=f"payments:check:{row.id}",
        created_by=by,
    )
    row.check_job_id = job.id


def prepare_check(session: Session, account_id: UUID) -> PaymentGateway | None:
    """The gateway to ask; None where there is no key."""
    row = session.get_one(PaymentAccount, account_id)
    try:
        return gateway_service.gateway_of(session, Provider(row.provider), row)
    except StripeNotConfiguredError:
        return None


def check(gateway: PaymentGateway | None) -> CheckResult:
    """Ask the provider, with no transaction open."""
    if gateway is None:
        return CheckResult(CheckOutcome.INCOMPLETE)
    try:
        return CheckResult(CheckOutcome.OK, gateway.check().name)
    except GatewayUnavailableError:
        return CheckResult(CheckOutcome.UNREACHABLE)
    except GatewayRefusedError:
        return CheckResult(CheckOutcome.REFUSED)


def record_check(session: Session, account_id: UUID, result: CheckResult) -> None:
    """Write down what came of it."""
    row = session.get_one(PaymentAccount, account_id, populate_existing=True)
    row.checked_at, row.check_outcome, row.check_name = clock.now(), result.outcome, result.name


def _checked_settings(provider: Provider, given: Mapping[str, str]) -> dict[str, str]:
    if provider is Provider.BANK_TRANSFER:
        errors = []
        number, code = iban.compact(given.get("iban", "")), given.get("bic", "").strip().upper()
        if not iban.is_valid(number):
            errors.append(_field("iban", "iban"))
        if code and not bic.is_valid(code):
            errors.append(_field("bic", "bic"))
        if not given.get("holder", "").strip():
            errors.append(_field("holder", "holder"))
        if errors:
            raise AccountInputError(errors=errors)
        return {"holder": given["holder"].strip(), "iban": number, "bic": code}
    if provider is Provider.CASH:
        return {"words": given.get("words", "").strip()}
    return {}


def _checked_secrets(provider: Provider, change: AccountChange) -> dict[str, str]:
    if provider is not Provider.STRIPE:
        return {}
    found = {API_KEY: change.api_key.strip(), WEBHOOK_SECRET: change.webhook_secret.strip()}
    errors: Sequence[FieldError] = [
        *([_field(API_KEY, "api_key")] if found[API_KEY] and not mode_of(found[API_KEY]) else []),
        *(
            [_field(WEBHOOK_SECRET, "webhook_secret")]
            if found[WEBHOOK_SECRET] and not found[WEBHOOK_SECRET].startswith(_WEBHOOK_PREFIX)
            else []
        ),
    ]
    if errors:
        raise AccountInputError(errors=errors)
    return {name: text for name, text in found.items() if text}


def _field(name: str, code: str) -> FieldError:
    return FieldError(name, code, f"payments.account.error_{code}", {})


def _refused(name: str, code: str) -> AccountInputError:
    return AccountInputError(errors=[_field(name, code)])


def _vendor_of(session: Session) -> UUID | None:
    assert isinstance(session, ScopedSession)
    return session.scope.vendor_id if isinstance(session.scope, TenantScope) else None


def _audit(session: Session, action: str, row: PaymentAccount, by: UUID | None, **details: object) -> None:
    record_audit(
        session,
        action,
        vendor_id=row.vendor_id,
        actor_id=by,
        target=to_public(ACCOUNT_PREFIX, row.id),
        **details,
    )
