"""Invoices and credit notes, from an order to files that keep to EN 16931."""

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from uuid import UUID

import pytest
from pypdf import PdfReader
from sqlalchemy.exc import IntegrityError
from starlette.testclient import TestClient

from app.core.config import get_settings
from app.core.database import IdentityScope, unit_of_work
from app.core.ids import to_public
from app.modules.api import callers as api_callers
from app.modules.orders.contracts import By, NewParcel, RefundOf, RefundTerms
from app.modules.orders.enums import Source
from app.modules.orders.exceptions import DocumentRefusedError
from app.modules.orders.models.document import Document
from app.modules.orders.services import document_draft_service as drafts
from app.modules.orders.services import (
    document_export_service,
    document_list_service,
    document_round_service,
    oss_report_service,
)
from app.modules.orders.services.cancel_service import cancel
from app.modules.orders.services.decide_service import confirm_lines
from app.modules.orders.services.document_files_service import file_of
from app.modules.orders.services.document_issue_service import issue
from app.modules.orders.services.document_mail_service import mail_once_more
from app.modules.orders.services.invoice_settings_service import save_settings
from app.modules.orders.services.refund_service import refund
from app.modules.orders.services.shipment_service import ship
from app.modules.orders.tests.conftest import ANNE, LIVE, Desk
from app.modules.tenancy.facade import find_vendor, vendor_holder
from app.testing.api_keys import make_key, owner_of
from app.testing.browsing import sign_in, token_of
from app.testing.working import work

_BY = By(Source.USER)
_SETTINGS: Mapping[str, Any] = {
    "legal_name": "Gutland",
    "legal_form": "S.à r.l.",
    "line1": "1, rue du Moulin",
    "postcode": "L-7423",
    "city": "Dondelange",
    "vat_number": "LU10000356",
    "trade_register": "B1",
    "iban": "LU280019400644750000",
    "prefix": "G-",
    "due_days": 30,
    "oss_since": date(2026, 1, 1),
}
_BELGIUM = type(LIVE)(name="Anne Weber", line1="Rue Neuve 1", postcode="1000", city="Bruxelles", country="BE")


@pytest.fixture
def shop(desk: Desk) -> Desk:
    desk.product("BOOK", tax_class="super_reduced")
    desk.product("UMBRELLA")
    with desk.session() as session:
        save_settings(session, desk.vendor_id, _SETTINGS)
    return desk


def _order(shop: Desk, **given: Any) -> UUID:
    """Three books less a little, and an umbrella, sent for 6.00 to Belgium; confirmed."""
    lines = (shop.line("BOOK", 3, 700, discount_cents=100), shop.line("UMBRELLA", 1, 2000))
    given = {"shipping_address": _BELGIUM, "shipping_cents": 600, "is_paid": True} | given
    placed = shop.place(*lines, **given)
    with shop.session() as session:
        confirm_lines(session, placed.order_id, None, _BY)
    return placed.order_id


def _refund(shop: Desk, order_id: UUID, *wanted: tuple[str | None, int]) -> UUID:
    lines = shop.view(order_id).lines
    parts = [RefundOf(line.id, quantity) for sku, quantity in wanted for line in lines if line.sku == sku]
    with shop.session() as session:
        return refund(session, order_id, parts, RefundTerms("Returned"), _BY).id


