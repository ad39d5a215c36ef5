"""Inviting a shop of a marketplace that is none of ours."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.core import clock
from app.core.config import get_settings
from app.core.i18n import translate
from app.core.ids import to_public
from app.core.mail import Mail
from app.modules.marketplace.exceptions import ShopTakenError
from app.modules.marketplace.models.directory_shop import ListedShop
from app.modules.marketplace.services.directory_service import SHOP_PREFIX, get_shop
from app.modules.tenancy.facade import record_audit
from app.tasks.dispatcher import dispatch

_TASK = "app.modules.marketplace.tasks.directory.invite_shop"
_LANGUAGES = {"LU": "fr", "FR": "fr", "BE": "fr", "DE": "de"}


def invite(session: Session, shop_id: UUID, *, by: UUID | None) -> None:
    """Have the mail sent. Raises NotFoundError, and ShopTakenError for a shop that is ours or has no address."""
    row = get_shop(session, shop_id, lock=True)
    if row.vendor_id or row.gone_at or not row.email:
        raise ShopTakenError
    row.invited_at = clock.now()
    dispatch(session, _TASK, kwargs={"shop_id": row.id}, created_by=by)
    record_audit(session, "marketplace.shop_invited", actor_id=by, target=to_public(SHOP_PREFIX, row.id))


def invitation(session: Session, shop_id: UUID, marketplace: str) -> Mail | None:
    """The mail; None for a shop that became ours meanwhile."""
    row = session.get(ListedShop, shop_id)
    if row is None or row.vendor_id or not row.email:
        return None
    language = _LANGUAGES.get(row.country or "LU", "en")
    link = f"{get_settings().base_url.rstrip('/')}/pricing"
    params = {"name": row.name, "marketplace": marketplace, "link": link}
    subject = translate(language, "marketplace.mail.invite_subject", **params)
    return Mail(row.email, subject, translate(language, "marketplace.mail.invite", **params))
