"""Setup intents: saving a card for later."""

from sandbox.store import Object
from sandbox.stripe.account import Account, public
from sandbox.stripe.cards import card_of
from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.forms import Params, Spec
from sandbox.stripe.lists import PAGING, page
from sandbox.stripe.operations import metadata, operation
from sandbox.stripe.payment_methods import attach_to, declined, method_of

_CREATE: dict[str, Spec] = {
    "automatic_payment_methods": {"enabled": bool, "allow_redirects": ("always", "never")},
    "confirm": bool,
    "customer": str,
    "description": str,
    "metadata": dict,
    "payment_method": str,
    "payment_method_types": [str],
    "return_url": str,
    "usage": ("off_session", "on_session"),
}


@operation("POST", "/v1/setup_intents", _CREATE)
def create(account: Account, params: Params) -> Object:
    if params.get("customer"):
        account.get("customer", params["customer"], "customer")
    intent_id = account.new_id("seti")
    intent: Object = {
        "id": intent_id,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": params.get("automatic_payment_methods"),
        "cancellation_reason": None,
        "client_secret": f"{intent_id}_secret_{account.new_id('s')[2:]}",
        "created": account.now(),
        "customer": params.get("customer") or None,
        "customer_account": None,
        "description": params.get("description"),
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": metadata({}, params.get("metadata")),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": params.get("payment_method_types", ["card"]),
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": params.get("usage", "off_session"),
        "_return_url": params.get("return_url"),
    }
    account.create(intent, "setup_intent.created")
    if params.get("payment_method"):
        method = method_of(account, params["payment_method"])
        account.change(intent, None, payment_method=method["id"], status="requires_confirmation")
    return _confirm(account, intent, params) if params.get("confirm") else intent


@operation("POST", "/v1/setup_intents/{id}/confirm", {"payment_method": str, "return_url": str})
def confirm(account: Account, params: Params, intent_id: str) -> Object:
    return _confirm(account, account.get("setup_intent", intent_id), params)


def _confirm(account: Account, intent: Object, params: Params) -> Object:
    if intent["status"] in ("succeeded", "canceled"):
        raise StripeError(
            400,
            f"You cannot confirm this SetupIntent because it has already {intent['status']}.",
            code="setup_intent_unexpected_state",
            setup_intent=public(intent),
        )
    method_id = params.get("payment_method") or intent["payment_method"]
    if not method_id:
        raise invalid(
            "You cannot confirm this SetupIntent because it's missing a payment method.", "payment_method"
        )
    intent["_return_url"] = params.get("return_url") or intent["_return_url"]
    error = attempt(account, intent, method_of(account, method_id))
    if error is not None and intent["status"] != "requires_action":
        raise error
    return intent


def attempt(account: Account, intent: Object, method: Object) -> StripeError | None:
    """Save the card: succeeded, waiting for the bank, or declined (returned)."""
    card = card_of(method["_number"])
    intent["payment_method"] = method["id"]
    if card.attach:
        error = declined(card.attach)
        error.keeps_effects = True
        shown = {**error.fields, "payment_method": public(method)}
        account.change(
            intent,
            "setup_intent.setup_failed",
            status="requires_payment_method",
            payment_method=None,
            last_setup_error=shown,
        )
        error.fields["setup_intent"] = public(intent)
        return error
    if card.authenticates != "never" and not method["_is_authenticated"]:
        url = f"{account.base_url}/pages/authenticate/{intent['id']}"
        back = intent["_return_url"]
        action = {"redirect_to_url": {"return_url": back, "url": url}, "type": "redirect_to_url"}
        account.change(intent, "setup_intent.requires_action", status="requires_action", next_action=action)
        return declined("authentication_required")
    if intent["customer"]:
        attach_to(account, method["id"], account.get("customer", intent["customer"]))
    account.change(
        intent, "setup_intent.succeeded", status="succeeded", next_action=None, last_setup_error=None
    )
    return None


def finish_authentication(account: Account, intent: Object, *, is_passed: bool) -> str | None:
    """The card holder answered the bank. Returns the decline code, if any."""
    method = account.get("payment_method", intent["payment_method"])
    if is_passed:
        account.change(method, None, _is_authenticated=True)
        attempt(account, intent, method)
        return None
    error = {**declined("authentication_required").fields, "payment_method": public(method)}
    account.change(
        intent,
        "setup_intent.setup_failed",
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_setup_error=error,
    )
    return "authentication_required"


@operation("GET", "/v1/setup_intents/{id}", {"client_secret": str})
def retrieve(account: Account, _params: Params, intent_id: str) -> Object:
    return account.get("setup_intent", intent_id)


@operation("POST", "/v1/setup_intents/{id}/cancel", {"cancellation_reason": str})
def cancel(account: Account, params: Params, intent_id: str) -> Object:
    intent = account.get("setup_intent", intent_id)
    return account.change(
        intent,
        "setup_intent.canceled",
        status="canceled",
        next_action=None,
        cancellation_reason=params.get("cancellation_reason"),
    )


@operation("GET", "/v1/setup_intents", {**PAGING, "customer": str})
def list_all(account: Account, params: Params) -> Object:
    return page(account, "setup_intent", params, "/v1/setup_intents", customer=params.get("customer"))
