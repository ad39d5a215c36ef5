"""What is the same here and at the stand-in at the end, and a digest of it."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

from app.core.ids import from_public

_SUBSCRIPTIONS = text(
    """
    SELECT v.code, s.*, t.code AS tier, t.stripe_product_id, n.code AS next_tier
    FROM subscriptions s JOIN vendors v ON v.id = s.vendor_id JOIN subscription_tiers t ON t.id = s.tier_id
    LEFT JOIN subscription_tiers n ON n.id = s.next_tier_id WHERE v.code LIKE 'PROOF%' ORDER BY v.code
    """
)
_INVOICES = text(
    """
    SELECT v.code, i.* FROM billing_invoices i JOIN vendors v ON v.id = i.vendor_id WHERE v.code LIKE 'PROOF%'
    ORDER BY v.code, i.issued_at, i.number
    """
)
_TIERS = text(
    "SELECT stripe_product_id, code, id FROM subscription_tiers WHERE stripe_product_id IS NOT NULL"
)
_STATUSES = {"trialing": "trial", "active": "active", "past_due": "past_due"}
_ENDED = ("canceled", "incomplete_expired", "unpaid", "paused")
_MOST_EXAMPLES = 20
GRACE = timedelta(days=14)  # BILLING_GRACE_DAYS, where nobody says otherwise
KINDS = ("subscription", "invoice", "charge", "customer", "checkout.session", "setup_intent")
Row = Mapping[str, Any]


@dataclass(slots=True)
class Findings:
    """Differences by what they are about, with some examples."""

    counts: Counter[str]
    examples: list[str]

    def note(self, about: str, code: str, here: object, there: object) -> None:
        """One difference."""
        self.counts[about] += 1
        if len(self.examples) < _MOST_EXAMPLES:
            self.examples.append(f"{code}: {about} is {here} here, {there} there")

    def same(self, about: str, code: str, here: object, there: object) -> None:
        """A difference, if it is one."""
        if here != there:
            self.note(about, code, here, there)


@dataclass(frozen=True, slots=True)
class Ends:
    """The end state of both sides; ``objects``: the stand-in's by kind."""

    subscriptions: Sequence[Row]
    invoices: Mapping[str, Sequence[Row]]
    tiers: Mapping[str, str]
    objects: Mapping[str, Sequence[dict[str, Any]]]
    now: datetime


def read_ends(owner: Engine, dump: Mapping[str, Any], now: datetime) -> Ends:
    """All that is compared."""
    with owner.connect() as connection:
        subscriptions: list[Row] = [dict(row) for row in connection.execute(_SUBSCRIPTIONS).mappings()]
        invoices: list[Row] = [dict(row) for row in connection.execute(_INVOICES).mappings()]
        tiers = {row.stripe_product_id: row.code for row in connection.execute(_TIERS)}
        tiers |= {str(row.id): row.code for row in connection.execute(_TIERS)}
    by_code: dict[str, list[Row]] = defaultdict(list)
    for row in invoices:
        by_code[row["code"]].append(row)
    return Ends(subscriptions, by_code, tiers, dump["objects"], now)


def compare(ends: Ends) -> Findings:
    """Every subscription's status, plan, period and invoices; the money to the cent."""
    findings = Findings(Counter(), [])
    subscriptions = _by_customer(ends.objects.get("subscription", ()))
    invoices = _by_customer(ends.objects.get("invoice", ()))
    charges = _by_customer(ends.objects.get("charge", ()))
    customers = {one["id"]: one for one in ends.objects.get("customer", ())}
    cards = _last_cards(ends)
    for local in ends.subscriptions:
        customer = local["stripe_customer_id"]
        code = local["code"]
        running = [one for one in subscriptions[customer] if one["status"] not in _ENDED]
        if len(running) > 1:
            findings.note("running_twice", code, 1, len(running))
        if local["stripe_subscription_id"] is None:
            findings.same("subscriptions", code, 0, len(running))
        else:
            found = next(
                one for one in subscriptions[customer] if one["id"] == local["stripe_subscription_id"]
            )
            if running and found not in running:
                findings.note("link", code, found["id"], running[0]["id"])
            _compare_one(findings, ends, local, found)
            if found in running and customer in cards:
                findings.same("card_taken_into_use", code, found["default_payment_method"], cards[customer])
        there = [one for one in invoices[customer] if one["status"] != "draft" and one["total"]]
        _compare_invoices(findings, code, ends.invoices.get(code, ()), there)
        _compare_money(findings, ends, local, charges[customer], customers.get(customer))
        _find_billed_twice(findings, ends, code, there)
    return findings


def _last_cards(ends: Ends) -> dict[str, str]:
    """By customer the card that was given last on a page for that purpose, where no page sold anything later."""
    intents = {one["id"]: one for one in ends.objects.get("setup_intent", ())}
    found: dict[str, str] = {}
    for page in sorted(ends.objects.get("checkout.session", ()), key=lambda one: int(one["created"])):
        if page["status"] == "complete":
            found.pop(page["customer"], None)
            if page["mode"] == "setup":
                found[page["customer"]] = intents[page["setup_intent"]]["payment_method"]
    return found


def _by_customer(objects: Sequence[dict[str, Any]]) -> Mapping[str | None, list[dict[str, Any]]]:
    found: dict[str | None, list[dict[str, Any]]] = defaultdict(list)
    for one in objects:
        if one.get("customer"):
            found[one["customer"]].append(one)
    return found


