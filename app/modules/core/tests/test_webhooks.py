"""Webhooks, verified by a receiver of the standard's own library over real HTTP."""

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app.core import clock
from app.core.errors import ConflictError
from app.modules.core.adapters import webhook_http
from app.modules.core.contracts import CreatedWebhook, NewWebhook
from app.modules.core.exceptions import WebhookDisabledError, WebhookInputError, WebhookNotFoundError
from app.modules.core.models.webhook import WebhookDelivery, WebhookEndpoint
from app.modules.core.services import webhook_delivery_service, webhook_service
from app.modules.core.tests.conftest import Place, Receiver, do_work, pass_time
from app.modules.events import publish
from app.modules.tenancy.events import VendorCreated

pytestmark = pytest.mark.demo_due

EVENT = "tenancy.vendor_created"


def endpoint_at(place: Place, url: str, *events: str) -> CreatedWebhook:
    with place.session() as session:
        wanted = NewWebhook(url, events or (EVENT,), "ERP")
        return webhook_service.create_webhook(session, wanted, by=place.user_id)


def happen(place: Place) -> UUID:
    """Publish an event of the vendor's."""
    assert place.vendor_id
    with place.session() as session:
        event = VendorCreated(place.vendor_id, "MOSELLE", "fr")
        return publish(session, event, vendor_id=place.vendor_id, aggregate="test")


def log(place: Place) -> list[WebhookDelivery]:
    with place.session() as session:
        found = webhook_service.list_webhooks(session)
        return [
            delivery
            for endpoint in found
            for delivery in webhook_delivery_service.list_deliveries(session, endpoint.id, limit=100)
        ]


def endpoint_of(place: Place, endpoint_id: UUID) -> WebhookEndpoint:
    with place.session() as session:
        return webhook_service.get_webhook(session, endpoint_id)


def attempts(place: Place, delivery: WebhookDelivery) -> list[tuple[int | None, str | None]]:
    with place.session() as session:
        found = webhook_delivery_service.list_attempts(session, delivery.id)
        return [(one.status, one.error) for one in reversed(found)]


