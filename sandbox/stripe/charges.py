"""Charges: one attempt to take money from a card; and refunds."""

from sandbox.store import Object
from sandbox.stripe.account import Account
from sandbox.stripe.cards import card_of, decline
from sandbox.stripe.errors import invalid
from sandbox.stripe.expand import includes
from sandbox.stripe.forms import Params
from sandbox.stripe.lists import PAGING, list_of, page
from sandbox.stripe.operations import metadata, operation

_NULLS = (
    "application",
    "application_fee",
    "application_fee_amount",
    "balance_transaction",
    "failure_balance_transaction",
    "on_behalf_of",
    "receipt_number",
    "receipt_url",
    "review",
    "shipping",
    "source",
    "source_transfer",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
)


def needs_authentication(method: Object, *, is_off_session: bool) -> bool:
    """Whether the bank asks the card holder. A card saved with authentication is not asked again off session."""
    if method["_is_confirmed"]:
        return False
    how = card_of(method["_number"]).authenticates
    return how == "always" or (how == "setup" and not (is_off_session and method["_is_authenticated"]))


def charge(account: Account, intent: Object, method: Object, decline_code: str | None) -> Object:
    """The charge of an attempt; succeeded, authorised only (capture by hand) or failed with this code."""
    is_manual = intent["capture_method"] == "manual"
    code, message = decline(decline_code) if decline_code else (None, None)
    charge_id = account.new_id("ch")
    value: Object = {
        "id": charge_id,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0 if is_manual or code else intent["amount"],
        "amount_refunded": 0,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "WIZAMART SANDBOX",
        "captured": not is_manual and not code,
        "created": account.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        **dict.fromkeys(_NULLS),
        "disputed": False,
        "failure_code": code,
        "failure_message": message,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "outcome": _outcome(decline_code, message),
        "paid": not code,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"card": _card_used(intent, method), "type": "card"},
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "refunded": False,
        "status": "failed" if code else "succeeded",
    }
    return account.create(value, "charge.failed" if code else "charge.succeeded")


def _card_used(intent: Object, method: Object) -> Object:
    kept = (
        "brand",
        "checks",
        "country",
        "exp_month",
        "exp_year",
        "fingerprint",
        "funding",
        "last4",
        "wallet",
    )
    return {
        **{name: method["card"][name] for name in kept},
        "amount_authorized": intent["amount"],
        "network": method["card"]["brand"],
        "regulated_status": "unregulated",
        "three_d_secure": None,
    }


def _outcome(decline_code: str | None, message: str | None) -> Object:
    is_fine = decline_code is None
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network" if is_fine else "declined_by_network",
        "reason": decline_code,
        "risk_level": "normal",
        "seller_message": "Payment complete." if is_fine else message,
        "type": "authorized" if is_fine else "issuer_declined",
    }


@operation("GET", "/v1/charges/{id}")
def retrieve(account: Account, _params: Params, charge_id: str) -> Object:
    return account.get("charge", charge_id)


@operation("GET", "/v1/charges", {**PAGING, "customer": str, "payment_intent": str})
def list_all(account: Account, params: Params) -> Object:
    return page(
        account,
        "charge",
        params,
        "/v1/charges",
        customer=params.get("customer"),
        payment_intent=params.get("payment_intent"),
    )


@includes("charge", "refunds")
def _refunds(account: Account, value: Object) -> Object:
    return list_of(
        account.store.find("refund", charge=value["id"])[::-1], f"/v1/charges/{value['id']}/refunds"
    )


@operation(
    "POST",
    "/v1/refunds",
    {
        "amount": int,
        "charge": str,
        "payment_intent": str,
        "metadata": dict,
        "reason": ("duplicate", "fraudulent", "requested_by_customer"),
    },
)
def create_refund(account: Account, params: Params) -> Object:
    taken = _charge_to_refund(account, params)
    left = taken["amount_captured"] - taken["amount_refunded"]
    if left == 0:
        raise invalid(f"Charge {taken['id']} has already been refunded.", code="charge_already_refunded")
    amount = params.get("amount", left)
    if amount <= 0:
        raise invalid("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    if amount > left:
        raise invalid(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).", "amount"
        )
    value = _refund(account, taken, amount, params)
    account.create(value, "refund.created")
    refunded = taken["amount_refunded"] + amount
    account.change(
        taken, "charge.refunded", amount_refunded=refunded, refunded=refunded == taken["amount_captured"]
    )
    return value


def _charge_to_refund(account: Account, params: Params) -> Object:
    if params.get("payment_intent"):
        intent = account.get("payment_intent", params["payment_intent"], "payment_intent")
        if intent["status"] != "succeeded":
            raise invalid(f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.")
        return account.get("charge", intent["latest_charge"])
    if not params.get("charge"):
        raise invalid(
            "One of the following params should be provided for this request: payment_intent or charge."
        )
    taken = account.get("charge", params["charge"], "charge")
    if not taken["captured"]:
        raise invalid(f"Charge {taken['id']} has not been captured.")
    return taken


def _refund(account: Account, taken: Object, amount: int, params: Params) -> Object:
    return {
        "id": account.new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": taken["id"],
        "created": account.now(),
        "currency": taken["currency"],
        "customer": taken["customer"],
        "customer_account": None,
        "destination_details": {
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        },
        "metadata": metadata({}, params.get("metadata")),
        "payment_intent": taken["payment_intent"],
        "payment_method": taken["payment_method"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


@operation("GET", "/v1/refunds/{id}")
def retrieve_refund(account: Account, _params: Params, refund_id: str) -> Object:
    return account.get("refund", refund_id)


@operation("POST", "/v1/refunds/{id}", {"metadata": dict})
def update_refund(account: Account, params: Params, refund_id: str) -> Object:
    value = account.get("refund", refund_id)
    return account.change(
        value, "refund.updated", metadata=metadata(value["metadata"], params.get("metadata"))
    )


@operation("GET", "/v1/refunds", {**PAGING, "charge": str, "payment_intent": str})
def list_refunds(account: Account, params: Params) -> Object:
    return page(
        account,
        "refund",
        params,
        "/v1/refunds",
        charge=params.get("charge"),
        payment_intent=params.get("payment_intent"),
    )
