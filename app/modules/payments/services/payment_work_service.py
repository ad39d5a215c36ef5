"""What a job tells a provider about a payment: prepared and written down inside transactions, done between them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import to_public
from app.modules.payments.adapters.stripe_gateway import REFUND_PREFIX
from app.modules.payments.contracts import Handle, PaymentGateway, PaymentRequest, PaymentStep, RefundStep
from app.modules.payments.enums import PaymentState, RefundState
from app.modules.payments.exceptions import GatewayRefusedError
from app.modules.payments.models.payment import Payment, Refund
from app.modules.payments.services import gateway_service, refund_service
from app.modules.payments.services.payment_state_service import apply_step, locked

_BEFORE: dict[str, tuple[PaymentState, ...]] = {
    "start": (PaymentState.CREATED,),
    "confirm": tuple(PaymentState),
    "capture": (PaymentState.AUTHORISED,),
    "cancel": (PaymentState.CREATED, PaymentState.PENDING, PaymentState.AUTHORISED),
}
_AFTER = {"capture": PaymentState.CAPTURED, "cancel": PaymentState.CANCELLED}


@dataclass(frozen=True, slots=True)
class Work:
    """A call to make with no transaction open."""

    payment_id: UUID
    act: str
    gateway: PaymentGateway
    handle: Handle
    call: Callable[[], PaymentStep]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it. ``refusal``: the provider said no."""

    step: PaymentStep
    read_at: datetime
    refusal: GatewayRefusedError | None = None


def prepare(session: Session, payment_id: UUID, act: str, amount_cents: int | None) -> Work | None:
    """The call of an act; None when the payment is past it. Raises PaymentNotFoundError."""
    with locked(session, payment_id) as payment:
        if payment.state not in _BEFORE[act]:
            return None
        gateway = gateway_service.gateway_for(session, payment)
        handle = gateway_service.handle_of(payment, act)
        request = _request_of(payment)
    amount = handle.amount_cents if amount_cents is None else amount_cents
    calls: dict[str, Callable[[], PaymentStep]] = {
        "start": lambda: gateway.start(handle, request),
        "confirm": lambda: gateway.confirm(handle),
        "capture": lambda: gateway.capture(handle, amount),
        "cancel": lambda: gateway.cancel(handle),
    }
    return Work(payment_id, act, gateway, handle, calls[act])


def carry_out(work: Work) -> Answer:
    """Make the call. After a refusal it is asked how the payment stands: an earlier answer may have been lost.

    Raises GatewayUnavailableError.
    """
    read_at = clock.system_now()
    try:
        return Answer(work.call(), read_at)
    except GatewayRefusedError as error:
        if work.act == "start":
            return Answer(PaymentStep(PaymentState.FAILED, failure_code=_reason(error)), read_at, error)
        read_at = clock.system_now()
        step = work.gateway.confirm(work.handle)
        if step.state is _AFTER.get(work.act):
            return Answer(step, read_at)
        return Answer(replace(step, failure_code=_reason(error)), read_at, error)


def record(session: Session, payment_id: UUID, answer: Answer) -> str:
    """Write down what the provider said; the payment's state now."""
    with locked(session, payment_id) as payment:
        apply_step(session, payment, answer.step, read_at=answer.read_at)
        return payment.state


def prepare_refund(session: Session, refund_id: UUID) -> Callable[[], RefundStep] | None:
    """The call that gives money back; None when it is done already."""
    refund = session.get_one(Refund, refund_id)
    with locked(session, refund.payment_id) as payment:
        if refund.state != RefundState.PENDING:
            return None
        gateway = gateway_service.gateway_for(session, payment)
        handle = replace(
            gateway_service.handle_of(payment, "refund"), key=to_public(REFUND_PREFIX, refund.id)
        )
    amount = refund.amount_cents

    def call() -> RefundStep:
        try:
            return gateway.refund(handle, amount)
        except GatewayRefusedError as error:
            return RefundStep(RefundState.FAILED, failure_code=_reason(error))

    return call


def record_refund(session: Session, refund_id: UUID, step: RefundStep) -> str:
    """Write down what the provider said; the refund's state now."""
    payment_id = session.get_one(Refund, refund_id).payment_id
    with locked(session, payment_id) as payment:
        refund = session.get_one(Refund, refund_id, populate_existing=True)
        refund_service.apply_refund(session, payment, refund, step)
        return refund.state


def _request_of(payment: Payment) -> PaymentRequest:
    return PaymentRequest(
        payment.amount_cents,
        payment.currency,
        payment.reference,
        payment.description,
        payment.return_url,
        payment.customer_email,
        payment.is_captured_at_once,
    )


def _reason(error: GatewayRefusedError) -> str:
    return str(error.params.get("reason", ""))