def test_mixed_rates_to_belgium_are_invoiced_credited_and_net_to_zero(shop: Desk) -> None:
    order_id = _order(shop)
    with shop.session() as session:
        invoice_id = drafts.draft_invoice(session, order_id).id
        assert issue(session, [invoice_id]).issued == 1
    refunds = [
        _refund(shop, order_id, ("BOOK", 1)),
        _refund(shop, order_id, ("BOOK", 2), ("UMBRELLA", 1), (None, 1)),
    ]
    with shop.session() as session:
        notes = [drafts.draft_credit_note(session, refund_id).id for refund_id in refunds]
        assert issue(session, [*notes, invoice_id]).issued == 2
        documents = document_list_service.list_of_order(session, order_id)
        invoice, first, second = documents
        year = invoice.issued_on.year if invoice.issued_on else 0
        assert [one.number for one in documents] == [
            f"G-{year}-00001",
            f"G-C{year}-00001",
            f"G-C{year}-00002",
        ]
        assert (invoice.regime, invoice.gross_cents, invoice.paid_cents) == ("oss", 4600, 4600)
        taxes = {row.tax_rate_bp: row.net_cents + row.vat_cents for row in _taxes(shop, invoice.id)}
        assert taxes == {600: 2300, 2100: 2300}
        for name in ("gross_cents", "net_cents", "vat_cents"):
            assert getattr(invoice, name) == getattr(first, name) + getattr(second, name)
        _check_files(invoice)
        assert b"<cbc:ID>" + str(invoice.number).encode() in file_of(first, "ubl").read_bytes()
        _check_books(session, invoice)
    with shop.session() as session:
        month = document_export_service.start_archive(
            session, shop.vendor_id, date(year, _month(shop), 1), None
        )
        assert [total for _, total in document_export_service.write_archive(session, month.id)] == [3]
        assert month.storage_key
    _check_it_stays(shop, invoice_id)


def _month(shop: Desk) -> int:
    return int(
        shop.rows("SELECT extract(month FROM issued_on) AS month FROM documents WHERE vendor_id = :vendor")[
            0
        ].month
    )


def _taxes(shop: Desk, document_id: UUID) -> list[Any]:
    return shop.rows("SELECT * FROM document_taxes WHERE document_id = :id", id=document_id)


def _check_files(invoice: Document) -> None:
    reader = PdfReader(file_of(invoice, "pdf"))
    text = "\n".join(page.extract_text() for page in reader.pages)
    for words in (
        str(invoice.number),
        "Facture",
        "Anne Weber",
        "Bruxelles",
        "LU10000356",
        "6 %",
        "21 %",
        "Belgique",
    ):
        assert words in text, text
    assert reader.attachments["factur-x.xml"] == [file_of(invoice, "cii").read_bytes()]
    assert "pdfaid" in str(reader.xmp_metadata.stream.get_data()) if reader.xmp_metadata else False
    assert b"peppol.eu:2017:poacc:billing:3.0" in file_of(invoice, "ubl").read_bytes()


