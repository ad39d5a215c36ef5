"""From the prices to a shop of one's own, as a browser without scripts does it."""

import email
import re
from datetime import timedelta
from email.policy import default
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.core import clock, rate_limit
from app.core.config import get_settings
from app.core.database import SYSTEM, unit_of_work
from app.tasks.dispatcher import dispatch
from app.testing.browsing import PASSWORD, sign_in, token_of
from app.testing.working import work

EMAIL, OWN_PASSWORD = "lea@eisleck.example", "regen iwwer Wolz am Abrëll"
SHOP = {"company": "Eisleck S.à r.l.", "tax_number": "", "name": "Eisleck", "code": "eisleck"}


def send(client: TestClient, path: str, page: str | None = None, **fields: Any) -> httpx2.Response:
    shown = client.get(page or path)
    return client.post(path, data={"csrf_token": token_of(shown), **fields})


def plan_of(client: TestClient, name: str = "Professional", interval: str = "year") -> str:
    """Where the button of a plan leads."""
    page = client.get("/pricing", params={"interval": interval}).text
    found = re.search(rf'href="([^"]+)"[^>]*>Choose {name}<', page)
    assert found, page
    return found[1].replace("&amp;", "&")


def begin(client: TestClient, address: str = EMAIL) -> httpx2.Response:
    path = plan_of(client)
    plan, interval = re.findall(r"=([^&]+)", path)
    return send(client, "/sign-up", path, plan=plan, interval=interval, email=address)


def newest_mail(address: str = EMAIL) -> str:
    """The text of the newest mail with a link to somebody."""
    files = sorted((get_settings().data_dir / "outbox").glob("*.eml"), reverse=True)
    mails = (email.message_from_bytes(file.read_bytes(), policy=default) for file in files)
    texts = (str(mail.get_content()) for mail in mails if mail["To"] == address)
    return next(words for words in texts if "/sign-up/continue" in words)


def link_in(mail: str) -> str:
    """The path and query of the link in a mail."""
    found = re.search(r"https?://[^/\s]+(/sign-up/continue\S+)", mail)
    assert found
    return found[1]


def value_of(owner: Engine, sql: str) -> Any:
    """One value out of the database, past all policies."""
    with owner.connect() as connection:
        return connection.execute(text(sql)).scalar()


def open_link(client: TestClient, address: str = EMAIL) -> str:
    """Do the work, open the newest mail's link; where it leads."""
    work()
    return client.get(link_in(newest_mail(address))).headers["location"]


def to_the_end(client: TestClient) -> None:
    begin(client)
    open_link(client)
    send(client, "/sign-up/account", name="Lea", password=OWN_PASSWORD)
    send(client, "/sign-up/shop", **SHOP)


@pytest.fixture(autouse=True)
def _as_an_english_reader(client: TestClient) -> None:
    client.headers["accept-language"] = "en"


def test_prices_are_for_everybody(client: TestClient) -> None:
    assert 'href="/pricing"' in client.get("/").text
    page = client.get("/pricing").text
    assert re.findall(r"<h2>([A-Z]\w+)</h2>", page) == ["Essential", "Professional", "Business", "Enterprise"]
    assert "€99.00 a month" in page
    assert "Products: up to 200" in page
    assert "Products: as many as you like" in page
    assert "Own domains: not included" in page
    by_year = client.get("/pricing?interval=year").text
    assert "€990.00 a year" in by_year
    assert "saves €198.00" in by_year


def test_from_a_plan_to_the_home_page(client: TestClient, owner_engine: Engine) -> None:
    sent = begin(client)
    assert sent.headers["location"] == "/sign-up/mail"
    assert EMAIL in client.get("/sign-up/mail").text
    assert client.get("/sign-up/account").headers["location"] == "/pricing"  # the address is not proved yet
    assert open_link(client) == "/sign-up/account"
    weak = send(client, "/sign-up/account", name="Lea", password="short")
    assert weak.status_code == 422
    assert 'value="Lea"' in weak.text
    kept = send(client, "/sign-up/account", name="Lea", password=OWN_PASSWORD)
    assert kept.headers["location"] == "/sign-up/shop"
    taken = send(client, "/sign-up/shop", **SHOP | {"code": "moselle"})
    assert taken.status_code == 422
    assert 'value="Eisleck S.à r.l."' in taken.text
    assert send(client, "/sign-up/shop", **SHOP).headers["location"] == "/sign-up/start"
    page = client.get("/sign-up/start").text
    assert "Professional, €990.00 a year" in page
    made = send(client, "/sign-up/start")
    assert made.headers["location"] == "/vendor/EISLECK"
    home = client.get("/vendor/EISLECK")
    assert home.status_code == 200
    assert "Eisleck is set up" in home.text
    assert "Set up" in home.text
    plan = client.get("/vendor/EISLECK/plan").text
    assert "Professional" in plan
    assert "€990.00 a year" in plan
    assert "14 days left" in plan
    statement = (
        "SELECT t.code || '/' || s.interval || '/' || s.status FROM subscriptions s JOIN subscription_tiers t "
        "ON t.id = s.tier_id JOIN vendors v ON v.id = s.vendor_id WHERE v.code = 'EISLECK'"
    )
    assert value_of(owner_engine, statement) == "professional/year/trial"
    assert value_of(owner_engine, "SELECT password_hash FROM sign_ups") is None
    work()  # the event of the new vendor starts no second trial
    assert value_of(owner_engine, statement) == "professional/year/trial"


