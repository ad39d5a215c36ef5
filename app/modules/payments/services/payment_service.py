"""Payments: start, confirm, capture, cancel. What a provider outside must be told is left to a job."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import TenantScope, acting_in
from app.core.errors import FieldError
from app.core.ids import new_id, to_public
from app.modules.payments.adapters.stripe_gateway import PAYMENT_PREFIX
from app.modules.payments.contracts import NewPayment, PaymentInfo
from app.modules.payments.enums import Payee, PaymentState, Provider
from app.modules.payments.exceptions import (
    AmountError,
    PaymentNotFoundError,
    PaymentStateError,
    ReferenceTakenError,
)
from app.modules.payments.models.payment import Payment
from app.modules.payments.services import gateway_service
from app.modules.payments.services.payment_state_service import apply_step, locked
from app.modules.tenancy.facade import record_audit
from app.tasks.dispatcher import dispatch

_CARRY_OUT = "app.modules.payments.tasks.payments.carry_out"
_QUIET = timedelta(minutes=30)
_ASKED_AT_ONCE = 500
_OPEN = (PaymentState.CREATED, PaymentState.PENDING, PaymentState.AUTHORISED)


def start_payment(session: Session, vendor_id: UUID, wanted: NewPayment) -> PaymentInfo:
    """Begin a payment of a vendor's, or find the one that has the reference already.

    With Stripe its page is known when the job is done: ``redirect_url`` then. Raises ProviderOffError,
    StripeNotConfiguredError, ReferenceTakenError, AmountError.
    """
    request = wanted.request
    if request.amount_cents <= 0:
        raise _amount_error("too_small", minimum=1)
    account = gateway_service.choose_account(session, vendor_id, wanted)
    values = {
        "id": new_id(),
        "vendor_id": vendor_id,
        "payee": wanted.payee,
        "platform_id": wanted.platform_id if wanted.payee is Payee.PLATFORM else None,
        "account_id": account.id if account else None,
        "provider": wanted.provider,
        "subject_type": wanted.subject_type,
        "subject_id": wanted.subject_id,
        "reference": request.reference,
        "description": request.description,
        "customer_email": request.customer_email,
        "return_url": request.return_url,
        "is_captured_at_once": request.is_captured_at_once,
        "amount_cents": request.amount_cents,
        "currency": request.currency,
        "state": PaymentState.CREATED,
    }
    with acting_in(session, TenantScope(vendor_id)):
        taken = ["vendor_id", "reference"]
        insertion = insert(Payment).values(values).on_conflict_do_nothing(index_elements=taken)
        made = session.scalar(insertion.returning(Payment.id))
        if made is None:
            return info_of(_same(session, vendor_id, wanted))
        with locked(session, made) as payment:
            gateway = gateway_service.gateway_for(session, payment)
            if gateway.is_remote:
                _dispatch(session, payment, "start")
            else:
                step = gateway.start(gateway_service.handle_of(payment, "start"), request)
                apply_step(session, payment, step)
            return info_of(payment)


def confirm_payment(
    session: Session, payment_id: UUID, *, amount_cents: int | None = None, by: UUID | None = None
) -> PaymentInfo:
    """The money has come. Of a transfer or cash somebody says how much was counted: it must be the whole.

    With Stripe the state is read again by a job. Raises PaymentStateError, AmountError, PaymentNotFoundError.
    """
    with locked(session, payment_id) as payment:
        gateway = gateway_service.gateway_for(session, payment)
        if gateway.is_remote:
            _dispatch(session, payment, "confirm")
            return info_of(payment)
        if payment.state == PaymentState.CAPTURED:
            return info_of(payment)
        if payment.state != PaymentState.PENDING:
            raise _state_error(payment)
        if payment.provider != Provider.SANDBOX and amount_cents != payment.amount_cents:
            raise _amount_error("exact", expected=payment.amount_cents, currency=payment.currency)
        apply_step(session, payment, gateway.confirm(gateway_service.handle_of(payment, "confirm")))
        _audit(session, "payments.payment_confirmed", payment, by, amount_cents=payment.amount_cents)
        return info_of(payment)


def capture_payment(
    session: Session, payment_id: UUID, *, amount_cents: int | None = None, by: UUID | None = None
) -> PaymentInfo:
    """Take the money that was promised, or part of it; the rest is let go.

    Raises PaymentStateError, AmountError, PaymentNotFoundError.
    """
    with locked(session, payment_id) as payment:
        if payment.state != PaymentState.AUTHORISED:
            raise _state_error(payment)
        amount = payment.amount_cents if amount_cents is None else amount_cents
        if not 0 < amount <= payment.amount_cents:
            raise _amount_error("between", maximum=payment.amount_cents, currency=payment.currency)
        gateway = gateway_service.gateway_for(session, payment)
        if gateway.is_remote:
            _dispatch(session, payment, "capture", amount_cents=amount, by=by)
        else:
            step = gateway.capture(gateway_service.handle_of(payment, "capture"), amount)
            apply_step(session, payment, step)
        _audit(session, "payments.payment_capture_asked", payment, by, amount_cents=amount)
        return info_of(payment)


def cancel_payment(session: Session, payment_id: UUID, *, by: UUID | None = None) -> PaymentInfo:
    """Let go of a payment that was not captured. Raises PaymentStateError, PaymentNotFoundError."""
    with locked(session, payment_id) as payment:
        if payment.state == PaymentState.CANCELLED:
            return info_of(payment)
        if payment.state not in _OPEN:
            raise _state_error(payment)
        gateway = gateway_service.gateway_for(session, payment)
        if gateway.is_remote:
            _dispatch(session, payment, "cancel", by=by)
        else:
            apply_step(session, payment, gateway.cancel(gateway_service.handle_of(payment, "cancel")))
        _audit(session, "payments.payment_cancel_asked", payment, by)
        return info_of(payment)


def ask_about_open(session: Session) -> int:
    """Have jobs read the state of payments that were not heard of for a while; how many. Needs the system scope."""
    is_quiet = Payment.read_at < clock.system_now() - _QUIET
    waiting = (
        Payment.provider == Provider.STRIPE,
        Payment.state.in_((PaymentState.PENDING, PaymentState.AUTHORISED)),
    )
    found = select(Payment.id).where(*waiting, is_quiet).order_by(Payment.read_at).limit(_ASKED_AT_ONCE)
    keys = session.scalars(found).all()
    for payment_id in keys:
        confirm_payment(session, payment_id)
    return len(keys)


def get_row(session: Session, payment_id: UUID) -> Payment:
    """A payment that the session may see. Raises PaymentNotFoundError."""
    found = session.get(Payment, payment_id)
    if found is None:
        raise PaymentNotFoundError
    return found


def get_payment(session: Session, payment_id: UUID) -> PaymentInfo:
    """A payment that the session may see, as others see it. Raises PaymentNotFoundError."""
    return info_of(get_row(session, payment_id))


def list_payments(session: Session, subject_type: str, subject_id: UUID) -> list[PaymentInfo]:
    """The payments of a record, the oldest first."""
    rows = session.scalars(_of_subject(subject_type, subject_id)).all()
    return [info_of(row) for row in rows]


def info_of(payment: Payment) -> PaymentInfo:
    """A payment as others see it."""
    return PaymentInfo(
        id=payment.id,
        vendor_id=payment.vendor_id,
        payee=Payee(payment.payee),
        provider=Provider(payment.provider),
        subject_type=payment.subject_type,
        subject_id=payment.subject_id,
        reference=payment.reference,
        amount_cents=payment.amount_cents,
        captured_cents=payment.captured_cents,
        refunded_cents=payment.refunded_cents,
        currency=payment.currency,
        state=PaymentState(payment.state),
        failure_code=payment.failure_code,
        redirect_url=payment.redirect_url,
        instructions=payment.instructions,
    )


def _of_subject(subject_type: str, subject_id: UUID) -> Select[Payment]:
    mine = (Payment.subject_type == subject_type, Payment.subject_id == subject_id)
    return select(Payment).where(*mine).order_by(Payment.id)


def _same(session: Session, vendor_id: UUID, wanted: NewPayment) -> Payment:
    """The payment that has the reference; ReferenceTakenError when it is about something else."""
    found = session.scalars(
        select(Payment).where(Payment.vendor_id == vendor_id, Payment.reference == wanted.request.reference)
    ).one()
    asked = (wanted.provider, wanted.payee, wanted.subject_type, wanted.subject_id)
    if asked != (found.provider, found.payee, found.subject_type, found.subject_id) or (
        (wanted.request.amount_cents, wanted.request.currency) != (found.amount_cents, found.currency)
    ):
        raise ReferenceTakenError(reference=found.reference)
    return found


def _dispatch(
    session: Session,
    payment: Payment,
    act: str,
    *,
    amount_cents: int | None = None,
    by: UUID | None = None,
) -> None:
    """Leave an act to a job; while one of the kind is unfinished there is no second. Acts of one payment wait for each
    other."""
    job = dispatch(
        session,
        _CARRY_OUT,
        kwargs={"payment_id": payment.id, "act": act, "amount_cents": amount_cents},
        vendor_id=payment.vendor_id,
        unique_key=f"payments:{payment.id}:{act}",
        ordering_key=f"payments:{payment.id}",
        created_by=by,
    )
    payment.job_id = job.id


def _audit(session: Session, action: str, payment: Payment, by: UUID | None, **details: object) -> None:
    record_audit(
        session,
        action,
        vendor_id=payment.vendor_id,
        actor_id=by,
        target=to_public(PAYMENT_PREFIX, payment.id),
        **details,
    )


def _state_error(payment: Payment) -> PaymentStateError:
    return PaymentStateError(f"The payment is {payment.state}.", state=payment.state)


def _amount_error(code: str, **params: object) -> AmountError:
    return AmountError(errors=[FieldError("amount_cents", code, f"payments.amount_{code}", params)])
