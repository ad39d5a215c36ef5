"""Payments and accounts of the demo's vendors, made as people and modules make them."""

import hashlib
import hmac
import time
from typing import Any
from uuid import UUID

import orjson

from app.core.database import SYSTEM, unit_of_work
from app.core.ids import new_id
from app.modules.payments.contracts import NewPayment, PaymentInfo, PaymentRequest
from app.modules.payments.enums import Payee, Provider
from app.modules.payments.services import account_edit_service, payment_service
from app.modules.payments.services.account_edit_service import AccountChange
from app.modules.tenancy.facade import list_platforms
from app.testing.working import vendor_scope

WEBHOOK_SECRET = "whsec_of_this_test"
API_KEY = "sk_test_sandbox_0001"


def wanted(
    cents: int,
    provider: Provider = Provider.SANDBOX,
    payee: Payee = Payee.VENDOR,
    *,
    reference: str = "",
    **request: Any,
) -> NewPayment:
    """A payment to ask for, with a reference of its own."""
    asked = PaymentRequest(cents, "EUR", reference or f"test-{new_id()}", "Order 7", **request)
    platform = platform_id() if payee is Payee.PLATFORM else None
    return NewPayment(provider, payee, "orders.order", new_id(), asked, platform)


def platform_id() -> UUID:
    """The demo's platform."""
    with unit_of_work(SYSTEM) as session:
        return list_platforms(session)[0].id


def start(payment: NewPayment, code: str = "MINETT") -> PaymentInfo:
    """Ask for it, and commit."""
    scope = vendor_scope(code)
    with unit_of_work(scope) as session:
        return payment_service.start_payment(session, scope.vendor_id, payment)


def find(payment_id: UUID, code: str = "MINETT") -> PaymentInfo:
    """A payment as it stands now."""
    with unit_of_work(vendor_scope(code)) as session:
        return payment_service.get_payment(session, payment_id)


def stripe_account(code: str | None = None) -> UUID:
    """A Stripe account of a vendor, or of the demo's platform: on, with key and secret."""
    scope = vendor_scope(code) if code else SYSTEM
    platform = None if code else platform_id()
    with unit_of_work(scope) as session:
        row = account_edit_service.create_account(session, Provider.STRIPE, platform_id=platform, by=None)
        change = AccountChange(api_key=API_KEY, webhook_secret=WEBHOOK_SECRET)
        account_edit_service.update_account(session, row.id, change, version=row.version, by=None)
        account_edit_service.switch_account(session, row.id, is_on=True, by=None)
        return row.id


def event(kind: str, found: dict[str, Any], *, number: str = "evt_1", **more: Any) -> bytes:
    """An event with a snapshot of its object, as Stripe sends it."""
    body = {
        "id": number,
        "object": "event",
        "type": kind,
        "created": 1_795_000_000,
        "api_version": "2026-10-28.endive",
        "livemode": False,
        "data": {"object": found},
        **more,
    }
    return orjson.dumps(body)


def signature(body: bytes, secret: str = WEBHOOK_SECRET, *, age_seconds: int = 0) -> dict[str, str]:
    """The header that Stripe signs a body with."""
    at = int(time.time()) - age_seconds
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={at},v1={mac}"}
