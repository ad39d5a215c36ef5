"""Shops of marketplaces for those who sign up: they say which is theirs, the operator confirms it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.database import SYSTEM, acting_in
from app.core.ids import from_public, to_public
from app.modules.claims import ClaimableShop
from app.modules.marketplace.models.directory_shop import ListedShop
from app.modules.marketplace.services import directory_match_service, directory_service
from app.modules.marketplace.services.directory_service import SHOP_PREFIX


class _DirectoryClaims:
    """Over the directories that were read."""

    def find(self, session: Session, words: str) -> Sequence[ClaimableShop]:
        """Shops that nobody of ours has."""
        names = _names()
        return [_shown(row, names) for row in directory_service.find_free(session, words)]

    def get(self, session: Session, reference: str) -> ClaimableShop | None:
        """One of them."""
        key = from_public(SHOP_PREFIX, reference)
        row = session.get(ListedShop, key) if key else None
        is_free = row is not None and not row.vendor_id and not row.claimed_by and not row.gone_at
        return _shown(row, _names()) if row and is_free else None

    def claim(self, session: Session, reference: str, vendor_id: UUID, email: str, user_id: UUID) -> None:
        """Note it for the operator."""
        key = from_public(SHOP_PREFIX, reference)
        if key is None:
            return
        with acting_in(session, SYSTEM):
            directory_match_service.claim(session, key, vendor_id, email=email, by=user_id)


def _names() -> dict[str, str]:
    return {one.code: one.name for one in directory_service.directories()}


def _shown(row: ListedShop, names: dict[str, str]) -> ClaimableShop:
    marketplace = names.get(row.connector, row.connector)
    reference = to_public(SHOP_PREFIX, row.id)
    return ClaimableShop(reference, marketplace, row.name, row.company_name or "", row.city or "")


claims = _DirectoryClaims()