def _check_books(session: Any, invoice: Document) -> None:
    """The journal and the report of the One Stop Shop say nothing is left."""
    assert invoice.issued_on
    text = "".join(document_export_service.journal(session, invoice.issued_on.replace(day=1)))
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff")), delimiter=";"))
    assert sum(round(float(row["gross"]) * 100) for row in rows) == 0
    assert {row["country"] for row in rows} == {"BE"}
    quarter = oss_report_service.Quarter(invoice.issued_on.year, (invoice.issued_on.month + 2) // 3)
    assert {
        (one.country, one.net_cents, one.vat_cents) for one in oss_report_service.report(session, quarter)
    } == {("BE", 0, 0)}


def _check_it_stays(shop: Desk, invoice_id: UUID) -> None:
    for act in (
        "UPDATE documents SET gross_cents = gross_cents WHERE id = :id",
        "DELETE FROM documents WHERE id = :id",
        "UPDATE document_lines SET title = 'x' WHERE document_id = :id",
        "DELETE FROM document_taxes WHERE document_id = :id",
    ):
        with pytest.raises(IntegrityError, match="never changes"):
            shop.rows(act, id=invoice_id)


def test_a_wrong_total_is_refused_and_takes_no_number(shop: Desk) -> None:
    order_id = _order(shop)
    with shop.session() as session:
        document_id = drafts.draft_invoice(session, order_id).id
    shop.rows(
        "UPDATE documents SET gross_cents = gross_cents + 1, net_cents = net_cents + 1 WHERE id = :id",
        id=document_id,
    )
    with shop.session() as session:
        outcome = issue(session, [document_id])
        document = document_list_service.get_document(session, document_id).row
        assert (outcome.issued, outcome.refused, document.status, document.number) == (0, 1, "draft", None)
        assert document.failure
        assert "BR-CO-" in document.failure
    assert not shop.rows("SELECT FROM number_series WHERE vendor_id = :vendor")


def test_what_bars_a_document_is_said(shop: Desk) -> None:
    pending = shop.place(shop.line("BOOK", 1, 700))
    nobody = _order(shop, shipping_address=None)
    with shop.session() as session:
        for order_id, reason in ((pending.order_id, "order_not_confirmed"), (nobody, "nothing")):
            if reason == "nothing":
                assert drafts.draft_invoice(session, order_id).is_simplified
                continue
            with pytest.raises(DocumentRefusedError, match=reason):
                drafts.draft_invoice(session, order_id)
        save_settings(session, shop.vendor_id, {"vat_number": None})
        with pytest.raises(DocumentRefusedError, match="settings"):
            drafts.draft_invoice(session, nobody)


def test_a_business_elsewhere_and_what_was_cancelled_later(shop: Desk) -> None:
    buyer = type(ANNE)(
        "shop@mail.example",
        "Anne",
        "Weber",
        company_name="Weber GmbH",
        vat_number="DE136695976",
        language="de",
    )
    address = type(LIVE)(
        name="Weber GmbH", line1="Saarstraße 9", postcode="54290", city="Trier", country="DE"
    )
    order_id = _order(shop, buyer=buyer, shipping_address=address)
    with shop.session() as session:
        invoice = drafts.draft_invoice(session, order_id)
        assert (invoice.regime, invoice.vat_cents, invoice.language) == ("reverse_charge", 0, "de")
        assert "Steuerschuldnerschaft" in " ".join(invoice.mentions)
        with pytest.raises(DocumentRefusedError, match="no_invoice"):
            drafts.draft_correction(session, order_id, "cancelled")
        assert issue(session, [invoice.id]).issued == 1
        cancel(session, order_id, "changed", _BY)
        note = drafts.draft_correction(session, order_id, "cancelled")
        assert (note.gross_cents, note.corrects_id) == (invoice.gross_cents, invoice.id)


def test_people_issue_an_invoice(shop: Desk, client: TestClient) -> None:
    shop.rows("DELETE FROM jobs")  # the demo's imports would take longer than the invoice
    order_id = _order(shop)
    sign_in(client, "vendor", "owner@moselle.example")
    root = "/vendor/GUTLAND"
    settings = client.get(f"{root}/invoices/settings")
    assert (settings.status_code, "LU10000356" in settings.text) == (200, True)
    order = f"{root}/orders/{to_public('ord', order_id)}"
    made = client.post(f"{order}/documents", data={"csrf_token": token_of(settings), "kind": "invoice"})
    assert made.status_code == 303
    here = made.headers["location"]
    page = client.get(here)
    assert "46,00" in page.text or "46.00" in page.text
    client.post(f"{here}/issue", data={"csrf_token": token_of(page)})
    work()
    assert client.get(f"{here}?from=orders.vendor.documents").status_code == 200
    pdf = client.get(f"{here}/pdf")
    assert (pdf.status_code, pdf.content[:5]) == (200, b"%PDF-")
    assert b"<Invoice" in client.get(f"{here}/ubl").content
    assert "46" in client.get(order).text
    for path in ("invoices", "invoices/oss", "invoices/oss/csv", "invoices/vat-rates", "invoices/archives"):
        assert client.get(f"{root}/{path}").status_code == 200, path
    changed = {
        "csrf_token": token_of(settings),
        "country": "BE",
        "tax_class": "super_reduced",
        "rate": "12",
    }
    assert client.post(f"{root}/invoices/vat-rates/change", data=changed).status_code == 303
    assert "12 %" in client.get(f"{root}/invoices/vat-rates").text


def test_invoices_issue_themselves_when_the_vendor_wants_that(shop: Desk) -> None:
    with shop.session() as session:
        save_settings(session, shop.vendor_id, {"issue_when": "on_ship"})
    order_id = _order(shop)
    lines = {line.sku: line.id for line in shop.view(order_id).lines if line.sku}
    for some in ([(lines["BOOK"], 1)], None):
        with shop.session() as session:
            document_round_service.invoice_due(session, order_id, document_round_service.ON_SHIP)
            document_round_service.invoice_due(session, order_id, document_round_service.ON_CONFIRM)
            assert document_list_service.list_of_order(session, order_id) == []
            ship(session, order_id, some, [NewParcel("dhl")], _BY)
    with shop.session() as session:
        document_round_service.invoice_due(session, order_id, document_round_service.ON_SHIP)
        document_round_service.invoice_due(session, order_id, document_round_service.ON_SHIP)
        (draft,) = document_list_service.list_of_order(session, order_id)
        assert (draft.status, draft.job_id is not None) == ("draft", True)


def test_programs_draft_and_issue(shop: Desk, client: TestClient) -> None:
    order_id = to_public("ord", _order(shop))
    vendor = find_vendor(code="GUTLAND")
    assert vendor
    with unit_of_work(IdentityScope()) as session:
        holder = vendor_holder(session, vendor.id, owner_of(session, vendor.company_id))
    assert holder
    api_callers.forget()
    headers = {"Authorization": f"Bearer {make_key(holder)}", "Idempotency-Key": "k-1"}

    def call(method: str, path: str, status: int, body: Any = None) -> Any:
        answer = client.request(method, f"/api/v1/vendor/documents{path}", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    made = call("POST", "", 201, {"order_id": order_id})
    assert (made["state"], made["regime"], made["gross_cents"], len(made["taxes"])) == (
        "draft",
        "oss",
        4600,
        2,
    )
    assert call("POST", f"/{made['id']}/issue", 202)["id"] == made["id"]
    assert call("GET", f"/{made['id']}", 200)["order_id"] == order_id
    assert [one["id"] for one in call("GET", "?state=draft&kind=invoice", 200)["data"]] == [made["id"]]
    headers["Idempotency-Key"] = "k-2"
    assert call("POST", "", 422, {})["errors"][0]["pointer"] == "#/order_id"


def test_what_is_issued_goes_to_the_buyer_by_mail_if_the_vendor_wants(shop: Desk) -> None:
    def mails() -> list[EmailMessage]:
        files = sorted((get_settings().data_dir / "outbox").glob("*.eml"))
        return [message_from_bytes(file.read_bytes(), policy=SMTP) for file in files]  # type: ignore[misc]

    def issued(order_id: UUID) -> UUID:
        with shop.session() as session:
            document = drafts.draft_invoice(session, order_id)
            assert issue(session, [document.id]).issued == 1
            return document.id

    known = len(mails())
    quiet = issued(_order(shop))
    work()
    assert len(mails()) == known
    with shop.session() as session:
        save_settings(session, shop.vendor_id, {"is_mailed": True, "email": "shop@gutland.example"})
    order_id = _order(shop)
    document_id = issued(order_id)
    issued(_order(shop, buyer=replace(ANNE, email=None)))  # who has no address gets none
    work()
    (mail,) = mails()[known:]
    assert (mail["To"], mail["Reply-To"]) == (ANNE.email, "shop@gutland.example")
    assert "Facture G-" in mail["Subject"]  # in the buyer's language
    (paper,) = mail.iter_attachments()
    with shop.session() as session:
        assert paper.get_content() == file_of(session.get_one(Document, document_id), "pdf").read_bytes()
        mail_once_more(session, session.get_one(Document, quiet), None)
    assert shop.kinds(order_id)[-1] == "document_mailed"
    work()
    assert len(mails()) == known + 2
