"""Which of our vendors a shop of a marketplace may be: said with its reasons, confirmed by people only."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import to_public
from app.modules.marketplace.exceptions import ShopTakenError
from app.modules.marketplace.models.directory_shop import ListedShop
from app.modules.marketplace.services.directory_service import SHOP_PREFIX, get_shop
from app.modules.tenancy.contracts import KnownVendor
from app.modules.tenancy.facade import list_known_vendors, record_audit

# How sure one reason alone makes us, in percent.
_WEIGHTS = {
    "claim": 40,
    "email": 80,
    "homepage": 80,
    "mail_host": 50,
    "name": 60,
    "company": 60,
    "code": 40,
    "alike": 30,
}
_LEAST, _MOST = 30, 3
_ALIKE = 0.85
_LEGAL = re.compile(r" (s a r l( s)?|sarls?|s a( s)?|sas?|s c s|gmbh|ag|asbl)$")
_FREE_MAIL = frozenset(
    {"gmail.com", "outlook.com", "hotmail.com", "yahoo.com", "icloud.com", "pt.lu", "internet.lu"}
)


@dataclass(frozen=True, slots=True)
class Match:
    """A vendor that a shop may be: how sure that is in percent, and why (codes of texts)."""

    vendor: KnownVendor
    percent: int
    reasons: tuple[str, ...]


def suggest(session: Session, shop: ListedShop) -> list[Match]:
    """The vendors that a shop may be, the likeliest first; those that are another shop already are not among them."""
    return best(shop, free_vendors(session, shop.connector))


def free_vendors(session: Session, connector: str) -> list[KnownVendor]:
    """Our vendors that are no shop of that marketplace yet."""
    taken = set(
        session.scalars(
            select(ListedShop.vendor_id).where(
                ListedShop.connector == connector, ListedShop.vendor_id.is_not(None)
            )
        )
    )
    return [one for one in list_known_vendors(session) if one.id not in taken]


def best(shop: ListedShop, vendors: Sequence[KnownVendor]) -> list[Match]:
    """The likeliest of these vendors."""
    found = []
    for vendor in vendors:
        reasons = _reasons(shop, vendor)
        doubt = 1.0
        for reason in reasons:
            doubt *= 1 - _WEIGHTS[reason] / 100
        percent = round((1 - doubt) * 100)
        if percent >= _LEAST:
            found.append(Match(vendor, percent, tuple(reasons)))
    return sorted(found, key=lambda one: -one.percent)[:_MOST]


def _reasons(shop: ListedShop, vendor: KnownVendor) -> list[str]:
    host, mail = host_of(shop.homepage), (shop.email or "").casefold()
    names = {plain(shop.name), plain(shop.company_name)} - {""}
    mail_host = vendor.contact_email.casefold().rpartition("@")[2]
    found = {
        "claim": shop.claimed_by == vendor.id,
        "email": mail != "" and mail == vendor.contact_email.casefold(),
        "homepage": host != "" and host in vendor.hosts,
        "mail_host": mail_host not in _FREE_MAIL
        and mail_host in (host, mail.rpartition("@")[2])
        and mail != vendor.contact_email.casefold(),
        "name": plain(vendor.name) in names,
        "company": plain(vendor.company) in names and plain(vendor.company) != plain(vendor.name),
        "code": shop.slug.casefold() == vendor.code.casefold(),
    }
    reasons = [name for name, holds in found.items() if holds]
    if not {"name", "company"} & set(reasons) and _is_alike(plain(shop.name), plain(vendor.name)):
        reasons.append("alike")
    return reasons


def _is_alike(one: str, other: str) -> bool:
    return bool(one and other) and SequenceMatcher(None, one, other).ratio() >= _ALIKE


def plain(name: str | None) -> str:
    """A name without accents, case, legal form and punctuation."""
    bare = unicodedata.normalize("NFKD", name or "").casefold().encode("ascii", "ignore").decode()
    return _LEGAL.sub("", " ".join(re.sub(r"[^a-z0-9]+", " ", bare).split()))


def host_of(address: str | None) -> str:
    """The host of a homepage without ``www.``; "" for none."""
    text = (address or "").strip()
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")


def confirm(session: Session, shop_id: UUID, vendor_id: UUID, *, by: UUID | None) -> None:
    """Say that a shop is this vendor. Raises ShopTakenError where one of the two is another's already."""
    row = get_shop(session, shop_id, lock=True)
    other = session.scalar(
        select(ListedShop.id).where(
            ListedShop.connector == row.connector, ListedShop.vendor_id == vendor_id, ListedShop.id != row.id
        )
    )
    if other or (row.vendor_id and row.vendor_id != vendor_id):
        raise ShopTakenError
    row.vendor_id, row.matched_at = vendor_id, clock.now()
    row.claimed_by = row.claimed_at = row.claim_note = None
    _audit(session, "marketplace.shop_matched", row, by, vendor=str(vendor_id))


def separate(session: Session, shop_id: UUID, *, by: UUID | None) -> None:
    """Say that a shop is none of ours after all; a claim is refused with it."""
    row = get_shop(session, shop_id, lock=True)
    row.vendor_id = row.matched_at = row.claimed_by = row.claimed_at = row.claim_note = None
    _audit(session, "marketplace.shop_separated", row, by)


def claim(session: Session, shop_id: UUID, vendor_id: UUID, *, email: str, by: UUID | None) -> bool:
    """A vendor says that a shop is its own; the operator confirms. False where the shop is somebody's meanwhile.

    What speaks for it is noted: the address that was proved at sign-up is the shop's own, or of its homepage's host.
    """
    row = get_shop(session, shop_id, lock=True)
    if row.vendor_id or row.claimed_by:
        return False
    mail = email.casefold()
    is_same = mail == (row.email or "").casefold()
    is_near = mail.rpartition("@")[2] == host_of(row.homepage) != ""
    row.claimed_by, row.claimed_at = vendor_id, clock.now()
    row.claim_note = "email" if is_same else "mail_host" if is_near else "none"
    _audit(session, "marketplace.shop_claimed", row, by, vendor=str(vendor_id))
    return True


def _audit(session: Session, action: str, row: ListedShop, by: UUID | None, **details: str) -> None:
    target = to_public(SHOP_PREFIX, row.id)
    record_audit(session, action, vendor_id=None, actor_id=by, target=target, **details)