def test_a_receiver_verifies_what_it_gets(moselle: Place, receiver: Receiver) -> None:
    created = endpoint_at(moselle, receiver.url)
    happen(moselle)
    do_work()
    ((headers, body),) = receiver.got
    data: Any = Webhook(created.secret).verify(body, headers)
    assert data["type"] == EVENT
    assert data["data"]["vendor_code"] == "MOSELLE"
    assert data["data"]["vendor_id"].startswith("vnd_")
    assert headers["content-type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        Webhook(created.secret).verify(body + " ", headers)
    (delivery,) = log(moselle)
    assert (delivery.state, delivery.attempts) == ("delivered", 1)
    assert attempts(moselle, delivery) == [(200, None)]


def test_only_wanted_events_of_ones_own_are_sent(moselle: Place, minett: Place, receiver: Receiver) -> None:
    endpoint_at(minett, receiver.url)
    endpoint = endpoint_at(moselle, receiver.url, webhook_service.EVERYTHING)
    with moselle.session() as session:
        webhook_service.switch_webhook(session, endpoint.id, is_on=False, by=moselle.user_id)
    happen(moselle)
    do_work()
    assert receiver.got == []
    assert moselle.rows("SELECT FROM webhook_deliveries") == []


def test_the_operator_is_told_of_every_vendor(moselle: Place, operator: Place, receiver: Receiver) -> None:
    created = endpoint_at(operator, receiver.url, webhook_service.EVERYTHING)
    happen(moselle)
    do_work()
    ((headers, body),) = receiver.got
    Webhook(created.secret).verify(body, headers)
    assert log(moselle) == []
    assert [one.state for one in log(operator)] == ["delivered"]


def test_a_rolled_back_event_is_not_sent(moselle: Place, receiver: Receiver) -> None:
    endpoint_at(moselle, receiver.url)
    assert moselle.vendor_id
    with suppress(ZeroDivisionError), moselle.session() as session:
        event = VendorCreated(moselle.vendor_id, "MOSELLE", "fr")
        publish(session, event, vendor_id=moselle.vendor_id, aggregate="test")
        raise ZeroDivisionError
    do_work()
    assert receiver.got == []


def test_failures_are_tried_again_by_the_table_with_the_same_id(moselle: Place, receiver: Receiver) -> None:
    endpoint_at(moselle, receiver.url)
    receiver.status = 500
    happen(moselle)
    waits = []
    for wait in webhook_delivery_service.SCHEDULE[1:]:
        do_work()
        (delivery,) = log(moselle)
        assert delivery.state == "pending"
        assert delivery.next_attempt_at
        waits.append((delivery.next_attempt_at - clock.now()).total_seconds())
        pass_time(seconds=wait * 1.11)
    do_work()
    (delivery,) = log(moselle)
    assert (delivery.state, delivery.attempts, delivery.next_attempt_at) == ("failed", 10, None)
    for waited, wait in zip(waits, webhook_delivery_service.SCHEDULE[1:], strict=True):
        assert wait - 4 <= waited <= wait * 1.1
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert len({body for _, body in receiver.got}) == 1
    receiver.status = 204
    with moselle.session() as session:
        webhook_delivery_service.replay(session, delivery.id)
    do_work()
    assert [one.state for one in log(moselle)] == ["delivered"]


@pytest.mark.parametrize("kind", ["rude", "slow", "redirect"])
def test_whatever_is_no_2xx_is_a_failure(
    moselle: Place, receiver: Receiver, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint_at(moselle, receiver.url)
    monkeypatch.setattr(webhook_http, "TIMEOUT_SECONDS", 0.4)
    expected: tuple[int | None, str | None] = (None, "connection")
    if kind == "rude":
        receiver.is_rude = True
    elif kind == "slow":
        receiver.wait_seconds, expected = 1.5, (None, "timeout")
    else:
        receiver.status, receiver.headers = 302, {"Location": f"{receiver.url}/elsewhere"}
        expected = (302, None)
    happen(moselle)
    do_work()
    (delivery,) = log(moselle)
    assert attempts(moselle, delivery) == [expected]
    assert delivery.state == "pending"
    assert len(receiver.got) == 1


def test_a_busy_receiver_is_given_the_time_it_asks_for(moselle: Place, receiver: Receiver) -> None:
    endpoint_at(moselle, receiver.url)
    receiver.status, receiver.headers = 429, {"Retry-After": "900"}
    happen(moselle)
    do_work()
    (delivery,) = log(moselle)
    assert delivery.next_attempt_at
    assert delivery.next_attempt_at - clock.now() > timedelta(seconds=890)


def test_gone_switches_it_off_and_tells_people(moselle: Place, receiver: Receiver) -> None:
    created = endpoint_at(moselle, receiver.url)
    receiver.status = 410
    happen(moselle)
    do_work()
    endpoint = endpoint_of(moselle, created.id)
    assert (endpoint.is_enabled, endpoint.disabled_reason) == (False, "gone")
    told = moselle.rows("SELECT user_id, url FROM notifications WHERE kind = 'core.webhook_disabled'")
    assert moselle.user_id in {row.user_id for row in told}
    assert told[0].url.startswith("/vendor/MOSELLE/webhooks/whe_")
    happen(moselle)
    do_work()
    assert len(receiver.got) == 1
    with moselle.session() as session, pytest.raises(WebhookDisabledError):
        webhook_delivery_service.send_test(session, created.id)


def test_five_days_of_failure_switch_it_off(moselle: Place, receiver: Receiver) -> None:
    created = endpoint_at(moselle, receiver.url)
    receiver.status = 500
    happen(moselle)
    do_work()
    assert endpoint_of(moselle, created.id).failing_since is not None
    pass_time(days=5, hours=1)
    do_work()
    endpoint = endpoint_of(moselle, created.id)
    assert (endpoint.is_enabled, endpoint.disabled_reason) == (False, "failing")
    assert [one.state for one in log(moselle)] == ["failed"]
    with moselle.session() as session:
        webhook_service.switch_webhook(session, created.id, is_on=True, by=moselle.user_id)
        receiver.status = 200
        since = clock.now() - timedelta(days=6)
        assert webhook_delivery_service.replay_range(session, created.id, since) == 1
    do_work()
    assert [one.state for one in log(moselle)] == ["delivered"]
    assert endpoint_of(moselle, created.id).failing_since is None


def test_one_success_forgets_the_failures(moselle: Place, receiver: Receiver) -> None:
    created = endpoint_at(moselle, receiver.url)
    receiver.status = 500
    happen(moselle)
    do_work()
    receiver.status = 200
    pass_time(seconds=6)
    do_work()
    assert endpoint_of(moselle, created.id).failing_since is None
    assert endpoint_of(moselle, created.id).version == 1


def test_both_secrets_sign_for_a_day_after_a_rotation(moselle: Place, receiver: Receiver) -> None:
    created = endpoint_at(moselle, receiver.url)
    with moselle.session() as session:
        new = webhook_service.rotate_secret(session, created.id, by=moselle.user_id)
    happen(moselle)
    do_work()
    ((headers, body),) = receiver.got
    assert len(headers["webhook-signature"].split()) == 2
    Webhook(created.secret).verify(body, headers)
    Webhook(new).verify(body, headers)
    moselle.rows("UPDATE webhook_secrets SET expires_at = now() WHERE expires_at IS NOT NULL")
    happen(moselle)
    do_work()
    headers, body = receiver.got[-1]
    Webhook(new).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(created.secret).verify(body, headers)


def test_a_secret_is_shown_once_and_stored_sealed(moselle: Place, receiver: Receiver) -> None:
    created = endpoint_at(moselle, receiver.url)
    stored = moselle.rows("SELECT sealed FROM webhook_secrets")[0].sealed
    assert created.secret not in stored
    with moselle.session() as session:
        assert webhook_service.reveal_secret(session, created.id, by=moselle.user_id) == created.secret
        assert webhook_service.reveal_secret(session, created.id, by=moselle.user_id) is None


def test_a_test_message_is_tried_once(moselle: Place, receiver: Receiver) -> None:
    created = endpoint_at(moselle, receiver.url)
    receiver.status = 500
    with moselle.session() as session:
        webhook_delivery_service.send_test(session, created.id)
    do_work()
    ((headers, body),) = receiver.got
    Webhook(created.secret).verify(body, headers)
    assert json.loads(body)["type"] == "webhook.test"
    assert [(one.state, one.attempts) for one in log(moselle)] == [("failed", 1)]
    assert endpoint_of(moselle, created.id).failing_since is None


def test_of_a_long_answer_only_the_beginning_is_kept(moselle: Place, receiver: Receiver) -> None:
    endpoint_at(moselle, receiver.url)
    receiver.body = b"\x00\xff" + b"x" * 5000
    happen(moselle)
    do_work()
    (row,) = moselle.rows("SELECT excerpt FROM webhook_attempts")
    assert len(row.excerpt) <= 1024
    assert row.excerpt.endswith("xxx")


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/hook",
        "https://user:secret@shop.example/",
        "https://127.0.0.1:1/",
        "ftp://shop.example",
        "shop",
        "",
        "https://shop.example:22/",
    ],
)
def test_addresses_that_are_never_called_are_refused(moselle: Place, url: str) -> None:
    with moselle.session() as session, pytest.raises(WebhookInputError) as refused:
        webhook_service.create_webhook(session, NewWebhook(url, (EVENT,)), by=moselle.user_id)
    assert [error.pointer for error in refused.value.errors] == ["url"]


