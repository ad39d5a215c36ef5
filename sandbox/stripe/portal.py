"""Billing portal: sessions, and what the customer does on the hosted page."""

from sandbox.store import Object
from sandbox.stripe.account import Account
from sandbox.stripe.forms import Params, Spec
from sandbox.stripe.lists import PAGING, page
from sandbox.stripe.operations import metadata, need, operation

_DEFAULT_CONFIGURATION = "bpc_sandbox_default"
_ENABLED: Spec = {"enabled": bool}
_CONFIGURATION: dict[str, Spec] = {
    "active": bool,
    "business_profile": {"headline": str, "privacy_policy_url": str, "terms_of_service_url": str},
    "default_return_url": str,
    "features": {
        "customer_update": {"enabled": bool, "allowed_updates": [str]},
        "invoice_history": _ENABLED,
        "payment_method_update": _ENABLED,
        "subscription_cancel": {"enabled": bool, "mode": ("at_period_end", "immediately")},
        "subscription_update": {"enabled": bool, "default_allowed_updates": [str]},
    },
    "metadata": dict,
    "name": str,
}


@operation("POST", "/v1/billing_portal/configurations", _CONFIGURATION)
def create_configuration(account: Account, params: Params) -> Object:
    value: Object = {
        "id": account.new_id("bpc"),
        "object": "billing_portal.configuration",
        "active": True,
        "application": None,
        "business_profile": params.get("business_profile") or {},
        "created": account.now(),
        "default_return_url": params.get("default_return_url"),
        "features": params.get("features") or {},
        "is_default": False,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": metadata({}, params.get("metadata")),
        "name": params.get("name"),
        "updated": account.now(),
    }
    return account.create(value, "billing_portal.configuration.created")


@operation("GET", "/v1/billing_portal/configurations/{id}")
def retrieve_configuration(account: Account, _params: Params, configuration_id: str) -> Object:
    return account.get("billing_portal.configuration", configuration_id)


@operation("GET", "/v1/billing_portal/configurations", {**PAGING, "active": bool, "is_default": bool})
def list_configurations(account: Account, params: Params) -> Object:
    return page(account, "billing_portal.configuration", params, "/v1/billing_portal/configurations")


@operation(
    "POST",
    "/v1/billing_portal/sessions",
    {
        "configuration": str,
        "customer": str,
        "flow_data": {"type": ("payment_method_update",)},
        "locale": str,
        "return_url": str,
    },
)
def create(account: Account, params: Params) -> Object:
    need(params, "customer")
    account.get("customer", params["customer"], "customer")
    session_id = account.new_id("bps")
    flow = None
    if params.get("flow_data"):
        flow = {
            "after_completion": {"hosted_confirmation": None, "redirect": None, "type": "portal_homepage"},
            "subscription_cancel": None,
            "subscription_update": None,
            "subscription_update_confirm": None,
            "type": params["flow_data"]["type"],
        }
    session: Object = {
        "id": session_id,
        "object": "billing_portal.session",
        "configuration": params.get("configuration") or _DEFAULT_CONFIGURATION,
        "created": account.now(),
        "customer": params["customer"],
        "customer_account": None,
        "flow": flow,
        "livemode": False,
        "locale": params.get("locale"),
        "on_behalf_of": None,
        "return_url": params.get("return_url"),
        "url": f"{account.base_url}/pages/portal/{session_id}",
    }
    return account.create(session, "billing_portal.session.created")
