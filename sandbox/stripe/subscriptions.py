"""Subscriptions: made, ended; what a paid or failed invoice means for them."""

from typing import Any

from sandbox.store import Object
from sandbox.stripe import invoices
from sandbox.stripe.account import Account
from sandbox.stripe.calendar import DAY, HOUR, period_at
from sandbox.stripe.catalogue import make_price, plan_of
from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.forms import Params
from sandbox.stripe.lines import part_of, period_line, price_of, trial_line
from sandbox.stripe.lists import list_of
from sandbox.stripe.operations import metadata, need
from sandbox.stripe.payment_methods import declined, method_of

ENDED = ("canceled", "incomplete_expired")
_INCOMPLETE_HOURS = 23
_TRIAL_NOTICE = 3 * DAY
DUNNING_ENDS = ("canceled", "unpaid", "past_due")


def create(account: Account, params: Params) -> Object:
    """A subscription with its first invoice, which is paid at once or leaves it incomplete."""
    need(params, "customer", "items")
    customer = account.get("customer", params["customer"], "customer")
    subscription = _blank(account, customer, params)
    _set_periods(account, subscription, params)
    rows = [make_item(account, subscription, item) for item in params["items"]]
    check_items(rows)
    subscription["items"]["data"] = rows
    subscription["currency"] = rows[0]["price"]["currency"]
    _plan_end(account, subscription, params)
    account.create(subscription)
    plan_next(account, subscription)
    _bill_first(account, subscription, customer, params.get("payment_behavior", "allow_incomplete"))
    subscription = account.get("subscription", subscription["id"])
    account.emit("customer.subscription.created", subscription)
    return subscription


_NULLS = (
    "application",
    "application_fee_percent",
    "billing_cycle_anchor_config",
    "billing_thresholds",
    "cancel_at",
    "canceled_at",
    "customer_account",
    "days_until_due",
    "default_source",
    "description",
    "ended_at",
    "latest_invoice",
    "next_pending_invoice_item_invoice",
    "on_behalf_of",
    "pause_collection",
    "pending_invoice_item_interval",
    "pending_setup_intent",
    "pending_update",
    "schedule",
    "transfer_data",
    "trial_end",
    "trial_start",
)


def _blank(account: Account, customer: Object, params: Params) -> Object:
    subscription_id = account.new_id("sub")
    method = None
    if params.get("default_payment_method"):
        method = method_of(
            account, params["default_payment_method"], customer["id"], "default_payment_method"
        )["id"]
    end_behavior = {"missing_payment_method": "create_invoice", "billing_cycle_anchor": None}
    given_end = (params.get("trial_settings") or {}).get("end_behavior") or {}
    now = account.now()
    return {
        "id": subscription_id,
        "object": "subscription",
        **dict.fromkeys(_NULLS),
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": now,
        "billing_mode": {
            "flexible": {"proration_discounts": "included"},
            "type": "flexible",
            "updated_at": now,
        },
        "billing_schedules": [],
        "cancel_at_period_end": False,
        "cancellation_details": {"comment": None, "feedback": None, "feedback_option": None, "reason": None},
        "collection_method": params.get("collection_method", "charge_automatically"),
        "created": now,
        "currency": "eur",
        "customer": customer["id"],
        "days_until_due": params.get("days_until_due"),
        "default_payment_method": method,
        "default_tax_rates": [],
        "description": params.get("description"),
        "discounts": [],
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": list_of([], f"/v1/subscription_items?subscription={subscription_id}"),
        "livemode": False,
        "metadata": metadata({}, params.get("metadata")),
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
            **(params.get("payment_settings") or {}),
        },
        "start_date": now,
        "status": "active",
        "test_clock": customer["test_clock"],
        "trial_settings": {"end_behavior": {**end_behavior, **given_end}},
    }


def _set_periods(account: Account, subscription: Object, params: Params) -> None:
    """Trial and anchor of a new subscription."""
    now = account.now()
    trial_end = params.get("trial_end")
    if params.get("trial_period_days"):
        trial_end = now + params["trial_period_days"] * DAY
    if trial_end not in (None, "", "now"):
        trial_end = read_time(trial_end, "trial_end")
        if trial_end <= now:
            raise invalid("Invalid timestamp: must be an integer Unix timestamp in the future", "trial_end")
        subscription.update(
            status="trialing", trial_start=now, trial_end=trial_end, billing_cycle_anchor=trial_end
        )
    if params.get("billing_cycle_anchor"):
        if params["billing_cycle_anchor"] < now:
            raise invalid("billing_cycle_anchor cannot be in the past.", "billing_cycle_anchor")
        subscription["billing_cycle_anchor"] = params["billing_cycle_anchor"]


