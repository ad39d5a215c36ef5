"""Looking after connections: health, who is told of what waits, what is told again, who was erased."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.core import clock
from app.core.ids import to_public
from app.core.tables import Base
from app.modules.customers.enums import RequestKind
from app.modules.customers.models.customer import Customer
from app.modules.customers.services import data_request_service
from app.modules.marketplace import facade
from app.modules.marketplace.contracts import UnitState
from app.modules.marketplace.exceptions import ChannelUnavailableError, KeyRefusedError, SchemaDriftError
from app.modules.marketplace.services.connection_job_service import start_check
from app.modules.marketplace.services.connection_service import change_connection, disconnect
from app.modules.orders import facade as orders
from app.tasks.runner import run_until_idle
from app.testing.browsing import sign_in, token_of
from app.testing.database import Database
from tests.channels.conftest import BY, Shop
from tests.channels.paper import WORLD

HERE = "/vendor/MOSELLE/connections"


@pytest.fixture
def owner(client: TestClient, shop: Shop) -> TestClient:
    client.cookies.set("wm_lang", "en")
    sign_in(client, "vendor", "owner@moselle.example")
    return client


def told(shop: Shop, kind: str) -> list[Any]:
    sql = "SELECT url, params, user_id FROM notifications WHERE vendor_id = :vendor AND kind = :kind"
    return shop.rows(sql, kind=f"marketplace.{kind}")


def health(client: TestClient) -> tuple[str, str]:
    said = client.get("/health").json()["checks"]["marketplace"]
    return said["status"], said["summary"]


def test_the_health_says_what_is_wrong_and_what_to_do(shop: Shop, client: TestClient) -> None:
    assert shop.connection_id
    read_at = "UPDATE connections SET synced_at = now() - {} * interval '1 minute' WHERE vendor_id = :vendor"
    shop.sync()
    assert health(client)[0] == "ok"
    shop.rows(f"{read_at.format(9)} RETURNING id")
    assert health(client)[0] == "ok"
    shop.rows(f"{read_at.format(11)} RETURNING id")
    assert health(client) == (
        "degraded",
        "No orders were read for more than three rounds (1: MOSELLE (paper)). Look at the jobs of marketplaces.",
    )
    with shop.session() as session:
        change_connection(session, shop.connection_id, is_on=False)
    status, words = health(client)
    assert (status, "all others work" in words) == ("ok", True)
    with shop.session() as session:
        change_connection(session, shop.connection_id, is_on=True)
    WORLD.faults = [KeyRefusedError("unknown key")]
    shop.sync()
    status, words = health(client)
    assert (status, "The key is refused" in words) == ("degraded", True)
    shop.sync()
    assert health(client)[0] == "ok", "orders were read, so the key is good"


def test_the_operator_is_told_that_a_marketplace_has_changed(shop: Shop, client: TestClient) -> None:
    def operator() -> list[Any]:
        key = "marketplace.schema:paper"
        sql = "SELECT detail, url, cleared_at FROM problems WHERE vendor_id IS NULL AND key = :key"
        return shop.rows(sql, key=key)

    assert shop.connection_id
    WORLD.faults = [SchemaDriftError("Shipment.number")]
    shop.sync()
    status, words = health(client)
    assert (status, "has changed names" in words) == ("degraded", True)
    [problem] = operator()
    assert (problem.detail, problem.cleared_at) == ("Shipment.number", None)
    sign_in(client, "admin", "admin@wizamart.example")
    client.cookies.set("wm_lang", "en")
    assert "Paper has changed names that we use" in client.get("/admin/problems").text
    assert client.get(problem.url).status_code == 200
    shop.sync()
    assert health(client)[0] == "degraded", "the name may be of something else: a test says"
    with shop.session() as session:
        start_check(session, shop.connection_id)
    shop.work()
    assert health(client)[0] == "ok"
    assert operator()[0].cleared_at is not None


def test_the_team_is_told_once_of_all_that_waits(shop: Shop) -> None:
    mails = "SELECT id FROM jobs WHERE vendor_id = :vendor AND task LIKE '%send_notification_email'"
    before = len(shop.rows(mails))
    for number in range(3):
        WORLD.place(f"X{number}", "A").is_readable = False
    shop.sync()
    first = told(shop, "orders_parked")
    assert {one.url for one in first} == {f"{HERE}/orders?state=parked"}
    assert [one.params for one in first] == [{"name": "Paper", "count": 3}] * len(first)
    people = {one.user_id for one in first}
    assert len(people) == len(first) > 0, "each once, of all three"
    assert len(shop.rows(mails)) == before + len(people)
    # One more within the hour is told at its end.
    WORLD.place("X9", "A").is_readable = False
    assert shop.connection_id
    with shop.session() as session:
        facade.sync_now(session, shop.connection_id)
    run_until_idle(["default"], timeout_seconds=0.3)
    [later] = shop.rows(
        "SELECT run_after FROM jobs WHERE vendor_id = :vendor AND task LIKE '%tell_parked' AND state = 'queued'"
    )
    assert later.run_after > clock.now() + timedelta(minutes=55)
    assert len(told(shop, "orders_parked")) == len(first)

    WORLD.place("Y", "A")
    shop.sync()
    WORLD.decide("Y", u1="available")
    with shop.session() as session:
        orders.decline_lines(session, shop.order("Y").id, None, "Sold out", BY)
    shop.work()
    refused = told(shop, "acts_refused")
    assert {one.user_id for one in refused} == people
    assert {(one.url, one.params["count"]) for one in refused} == {(f"{HERE}/messages?state=refused", 1)}


def differing(shop: Shop) -> UUID:
    """An order that was declined here and is open there: the message was given up, and nobody tried it again."""
    WORLD.place("X", "A", "A")
    shop.sync()
    WORLD.faults = [ChannelUnavailableError("busy") for _ in range(20)]
    with shop.session() as session:
        orders.decide_units(session, shop.order("X").id, {"X-1": True, "X-2": False}, "Broken", BY)
    shop.work()
    WORLD.faults.clear()
    assert shop.acts() == [("decide", "refused")]
    record: UUID = shop.records()["X"].id
    return record


def test_what_differs_is_told_again_by_a_button(shop: Shop, owner: TestClient) -> None:
    page = f"{HERE}/orders/{to_public('xor', differing(shop))}"
    assert page in owner.get(f"{HERE}/orders?state=differs").text
    shown = owner.get(page)
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", shown.text))
    assert "X-1 Confirmed To be decided Confirmed" in words
    assert "X-2 Not available To be decided Not available" in words
    order = owner.get(f"/vendor/MOSELLE/orders/{to_public('ord', shop.order('X').id)}").text
    assert f'action="{page}/tell-again"' in order
    for _ in range(2):
        assert owner.post(f"{page}/tell-again", data={"csrf_token": token_of(shown)}).status_code == 303
    assert shop.acts() == [("decide", "refused"), ("decide", "waiting")], "pressed twice, told once"
    shop.work()
    assert WORLD.states("X") == "au"
    assert "Tell again" not in owner.get(page).text
    said = shop.rows(
        "SELECT id FROM audit_log WHERE vendor_id = :vendor AND action = 'marketplace.told_again'"
    )
    assert len(said) == 1


def test_who_may_not_tell_sees_no_button(shop: Shop, owner: TestClient) -> None:
    page = f"{HERE}/orders/{to_public('xor', differing(shop))}"
    assert "/tell-again" in owner.get(page).text
    shop.rows(
        "UPDATE roles SET permissions = array_remove(permissions, 'marketplace.acts.tell') "
        "WHERE vendor_id = :vendor RETURNING id"
    )
    sign_in(owner, "vendor", "team@moselle.example")
    shown = owner.get(page)
    assert shown.status_code == 200
    assert "/tell-again" not in shown.text
    assert owner.post(f"{page}/tell-again", data={"csrf_token": token_of(shown)}).status_code == 403
    assert shop.acts() == [("decide", "refused")]


PLANTED, MAIL = "zzplanted", "zzmailed"


def test_who_was_erased_stays_so_when_the_order_is_said_again(
    shop: Shop, owner: TestClient, world: Database
) -> None:
    for name in "XZ":
        sheet = WORLD.place(name, "A")
        sheet.email, sheet.remark = f"{MAIL}@mail.example", f"Ring at {PLANTED}"
    WORLD.sheets["Z"].is_readable = False
    shop.sync()
    assert {"external_orders", "order_payloads"} <= everywhere(world, PLANTED)
    [customer] = shop.rows(f"SELECT id FROM customers WHERE vendor_id = :vendor AND email LIKE '{MAIL}%'")
    erase(shop, customer.id)
    assert everywhere(world, PLANTED) == set()
    assert everywhere(world, MAIL) == {"orders"}, "the books keep the buyer of the order"
    WORLD.decide("X", u1="available")
    WORLD.sheets["Z"].is_readable = True
    shop.sync()
    shop.sync()
    assert everywhere(world, PLANTED) == set()
    assert everywhere(world, MAIL) == {"orders"}
    assert shop.order("X").status == "processing", "what became of the pieces is taken over"
    assert shop.records()["Z"].fault == "erased"
    assert "was erased" in owner.get(f"{HERE}/orders/{to_public('xor', shop.records()['Z'].id)}").text
    # Connected anew, the past is read again.
    with shop.session() as session:
        assert shop.connection_id
        disconnect(session, shop.connection_id)
    del WORLD.sheets["Z"]
    with shop.session() as session:
        facade.import_history(session, facade.connect(session, shop.vendor_id, "paper"))
    shop.work()
    assert everywhere(world, PLANTED) == set()
    assert everywhere(world, MAIL) == {"orders"}
    assert (shop.records()["X"].payload, shop.records()["X"].order_id) == ({}, shop.order("X").id)
    assert UnitState(shop.records()["X"].units["X-1"]) is UnitState.AVAILABLE


def erase(shop: Shop, customer_id: UUID) -> None:
    with shop.session() as session:
        person = session.get_one(Customer, customer_id)
        data_request_service.ask(session, person, RequestKind.ERASE, user_id=uuid4(), reason="Wants it")
    shop.work()
    assert shop.rows("SELECT id FROM customers WHERE id = :id AND erased_at IS NOT NULL", id=customer_id)


def everywhere(world: Database, word: str) -> set[str]:
    """The tables that say a word."""
    with world.owner_engine.connect() as connection:
        return {
            str(name)
            for name in Base.metadata.tables
            if connection.scalar(
                text(f"SELECT count(*) FROM {name} AS t WHERE lower(t::text) LIKE :word"),
                {"word": f"%{word}%"},
            )
        }
