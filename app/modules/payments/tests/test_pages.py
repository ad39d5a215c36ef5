"""Pages and API: who may, keys that are never shown, and refunds by people and programs."""

import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.core import security
from app.core.config import get_settings
from app.core.database import SYSTEM, IdentityScope, unit_of_work
from app.core.ids import new_id, to_public
from app.modules.payments.contracts import PaymentInfo
from app.modules.payments.enums import Payee
from app.modules.payments.services import secret_service
from app.modules.payments.tests.factories import find, start, wanted
from app.modules.principal import Principal
from app.modules.tenancy import facade as tenancy
from app.testing.api_keys import make_key, owner_of
from app.testing.browsing import sign_in, token_of

LIVE_KEY, SECRET = "sk_live_51NeverShowThisKey9876", "whsec_NeverShowThisSecret"
VENDOR = "/vendor/MINETT"


@pytest.fixture
def owner(client: TestClient) -> TestClient:
    """MINETT's owner at the browser."""
    sign_in(client, "vendor", "owner@minett.example")
    return client


def send(client: TestClient, path: str, **values: str) -> tuple[int, str]:
    """Fill in a form and send it; the status, and where it leads."""
    page = client.get(path)
    hidden = dict(re.findall(r'name="(csrf_token|form_token|version)" value="([^"]*)"', page.text))
    answer = client.post(path, data={**hidden, **values})
    return answer.status_code, answer.headers.get("location", answer.text)


def act(client: TestClient, path: str, name: str) -> int:
    token = token_of(client.get(path))
    return client.post(f"{path}/{name}", data={"csrf_token": token}).status_code


def payment_path(made: PaymentInfo, area: str = VENDOR) -> str:
    return f"{area}/payments/{to_public('pay', made.id)}"


