"""Changing a subscription: prices, quantities, add-ons; proration to the second."""

import copy
from typing import Any

from sandbox.store import Object
from sandbox.stripe import invoices
from sandbox.stripe.account import Account
from sandbox.stripe.catalogue import plan_of
from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.forms import Params
from sandbox.stripe.lines import period_line, price_of, proration
from sandbox.stripe.operations import assign, metadata
from sandbox.stripe.payment_methods import method_of
from sandbox.stripe.subscriptions import (
    ENDED,
    check_items,
    item_price,
    make_item,
    plan_next,
    read_time,
    set_cancellation,
    set_period,
    settle,
)


def update(account: Account, subscription: Object, params: Params) -> Object:
    """Change it; the invoice that a change asks for at once is made and collected."""
    if subscription["status"] in ENDED:
        raise invalid(
            "A canceled subscription can only update its cancellation_details and metadata.",
            code="resource_missing",
        )
    if params.get("payment_behavior") == "pending_if_incomplete":
        raise invalid("The stand-in does not cover pending updates.", "payment_behavior")
    _set_plain(account, subscription, params)
    before = copy.deepcopy(subscription)
    rows = _changed_items(account, subscription, params.get("items") or [])
    resets = _set_trial_and_anchor(account, subscription, before, rows, params)
    subscription["items"]["data"] = rows
    behavior = params.get("proration_behavior", "create_prorations")
    was_paid_for = before["status"] != "trialing"
    at = params.get("proration_date") or account.now()
    _check_date(before, at)
    if was_paid_for and behavior != "none":
        _prorate(account, before, subscription, at, resets=resets)
    if resets:
        for row in rows:
            set_period(row, subscription, account.now())
    if "cancel_at_period_end" in params or "cancel_at" in params:
        set_cancellation(account, subscription, params)
    elif resets and subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = min(row["current_period_end"] for row in rows)
    account.change(subscription, "customer.subscription.updated")
    plan_next(account, subscription)
    if resets or (behavior == "always_invoice" and was_paid_for):
        _invoice_now(account, subscription, params, with_periods=resets)
    return account.get("subscription", subscription["id"])


def _set_plain(account: Account, subscription: Object, params: Params) -> None:
    assign(subscription, params, "description", "collection_method", "days_until_due")
    subscription["metadata"] = metadata(subscription["metadata"], params.get("metadata"))
    if "default_payment_method" in params:
        given = params["default_payment_method"]
        method = (
            method_of(account, given, subscription["customer"], "default_payment_method") if given else None
        )
        subscription["default_payment_method"] = method["id"] if method else None
    for name in ("payment_settings", "cancellation_details"):
        if params.get(name):
            subscription[name] = {**subscription[name], **params[name]}
    if given_end := (params.get("trial_settings") or {}).get("end_behavior"):
        former = subscription["trial_settings"]["end_behavior"]
        subscription["trial_settings"] = {"end_behavior": {**former, **given_end}}


def _changed_items(account: Account, subscription: Object, given: list[Params]) -> list[Object]:
    """The items after the change; those not named stay."""
    rows: list[Object] = copy.deepcopy(subscription["items"]["data"])
    by_id = {row["id"]: row for row in rows}
    for one in given:
        if not one.get("id"):
            rows.append(make_item(account, subscription, one))
            continue
        row = by_id.get(one["id"])
        if row is None:
            raise invalid(f"No such subscription item: '{one['id']}'", "items", "resource_missing")
        if one.get("deleted"):
            rows.remove(row)
            continue
        if one.get("price") not in (None, row["price"]["id"]) or one.get("price_data"):
            price = item_price(account, one)
            row.update(price=price, plan=plan_of(price))
        row["quantity"] = one.get("quantity", row["quantity"])
        row["metadata"] = metadata(row["metadata"], one.get("metadata"))
    check_items(rows)
    return rows


