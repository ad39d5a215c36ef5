"""Which shop of a marketplace somebody who signs up has already. Needs the identity scope."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.modules.billing.models.sign_up import SignUp
from app.modules.billing.services.sign_up_service import get_tier
from app.modules.claims import SHOP_CLAIMS, ClaimableShop, ShopClaims


def _asked(session: Session, row: SignUp) -> list[ShopClaims]:
    return list(SHOP_CLAIMS.implementations([get_tier(session, row.tier_id).platform_id]))


def is_possible(session: Session, row: SignUp) -> bool:
    """Whether anybody knows shops of marketplaces on the platform that was chosen."""
    return bool(_asked(session, row))


def find(session: Session, row: SignUp, words: str) -> Sequence[ClaimableShop]:
    """Shops that may be theirs."""
    return [shop for claims in _asked(session, row) for shop in claims.find(session, words)]


def claimed(session: Session, row: SignUp) -> ClaimableShop | None:
    """The shop that was chosen, while it is nobody's."""
    found = (claims.get(session, row.claim) for claims in _asked(session, row)) if row.claim else ()
    return next((shop for shop in found if shop), None)


def choose(session: Session, row: SignUp, reference: str) -> ClaimableShop | None:
    """Keep which shop is theirs, with its name and company where none was typed; "" for none after all."""
    row.claim = reference or None
    shop = claimed(session, row)
    if shop is None:
        row.claim = None
    else:
        row.shop_name = row.shop_name or shop.name
        row.company = row.company or shop.company
    session.flush()
    return shop
