"""Payments by Stripe: the official library against the stand-in, over real HTTP."""

from datetime import timedelta

import orjson
import pytest
from sqlalchemy import Engine

from app.core.database import SYSTEM, unit_of_work
from app.core.ids import to_public
from app.modules.payments.contracts import PaymentInfo, RefundRequest
from app.modules.payments.enums import CheckOutcome, Payee, PaymentState, Provider, RefundState
from app.modules.payments.models.account import PaymentAccount
from app.modules.payments.services import account_edit_service, payment_service, refund_service
from app.modules.payments.tests.conftest import Stripe, job_states, pass_time
from app.modules.payments.tests.factories import WEBHOOK_SECRET, find, start, stripe_account, wanted
from app.testing.working import vendor_scope, work

DECLINED = "4000000000000002"


def begin(cents: int = 5000, **request: object) -> PaymentInfo:
    """A payment to the operator, with its page ready."""
    made = start(wanted(cents, Provider.STRIPE, Payee.PLATFORM, **request))
    assert made.state is PaymentState.CREATED
    work()
    return find(made.id)


def paid(stripe: Stripe, cents: int = 5000) -> PaymentInfo:
    """A payment that was paid."""
    made = begin(cents)
    assert stripe.pay(made.redirect_url) == 303
    stripe.bring()
    return find(made.id)


def refund(payment: PaymentInfo, cents: int, reference: str = "return") -> None:
    with unit_of_work(vendor_scope()) as session:
        refund_service.refund_payment(session, payment.id, RefundRequest(cents, reference))


def refunds(payment: PaymentInfo) -> list[tuple[int, RefundState]]:
    with unit_of_work(vendor_scope()) as session:
        return [(one.amount_cents, one.state) for one in refund_service.list_refunds(session, payment.id)]


def test_a_payment_from_the_page_to_the_refund(stripe: Stripe) -> None:
    made = begin()
    assert (made.state, made.redirect_url is not None) == (PaymentState.PENDING, True)
    assert stripe.pay(made.redirect_url, number=DECLINED) == 402
    stripe.bring()
    assert find(made.id).state is PaymentState.PENDING  # another card may do
    assert stripe.pay(made.redirect_url) == 303
    assert "checkout.session.completed" in stripe.bring()
    now = find(made.id)
    assert (now.state, now.captured_cents, now.redirect_url) == (PaymentState.CAPTURED, 5000, None)
    refund(made, 2000)
    assert find(made.id).refunded_cents == 2000
    work()
    assert refunds(made) == [(2000, RefundState.SUCCEEDED)]
    stripe.bring()
    assert refunds(made) == [(2000, RefundState.SUCCEEDED)]
    (theirs,) = stripe.api.refunds.list().data
    assert theirs.amount == 2000


def test_promised_money_is_captured_in_part(stripe: Stripe) -> None:
    made = begin(is_captured_at_once=False)
    stripe.pay(made.redirect_url)
    stripe.bring()
    assert find(made.id).state is PaymentState.AUTHORISED
    with unit_of_work(vendor_scope()) as session:
        payment_service.capture_payment(session, made.id, amount_cents=3000)
    work()
    assert (find(made.id).state, find(made.id).captured_cents) == (PaymentState.CAPTURED, 3000)
    (intent,) = stripe.api.payment_intents.list().data
    assert intent.amount_received == 3000


def test_promised_money_is_let_go(stripe: Stripe) -> None:
    made = begin(is_captured_at_once=False)
    stripe.pay(made.redirect_url)
    stripe.bring()
    with unit_of_work(vendor_scope()) as session:
        payment_service.cancel_payment(session, made.id)
    work()
    assert find(made.id).state is PaymentState.CANCELLED
    (intent,) = stripe.api.payment_intents.list().data
    assert intent.status == "canceled"


def test_a_page_that_is_cancelled_takes_no_money(stripe: Stripe) -> None:
    made = begin()
    with unit_of_work(vendor_scope()) as session:
        payment_service.cancel_payment(session, made.id)
    work()
    assert find(made.id).state is PaymentState.CANCELLED
    assert stripe.pay(made.redirect_url) in (400, 409, 410)
    stripe.bring()
    assert find(made.id).state is PaymentState.CANCELLED