def test_a_stripe_key_is_written_and_never_seen(
    owner: TestClient, owner_engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    _, edit = send(owner, f"{VENDOR}/payment-providers/new", provider="stripe")
    page = edit.removesuffix("/edit")
    assert act(owner, page, "switch-on") == 409  # there is no key yet
    status, text_ = send(owner, edit, api_key="pk_live_public", webhook_secret="nonsense")
    assert status == 422
    assert "pk_live_public" not in text_
    assert send(owner, edit, api_key=LIVE_KEY, webhook_secret=SECRET) == (303, page)
    assert act(owner, page, "switch-on") == 303
    shown = [owner.get(path).text for path in (page, edit, f"{VENDOR}/payment-providers")]
    raw = owner.get(f"{page}?raw=1").text
    with owner_engine.connect() as connection:
        dump = "\n".join(
            str(row)
            for table in ("payment_accounts", "payment_secrets", "audit_log")
            for row in connection.execute(text(f"SELECT t::text FROM {table} t"))
        )
    for place in (*shown, raw, dump, caplog.text):
        assert LIVE_KEY not in place
        assert SECRET not in place
    assert "sk_live_…9876" in shown[0]
    assert "Live mode" in shown[0]
    # An empty field keeps what is stored.
    assert send(owner, edit, api_key="", webhook_secret="")[0] == 303
    assert "sk_live_…9876" in owner.get(page).text


def test_a_new_key_of_encryption_seals_the_secrets_again(
    owner: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, edit = send(owner, f"{VENDOR}/payment-providers/new", provider="stripe")
    send(owner, edit, api_key=LIVE_KEY, webhook_secret=SECRET)
    old = "k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    new = "k2:OTg3NjU0MzIxMDk4NzY1NDMyMTA5ODc2NTQzMjEwOTg="
    monkeypatch.setenv("WIZAMART_ENCRYPTION_KEYS", f"{new},{old}")
    get_settings.cache_clear()
    with unit_of_work(SYSTEM) as session:
        assert secret_service.reseal_secrets(session) == 2
        assert secret_service.reseal_secrets(session) == 0
    monkeypatch.setenv("WIZAMART_ENCRYPTION_KEYS", new)
    get_settings.cache_clear()
    with unit_of_work(IdentityScope()) as session:
        sealed = session.execute(
            text("SELECT sealed FROM payment_secrets WHERE name = 'api_key'")
        ).scalar_one()
    assert security.unseal(sealed) == LIVE_KEY


def test_a_provider_is_there_once(owner: TestClient) -> None:
    assert send(owner, f"{VENDOR}/payment-providers/new", provider="cash")[0] == 422


def test_an_iban_is_checked(owner: TestClient, owner_engine: Engine) -> None:
    with owner_engine.connect() as connection:
        found = text(
            "SELECT a.id FROM payment_accounts a JOIN vendors v ON v.id = a.vendor_id "
            "WHERE v.code = 'MINETT' AND a.provider = 'bank_transfer'"
        )
        account = to_public("pac", connection.execute(found).scalar_one())
    edit = f"{VENDOR}/payment-providers/{account}/edit"
    assert send(owner, edit, holder="M", iban="LU28 0019 4006 4475 0001")[0] == 422
    assert send(owner, edit, holder="M", iban="LU28 0019 4006 4475 0000")[0] == 303


def test_a_person_refunds_once_whatever_they_click(owner: TestClient) -> None:
    made = start(wanted(5000))
    form = f"{payment_path(made)}/refund"
    page = owner.get(form)
    hidden = dict(re.findall(r'name="(csrf_token|form_token|version)" value="([^"]*)"', page.text))
    values = {**hidden, "amount_cents": "20,00", "reason": "late"}
    assert [owner.post(form, data=values).status_code for _ in range(2)] == [303, 303]
    assert find(made.id).refunded_cents == 2000
    assert send(owner, form, amount_cents="30.01")[0] == 422
    shown = owner.get(payment_path(made)).text
    assert "late" in shown
    assert "Refund asked for" in shown


def test_a_transfer_is_confirmed_by_hand(owner: TestClient, owner_engine: Engine) -> None:
    with owner_engine.connect() as connection:
        found = text(
            "SELECT p.id FROM payments p JOIN vendors v ON v.id = p.vendor_id "
            "WHERE v.code = 'MINETT' AND p.provider = 'bank_transfer'"
        )
        key = connection.execute(found).scalar_one()
    form = f"{VENDOR}/payments/{to_public('pay', key)}/confirm"
    assert send(owner, form, amount_cents="234.99")[0] == 422
    assert send(owner, form, amount_cents="235.00")[0] == 303
    assert find(key).captured_cents == 23_500


def test_a_vendor_does_not_refund_what_it_paid_the_operator(
    owner: TestClient, client: TestClient, owner_engine: Engine
) -> None:
    made = start(wanted(5000, payee=Payee.PLATFORM))
    page = owner.get(payment_path(made))
    assert page.status_code == 200
    assert "/refund" not in page.text
    assert send(owner, f"{payment_path(made)}/refund", amount_cents="1.00")[0] == 403
    assert find(made.id).refunded_cents == 0
    sign_in(client, "admin", "admin@wizamart.example")
    assert send(client, f"{payment_path(made, '/admin')}/refund", amount_cents="1.00")[0] == 303
    assert find(made.id).refunded_cents == 100
    theirs = start(wanted(5000))
    assert send(client, f"{payment_path(theirs, '/admin')}/refund", amount_cents="1.00")[0] == 403
    assert find(theirs.id).refunded_cents == 0


def holder() -> Principal:
    vendor = tenancy.get_vendor("MINETT")
    with unit_of_work(IdentityScope()) as session:
        return tenancy.vendor_holder(session, vendor.id, owner_of(session, vendor.company_id))


def test_programs_read_and_refund_with_a_key_of_their_own(client: TestClient) -> None:
    made = start(wanted(5000))
    key = make_key(holder(), "payments.vendor_payments.view", "payments.vendor_payments.manage")
    headers = {"Authorization": f"Bearer {key}"}
    public = to_public("pay", made.id)
    root = f"/api/v1/vendor/payments/{public}"
    listed = client.get("/api/v1/vendor/payments?state=captured", headers=headers).json()
    assert public in [one["id"] for one in listed["data"]]
    assert client.get(root, headers=headers).json()["amount_cents"] == 5000
    body = {"amount_cents": 1000}
    assert client.post(f"{root}/refunds", json=body, headers=headers).status_code == 400
    once = {**headers, "Idempotency-Key": str(new_id())}
    answers = [client.post(f"{root}/refunds", json=body, headers=once) for _ in range(3)]
    assert [one.status_code for one in answers] == [201, 201, 201]
    assert len({one.json()["id"] for one in answers}) == 1
    assert find(made.id).refunded_cents == 1000
    too_much = {**headers, "Idempotency-Key": str(new_id())}
    assert client.post(f"{root}/refunds", json={"amount_cents": 4001}, headers=too_much).status_code == 422
    theirs = start(wanted(5000, payee=Payee.PLATFORM))
    refused = {**headers, "Idempotency-Key": str(new_id())}
    path = f"/api/v1/vendor/payments/{to_public('pay', theirs.id)}/refunds"
    assert client.post(path, json=body, headers=refused).status_code == 403
    assert len(client.get(f"{root}/refunds", headers=headers).json()["data"]) == 1
