"""Payment intents."""

from typing import Any

from sandbox.store import Object
from sandbox.stripe.account import Account, public
from sandbox.stripe.cards import card_of
from sandbox.stripe.charges import charge, needs_authentication
from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.forms import Params, Spec
from sandbox.stripe.lists import PAGING, page
from sandbox.stripe.operations import assign, metadata, need, operation
from sandbox.stripe.payment_methods import attach_to, declined, method_of

_FIELDS: dict[str, Spec] = {
    "amount": int,
    "currency": str,
    "customer": str,
    "description": str,
    "metadata": dict,
    "payment_method": str,
    "receipt_email": str,
    "setup_future_usage": ("off_session", "on_session"),
    "statement_descriptor_suffix": str,
}
_PLAIN = (
    "amount",
    "currency",
    "description",
    "receipt_email",
    "setup_future_usage",
    "statement_descriptor_suffix",
)
_CONFIRM: dict[str, Spec] = {
    "payment_method": str,
    "return_url": str,
    "off_session": str,
    "receipt_email": str,
}
_CREATE: dict[str, Spec] = {
    **_FIELDS,
    **_CONFIRM,
    "automatic_payment_methods": {"enabled": bool, "allow_redirects": ("always", "never")},
    "capture_method": ("automatic", "automatic_async", "manual"),
    "confirm": bool,
    "confirmation_method": ("automatic",),
    "payment_method_types": [str],
}
_CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


