"""The billing portal: card, cancellation, invoices."""

from sandbox.pages.shown import CardError, Page, Redirect, asks_bank, read_card
from sandbox.store import Object
from sandbox.stripe import changes, invoices
from sandbox.stripe.account import Account
from sandbox.stripe.errors import StripeError
from sandbox.stripe.lines import product_name
from sandbox.stripe.payment_methods import attach_to
from sandbox.stripe.subscriptions import ENDED


def _subscriptions(account: Account, customer_id: str) -> list[Object]:
    found = account.store.find("subscription", customer=customer_id)
    return [one for one in found if one["status"] not in ENDED]


def show(account: Account, session_id: str, _form: dict[str, str]) -> Page:
    return _page(account, session_id, None)


def _page(account: Account, session_id: str, problem: str | None, status: int = 200) -> Page:
    session = account.get("billing_portal.session", session_id)
    customer = account.get("customer", session["customer"])
    method_id = customer["invoice_settings"]["default_payment_method"]
    subscriptions = _subscriptions(account, customer["id"])
    for subscription in subscriptions:
        method_id = subscription["default_payment_method"] or method_id
        subscription["rows"] = [
            {"name": product_name(account, item["price"]), **item} for item in subscription["items"]["data"]
        ]
    values = {
        "session": session,
        "customer": customer,
        "subscriptions": subscriptions,
        "card": account.store.load(method_id)["card"] if method_id else None,  # type: ignore[index]
        "invoices": account.store.find("invoice", customer=customer["id"])[::-1][:24],
        "problem": problem,
        "leads_to": session["return_url"],
        "back_url": session["return_url"],
    }
    return Page("portal.html", values, status)


def change_card(account: Account, session_id: str, form: dict[str, str]) -> Page | Redirect:
    """The card is the customer's default, and that of every subscription; what is owed is tried again."""
    session = account.get("billing_portal.session", session_id)
    if asks_bank(form):
        kept = {"kept": form, "leads_to": session["return_url"], "action": f"portal/{session_id}/card"}
        return Page("bank.html", kept)
    if form.get("bank") == "fail":
        return _page(account, session_id, "The bank did not confirm the card.", 402)
    try:
        with account.store.transaction():
            method = read_card(account, form)
            if form.get("bank") == "pass":
                account.change(method, None, _is_authenticated=True)
            customer = account.get("customer", session["customer"])
            attach_to(account, method["id"], customer)
            settings = {**customer["invoice_settings"], "default_payment_method": method["id"]}
            account.change(customer, "customer.updated", invoice_settings=settings)
            for subscription in _subscriptions(account, customer["id"]):
                account.change(
                    subscription, "customer.subscription.updated", default_payment_method=method["id"]
                )
    except (CardError, StripeError) as error:
        return _page(account, session_id, str(error), 422 if isinstance(error, CardError) else error.status)
    _pay_what_is_owed(account, session["customer"])
    return Redirect(str(session["url"]))


def _pay_what_is_owed(account: Account, customer_id: str) -> None:
    for invoice in account.store.find("invoice", customer=customer_id, status="open"):
        if invoice["_subscription"]:
            invoices.collect(account, invoice, is_asked=True)


def cancel(account: Account, session_id: str, form: dict[str, str]) -> Redirect:
    return _end(account, session_id, form, is_ending=True)


def keep(account: Account, session_id: str, form: dict[str, str]) -> Redirect:
    return _end(account, session_id, form, is_ending=False)


def _end(account: Account, session_id: str, form: dict[str, str], *, is_ending: bool) -> Redirect:
    session = account.get("billing_portal.session", session_id)
    for subscription in _subscriptions(account, session["customer"]):
        if subscription["id"] == form.get("subscription"):
            account.follow_clock_of(subscription)
            changes.update(account, subscription, {"cancel_at_period_end": is_ending})
    return Redirect(str(session["url"]))
