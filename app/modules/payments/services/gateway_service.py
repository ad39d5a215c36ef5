"""The gateway of an account, and how a payment is named to it."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import get_settings
from app.core.ids import to_public
from app.modules.payments.adapters.offline import BankTransferGateway, CashGateway, SandboxGateway
from app.modules.payments.adapters.stripe_gateway import PAYMENT_PREFIX, StripeGateway
from app.modules.payments.contracts import Handle, NewPayment, PaymentGateway
from app.modules.payments.enums import Payee, Provider
from app.modules.payments.exceptions import ProviderOffError
from app.modules.payments.models.account import PaymentAccount
from app.modules.payments.models.payment import Payment
from app.modules.payments.services import account_service

_OFFLINE = {
    Provider.BANK_TRANSFER: BankTransferGateway,
    Provider.CASH: CashGateway,
    Provider.SANDBOX: SandboxGateway,
}


def choose_account(session: Session, vendor_id: UUID, wanted: NewPayment) -> PaymentAccount | None:
    """The account that takes a new payment; None for the environment's. Raises ProviderOffError."""
    if wanted.provider is Provider.SANDBOX and get_settings().env == "production":
        raise ProviderOffError("The sandbox takes no payments with WIZAMART_ENV=production.")
    owner = {"vendor_id": vendor_id} if wanted.payee is Payee.VENDOR else {"platform_id": wanted.platform_id}
    account = account_service.find_row(session, wanted.provider, **owner)
    is_from_environment = wanted.provider is Provider.STRIPE and wanted.payee is Payee.PLATFORM
    if account is None and not is_from_environment and wanted.provider is not Provider.SANDBOX:
        raise ProviderOffError
    if account is None and is_from_environment:
        account_service.environment_credentials()
    return account


def gateway_of(session: Session, provider: Provider, account: PaymentAccount | None) -> PaymentGateway:
    """The gateway with an account's credentials; make it inside a transaction. Raises StripeNotConfiguredError."""
    if provider is Provider.STRIPE:
        credentials = account_service.credentials_of(session, account)
        return StripeGateway(credentials.open(), credentials.webhook_secret)
    return _OFFLINE[provider](account.settings if account else {})


def gateway_for(session: Session, payment: Payment) -> PaymentGateway:
    """The gateway that a payment goes by."""
    account = account_service.get_row(session, payment.account_id) if payment.account_id else None
    return gateway_of(session, Provider(payment.provider), account)


def handle_of(payment: Payment, act: str) -> Handle:
    """A payment as its gateway is told of it; the key is the same each time the act is tried."""
    return Handle(
        payment.id,
        payment.amount_cents,
        payment.currency,
        f"{to_public(PAYMENT_PREFIX, payment.id)}:{act}",
        payment.provider_ref,
        payment.intent_ref,
        payment.is_captured_at_once,
    )
