"""Files of customers: compared, refused row by row, taken over whole, once, and never with a consent of nowhere."""

import json
import re
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.core.database import SYSTEM, TenantScope, unit_of_work
from app.modules.customers import facade
from app.modules.customers.services import import_service
from app.modules.customers.services.import_rows import read_customers
from app.modules.tenancy import facade as tenancy
from app.testing.browsing import sign_in, token_of
from app.testing.commands import run_command
from app.testing.working import work

ROOT = "/vendor/MOSELLE/customers"
HEAD = "email;first_name;last_name;language;line1;postcode;city;country;newsletter;newsletter_at;newsletter_source;cat"
PLACE = "1, rue A;L-1111;Esch;lu"
GOOD = f"""{HEAD}
Rita@Mail.Example;Rita;Klein;de;{PLACE};yes;2026-05-31;shop;x
otto@mail.example;Otto;Wolf;;;;;;no;;;
"""
BAD = f"""{GOOD}
rita@mail.example;Again;;;;;;;;;;
nobody;;;;;;;;;;;
ben@mail.example;Ben;;;;;;;yes;;shop;
ben@mail.example;Ben;;;;;;;yes;2026-05-31;;
ben@mail.example;Ben;;;;;;;yes;2999-01-01;shop;
ben@mail.example;Ben;;xx;;;;;;;;
ben@mail.example;Ben;;;"1,
rue";;;;;;;
ben@mail.example;Ben;;;rue A;;;;;;;
"""


@pytest.fixture
def vendor_id(app: FastAPI) -> UUID:
    return tenancy.get_vendor("MOSELLE").id


@pytest.fixture
def owner(client: TestClient, vendor_id: UUID) -> TestClient:
    sign_in(client, "vendor", "owner@moselle.example")
    client.cookies.set("wm_lang", "en")
    return client


def send(client: TestClient, content: bytes) -> tuple[int, str]:
    page = client.get(f"{ROOT}/imports/new")
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    files = {"file": ("people.csv", content, "text/csv")}
    data = {**hidden, "csrf_token": token_of(page)}
    answer = client.post(f"{ROOT}/imports/new", data=data, files=files, follow_redirects=False)
    return answer.status_code, answer.headers.get("location", answer.text)


def press(client: TestClient, here: str, act: str) -> int:
    page = client.get(here)
    data = {"csrf_token": token_of(page)}
    return client.post(f"{here}/{act}", data=data, follow_redirects=False).status_code


def test_a_file_is_compared_first_and_bad_rows_are_named(owner: TestClient, vendor_id: UUID) -> None:
    status, here = send(owner, BAD.encode())
    assert status == 303
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", owner.get(here).text))
    for line, said in (
        (5, "email rita@mail.example The same e-mail address stands on a line above"),
        (6, "email nobody No e-mail address"),
        (7, "newsletter_at ben@mail.example A consent needs the day"),
        (8, "newsletter_source ben@mail.example Say how it was said"),
        (9, "newsletter_at ben@mail.example This day is still to come"),
        (10, "language ben@mail.example Write en"),
        (11, "line1 ben@mail.example A line break"),
        (13, "postcode ben@mail.example An address needs"),
    ):
        assert f" {line} {said}" in shown
    assert "Columns left out cat" in shown
    with unit_of_work(TenantScope(vendor_id)) as session:
        assert facade.find_customer(session, "rita@mail.example") is None


def test_a_file_is_taken_over_once_and_changes_nothing_the_second_time(
    owner: TestClient, vendor_id: UUID, owner_engine: Engine
) -> None:
    _, here = send(owner, BAD.encode())
    assert press(owner, here, "apply") == 303
    assert press(owner, here, "apply") == 409  # once
    with unit_of_work(TenantScope(vendor_id)) as session:
        rita = facade.find_customer(session, "rita@mail.example")
        assert rita
        assert (rita.name, rita.email, rita.language) == ("Rita Klein", "Rita@Mail.Example", "de")
        assert facade.find_customer(session, "ben@mail.example") is None
        book = facade.list_addresses(session, rita.id)
        assert [(one.address.name, one.address.country, one.is_billing_default) for one in book] == [
            ("Rita Klein", "LU", True)
        ]
        assert facade.search_customers(session, "klein")[0].id == rita.id
    with owner_engine.connect() as connection:
        words = connection.execute(
            text(
                "SELECT c.email_norm, purpose, is_granted, source, at::date::text FROM customer_consents"
                " JOIN customers c ON c.id = customer_id WHERE c.source_channel = 'import'"
            )
        ).all()
        kept = connection.execute(
            text(
                "SELECT DISTINCT email_norm, given::text FROM customer_import_lines WHERE import_id IN"
                " (SELECT id FROM customer_imports WHERE name = 'people.csv')"
            )
        )
        assert [tuple(one) for one in words] == [
            ("rita@mail.example", "newsletter", True, "shop", "2026-05-31")
        ]
        assert [tuple(one) for one in kept] == [(None, "{}")]  # what was refused is not kept either
    status, again = send(owner, GOOD.encode())
    with unit_of_work(TenantScope(vendor_id)) as session:
        row = import_service.get_import(session, UUID(int=0) if status != 303 else _key(again)).row
        assert (row.rows, row.added, row.changed, row.refused) == (2, 0, 0, 0)
    assert press(owner, again, "discard") == 303