def _set_trial_and_anchor(
    account: Account, subscription: Object, before: Object, rows: list[Object], params: Params
) -> bool:
    """Whether a new period begins now: asked for, the trial ends, the interval changes, or free becomes paid."""
    now = account.now()
    anchor_type = (params.get("billing_cycle_anchor") or {}).get("type")
    trial_end: Any = params.get("trial_end")
    if trial_end and trial_end != "now":
        moment = read_time(trial_end, "trial_end")
        if moment <= now:
            raise invalid("Invalid timestamp: must be an integer Unix timestamp in the future", "trial_end")
        subscription.update(
            status="trialing",
            trial_start=subscription["trial_start"] or now,
            trial_end=moment,
            billing_cycle_anchor=moment,
            _is_trial_end_told=False,
        )
        for row in rows:
            row.update(current_period_end=moment)
        return False
    ends_trial = before["status"] == "trialing" and trial_end == "now"
    if before["status"] == "trialing" and not ends_trial:
        return False
    if not (ends_trial or anchor_type == "now" or _begins_anew(before, rows)):
        return False
    subscription["billing_cycle_anchor"] = now
    if ends_trial:
        subscription.update(status="active", trial_end=now)
    return True


def _begins_anew(before: Object, rows: list[Object]) -> bool:
    former = {row["id"]: row for row in before["items"]["data"]}
    for row in rows:
        old = former.get(row["id"])
        if old and _interval(old) != _interval(row):
            return True
    was_free = sum(price_of(row) for row in before["items"]["data"]) == 0
    return was_free and sum(price_of(row) for row in rows) > 0


def _interval(row: Object) -> tuple[str, int]:
    recurring = row["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]


def _check_date(before: Object, at: int) -> None:
    for row in before["items"]["data"]:
        if not row["current_period_start"] <= at <= row["current_period_end"]:
            raise invalid(
                "Cannot specify proration date outside of current subscription period.", "proration_date"
            )


def _prorate(account: Account, before: Object, after: Object, at: int, *, resets: bool) -> None:
    """Pending items: the unused time of what goes, the remaining time of what comes."""
    former = {row["id"]: row for row in before["items"]["data"]}
    present = {row["id"]: row for row in after["items"]["data"]}
    for item_id, old in former.items():
        new = present.get(item_id)
        if resets or new is None or _differs(old, new):
            proration(account, before, old, at, -1)
            if new is not None and not resets:
                proration(account, after, new, at, 1)
    for item_id, new in present.items():
        if item_id not in former and not resets:
            proration(account, after, new, at, 1)


def _differs(old: Object, new: Object) -> bool:
    return bool(old["price"]["id"] != new["price"]["id"] or old["quantity"] != new["quantity"])


def _invoice_now(account: Account, subscription: Object, params: Params, *, with_periods: bool) -> None:
    customer = account.get("customer", subscription["customer"])
    rows = subscription["items"]["data"]
    lines = [period_line(account, subscription, row) for row in rows] if with_periods else []
    with account.store.transaction():
        waiting = [
            item
            for item in account.store.find("invoiceitem", customer=customer["id"])
            if item["invoice"] is None and item["_subscription"] in (subscription["id"], None)
        ]
        if not lines and not waiting:
            return
        invoice = invoices.draft(
            account, customer, reason="subscription_update", subscription=subscription, lines=lines
        )
        account.change(subscription, None, latest_invoice=invoice["id"])
        settle(
            account,
            subscription,
            invoice,
            params.get("payment_behavior", "allow_incomplete"),
            is_off_session=bool(params.get("off_session")),
        )


def preview(account: Account, subscription: Object, params: Params) -> Object:
    """The invoice that a change would make: the one at once, or else the next one. Nothing stays of it."""
    from sandbox.stripe.cycle import renew

    account.is_preview = True
    former = subscription["latest_invoice"]
    if params:
        subscription = update(account, subscription, params)
    if subscription["latest_invoice"] != former:
        return account.get("invoice", subscription["latest_invoice"])
    ends = [row["current_period_end"] for row in subscription["items"]["data"]]
    if subscription["status"] not in ENDED:
        account.moment = min(ends)
        made = renew(account, subscription)
        if made is not None:
            return made
    raise StripeError(
        404,
        f"No upcoming invoices for customer: {subscription['customer']}",
        code="invoice_upcoming_none",
    )
