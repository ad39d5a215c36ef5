"""What falls due in the life of a subscription."""

from sandbox.store import Object
from sandbox.stripe import invoices
from sandbox.stripe.account import Account, action
from sandbox.stripe.lines import period_line
from sandbox.stripe.subscriptions import ENDED, end, plan_next, set_period


@action("tell_trial_end")
def _tell_trial_end(account: Account, subscription: Object) -> None:
    account.change(subscription, None, _is_trial_end_told=True)
    account.emit("customer.subscription.trial_will_end", subscription)


@action("end_subscription")
def _end(account: Account, subscription: Object) -> None:
    if subscription["status"] not in ENDED:
        end(account, subscription, "cancellation_requested")


@action("expire_subscription")
def _expire(account: Account, subscription: Object) -> None:
    """The first payment never came."""
    if subscription["status"] != "incomplete":
        return
    account.store.unplan(subscription["id"])
    first = account.get("invoice", subscription["latest_invoice"])
    account.change(
        subscription,
        "customer.subscription.updated",
        status="incomplete_expired",
        ended_at=account.now(),
    )
    if first["status"] == "open":
        invoices.void(account, first)


@action("renew_subscription")
def renew(account: Account, subscription: Object) -> Object | None:
    """The next period of the items whose period is over: a draft invoice, or the end. Returns the draft."""
    now = account.now()
    if subscription["status"] in ENDED:
        return None
    if subscription["cancel_at"] and subscription["cancel_at"] <= now:
        end(account, subscription, "cancellation_requested")
        return None
    if subscription["status"] == "trialing" and not _end_trial(account, subscription):
        return None
    due = [item for item in subscription["items"]["data"] if item["current_period_end"] <= now]
    former = (
        min((item["current_period_start"] for item in due), default=now),
        max((item["current_period_end"] for item in due), default=now),
    )
    for item in due:
        set_period(item, subscription, now)
    if subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = min(i["current_period_end"] for i in subscription["items"]["data"])
    account.change(subscription, "customer.subscription.updated")
    plan_next(account, subscription)
    return _bill(account, subscription, due, former) if due and subscription["status"] != "paused" else None


def _end_trial(account: Account, subscription: Object) -> bool:
    """Trial to active; without a card as the trial settings say. False: there is nothing to bill."""
    subscription["status"] = "active"
    probe = {
        "customer": subscription["customer"],
        "default_payment_method": None,
        "_subscription": subscription["id"],
    }
    if invoices.method_for(account, probe) is not None:
        return True
    missing = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if missing == "cancel":
        subscription["status"] = "trialing"
        end(account, subscription, "payment_failed")
        return False
    if missing == "pause":
        account.store.unplan(subscription["id"])
        account.change(subscription, "customer.subscription.updated", status="paused")
        account.emit("customer.subscription.paused", subscription)
        return False
    return True


def _bill(account: Account, subscription: Object, due: list[Object], former: tuple[int, int]) -> Object:
    customer = account.get("customer", subscription["customer"])
    invoice = invoices.draft(
        account,
        customer,
        reason="subscription_cycle",
        subscription=subscription,
        period=former,
        lines=[period_line(account, subscription, item) for item in due],
    )
    account.change(subscription, None, latest_invoice=invoice["id"])
    if subscription["status"] == "unpaid":
        account.change(invoice, None, auto_advance=False)
    elif not account.is_preview:
        invoices.schedule(account, invoice)
    return invoice
