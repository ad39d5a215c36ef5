"""Payments and refunds where nobody outside is asked."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from stdnum import iso11649

from app.core.database import SYSTEM, unit_of_work
from app.core.errors import AppError
from app.core.ids import new_id
from app.modules.payments.adapters.offline import creditor_reference
from app.modules.payments.contracts import RefundRequest
from app.modules.payments.enums import Payee, PaymentState, Provider
from app.modules.payments.exceptions import (
    AmountError,
    PaymentNotFoundError,
    PaymentStateError,
    ProviderOffError,
    ReferenceTakenError,
)
from app.modules.payments.services import payment_service, refund_service
from app.modules.payments.tests.factories import find, start, wanted
from app.testing.database import Database
from app.testing.working import vendor_scope

pytestmark = pytest.mark.usefixtures("world")


def refund(payment_id: UUID, cents: int, reference: str = "") -> None:
    with unit_of_work(vendor_scope()) as session:
        refund_service.refund_payment(
            session, payment_id, RefundRequest(cents, reference or f"refund-{new_id()}")
        )


def published(world: Database) -> list[str]:
    """Names of what happened, by the log of webhooks that listen to everything."""
    with world.owner_engine.connect() as connection:
        found = text(
            "SELECT event_type FROM webhook_deliveries WHERE event_type LIKE 'payments.%' ORDER BY id"
        )
        return list(connection.execute(found).scalars())


@pytest.mark.parametrize(
    ("cents", "at_once", "state", "failure"),
    [
        (5000, True, "captured", None),
        (5000, False, "authorised", None),
        (5002, True, "failed", "card_declined"),
        (102, False, "failed", "card_declined"),
        (4141, True, "pending", None),
    ],
)
def test_the_sandbox_settles_by_the_amount(
    cents: int, at_once: bool, state: str, failure: str | None
) -> None:
    made = start(wanted(cents, is_captured_at_once=at_once))
    assert (made.state, made.failure_code) == (state, failure)
    assert made.captured_cents == (cents if state == "captured" else 0)


def test_what_must_be_confirmed_is_paid_afterwards() -> None:
    made = start(wanted(4141))
    with unit_of_work(vendor_scope()) as session:
        payment_service.confirm_payment(session, made.id)
    assert find(made.id).state is PaymentState.CAPTURED


def test_the_same_reference_is_the_same_payment() -> None:
    first = start(wanted(5000, reference="order-1"))
    asked = wanted(5000, reference="order-1")
    with pytest.raises(ReferenceTakenError):
        start(asked)  # about another subject
    again = start(
        type(asked)(asked.provider, asked.payee, first.subject_type, first.subject_id, asked.request)
    )
    assert again.id == first.id
    assert start(wanted(5000, reference="order-1"), "MOSELLE").id != first.id


def test_two_who_start_one_payment_at_once_start_one(world: Database) -> None:
    asked = wanted(5000, reference="order-2")
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: start(asked).id, range(8)))
    assert len(set(made)) == 1


def test_a_transfer_is_told_where_to_and_confirmed_to_the_cent() -> None:
    made = start(wanted(23_500, Provider.BANK_TRANSFER))
    assert made.state is PaymentState.PENDING
    assert made.instructions["iban"] == "LU280019400644750000"
    assert iso11649.is_valid(made.instructions["reference"])
    for counted in (None, 23_499, 23_501):
        with pytest.raises(AmountError), unit_of_work(vendor_scope()) as session:
            payment_service.confirm_payment(session, made.id, amount_cents=counted)
    assert find(made.id).state is PaymentState.PENDING
    with unit_of_work(vendor_scope()) as session:
        payment_service.confirm_payment(session, made.id, amount_cents=23_500)
    assert find(made.id).captured_cents == 23_500


@given(st.uuids())
def test_every_reference_of_a_transfer_is_valid(payment_id: UUID) -> None:
    assert iso11649.is_valid(creditor_reference(payment_id))


def test_cash_is_confirmed_on_collection() -> None:
    made = start(wanted(1890, Provider.CASH))
    assert "Grand-Rue" in made.instructions["words"]
    with unit_of_work(vendor_scope()) as session:
        payment_service.confirm_payment(session, made.id, amount_cents=1890)
    assert find(made.id).state is PaymentState.CAPTURED


def test_promised_money_is_taken_in_part_or_let_go() -> None:
    kept, dropped = (start(wanted(5000, is_captured_at_once=False)) for _ in range(2))
    with unit_of_work(vendor_scope()) as session:
        payment_service.capture_payment(session, kept.id, amount_cents=3000)
        payment_service.cancel_payment(session, dropped.id)
    assert (find(kept.id).state, find(kept.id).captured_cents) == ("captured", 3000)
    assert find(dropped.id).state is PaymentState.CANCELLED
    for payment_id in (kept.id, dropped.id):
        with pytest.raises(PaymentStateError), unit_of_work(vendor_scope()) as session:
            payment_service.capture_payment(session, payment_id)
    with pytest.raises(AmountError):
        refund(kept.id, 3001)
    with pytest.raises(PaymentStateError):
        refund(dropped.id, 1)


@pytest.mark.parametrize("cents", [0, -1])
def test_nothing_is_no_amount(cents: int) -> None:
    with pytest.raises(AmountError):
        start(wanted(cents))
    made = start(wanted(5000))
    with pytest.raises(AmountError):
        refund(made.id, cents)


def test_a_refund_asked_for_twice_is_given_once() -> None:
    made = start(wanted(5000))
    refund(made.id, 1000, "return-1")
    refund(made.id, 1000, "return-1")
    assert find(made.id).refunded_cents == 1000
    with pytest.raises(ReferenceTakenError):
        refund(made.id, 900, "return-1")


def test_sixteen_at_once_never_give_back_more_than_was_taken(world: Database) -> None:
    made = start(wanted(10_000))

    def give(_number: int) -> bool:
        try:
            refund(made.id, 700)
        except AmountError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        given = sum(pool.map(give, range(48)))
    assert given == 10_000 // 700
    assert find(made.id).refunded_cents == 700 * given
    with world.owner_engine.connect() as connection:
        total = text("SELECT sum(amount_cents) FROM payment_refunds WHERE payment_id = :id")
        assert connection.execute(total, {"id": made.id}).scalar_one() == 700 * given


@pytest.mark.parametrize(
    "change",
    [
        "captured_cents = amount_cents + 1",
        "refunded_cents = captured_cents + 1",
        "refunded_cents = -1",
        "amount_cents = 0",
        "state = 'pending'",
        "currency = 'eur'",
    ],
)
def test_the_database_refuses_what_cannot_be(world: Database, change: str) -> None:
    made = start(wanted(5000))
    with pytest.raises(IntegrityError), world.owner_engine.begin() as connection:
        connection.execute(text(f"UPDATE payments SET {change} WHERE id = :id"), {"id": made.id})


def test_another_vendors_payment_is_none() -> None:
    made = start(wanted(5000))
    with unit_of_work(vendor_scope("MOSELLE")) as session:
        with pytest.raises(PaymentNotFoundError):
            payment_service.get_payment(session, made.id)
        with pytest.raises(PaymentNotFoundError):
            refund_service.refund_payment(session, made.id, RefundRequest(100, "theirs"))
    assert find(made.id).refunded_cents == 0


def test_the_operator_acts_in_the_vendors_name() -> None:
    made = start(wanted(5000))
    with unit_of_work(SYSTEM) as session:
        refund_service.refund_payment(session, made.id, RefundRequest(100, "operator"))
    assert find(made.id).refunded_cents == 100


def test_a_provider_that_is_not_set_up_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for payment in (
        wanted(5000, Provider.STRIPE),
        wanted(5000, Provider.STRIPE, Payee.PLATFORM),
        wanted(5000, Provider.CASH, Payee.PLATFORM),
    ):
        with pytest.raises(AppError) as refused:
            start(payment)
        assert refused.value.code in (ProviderOffError.code, "payments.stripe_not_configured")


@pytest.mark.demo_due
def test_what_happened_is_told(world: Database) -> None:
    with world.owner_engine.begin() as connection:
        listen = "UPDATE webhook_endpoints SET is_enabled = true, disabled_reason = NULL, event_types = '{*}'"
        connection.execute(text("DELETE FROM webhook_deliveries"))
        if not connection.execute(text(listen)).rowcount:
            connection.execute(
                text(
                    "INSERT INTO webhook_endpoints (id, url, description, event_types, is_enabled, created_at, "
                    "updated_at, version) VALUES (gen_random_uuid(), 'https://listener.example/', '', '{*}', true, "
                    "now(), now(), 1)"
                )
            )
    made = start(wanted(5000))
    refund(made.id, 100)
    start(wanted(5002))
    assert published(world) == [
        "payments.payment_captured",
        "payments.refund_succeeded",
        "payments.payment_failed",
    ]