def _compare_one(findings: Findings, ends: Ends, local: Row, there: dict[str, Any]) -> None:
    code, items = local["code"], there["items"]["data"]
    item = next((one for one in items if one["price"]["product"] in ends.tiers), items[0])
    findings.same("status", code, local["status"], _status(ends, local, there))
    findings.same("interval", code, local["interval"], item["price"]["recurring"]["interval"])
    period = (_moment(item["current_period_start"]), _moment(item["current_period_end"]))
    findings.same("period", code, (local["period_start"], local["period_end"]), period)
    planned, until = _planned(ends, there)
    is_ahead = planned is not None and until is not None and period[1] <= until
    has_ended = there["status"] in _ENDED
    findings.same("next_tier", code, local["next_tier"], planned if is_ahead and not has_ended else None)
    if not is_ahead:  # else its price stands there before it begins, or never began
        findings.same("tier", code, local["tier"], ends.tiers[item["price"]["product"]])
    is_ending = bool(there["cancel_at"]) and not has_ended
    findings.same("cancel_at_period_end", code, local["cancel_at_period_end"], is_ending)
    findings.same("payment_method", code, local["has_payment_method"], bool(there["default_payment_method"]))


def _status(ends: Ends, local: Row, there: dict[str, Any]) -> str:
    if there["status"] in _ENDED:
        return "expired"
    since = local["past_due_since"]
    if there["status"] == "past_due" and local["status"] == "expired":
        # The grace is over before Stripe has given up: the last payment failed so long ago.
        return "expired" if since is not None and since + GRACE <= ends.now else "past_due"
    return "cancelled" if there["cancel_at"] else _STATUSES[there["status"]]


def _planned(ends: Ends, there: dict[str, Any]) -> tuple[str | None, datetime | None]:
    plan, _, moment = there["metadata"].get("wizamart_planned", "").partition("@")
    key = from_public("tir", plan.partition("/")[0])
    return (ends.tiers.get(str(key)), _moment(int(moment))) if key else (None, None)


def _compare_invoices(
    findings: Findings, code: str, here: Sequence[Row], there: Sequence[dict[str, Any]]
) -> None:
    known = {row["stripe_invoice_id"]: row for row in here if row["stripe_invoice_id"]}
    findings.counts["invoices_double"] += len([row for row in here if row["stripe_invoice_id"]]) - len(known)
    for one in there:
        row = known.pop(one["id"], None)
        if row is None:
            findings.note("invoices_missing", code, None, one["number"])
            continue
        settled = (
            max(0, one["total"] - one["amount_remaining"]) if one["status"] in ("open", "paid") else None
        )
        mine = (row["status"], row["total_cents"], row["number"])
        findings.same("invoices", code, mine, (one["status"], one["total"], one["number"]))
        if settled is not None:
            findings.same("invoices_paid_cents", code, row["paid_cents"], settled)
    for row in known.values():
        findings.note("invoices_too_many", code, row["number"], None)
    cycles = Counter(row["period_start"] for row in here if row["kind"] == "cycle")
    for start, count in cycles.items():
        if count > 1:
            findings.note("periods_billed_twice", code, count, start)


def _compare_money(
    findings: Findings,
    ends: Ends,
    local: Row,
    charges: Sequence[dict[str, Any]],
    customer: dict[str, Any] | None,
) -> None:
    """What was taken from cards is what the invoices here say was paid, but for what lies on the customer's account."""
    rows = [row for row in ends.invoices.get(local["code"], ()) if row["stripe_invoice_id"]]
    taken = sum(one["amount_captured"] - one["amount_refunded"] for one in charges if one["paid"])
    owed = sum(row["total_cents"] - row["paid_cents"] for row in rows if row["status"] != "paid")
    booked = sum(row["total_cents"] for row in rows) - owed - (customer["balance"] if customer else 0)
    findings.same("cents", local["code"], booked, taken)


def _find_billed_twice(findings: Findings, ends: Ends, code: str, there: Sequence[dict[str, Any]]) -> None:
    """A period of a plan for which Stripe was made to ask twice."""
    starts: Counter[tuple[str, int]] = Counter()
    for one in there:
        for line in one["lines"]["data"]:
            details = line["parent"]["subscription_item_details"]
            product = line["pricing"]["price_details"]["product"]
            if details and not details["proration"] and product in ends.tiers and line["amount"]:
                starts[details["subscription"], line["period"]["start"]] += 1
    for (_, start), count in starts.items():
        if count > 1:
            findings.note("billed_twice", code, count, _moment(start))


def digest(ends: Ends) -> str:
    """The end state without identifiers and times of processing."""
    subscriptions = [
        [
            *(row[name] for name in ("code", "status", "tier", "interval", "next_tier", "next_interval")),
            *(_text(row[name]) for name in ("trial_ends_at", "anchor_at", "period_start", "period_end")),
            *(row[name] for name in ("cancel_at_period_end", "cancel_reason", "has_payment_method")),
        ]
        for row in ends.subscriptions
    ]
    invoices = [
        [
            *(row[name] for name in ("code", "kind", "status", "currency", "total_cents", "paid_cents")),
            (row["number"] or "").partition("-")[2],
            *(_text(row[name]) for name in ("period_start", "period_end", "issued_at", "paid_at")),
        ]
        for code in sorted(ends.invoices)
        for row in ends.invoices[code]
    ]
    invoices.sort(key=json.dumps)
    return hashlib.sha256(json.dumps([subscriptions, invoices]).encode()).hexdigest()


def _text(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat(timespec="seconds") if value else None


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
