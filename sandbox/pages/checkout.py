"""The checkout page, and the bank's question."""

from typing import Any

from sandbox.pages.shown import CardError, Page, Redirect, asks_bank, read_card
from sandbox.store import Object
from sandbox.stripe import intents, invoices, setup_intents
from sandbox.stripe.account import Account
from sandbox.stripe.checkout import complete
from sandbox.stripe.errors import StripeError, missing
from sandbox.stripe.lines import product_name

_REFUSED = "The bank did not confirm the payment. Try again, or use another card."


def show(account: Account, session_id: str, _form: dict[str, str]) -> Page | Redirect:
    session = account.get("checkout.session", session_id)
    if session["status"] == "complete":
        return Redirect(_back(session))
    if session["status"] == "expired":
        return Page("message.html", {"message": "This checkout has expired."}, 410)
    return _page(account, session, {}, None)


def _page(
    account: Account, session: Object, form: dict[str, str], problem: str | None, status: int = 200
) -> Page:
    rows = [
        {
            "name": product_name(account, row["price"]),
            "quantity": row["quantity"],
            "amount": row["price"]["unit_amount"] * row["quantity"],
            "currency": row["price"]["currency"],
            "interval": (row["price"]["recurring"] or {}).get("interval"),
        }
        for row in session["_rows"]
    ]
    customer = account.store.load(session["customer"]) if session["customer"] else None
    values: dict[str, Any] = {
        "session": session,
        "rows": rows,
        "email": form.get("email") or session["customer_email"] or (customer or {}).get("email") or "",
        "name": form.get("name", ""),
        "is_email_fixed": bool(session["customer"] or session["customer_email"]),
        "trial_days": session["_data"].get("trial_period_days"),
        "is_card_needed": _needs_card(session),
        "problem": problem,
        "leads_to": session["success_url"],
        "back_url": session["cancel_url"],
    }
    return Page("checkout.html", values, status)


def _needs_card(session: Object) -> bool:
    return session["payment_method_collection"] == "always" or bool(session["amount_total"])


def send(account: Account, session_id: str, form: dict[str, str]) -> Page | Redirect:
    session = account.get("checkout.session", session_id)
    if session["status"] != "open":
        return show(account, session_id, form)
    if not session["customer"] and not session["customer_email"] and "@" not in form.get("email", ""):
        return _page(account, session, form, "Write an e-mail address.", 422)
    has_card = _needs_card(session) or bool(form.get("number"))
    if has_card and asks_bank(form):
        return _ask(form, session["success_url"], f"checkout/{session_id}")
    if form.get("bank") == "fail":
        return _page(account, session, form, _REFUSED, 402)
    failure: CardError | StripeError | None
    try:
        with account.store.transaction():
            failure = _complete(account, session, form, has_card=has_card)
    except (CardError, StripeError) as error:
        failure = error
    if failure is None:
        return Redirect(_back(session))
    fresh = account.get("checkout.session", session_id)
    status = failure.status if isinstance(failure, StripeError) else 422
    return _page(account, fresh, form, str(failure), status)


def _complete(
    account: Account, session: Object, form: dict[str, str], *, has_card: bool
) -> StripeError | None:
    """Complete the session. A failure that leaves something behind is returned, others are raised."""
    method = read_card(account, form) if has_card else None
    if method is not None and form.get("bank") == "pass":
        account.change(method, None, _is_authenticated=True, _is_confirmed=True)
    try:
        complete(account, session, method, form)
    except StripeError as error:
        if not error.keeps_effects:
            raise
        return error
    if method is not None:
        account.change(account.get("payment_method", method["id"]), None, _is_confirmed=False)
    return None


def _ask(form: dict[str, str], leads_to: str, action: str) -> Page:
    kept = {name: value for name, value in form.items() if name != "bank"}
    return Page("bank.html", {"kept": kept, "leads_to": leads_to, "action": action})


def _back(session: Object) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _intent(account: Account, intent_id: str) -> Object:
    intent = account.store.load(intent_id)
    if intent is None or intent["object"] not in ("payment_intent", "setup_intent"):
        raise missing("payment_intent", intent_id)
    account.follow_clock_of(intent)
    return intent


def ask_bank(account: Account, intent_id: str, _form: dict[str, str]) -> Page:
    """The question of the bank for an intent that requires action."""
    intent = _intent(account, intent_id)
    if intent["status"] != "requires_action":
        return Page("message.html", {"message": "There is nothing to confirm any more."})
    return Page(
        "bank.html", {"kept": {}, "leads_to": intent["_return_url"], "action": f"authenticate/{intent_id}"}
    )


def answer_bank(account: Account, intent_id: str, form: dict[str, str]) -> Page | Redirect:
    intent = _intent(account, intent_id)
    if intent["status"] == "requires_action":
        module = intents if intent["object"] == "payment_intent" else setup_intents
        code = module.finish_authentication(account, intent, is_passed=form.get("bank") == "pass")
        if intent.get("_invoice"):
            invoice = account.get("invoice", intent["_invoice"])
            if code is None:
                invoices.mark_paid(account, invoice)
            else:
                invoices.failed(account, invoice, code, is_asked=True)
    back = intent["_return_url"]
    if not back:
        return Page("message.html", {"message": "Done. You may close this page."})
    mark = "&" if "?" in back else "?"
    return Redirect(f"{back}{mark}{intent['object']}={intent['id']}&redirect_status={intent['status']}")
