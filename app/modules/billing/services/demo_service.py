"""What the demo sells, and a subscription in another state for each of its vendors."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.modules.billing.contracts import BY_TASK, AddonInput, OverrideInput, TierInput
from app.modules.billing.enums import Interval
from app.modules.billing.models.remote import BillingRequest
from app.modules.billing.services import (
    addon_service,
    invoice_service,
    limit_service,
    settlement_service,
    subscription_service,
    tier_service,
)
from app.modules.billing.services.lock_service import as_vendor
from app.modules.setup import DemoLogin
from app.modules.tenancy.facade import list_platforms, vendor_names

_PRODUCTS, _TEAM, _ORDERS = "catalog.products", "tenancy.team_members", "orders.orders"
_HISTORY, _DOMAINS = "orders.history_months", "tenancy.custom_domains"

# code: names, monthly cents, then orders, products, team members, months of history, domains
_Limits = tuple[int | None, int | None, int | None, int | None, int | None]
_TIERS: Mapping[str, tuple[tuple[str, str, str, str], int, _Limits]] = {
    "essential": (("Essential", "Essentiel", "Essential", "Essential"), 4900, (100, 200, 1, 6, 0)),
    "professional": (
        ("Professional", "Professionnel", "Professional", "Professional"),
        9900,
        (500, None, 3, 24, 0),
    ),
    "business": (("Business", "Business", "Business", "Business"), 19900, (2000, None, 10, None, 1)),
    "enterprise": (
        ("Enterprise", "Entreprise", "Enterprise", "Enterprise"),
        39900,
        (None, None, None, None, None),
    ),
}
_PAID_MONTHS = 10  # of a year: two are free
_LANGUAGES = ("en", "fr", "de", "lb")
# code: names, cents, interval, then the feature it gives one of
_ADDONS: Mapping[str, tuple[tuple[str, str, str, str], int, Interval, str | None]] = {
    "custom-domain": (
        ("Custom domain", "Domaine propre", "Eigene Domain", "Eegen Domain"),
        1500,
        Interval.YEAR,
        _DOMAINS,
    ),
    "premium-ssl": (
        ("Premium SSL", "SSL premium", "Premium-SSL", "Premium-SSL"),
        4900,
        Interval.YEAR,
        None,
    ),
    "mailboxes-5": (
        ("5 mailboxes", "5 boîtes mail", "5 Postfächer", "5 Mailboxen"),
        500,
        Interval.MONTH,
        None,
    ),
    "mailboxes-10": (
        ("10 mailboxes", "10 boîtes mail", "10 Postfächer", "10 Mailboxen"),
        900,
        Interval.MONTH,
        None,
    ),
}


def seed(session: Session) -> list[DemoLogin]:
    """Put plans and add-ons on sale on the demo's platform, and give its vendors subscriptions; once."""
    for platform in list_platforms(session):
        if platform.code == "demo" and not tier_service.list_tiers(session, platform.id, is_sold=False):
            sell_usual(session, platform.id)
            _subscribe(session, platform.id)
    return []


def sell_usual(session: Session, platform_id: UUID) -> None:
    """The usual plans and add-ons of a platform. Needs the system scope."""
    for index, (code, (names, monthly, limits)) in enumerate(_TIERS.items(), start=1):
        values = TierInput(
            names=dict(zip(_LANGUAGES, names, strict=True)),
            order_index=index,
            monthly_cents=monthly,
            annual_cents=monthly * _PAID_MONTHS,
            limits=dict(zip((_ORDERS, _PRODUCTS, _TEAM, _HISTORY, _DOMAINS), limits, strict=True)),
        )
        tier_service.create_tier(session, platform_id, code, values)
    for code, (names, cents, interval, feature) in _ADDONS.items():
        translated = dict(zip(_LANGUAGES, names, strict=True))
        addon = AddonInput(translated, cents, interval, feature_code=feature, amount=1 if feature else 0)
        addon_service.create_addon(session, platform_id, code, addon)


def _subscribe(session: Session, platform_id: UUID) -> None:
    """A trial, a plan that is paid for a year, and one that is past due, with an exception."""
    vendors = vendor_names()
    ids = {code: key for key, code in session.execute(select(vendors.c.id, vendors.c.code))}
    for code, tier_code in (("GUTLAND", "professional"), ("MOSELLE", "enterprise"), ("MINETT", "business")):
        subscription_service.start_trial(session, ids[code], platform_id, tier_code)
        with as_vendor(session, ids[code]):  # somebody looked at their page at Stripe
            session.add(
                BillingRequest(
                    vendor_id=ids[code], kind="portal", arguments={"act": "portal"}, finished_at=clock.now()
                )
            )
    _pay(session, ids["MOSELLE"], platform_id)
    subscription_service.activate(session, ids["MINETT"], "business", BY_TASK)
    subscription_service.mark_past_due(session, ids["MINETT"])
    exception = OverrideInput(5, "A shop for each of its clubs, agreed by phone")
    limit_service.add_override(session, ids["MINETT"], _DOMAINS, exception, BY_TASK)


def _pay(session: Session, vendor_id: UUID, platform_id: UUID) -> None:
    subscription_service.activate(session, vendor_id, "enterprise", BY_TASK, Interval.YEAR)
    addons = addon_service.list_addons(session, platform_id)
    addon_id = next(addon.id for addon in addons if addon.code == "mailboxes-5")
    addon_service.book(session, vendor_id, addon_id, 1, BY_TASK)
    for invoice in invoice_service.list_invoices(session, vendor_id):
        settlement_service.mark_invoice_paid(session, invoice.id, BY_TASK)
