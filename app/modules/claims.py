"""Shops that people have elsewhere already: asked when somebody signs up, answered by the module that knows shops."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from app.modules.providers import ProviderPoint


@dataclass(frozen=True, slots=True)
class ClaimableShop:
    """A shop that somebody who signs up may have elsewhere. ``reference`` is opaque and may be kept for days."""

    reference: str
    marketplace: str
    name: str
    company: str
    place: str


class ShopClaims(Protocol):
    """Answered by the module that knows shops of marketplaces. Reads in the identity scope."""

    def find(self, session: Session, words: str) -> Sequence[ClaimableShop]:
        """Shops that nobody of ours has, by name, company, place or address; none for fewer than two letters."""

    def get(self, session: Session, reference: str) -> ClaimableShop | None:
        """One of them; None where it is gone, or somebody's meanwhile."""

    def claim(self, session: Session, reference: str, vendor_id: UUID, email: str, user_id: UUID) -> None:
        """A new vendor, whose owner proved the e-mail address, says that it is this shop."""


SHOP_CLAIMS: ProviderPoint[ShopClaims] = ProviderPoint("framework.shop_claims")
