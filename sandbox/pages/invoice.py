"""The page of an invoice, its payment, and its PDF."""

from sandbox.pages.shown import CardError, Page, Redirect, asks_bank, moment, money, read_card
from sandbox.store import Object
from sandbox.stripe import intents, invoices
from sandbox.stripe.account import Account
from sandbox.stripe.errors import StripeError
from sandbox.stripe.payment_methods import attach_to


def show(account: Account, invoice_id: str, _form: dict[str, str]) -> Page:
    return _page(account, invoice_id, None)


def _page(account: Account, invoice_id: str, problem: str | None, status: int = 200) -> Page:
    invoice = account.get("invoice", invoice_id)
    return Page("invoice.html", {"invoice": invoice, "problem": problem}, status)


def pay(account: Account, invoice_id: str, form: dict[str, str]) -> Page | Redirect:
    invoice = account.get("invoice", invoice_id)
    if asks_bank(form):
        return Page("bank.html", {"kept": form, "leads_to": None, "action": f"invoice/{invoice_id}"})
    if form.get("bank") == "fail":
        return _page(account, invoice_id, "The bank did not confirm the payment.", 402)
    try:
        with account.store.transaction():
            method = read_card(account, form)
            attach_to(account, method["id"], account.get("customer", invoice["customer"]))
    except (CardError, StripeError) as error:
        return _page(account, invoice_id, str(error), 422 if isinstance(error, CardError) else error.status)
    method = account.get("payment_method", method["id"])
    is_confirmed = form.get("bank") == "pass"
    account.change(method, None, _is_authenticated=is_confirmed, _is_confirmed=is_confirmed)
    invoices.collect(account, invoice, method, is_off_session=False, is_asked=True)
    account.change(account.get("payment_method", method["id"]), None, _is_confirmed=False)
    try:
        intents.raise_if_failed(account.get("payment_intent", invoice["_intent"]))
    except StripeError as error:
        return _page(account, invoice_id, str(error), error.status)
    return Redirect(str(invoice["hosted_invoice_url"]))


def pdf(account: Account, invoice_id: str, _form: dict[str, str]) -> bytes:
    """One plain page."""
    invoice = account.get("invoice", invoice_id)
    return _pdf(_text(invoice))


def _text(invoice: Object) -> list[str]:
    currency = invoice["currency"]
    rows = [
        f"{money(line['amount'], currency):>16}   {line['description'] or ''}"
        for line in invoice["lines"]["data"]
    ]
    return [
        f"Invoice {invoice['number'] or '(draft)'}",
        f"{invoice['account_name']} - stand-in, no money moves",
        f"To: {invoice['customer_name'] or ''} {invoice['customer_email'] or ''}",
        f"Date: {moment(invoice['effective_at'] or invoice['created'])}    Status: {invoice['status']}",
        "",
        *rows,
        "",
        f"{money(invoice['total'], currency):>16}   Total",
        f"{money(invoice['amount_remaining'], currency):>16}   To pay",
    ]


def _pdf(lines: list[str]) -> bytes:
    """A PDF of these lines in a fixed-width font."""
    escaped = [line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") for line in lines]
    body = "BT /F1 10 Tf 14 TL 50 790 Td " + " ".join(f"({line}) Tj T*" for line in escaped) + " ET"
    stream = body.encode("cp1252", "replace")
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
            b"/Resources << /Font << /F1 5 0 R >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(parts) + 1, table)
    return out + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, start)
