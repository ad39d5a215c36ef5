"""Demo records: ways to pay and payments in different states at each vendor, and a message of a provider."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import TenantScope, acting_in
from app.core.ids import new_id
from app.modules.payments.contracts import NewPayment, PaymentRequest, RefundRequest
from app.modules.payments.enums import Payee, Provider
from app.modules.payments.models.account import PaymentAccount
from app.modules.payments.models.webhook import IncomingWebhook
from app.modules.payments.services import account_edit_service, payment_service, refund_service
from app.modules.payments.services.account_edit_service import AccountChange
from app.modules.setup import DemoLogin
from app.modules.tenancy.facade import list_platforms
from app.modules.vendors import find_vendor_id

_VENDORS = {"MOSELLE": "Maison Moselle", "GUTLAND": "Gutland Kids", "MINETT": "Minett Outdoor"}
_IBAN = "LU280019400644750000"  # the example of the IBAN registry
# Cents, provider, and whether the money is taken at once.
_PAYMENTS = (
    (4990, Provider.SANDBOX, True),
    (12_902, Provider.SANDBOX, True),
    (7_450, Provider.SANDBOX, False),
    (23_500, Provider.BANK_TRANSFER, True),
    (1_890, Provider.CASH, True),
)


def seed(session: Session) -> list[DemoLogin]:
    """Make them, once."""
    if session.scalar(select(PaymentAccount.id).limit(1)) is None:
        for code, holder in _VENDORS.items():
            vendor_id = find_vendor_id(session, code)
            if vendor_id is not None:
                _seed_vendor(session, vendor_id, holder)
        _seed_operator(session)
    return []


def _seed_vendor(session: Session, vendor_id: UUID, holder: str) -> None:
    with acting_in(session, TenantScope(vendor_id)):
        settings = {"holder": holder, "iban": _IBAN, "bic": "BCEELULL"}
        _account(session, Provider.BANK_TRANSFER, settings)
        _account(session, Provider.CASH, {"words": "12, Grand-Rue, Monday to Friday, 9 to 18 h"})
        made = [
            payment_service.start_payment(
                session,
                vendor_id,
                NewPayment(
                    provider,
                    Payee.VENDOR,
                    "payments.demo",
                    new_id(),
                    PaymentRequest(
                        cents,
                        "EUR",
                        f"DEMO-{number}",
                        f"Order {number}",
                        customer_email=f"customer{number}@example.lu",
                        is_captured_at_once=is_at_once,
                    ),
                ),
            )
            for number, (cents, provider, is_at_once) in enumerate(_PAYMENTS, 1001)
        ]
        refund_service.refund_payment(session, made[0].id, RefundRequest(990, "DEMO", "One part was missing"))


def _account(session: Session, provider: Provider, settings: dict[str, str]) -> None:
    row = account_edit_service.create_account(session, provider, by=None)
    account_edit_service.update_account(
        session, row.id, AccountChange(settings), version=row.version, by=None
    )
    account_edit_service.switch_account(session, row.id, is_on=True, by=None)


def _seed_operator(session: Session) -> None:
    now = clock.now()
    session.add(
        IncomingWebhook(
            provider=Provider.STRIPE,
            external_id="evt_demo",
            type="customer.created",
            object_id="cus_demo",
            object_type="customer",
            api_version="2026-10-28.endive",
            payload={"id": "evt_demo", "type": "customer.created", "data": {"object": {"id": "cus_demo"}}},
            sent_at=now - timedelta(seconds=2),
            received_at=now,
            processed_at=now,
            attempts=1,
        )
    )
    for platform in list_platforms(session):
        account_edit_service.create_account(session, Provider.SANDBOX, platform_id=platform.id, by=None)