def test_it_is_resumed_where_it_was_left_on_any_device(client: TestClient) -> None:
    begin(client)
    open_link(client)
    send(client, "/sign-up/account", name="Lea", password=OWN_PASSWORD)
    client.cookies.clear()
    assert client.get("/sign-up/shop").headers["location"] == "/pricing"
    assert open_link(client) == "/sign-up/shop"
    send(client, "/sign-up/shop", **SHOP)
    client.cookies.clear()
    assert open_link(client) == "/sign-up/start"
    assert 'value="EISLECK"' in client.get("/sign-up/shop").text
    assert client.get(plan_of(client, "Business", "month")).headers["location"] == "/sign-up/start"
    assert "Business, €199.00 a month" in client.get("/sign-up/start").text


def test_sent_twice_it_is_made_once(client: TestClient, owner_engine: Engine) -> None:
    to_the_end(client)
    token = token_of(client.get("/sign-up/start"))
    first, second = (client.post("/sign-up/start", data={"csrf_token": token}) for _ in range(2))
    assert first.headers["location"] == second.headers["location"] == "/vendor/EISLECK"
    assert value_of(owner_engine, "SELECT count(*) FROM companies WHERE name LIKE 'Eisleck%'") == 1
    assert open_link(client) == "/vendor/EISLECK"


def test_who_has_an_account_keeps_the_password(client: TestClient) -> None:
    assert begin(client, "owner@moselle.example").headers["location"] == "/sign-up/mail"
    work()
    assert "an account already" in newest_mail("owner@moselle.example")
    assert open_link(client, "owner@moselle.example") == "/sign-up/shop"
    send(client, "/sign-up/shop", **SHOP)
    made = send(client, "/sign-up/start")
    assert made.headers["location"] == "/vendor/EISLECK"
    assert client.get("/vendor/EISLECK").status_code == 303  # nobody is signed in by a mail alone
    sign_in(client, "vendor", "owner@moselle.example", PASSWORD)
    assert client.get("/vendor/EISLECK").status_code == 200


def test_nobody_goes_on_without_the_mail(client: TestClient) -> None:
    """Who begins with another's address cannot choose the password that its owner then would use."""
    begin(client)
    for path in ("account", "shop", "start"):
        token = token_of(client.get("/sign-up/mail"))
        sent = client.post(
            f"/sign-up/{path}", data={"csrf_token": token, "name": "X", "password": OWN_PASSWORD}
        )
        assert sent.headers["location"] == "/pricing"
    assert client.get("/sign-up/continue?token=forged").headers["location"] == "/pricing"


def test_tries_are_limited(client: TestClient) -> None:
    statuses = [begin(client).status_code for _ in range(6)]
    assert statuses == [303] * 5 + [429]
    assert begin(client, "other@eisleck.example").status_code == 303
    rate_limit.forget()
    token = token_of(client.get("/sign-up/mail"))
    codes = {client.post("/sign-up/shop", data={"csrf_token": token}).status_code for _ in range(12)}
    assert codes == {303, 429}


def test_unfinished_ones_are_forgotten_after_a_week(client: TestClient, owner_engine: Engine) -> None:
    begin(client)
    work()
    link = link_in(newest_mail())
    with owner_engine.begin() as connection:
        connection.execute(
            text("UPDATE sign_ups SET expires_at = :at"), {"at": clock.system_now() - timedelta(seconds=1)}
        )
    assert client.get(link).headers["location"] == "/pricing"
    with unit_of_work(SYSTEM) as session:
        dispatch(session, "app.modules.billing.tasks.sign_ups.delete_old_sign_ups")
    work()
    assert value_of(owner_engine, "SELECT count(*) FROM sign_ups") == 0


def test_a_wrong_address_is_said_at_its_field(client: TestClient) -> None:
    answer = begin(client, "not an address")
    assert answer.status_code == 422
    assert 'value="not an address"' in answer.text
    assert client.get("/sign-up").headers["location"] == "/pricing"
    assert client.get("/sign-up?plan=tir_nothing").headers["location"] == "/pricing"


def test_a_shop_that_is_there_already_is_claimed(client: TestClient, owner_engine: Engine) -> None:
    begin(client)
    assert client.get("/sign-up/claim").headers["location"] == "/pricing"  # the address is not proved yet
    open_link(client)
    assert client.get("/sign-up/claim").headers["location"] == "/sign-up/account"
    send(client, "/sign-up/account", name="Lea", password=OWN_PASSWORD)
    assert "/sign-up/claim" in client.get("/sign-up/shop").text
    found = client.get("/sign-up/claim?q=https://letzshop.example/vendors/velo-sauer").text
    assert "Vëlo Sauer" in found
    assert "Maison Moselle" not in client.get("/sign-up/claim?q=moselle").text  # it is one of ours
    reference = re.search(r'name="reference" value="(\w+)"', found)
    assert reference
    chosen = send(client, "/sign-up/claim", "/sign-up/claim?q=sauer", reference=reference[1])
    assert chosen.headers["location"] == "/sign-up/shop"
    assert 'value="Vëlo Sauer"' in client.get("/sign-up/shop").text
    send(client, "/sign-up/shop", **SHOP)
    assert "Letzshop" in client.get("/sign-up/start").text
    assert value_of(owner_engine, "SELECT count(*) FROM directory_shops WHERE claimed_by IS NOT NULL") == 0
    send(client, "/sign-up/start")
    claimed = "SELECT v.code || claim_note FROM directory_shops s JOIN vendors v ON v.id = claimed_by"
    assert value_of(owner_engine, claimed) == "EISLECKnone"
    matched = (
        "SELECT count(*) FROM directory_shops s JOIN vendors v ON v.id = s.vendor_id AND code = 'EISLECK'"
    )
    assert value_of(owner_engine, matched) == 0  # the operator has not confirmed it