def read_time(value: Any, param: str) -> int:
    """A Unix time given as digits."""
    try:
        return int(value)
    except ValueError:
        raise invalid(f"Invalid timestamp: {value}", param) from None


def make_item(account: Account, subscription: Object, given: Params) -> Object:
    """A new subscription item, with its present period."""
    price = item_price(account, given)
    item: Object = {
        "id": account.new_id("si", 14),
        "object": "subscription_item",
        "billed_until": None,
        "billing_thresholds": None,
        "created": account.now(),
        "current_period_end": 0,
        "current_period_start": 0,
        "discounts": [],
        "metadata": metadata({}, given.get("metadata")),
        "plan": plan_of(price),
        "price": price,
        "quantity": given.get("quantity", 1),
        "subscription": subscription["id"],
        "tax_rates": [],
    }
    set_period(item, subscription, account.now())
    return item


def item_price(account: Account, given: Params) -> Object:
    """The price of an item: by id, or made on the spot."""
    if given.get("price_data"):
        price = make_price(account, {**given["price_data"], "active": False})
    elif given.get("price"):
        price = account.get("price", given["price"], "items[0][price]")
        if not price["active"]:
            raise invalid(
                f"The price specified is inactive: {price['id']}. Use an active one.", "items[0][price]"
            )
    else:
        raise invalid("Missing required param: items[0][price].", "items[0][price]", "parameter_missing")
    if price["recurring"] is None:
        raise invalid(
            "The price specified is set to `type=one_time` but this field only accepts prices with "
            f"`type=recurring`: {price['id']}",
            "items[0][price]",
        )
    return price


def set_period(item: Object, subscription: Object, moment: int) -> None:
    """The period of the item in which the moment lies, counted from the subscription's anchor."""
    recurring = item["price"]["recurring"]
    anchor = subscription["billing_cycle_anchor"]
    if subscription["status"] == "trialing":
        start, end = subscription["trial_start"], subscription["trial_end"]
    else:
        start, end = period_at(anchor, recurring["interval"], recurring["interval_count"], moment)
        if end <= anchor or start < anchor:  # before the first full period
            start, end = subscription["start_date"], min(end, anchor)
    item.update(current_period_start=start, current_period_end=end)


def check_items(rows: list[Object]) -> None:
    """Refuse what Stripe refuses together."""
    if not rows:
        raise invalid("A subscription must have at least one active plan.", "items")
    if len({row["price"]["id"] for row in rows}) != len(rows):
        raise invalid("Cannot add multiple subscription items with the same plan.", "items")
    if len({row["price"]["currency"] for row in rows}) > 1:
        raise invalid("All prices on a subscription must have the same `currency`.", "items")


def _plan_end(account: Account, subscription: Object, params: Params) -> None:
    if params.get("cancel_at_period_end") or params.get("cancel_at"):
        set_cancellation(account, subscription, params)


def set_cancellation(account: Account, subscription: Object, params: Params) -> None:
    """``cancel_at_period_end`` and ``cancel_at``: what ends it, and when; or that _NULLS does."""
    ends = [item["current_period_end"] for item in subscription["items"]["data"]]
    at: int | None = None
    if params.get("cancel_at_period_end"):
        at = min(ends)
    elif params.get("cancel_at"):
        words = {"min_period_end": min(ends), "max_period_end": max(ends)}
        at = words.get(params["cancel_at"]) or read_time(params["cancel_at"], "cancel_at")
        if at < account.now():
            raise invalid("`cancel_at` must be in the future.", "cancel_at")
    details = {**subscription["cancellation_details"], **(params.get("cancellation_details") or {})}
    details["reason"] = "cancellation_requested" if at else None
    subscription.update(
        cancel_at=at,
        cancel_at_period_end=bool(params.get("cancel_at_period_end")),
        canceled_at=account.now() if at else None,
        cancellation_details=details,
    )


def plan_next(account: Account, subscription: Object) -> None:
    """Put what falls due next on the agenda."""
    account.store.unplan(subscription["id"])
    if subscription["status"] in ENDED:
        return
    if subscription["cancel_at"]:
        account.plan(subscription, subscription["cancel_at"], "end_subscription")
    ends = [item["current_period_end"] for item in subscription["items"]["data"]]
    account.plan(subscription, min(ends), "renew_subscription")
    if subscription["status"] == "trialing":
        notice = max(account.now(), subscription["trial_end"] - _TRIAL_NOTICE)
        if not subscription.get("_is_trial_end_told"):
            account.plan(subscription, notice, "tell_trial_end")
    if subscription["status"] == "incomplete":
        account.plan(subscription, subscription["created"] + _INCOMPLETE_HOURS * HOUR, "expire_subscription")


