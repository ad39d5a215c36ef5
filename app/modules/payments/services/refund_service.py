"""Giving money back: never more than was taken, whoever asks at the same time."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import FieldError
from app.core.ids import new_id, to_public
from app.modules.events import publish
from app.modules.payments.adapters.stripe_gateway import PAYMENT_PREFIX, REFUND_PREFIX
from app.modules.payments.contracts import RefundInfo, RefundRequest, RefundStep
from app.modules.payments.enums import PaymentState, RefundState
from app.modules.payments.events import RefundSucceeded
from app.modules.payments.exceptions import AmountError, PaymentStateError, ReferenceTakenError
from app.modules.payments.models.payment import Payment, Refund
from app.modules.payments.services import gateway_service
from app.modules.payments.services.payment_state_service import locked
from app.modules.tenancy.facade import record_audit
from app.tasks.dispatcher import dispatch

_CARRY_OUT = "app.modules.payments.tasks.payments.carry_out_refund"


def refund_payment(
    session: Session, payment_id: UUID, wanted: RefundRequest, *, by: UUID | None = None
) -> RefundInfo:
    """Give captured money back, or find the refund that has the reference already.

    With Stripe a job does it; with cash and transfers this writes down what somebody has done. Raises AmountError,
    PaymentStateError, ReferenceTakenError, PaymentNotFoundError.
    """
    with locked(session, payment_id) as payment:
        found = session.scalar(
            select(Refund).where(Refund.payment_id == payment.id, Refund.reference == wanted.reference)
        )
        if found is not None:
            if found.amount_cents != wanted.amount_cents:
                raise ReferenceTakenError(reference=wanted.reference)
            return info_of(found)
        refund = _reserve(session, payment, wanted, by)
        gateway = gateway_service.gateway_for(session, payment)
        if gateway.is_remote:
            job = dispatch(
                session,
                _CARRY_OUT,
                kwargs={"refund_id": refund.id},
                vendor_id=payment.vendor_id,
                ordering_key=f"payments:{payment.id}",
                created_by=by,
            )
            refund.job_id = job.id
        else:
            handle = gateway_service.handle_of(payment, "refund")
            apply_refund(session, payment, refund, gateway.refund(handle, refund.amount_cents))
        record_audit(
            session,
            "payments.refund_asked",
            vendor_id=payment.vendor_id,
            actor_id=by,
            target=to_public(PAYMENT_PREFIX, payment.id),
            refund=to_public(REFUND_PREFIX, refund.id),
            amount_cents=refund.amount_cents,
            reason=refund.reason,
        )
        return info_of(refund)


def _reserve(session: Session, payment: Payment, wanted: RefundRequest, by: UUID | None) -> Refund:
    """Count the amount as given back: nobody else can give back the same money. The payment is locked."""
    if payment.state != PaymentState.CAPTURED:
        raise PaymentStateError(f"The payment is {payment.state}.", state=payment.state)
    left = payment.captured_cents - payment.refunded_cents
    if not 0 < wanted.amount_cents <= left:
        params = {"maximum": left, "currency": payment.currency}
        raise AmountError(errors=[FieldError("amount_cents", "between", "payments.amount_between", params)])
    payment.refunded_cents += wanted.amount_cents
    refund = Refund(
        id=new_id(),
        vendor_id=payment.vendor_id,
        payment_id=payment.id,
        reference=wanted.reference,
        amount_cents=wanted.amount_cents,
        reason=wanted.reason,
        state=RefundState.PENDING,
        created_by=by,
    )
    session.add(refund)
    session.flush()
    return refund


def apply_refund(session: Session, payment: Payment, refund: Refund, step: RefundStep) -> None:
    """Bring a refund to what the provider says; the payment is locked. One that fails gives the money free again."""
    former = refund.state
    refund.provider_ref = step.provider_ref or refund.provider_ref
    if former == RefundState.FAILED or former == step.state or step.state is RefundState.PENDING:
        return
    refund.state, refund.failure_code = step.state, step.failure_code
    if step.state is RefundState.FAILED:
        payment.refunded_cents -= refund.amount_cents
        return
    event = RefundSucceeded(
        refund_id=refund.id,
        payment_id=payment.id,
        vendor_id=payment.vendor_id,
        subject_type=payment.subject_type,
        subject_id=payment.subject_id,
        amount_cents=refund.amount_cents,
        refunded_cents=payment.refunded_cents,
        currency=payment.currency,
    )
    publish(session, event, vendor_id=payment.vendor_id, aggregate=str(payment.id))


def note_foreign(session: Session, payment: Payment, amount_cents: int, step: RefundStep) -> None:
    """Write down a refund that was made at the provider itself; the payment is locked."""
    reference = f"provider:{step.provider_ref}"
    known = select(Refund.id).where(Refund.payment_id == payment.id, Refund.reference == reference)
    if session.scalar(known) is None and step.state is not RefundState.FAILED:
        refund = _reserve(session, payment, RefundRequest(amount_cents, reference), None)
        apply_refund(session, payment, refund, step)


def list_refunds(session: Session, payment_id: UUID) -> list[RefundInfo]:
    """The refunds of a payment that the session may see, the oldest first."""
    return [info_of(row) for row in list_rows(session, payment_id)]


def list_rows(session: Session, payment_id: UUID) -> Sequence[Refund]:
    """The same, as rows."""
    return session.scalars(select(Refund).where(Refund.payment_id == payment_id).order_by(Refund.id)).all()


def info_of(refund: Refund) -> RefundInfo:
    """A refund as others see it."""
    return RefundInfo(
        refund.id, refund.payment_id, refund.amount_cents, RefundState(refund.state), refund.failure_code
    )
