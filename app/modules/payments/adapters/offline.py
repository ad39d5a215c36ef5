"""Ways to pay that nobody outside is asked for: bank transfer, cash on collection, and one for trying out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from stdnum import iban
from stdnum.iso7064 import mod_97_10

from app.core.ids import encode_key
from app.modules.payments.contracts import (
    AccountCheck,
    Handle,
    PaymentRequest,
    PaymentStep,
    RefundStep,
    WebhookMessage,
)
from app.modules.payments.enums import PaymentState, RefundState
from app.modules.payments.exceptions import GatewayRefusedError, WebhookRefusedError

DECLINED_ENDING, CONFIRMED_ENDING = 2, 41  # cents of an amount in the sandbox
_REFERENCE_LETTERS = 16


@dataclass(frozen=True, slots=True)
class OfflineGateway:
    """What all of them have in common: people count the money, and give it back themselves."""

    settings: Mapping[str, Any]
    is_remote: bool = False

    def start(self, _handle: Handle, _request: PaymentRequest) -> PaymentStep:
        """Wait for the money."""
        return PaymentStep(PaymentState.PENDING)

    def confirm(self, _handle: Handle) -> PaymentStep:
        """The money is there."""
        return PaymentStep(PaymentState.CAPTURED)

    def capture(self, _handle: Handle, amount_cents: int) -> PaymentStep:
        """Take what was promised."""
        return PaymentStep(PaymentState.CAPTURED, captured_cents=amount_cents)

    def cancel(self, _handle: Handle) -> PaymentStep:
        """Nothing is expected any more."""
        return PaymentStep(PaymentState.CANCELLED)

    def refund(self, _handle: Handle, _amount_cents: int) -> RefundStep:
        """Somebody has given it back."""
        return RefundStep(RefundState.SUCCEEDED)

    def parse_webhook(self, _body: bytes, _headers: Mapping[str, str]) -> WebhookMessage:
        """Nobody sends any."""
        raise WebhookRefusedError

    def check(self) -> AccountCheck:
        """Nothing is needed."""
        return AccountCheck()


class BankTransferGateway(OfflineGateway):
    """A transfer to the account whose holder and IBAN the settings name."""

    __slots__ = ()

    def start(self, handle: Handle, _request: PaymentRequest) -> PaymentStep:
        """Tell the payer where to, and the reference that the transfer is found by."""
        told = {name: str(self.settings.get(name) or "") for name in ("holder", "iban", "bic")}
        told["reference"] = creditor_reference(handle.payment_id)
        shown = {name: text for name, text in told.items() if text}
        return PaymentStep(PaymentState.PENDING, told["reference"], instructions=shown)

    def check(self) -> AccountCheck:
        """Whether the IBAN is one."""
        number = str(self.settings.get("iban") or "")
        if not iban.is_valid(number):
            raise GatewayRefusedError("The IBAN is not valid.", reason="iban")
        return AccountCheck(iban.format(number))


class CashGateway(OfflineGateway):
    """Cash, counted where the goods are collected."""

    __slots__ = ()

    def start(self, _handle: Handle, _request: PaymentRequest) -> PaymentStep:
        """Tell the payer where to pay."""
        words = str(self.settings.get("words") or "")
        return PaymentStep(PaymentState.PENDING, instructions={"words": words} if words else {})


class SandboxGateway(OfflineGateway):
    """Settles by the amount: ending in 02 is declined, in 41 needs to be confirmed, all else is paid at once."""

    __slots__ = ()

    def start(self, _handle: Handle, request: PaymentRequest) -> PaymentStep:
        """Decide by the last two digits."""
        ending = request.amount_cents % 100
        if ending == DECLINED_ENDING:
            return PaymentStep(PaymentState.FAILED, failure_code="card_declined")
        if ending == CONFIRMED_ENDING:
            return PaymentStep(PaymentState.PENDING)
        return self._paid(request.is_captured_at_once)

    def confirm(self, handle: Handle) -> PaymentStep:
        """Pay."""
        return self._paid(handle.is_captured_at_once)

    def _paid(self, is_captured: bool) -> PaymentStep:
        return PaymentStep(PaymentState.CAPTURED if is_captured else PaymentState.AUTHORISED)


def creditor_reference(payment_id: UUID) -> str:
    """The structured reference of a transfer (ISO 11649), made of the last letters of the payment's public id."""
    # The last 80 bits of a UUIDv7 are random but for two; the first are the time and much alike.
    letters = encode_key(payment_id.int)[-_REFERENCE_LETTERS:].upper()
    return f"RF{mod_97_10.calc_check_digits(f'{letters}RF')}{letters}"
