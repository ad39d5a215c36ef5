"""Events, webhook endpoints, test clocks, and the account itself."""

from sandbox.store import Object
from sandbox.stripe.account import API_VERSION, Account
from sandbox.stripe.errors import invalid
from sandbox.stripe.forms import Params, Spec
from sandbox.stripe.lists import PAGING, page
from sandbox.stripe.operations import metadata, need, operation


@operation("GET", "/v1/events/{id}")
def retrieve_event(account: Account, _params: Params, event_id: str) -> Object:
    return account.get("event", event_id)


@operation("GET", "/v1/events", {**PAGING, "type": str, "types": [str]})
def list_events(account: Account, params: Params) -> Object:
    types = params.get("types")
    return page(
        account,
        "event",
        params,
        "/v1/events",
        keeps=lambda row: types is None or row["type"] in types,
        type=params.get("type"),
    )


_ENDPOINT: dict[str, Spec] = {"description": str, "enabled_events": [str], "metadata": dict, "url": str}


@operation("POST", "/v1/webhook_endpoints", {**_ENDPOINT, "api_version": str})
def create_endpoint(account: Account, params: Params) -> Object:
    need(params, "url", "enabled_events")
    secret = f"whsec_{account.new_id('whsec', 32)[6:]}"
    return make_endpoint(account, params["url"], params["enabled_events"], secret, params)


def make_endpoint(account: Account, url: str, events: list[str], secret: str, params: Params) -> Object:
    """An endpoint; its secret is shown once, as Stripe does."""
    value: Object = {
        "id": account.new_id("we"),
        "object": "webhook_endpoint",
        "api_version": API_VERSION,
        "application": None,
        "created": account.now(),
        "description": params.get("description"),
        "enabled_events": events,
        "livemode": False,
        "metadata": metadata({}, params.get("metadata")),
        "status": "enabled",
        "url": url,
        "_secret": secret,
    }
    account.create(value)
    return {**value, "secret": secret}


@operation("GET", "/v1/webhook_endpoints/{id}")
def retrieve_endpoint(account: Account, _params: Params, endpoint_id: str) -> Object:
    return account.get("webhook_endpoint", endpoint_id)


@operation("POST", "/v1/webhook_endpoints/{id}", {**_ENDPOINT, "disabled": bool})
def update_endpoint(account: Account, params: Params, endpoint_id: str) -> Object:
    value = account.get("webhook_endpoint", endpoint_id)
    for name in ("description", "enabled_events", "url"):
        value[name] = params.get(name, value[name])
    value["metadata"] = metadata(value["metadata"], params.get("metadata"))
    if "disabled" in params:
        value["status"] = "disabled" if params["disabled"] else "enabled"
    return account.change(value, None)


@operation("DELETE", "/v1/webhook_endpoints/{id}")
def delete_endpoint(account: Account, _params: Params, endpoint_id: str) -> Object:
    account.get("webhook_endpoint", endpoint_id)
    account.store.remove(endpoint_id)
    return {"id": endpoint_id, "object": "webhook_endpoint", "deleted": True}


@operation("GET", "/v1/webhook_endpoints", PAGING)
def list_endpoints(account: Account, params: Params) -> Object:
    return page(account, "webhook_endpoint", params, "/v1/webhook_endpoints")


@operation("POST", "/v1/test_helpers/test_clocks", {"frozen_time": int, "name": str})
def create_clock(account: Account, params: Params) -> Object:
    need(params, "frozen_time")
    clock: Object = {
        "id": account.new_id("clock"),
        "object": "test_helpers.test_clock",
        "created": account.now(),
        "deletes_after": account.now() + 30 * 86400,
        "frozen_time": params["frozen_time"],
        "livemode": False,
        "name": params.get("name"),
        "status": "ready",
        "status_details": {},
    }
    return account.create(clock, "test_helpers.test_clock.created")


@operation("GET", "/v1/test_helpers/test_clocks/{id}")
def retrieve_clock(account: Account, _params: Params, clock_id: str) -> Object:
    return account.get("test_helpers.test_clock", clock_id)


@operation("GET", "/v1/test_helpers/test_clocks", PAGING)
def list_clocks(account: Account, params: Params) -> Object:
    return page(account, "test_helpers.test_clock", params, "/v1/test_helpers/test_clocks")


@operation("POST", "/v1/test_helpers/test_clocks/{id}/advance", {"frozen_time": int})
def advance_clock(account: Account, params: Params, clock_id: str) -> Object:
    """At once, where Stripe takes a while: the clock is ready in the answer."""
    need(params, "frozen_time")
    clock = account.get("test_helpers.test_clock", clock_id)
    until = params["frozen_time"]
    if until < clock["frozen_time"]:
        raise invalid("The frozen time of a test clock can only go forward.", "frozen_time")
    account.run_due(until, clock_id)
    account.begin()
    return account.change(clock, "test_helpers.test_clock.ready", frozen_time=until)


@operation("DELETE", "/v1/test_helpers/test_clocks/{id}")
def delete_clock(account: Account, _params: Params, clock_id: str) -> Object:
    account.get("test_helpers.test_clock", clock_id)
    for customer in account.store.find("customer", test_clock=clock_id):
        for kind in ("subscription", "invoice"):
            for value in account.store.find(kind, customer=customer["id"]):
                account.store.unplan(value["id"])
                account.store.remove(value["id"])
        account.store.remove(customer["id"])
    account.store.remove(clock_id)
    return {"id": clock_id, "object": "test_helpers.test_clock", "deleted": True}


@operation("GET", "/v1/account")
def retrieve_account(_account: Account, _params: Params) -> Object:
    return {
        "id": "acct_1Sandbox",
        "object": "account",
        "business_profile": {"name": "Wizamart sandbox", "url": None},
        "charges_enabled": True,
        "country": "LU",
        "default_currency": "eur",
        "details_submitted": True,
        "email": "sandbox@example.com",
        "payouts_enabled": True,
        "settings": {"dashboard": {"display_name": "Wizamart sandbox", "timezone": "Europe/Luxembourg"}},
        "type": "standard",
    }


@operation("GET", "/v1/balance")
def retrieve_balance(_account: Account, _params: Params) -> Object:
    nothing = [{"amount": 0, "currency": "eur", "source_types": {"card": 0}}]
    return {"object": "balance", "available": nothing, "livemode": False, "pending": nothing}