@pytest.mark.parametrize("fault", ["lost_answer", "cut", "rate_limit"])
def test_an_answer_that_is_lost_refunds_once(stripe: Stripe, fault: str) -> None:
    made = paid(stripe)
    stripe.box.control(
        "POST", "/faults", {"name": fault, "times": 1, "method": "POST", "path": "/v1/refunds"}
    )
    refund(made, 2000)
    for _ in range(4):
        work()
        pass_time(minutes=10)
    assert refunds(made) == [(2000, RefundState.SUCCEEDED)]
    assert [one.amount for one in stripe.api.refunds.list().data] == [2000]


def test_a_provider_that_is_down_is_asked_again_later(stripe: Stripe, owner_engine: Engine) -> None:
    made = paid(stripe)
    down = {"name": "server_error", "times": None, "method": "POST", "path": "/v1/refunds"}
    stripe.box.control("POST", "/faults", down)
    refund(made, 2000)
    work(10)
    assert refunds(made) == [(2000, RefundState.PENDING)]
    assert job_states(owner_engine, "carry_out_refund") == ["queued"]
    stripe.box.control("DELETE", "/faults")
    pass_time(minutes=10)
    work()
    assert refunds(made) == [(2000, RefundState.SUCCEEDED)]


def test_a_refund_that_is_refused_frees_the_money(stripe: Stripe) -> None:
    made = paid(stripe)
    (intent,) = stripe.api.payment_intents.list().data
    stripe.api.refunds.create(
        {"payment_intent": intent.id, "amount": 4000}
    )  # in the dashboard; not known here yet
    refund(made, 2000)
    work()
    assert refunds(made) == [(2000, RefundState.FAILED)]
    stripe.bring()
    assert (4000, RefundState.SUCCEEDED) in refunds(made)
    assert find(made.id).refunded_cents == 4000


def test_what_comes_in_the_wrong_order_ends_the_same(stripe: Stripe) -> None:
    made = begin()
    stripe.pay(made.redirect_url)
    (intent,) = stripe.api.payment_intents.list().data
    stripe.api.refunds.create({"payment_intent": intent.id, "amount": 1500})
    stripe.bring(backwards=True)
    now = find(made.id)
    assert (now.state, now.captured_cents, now.refunded_cents) == (PaymentState.CAPTURED, 5000, 1500)


def test_what_is_never_told_can_be_asked_for(stripe: Stripe) -> None:
    made = begin()
    stripe.pay(made.redirect_url)
    with unit_of_work(vendor_scope()) as session:
        payment_service.confirm_payment(session, made.id)
    work()
    assert find(made.id).state is PaymentState.CAPTURED


def test_a_vendors_own_account(stripe: Stripe) -> None:
    account_id = stripe_account("MINETT")
    made = start(wanted(5000, Provider.STRIPE))
    work()
    stripe.pay(find(made.id).redirect_url)
    body = next(one for one in stripe.events() if one["type"] == "checkout.session.completed")
    public = to_public("pac", account_id)
    # The same event at the operator's door is not about a payment of its account.
    assert stripe.send(orjson.dumps(body)) == 204
    work()
    assert find(made.id).state is PaymentState.PENDING
    assert stripe.send(orjson.dumps(body), account=public, secret=WEBHOOK_SECRET) == 204
    work()
    assert find(made.id).state is PaymentState.CAPTURED


def test_a_message_that_is_lost_is_asked_for(stripe: Stripe, monkeypatch: pytest.MonkeyPatch) -> None:
    made = begin()
    stripe.pay(made.redirect_url)
    with unit_of_work(SYSTEM) as session:
        assert payment_service.ask_about_open(session) == 0  # it was heard of a moment ago
    monkeypatch.setattr(payment_service, "_QUIET", timedelta(0))
    with unit_of_work(SYSTEM) as session:
        assert payment_service.ask_about_open(session) == 1
    work()
    assert find(made.id).state is PaymentState.CAPTURED


def check(account_id: object) -> PaymentAccount:
    with unit_of_work(SYSTEM) as session:
        account_edit_service.start_check(session, account_id, by=None)  # type: ignore[arg-type]
    work()
    with unit_of_work(SYSTEM) as session:
        return session.get_one(PaymentAccount, account_id)


def test_the_connection_is_tested_by_a_job(stripe: Stripe) -> None:
    account_id = stripe_account()
    assert check(account_id).check_outcome == CheckOutcome.OK
    down = {"name": "server_error", "times": None, "path": "/v1/account"}
    stripe.box.control("POST", "/faults", down)
    assert check(account_id).check_outcome == CheckOutcome.UNREACHABLE