def make(account: Account, params: Params) -> Object:
    """A payment intent that is not confirmed."""
    intent_id = account.new_id("pi")
    value: Object = {
        "id": intent_id,
        "object": "payment_intent",
        "amount": params["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": params.get("automatic_payment_methods"),
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": params.get("capture_method", "automatic"),
        "client_secret": f"{intent_id}_secret_{account.new_id('s')[2:]}",
        "confirmation_method": "automatic",
        "created": account.now(),
        "currency": params["currency"].lower(),
        "customer": params.get("customer") or None,
        "customer_account": None,
        "description": params.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": metadata({}, params.get("metadata")),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": params.get("payment_method_types", ["card"]),
        "processing": None,
        "receipt_email": params.get("receipt_email"),
        "review": None,
        "setup_future_usage": params.get("setup_future_usage"),
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": params.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
        "_invoice": params.get("_invoice"),
        "_return_url": params.get("return_url"),
    }
    return account.create(value, "payment_intent.created")


@operation("POST", "/v1/payment_intents", _CREATE)
def create(account: Account, params: Params) -> Object:
    need(params, "amount", "currency")
    if params["amount"] < 1:
        raise invalid("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    if params.get("customer"):
        account.get("customer", params["customer"], "customer")
    intent = make(account, params)
    if params.get("payment_method"):
        method = _method(account, intent, params["payment_method"])
        account.change(intent, None, payment_method=method["id"], status="requires_confirmation")
    return _confirm(account, intent, params) if params.get("confirm") else intent


def _method(account: Account, intent: Object, method_id: str) -> Object:
    method = method_of(account, method_id)
    if method["customer"] is not None and method["customer"] != intent["customer"]:
        raise invalid(
            "The provided PaymentMethod was previously used or belongs to a Customer. Provide that Customer as well.",
            "payment_method",
        )
    return method


@operation("GET", "/v1/payment_intents/{id}", {"client_secret": str})
def retrieve(account: Account, _params: Params, intent_id: str) -> Object:
    return account.get("payment_intent", intent_id)


@operation("POST", "/v1/payment_intents/{id}", _FIELDS)
def update(account: Account, params: Params, intent_id: str) -> Object:
    intent = account.get("payment_intent", intent_id)
    if intent["status"] not in _CONFIRMABLE:
        raise _unexpected(intent, "update")
    assign(intent, params, *_PLAIN, "customer")
    intent["metadata"] = metadata(intent["metadata"], params.get("metadata"))
    if params.get("payment_method"):
        method = _method(account, intent, params["payment_method"])
        intent.update(payment_method=method["id"], status="requires_confirmation")
    return account.change(intent, None)


@operation("POST", "/v1/payment_intents/{id}/confirm", _CONFIRM)
def confirm(account: Account, params: Params, intent_id: str) -> Object:
    return _confirm(account, account.get("payment_intent", intent_id), params)


def _confirm(account: Account, intent: Object, params: Params) -> Object:
    if intent["status"] not in _CONFIRMABLE:
        raise _unexpected(intent, "confirm")
    method_id = params.get("payment_method") or intent["payment_method"]
    if not method_id:
        raise invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            "payment_method",
            "payment_intent_unexpected_state",
        )
    intent["_return_url"] = params.get("return_url") or intent["_return_url"]
    is_off_session = params.get("off_session") not in (None, "", "false")
    attempt(account, intent, _method(account, intent, method_id), is_off_session=is_off_session)
    raise_if_failed(intent)
    return intent


def raise_if_failed(intent: Object) -> None:
    """The card error of a payment that has just failed; what happened stays."""
    error = intent["last_payment_error"]
    if intent["status"] == "requires_payment_method" and error:
        shown = public(intent)
        failed = declined(intent["_decline"], payment_intent=shown, payment_method=error["payment_method"])
        failed.fields["charge"] = intent["latest_charge"]
        failed.keeps_effects = True
        raise failed


def attempt(account: Account, intent: Object, method: Object, *, is_off_session: bool) -> str | None:
    """Try to take the money: the intent ends succeeded, waiting (action or capture) or failed. Returns the decline."""
    intent.update(payment_method=method["id"], last_payment_error=None, next_action=None)
    card = card_of(method["_number"])
    code = card.charge
    if code is None and needs_authentication(method, is_off_session=is_off_session):
        if not is_off_session:
            action = _next_action(account, intent)
            account.change(
                intent, "payment_intent.requires_action", status="requires_action", next_action=action
            )
            return "authentication_required"
        code = "authentication_required"
    return _take(account, intent, method, code)


def _take(account: Account, intent: Object, method: Object, code: str | None) -> str | None:
    taken = charge(account, intent, method, code)
    intent["latest_charge"] = taken["id"]
    if code is not None:
        _fail(account, intent, method, code)
        return code
    if intent["setup_future_usage"] and intent["customer"] and not method["customer"]:
        attach_to(account, method["id"], account.get("customer", intent["customer"]))
    if intent["capture_method"] == "manual":
        amount = intent["amount"]
        account.change(
            intent,
            "payment_intent.amount_capturable_updated",
            status="requires_capture",
            amount_capturable=amount,
        )
        return None
    account.change(
        intent,
        "payment_intent.succeeded",
        status="succeeded",
        amount_received=intent["amount"],
        next_action=None,
    )
    return None


def _fail(account: Account, intent: Object, method: Object, code: str) -> None:
    fields = declined(code).fields
    error: dict[str, Any] = {
        "charge": intent["latest_charge"],
        "code": fields["code"],
        "decline_code": fields.get("decline_code"),
        "message": fields["message"],
        "payment_method": public(method),
        "type": "card_error",
    }
    intent["_decline"] = code
    account.change(
        intent,
        "payment_intent.payment_failed",
        status="requires_payment_method",
        payment_method=None,
        last_payment_error=error,
        next_action=None,
    )


def _next_action(account: Account, intent: Object) -> Object:
    if not intent["_return_url"]:
        return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
    url = f"{account.base_url}/pages/authenticate/{intent['id']}"
    return {"redirect_to_url": {"return_url": intent["_return_url"], "url": url}, "type": "redirect_to_url"}


def finish_authentication(account: Account, intent: Object, *, is_passed: bool) -> str | None:
    """The card holder answered the bank. Returns the decline code, if any."""
    method = account.get("payment_method", intent["payment_method"])
    if is_passed:
        account.change(method, None, _is_authenticated=True)
        return _take(account, intent, method, None)
    _fail(account, intent, method, "authentication_required")
    return "authentication_required"


@operation("POST", "/v1/payment_intents/{id}/capture", {"amount_to_capture": int, "metadata": dict})
def capture(account: Account, params: Params, intent_id: str) -> Object:
    intent = account.get("payment_intent", intent_id)
    if intent["status"] != "requires_capture":
        raise _unexpected(intent, "capture")
    amount = int(params.get("amount_to_capture") or intent["amount_capturable"])
    if not 1 <= amount <= intent["amount_capturable"]:
        raise invalid("The amount to capture is greater than the remaining amount.", "amount_to_capture")
    taken = account.get("charge", intent["latest_charge"])
    account.change(taken, "charge.captured", captured=True, amount_captured=amount)
    intent["metadata"] = metadata(intent["metadata"], params.get("metadata"))
    return account.change(
        intent, "payment_intent.succeeded", status="succeeded", amount_capturable=0, amount_received=amount
    )


@operation(
    "POST",
    "/v1/payment_intents/{id}/cancel",
    {"cancellation_reason": ("duplicate", "fraudulent", "requested_by_customer", "abandoned")},
)
def cancel(account: Account, params: Params, intent_id: str) -> Object:
    intent = account.get("payment_intent", intent_id)
    if intent["status"] not in (*_CONFIRMABLE, "requires_capture"):
        raise _unexpected(intent, "cancel")
    return stop(account, intent, params.get("cancellation_reason"))


def stop(account: Account, intent: Object, reason: str | None) -> Object:
    """Cancel it."""
    return account.change(
        intent,
        "payment_intent.canceled",
        status="canceled",
        canceled_at=account.now(),
        cancellation_reason=reason,
        amount_capturable=0,
        next_action=None,
    )


@operation("GET", "/v1/payment_intents", {**PAGING, "customer": str})
def list_all(account: Account, params: Params) -> Object:
    return page(account, "payment_intent", params, "/v1/payment_intents", customer=params.get("customer"))


def _unexpected(intent: Object, verb: str) -> StripeError:
    return StripeError(
        400,
        f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}.",
        code="payment_intent_unexpected_state",
        payment_intent=public(intent),
    )
