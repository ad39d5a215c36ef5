"""What a payment becomes: the row under lock, what a provider says of it, and the events."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import TenantScope, acting_in
from app.modules.events import publish
from app.modules.payments.contracts import PaymentStep
from app.modules.payments.enums import PaymentState
from app.modules.payments.events import PaymentCaptured, PaymentFailed
from app.modules.payments.exceptions import PaymentNotFoundError
from app.modules.payments.models.payment import Payment

# Money that was taken is written down whatever was thought before.
_NEXT: dict[PaymentState, frozenset[PaymentState]] = {
    PaymentState.CREATED: frozenset(PaymentState),
    PaymentState.PENDING: frozenset(PaymentState) - {PaymentState.CREATED},
    PaymentState.AUTHORISED: frozenset(
        {PaymentState.AUTHORISED, PaymentState.CAPTURED, PaymentState.CANCELLED, PaymentState.FAILED}
    ),
    PaymentState.FAILED: frozenset({PaymentState.CAPTURED}),
    PaymentState.CANCELLED: frozenset({PaymentState.CAPTURED}),
    PaymentState.CAPTURED: frozenset(),
}


@contextmanager
def locked(session: Session, payment_id: UUID) -> Iterator[Payment]:
    """A payment that the session may see, in its vendor's scope, with its row locked until the transaction ends.

    Raises PaymentNotFoundError.
    """
    vendor_id = session.scalar(select(Payment.vendor_id).where(Payment.id == payment_id))
    if vendor_id is None:
        raise PaymentNotFoundError
    statement = select(Payment).where(Payment.id == payment_id).with_for_update()
    with acting_in(session, TenantScope(vendor_id)):
        yield session.scalars(statement.execution_options(populate_existing=True)).one()


def apply_step(
    session: Session, payment: Payment, step: PaymentStep, *, read_at: datetime | None = None
) -> bool:
    """Bring a locked payment to what its provider says; whether its state has changed.

    ``read_at`` (system time): when that was asked; what was asked earlier than what is known is left out.
    """
    now = read_at or clock.system_now()
    if payment.read_at is not None and now < payment.read_at:
        return False
    payment.read_at = now
    former = PaymentState(payment.state)
    if step.state not in _NEXT[former]:
        return False
    payment.provider_ref = step.provider_ref or payment.provider_ref
    payment.intent_ref = step.intent_ref or payment.intent_ref
    payment.redirect_url = step.redirect_url if step.state is PaymentState.PENDING else None
    payment.instructions = dict(step.instructions) or payment.instructions
    payment.failure_code = step.failure_code
    payment.state = step.state
    if step.state is PaymentState.CAPTURED:
        captured = payment.amount_cents if step.captured_cents is None else step.captured_cents
        payment.captured_cents = min(captured, payment.amount_cents)
        payment.captured_at = clock.now()
    if former is step.state:
        return False
    _publish(session, payment)
    return True


def _publish(session: Session, payment: Payment) -> None:
    about = (payment.id, payment.vendor_id, payment.subject_type, payment.subject_id)
    if payment.state == PaymentState.CAPTURED:
        event = PaymentCaptured(*about, payment.captured_cents, payment.currency)
        publish(session, event, vendor_id=payment.vendor_id, aggregate=str(payment.id))
    elif payment.state == PaymentState.FAILED:
        failed = PaymentFailed(*about, payment.failure_code or "")
        publish(session, failed, vendor_id=payment.vendor_id, aggregate=str(payment.id))