def _bill_first(account: Account, subscription: Object, customer: Object, behavior: str) -> None:
    rows = subscription["items"]["data"]
    if subscription["status"] == "trialing":
        lines = [trial_line(account, subscription, row) for row in rows]
    else:
        lines = [_first_line(account, subscription, row) for row in rows]
    invoice = invoices.draft(
        account, customer, reason="subscription_create", subscription=subscription, lines=lines
    )
    account.change(subscription, None, latest_invoice=invoice["id"])
    settle(account, subscription, invoice, behavior)


def _first_line(account: Account, subscription: Object, item: Object) -> Object:
    """The first period; less than a whole one where the anchor lies in the future."""
    start, end = item["current_period_start"], item["current_period_end"]
    recurring = item["price"]["recurring"]
    whole = period_at(end, recurring["interval"], recurring["interval_count"], end - 1)
    amount = part_of(price_of(item), end - start, whole[1] - whole[0]) if start > whole[0] else price_of(item)
    return period_line(account, subscription, item, amount=amount, subtotal=amount)


def settle(
    account: Account, subscription: Object, invoice: Object, behavior: str, *, is_off_session: bool = False
) -> None:
    """Finalise and collect an invoice now; what a failure means is said by ``behavior``."""
    if account.is_preview:
        return
    account.change(invoice, None, auto_advance=invoice["billing_reason"] != "subscription_create")
    invoices.finalize(account, invoice)
    if invoice["status"] == "paid" or subscription["collection_method"] == "send_invoice":
        return
    is_first = invoice["billing_reason"] == "subscription_create"
    if behavior == "default_incomplete":
        if is_first:
            _set_status(account, subscription["id"], "incomplete", is_told=False)
        return
    if is_first:
        _set_status(account, subscription["id"], "incomplete", is_told=False)
    code = invoices.collect(account, invoice, is_off_session=is_off_session)
    if code and behavior == "error_if_incomplete":
        if code == "no_payment_method":
            raise StripeError(
                400,
                "This customer has no attached payment source or default payment method. "
                "Please consider adding a default payment method.",
                code="resource_missing",
            )
        raise declined(code)


def _set_status(account: Account, subscription_id: str, status: str, *, is_told: bool = True) -> None:
    subscription = account.get("subscription", subscription_id)
    account.change(subscription, "customer.subscription.updated" if is_told else None, status=status)
    plan_next(account, subscription)


def end(account: Account, subscription: Object, reason: str) -> Object:
    """It is over, now."""
    now = account.now()
    account.store.unplan(subscription["id"])
    for invoice in account.store.find("invoice", _subscription=subscription["id"]):
        if invoice["status"] in ("draft", "open"):
            invoices.stop_collecting(account, invoice)
    subscription.update(status="canceled", ended_at=now, canceled_at=subscription["canceled_at"] or now)
    subscription["cancellation_details"] = {**subscription["cancellation_details"], "reason": reason}
    account.change(subscription, None)
    account.emit("customer.subscription.deleted", subscription)
    return subscription


def _when_paid(account: Account, invoice: Object) -> None:
    subscription = account.store.load(invoice["_subscription"]) if invoice["_subscription"] else None
    if subscription is None or subscription["status"] not in ("incomplete", "past_due", "unpaid"):
        return
    is_left = [
        other
        for other in account.store.find("invoice", _subscription=subscription["id"])
        if other["status"] == "open" and other["attempted"]
    ]
    if subscription["status"] == "incomplete":
        _keep_card(account, subscription, invoice)
        is_first_try = invoice["attempt_count"] <= 1 and invoice["created"] == account.now()
        _set_status(account, subscription["id"], "active", is_told=not is_first_try)
    elif not is_left:
        _set_status(account, subscription["id"], "active")


def _keep_card(account: Account, subscription: Object, invoice: Object) -> None:
    if (
        subscription["payment_settings"]["save_default_payment_method"] == "on_subscription"
        and invoice["_intent"]
    ):
        method = account.get("payment_intent", invoice["_intent"])["payment_method"]
        account.change(subscription, None, default_payment_method=method)


def _when_failed(account: Account, invoice: Object, _code: str) -> None:
    subscription = account.store.load(invoice["_subscription"]) if invoice["_subscription"] else None
    if subscription is None or subscription["status"] in ENDED:
        return
    if subscription["status"] == "incomplete":
        return
    if invoice["attempt_count"] > len(invoices.RETRY_DAYS) and not invoice["next_payment_attempt"]:
        last = account.store.setting("dunning_end", DUNNING_ENDS[0])
        if last == "canceled":
            end(account, subscription, "payment_failed")
            return
        if last == "unpaid":
            _set_status(account, subscription["id"], "unpaid")
            return
    if subscription["status"] in ("active", "trialing"):
        _set_status(account, subscription["id"], "past_due")


invoices.ON_PAID.append(_when_paid)
invoices.ON_FAILED.append(_when_failed)
