"""An invoice that is mailed again."""

from email import message_from_bytes, policy
from email.message import EmailMessage

from fastapi.testclient import TestClient

from app.core.config import get_settings
from app.core.ids import to_public
from app.modules.billing.tests.conftest import Shop
from app.modules.billing.tests.test_operator import BILLING, act, admin, page_of, send  # noqa: F401 - the fixture
from app.testing.working import work


def _mails() -> list[EmailMessage]:
    files = sorted((get_settings().data_dir / "outbox").glob("*.eml"))
    return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]


def _page(shop: Shop) -> str:
    row = shop.rows("SELECT id FROM billing_invoices WHERE vendor_id = :vendor")[0]
    return f"{BILLING}/invoices/{to_public('bin', row.id)}"


def test_who_pays_gets_it_once_a_click_and_it_is_in_the_log(admin: TestClient, shop: Shop) -> None:  # noqa: F811
    send(admin, f"{page_of(shop)}/activate", tier="essential", interval="month")
    work()
    number = shop.rows("SELECT number FROM billing_invoices WHERE vendor_id = :vendor")[0].number
    before = len(_mails())
    for _ in range(2):  # the second before the first mail has gone
        assert act(admin, _page(shop), "resend").status_code == 303
    work()
    sent = _mails()[before:]
    assert [mail["To"] for mail in sent] == ["owner@moselle.example"]
    assert number in sent[0]["Subject"]
    assert "/vendor/GUTLAND/plan/invoices/bin_" in sent[0].get_content()
    act(admin, _page(shop), "resend")
    work()
    assert len(_mails()) == before + 2
    logged = "SELECT details FROM audit_log WHERE vendor_id = :vendor AND action = 'billing.invoice_sent'"
    rows = shop.rows(logged)
    assert len(rows) == 3
    assert rows[0].details["to"] == ["owner@moselle.example"]


def test_what_need_not_be_paid_is_not_offered(admin: TestClient, shop: Shop) -> None:  # noqa: F811
    send(admin, f"{page_of(shop)}/activate", tier="essential", interval="month")
    assert "Send by mail again" in admin.get(_page(shop)).text
    act(admin, _page(shop), "void")
    assert "Send by mail again" not in admin.get(_page(shop)).text
