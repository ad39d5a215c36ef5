"""How much work messages make: none where nobody is concerned, one reading for all that tell of one object."""

import orjson
import pytest
from sqlalchemy import Engine, text

from app.modules.payments.services import webhook_service
from app.modules.payments.tests.conftest import Stripe, job_states, webhook_row
from app.testing.working import work


def _event(number: int, kind: str, **told: object) -> bytes:
    """What Stripe sends about ``told``."""
    event = {
        "id": f"evt_{number}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1,
        "type": kind,
        "data": {"object": told},
    }
    return orjson.dumps(event)


@pytest.mark.parametrize("kind", ["charge.succeeded", "payment_intent.succeeded"])
def test_a_message_that_concerns_nobody_is_kept_without_a_job(
    stripe: Stripe, owner_engine: Engine, kind: str
) -> None:
    assert stripe.send(_event(1, kind, id="x_1", object="x", metadata={})) == 204
    assert webhook_row(owner_engine, "evt_1").processed_at is not None
    assert job_states(owner_engine, "process_webhook") == []


def test_messages_about_one_object_are_answered_by_one_reading(
    stripe: Stripe, owner_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    fetch = webhook_service.Reading.fetch

    def note(reading: webhook_service.Reading) -> object:
        read.append(reading.message.id)
        return fetch(reading)

    monkeypatch.setattr(webhook_service.Reading, "fetch", note)
    for number, kind in enumerate(("invoice.finalized", "invoice.paid", "invoice.voided"), start=1):
        stripe.send(_event(number, kind, id="in_none", object="invoice"))
    stripe.send(_event(4, "invoice.paid", id="in_other", object="invoice"))
    work()
    assert sorted(read) == ["evt_1", "evt_4"]
    for number in range(1, 5):
        assert webhook_row(owner_engine, f"evt_{number}").processed_at is not None
    assert set(job_states(owner_engine, "process_webhook")) == {"succeeded"}


def test_what_comes_after_the_reading_is_read_again(
    stripe: Stripe, owner_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch, read = webhook_service.Reading.fetch, []

    def meanwhile(reading: webhook_service.Reading) -> object:
        read.append(reading.message.id)
        if len(read) == 1:
            stripe.send(_event(2, "invoice.paid", id="in_none", object="invoice"))
        return fetch(reading)

    monkeypatch.setattr(webhook_service.Reading, "fetch", meanwhile)
    stripe.send(_event(1, "invoice.finalized", id="in_none", object="invoice"))
    work()
    assert read == ["evt_1", "evt_2"]
    with owner_engine.connect() as connection:
        left = connection.execute(text("SELECT count(*) FROM incoming_webhooks WHERE processed_at IS NULL"))
        assert left.scalar_one() == 0