def test_a_private_address_is_not_called(moselle: Place) -> None:
    endpoint_at(moselle, "https://127.0.0.1/hook")
    happen(moselle)
    do_work()
    (delivery,) = log(moselle)
    assert attempts(moselle, delivery) == [(None, "url_refused")]


def test_events_must_be_some_that_are_published(moselle: Place) -> None:
    for events in ((), ("no.such_event",)):
        with moselle.session() as session, pytest.raises(WebhookInputError) as refused:
            webhook_service.create_webhook(
                session, NewWebhook("https://shop.example/", events), by=moselle.user_id
            )
        assert [error.pointer for error in refused.value.errors] == ["event_types"]


def test_others_endpoints_do_not_exist(
    moselle: Place, minett: Place, operator: Place, receiver: Receiver
) -> None:
    created = endpoint_at(moselle, receiver.url)
    happen(moselle)
    (delivery,) = log(moselle)
    with minett.session() as session:
        with pytest.raises(WebhookNotFoundError):
            webhook_service.get_webhook(session, created.id)
        with pytest.raises(WebhookNotFoundError):
            webhook_delivery_service.replay(session, delivery.id)
    with operator.session() as session:
        assert webhook_service.get_webhook(session, created.id).url == receiver.url
        with pytest.raises(WebhookNotFoundError):
            webhook_service.delete_webhook(session, created.id, by=operator.user_id)


def test_changes_need_the_version_they_were_made_on(moselle: Place, receiver: Receiver) -> None:
    created = endpoint_at(moselle, receiver.url)
    wanted = NewWebhook(receiver.url, (EVENT,), "Warehouse")
    with moselle.session() as session:
        webhook_service.update_webhook(session, created.id, wanted, version=1, by=moselle.user_id)
    with moselle.session() as session, pytest.raises(ConflictError):
        webhook_service.update_webhook(session, created.id, wanted, version=1, by=moselle.user_id)


def test_deleting_takes_log_and_secrets_along(moselle: Place, receiver: Receiver) -> None:
    created = endpoint_at(moselle, receiver.url)
    happen(moselle)
    do_work()
    happen(moselle)
    with moselle.session() as session:
        webhook_service.delete_webhook(session, created.id, by=moselle.user_id)
    do_work()
    for table in ("webhook_endpoints", "webhook_secrets", "webhook_deliveries", "webhook_attempts"):
        assert moselle.rows(f"SELECT FROM {table}") == []
    assert len(receiver.got) == 1


def test_old_messages_are_removed_but_not_those_under_way(moselle: Place, receiver: Receiver) -> None:
    endpoint_at(moselle, receiver.url)
    happen(moselle)
    do_work()
    happen(moselle)
    pass_time(days=31)
    with moselle.session() as session:
        assert webhook_delivery_service.delete_old(session, 30) == 1
    assert [one.state for one in log(moselle)] == ["pending"]