def _key(url: str) -> UUID:
    from app.core.ids import from_public

    key = from_public(import_service.IMPORT_PREFIX, url.rpartition("/")[2])
    assert key
    return key


def test_a_consent_that_was_taken_back_later_stays_taken_back(vendor_id: UUID) -> None:
    head = "email,newsletter,newsletter_at,newsletter_source\neva@mail.example,"
    effects = []
    for row in (
        "yes,2026-01-01,mail",
        "no,2026-03-01,phone",
        "yes,2026-02-01,mail",
        "no,,",
        "yes,2026-04-01,shop",
    ):
        with unit_of_work(TenantScope(vendor_id)) as session:
            drawn = import_service.create_import(
                session, vendor_id, "x", read_customers(f"{head}{row}".encode())
            )
            import_service.apply_import(session, drawn)
            effects.append((drawn.added, drawn.changed))
    assert effects == [(1, 0), (0, 1), (0, 0), (0, 0), (0, 1)]


def test_what_is_known_follows_what_is_given_and_merged_records_lead_on(vendor_id: UUID) -> None:
    with unit_of_work(TenantScope(vendor_id)) as session:
        from app.modules.customers.contracts import Buyer
        from app.modules.customers.services import merge_service

        old, new = (
            facade.ensure_customer(session, Buyer(email, "Jean"), channel="shop")
            for email in ("old@mail.example", "new@mail.example")
        )
        assert old
        assert new
        merge_service.merge_customers(session, old.id, new.id)
        rows = read_customers(b"email,phone,first_name\nOLD@mail.example,+352 621 1,\n")
        drawn = import_service.create_import(session, vendor_id, "x", rows)
        assert (drawn.added, drawn.changed) == (0, 1)
        import_service.apply_import(session, drawn)
        found = facade.get_customer(session, new.id)
        assert (found.phone, found.first_name, found.email) == ("+352 621 1", "Jean", "new@mail.example")


def test_a_long_file_is_taken_over_by_a_job(owner: TestClient, vendor_id: UUID) -> None:
    rows = "".join(f"p{number}@mail.example,P{number}\n" for number in range(import_service.AT_ONCE + 1))
    _, here = send(owner, f"email,last_name\n{rows}".encode())
    assert press(owner, here, "apply") == 303
    assert "is being taken over" in owner.get(here).text
    with unit_of_work(TenantScope(vendor_id)) as session:
        assert facade.find_customer(session, "p7@mail.example") is None
    work()
    with unit_of_work(TenantScope(vendor_id)) as session:
        row = import_service.get_import(session, _key(here)).row
        assert (row.status, row.added) == ("applied", import_service.AT_ONCE + 1)
        assert facade.find_customer(session, "p7@mail.example")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name\nx\n", "column email"),
        (b"email,email\na,b\n", "column email"),
        (b"email\n", "at least one row"),
        (b'email\n"a@mail.example"x\n', "line 2 could not be read"),
        (b"email\n" + b"a\n" * 20_001, "at most 20000 rows"),
        (b"email\n" + b"a" * (4 << 20), "at most 4 MB"),
    ],
)
def test_what_is_no_such_file_is_said_at_the_field(owner: TestClient, content: bytes, said: str) -> None:
    status, page = send(owner, content)
    assert status == 422
    assert said in page


def test_files_that_nobody_takes_over_are_thrown_away(vendor_id: UUID) -> None:
    with unit_of_work(TenantScope(vendor_id)) as session:
        keys = [
            import_service.create_import(session, vendor_id, name, read_customers(GOOD.encode())).id
            for name in ("old", "young")
        ]
        import_service.get_import(session, keys[0]).row.created_at -= timedelta(days=8)
    with unit_of_work(SYSTEM) as session:
        assert import_service.discard_old(session) == 1
    with unit_of_work(TenantScope(vendor_id)) as session:
        assert [import_service.get_import(session, key).row.status for key in keys] == ["discarded", "open"]


def test_the_command_says_what_it_did(vendor_id: UUID, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(BAD)
    call = ("customers", "import", str(file), "--vendor", "moselle", "--json")
    for options, added in ((("--dry-run",), None), ((), "Rita Klein")):
        result = run_command(*call, *options)
        assert result.stdout, result.stderr
        report = json.loads(result.stdout)
        assert (result.returncode, report["added"], report["refused"]) == (5, 2, 8), result.stderr
        assert report["refused_rows"][1] | {"message": ""} == {
            "line": 6,
            "column": "email",
            "fault": "email",
            "message": "",
        }
        with unit_of_work(TenantScope(vendor_id)) as session:
            found = facade.find_customer(session, "rita@mail.example")
            assert (found.name if found else None) == added
