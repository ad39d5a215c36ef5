"""Finding vendors, for modules that stand on nobody's facade."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.orm import Session

from app.modules.providers import ProviderPoint

# Answered by the module that owns vendors: the id of the vendor with a code.
VENDOR_ID: ProviderPoint[Callable[[Session, str], UUID | None]] = ProviderPoint("framework.vendor_id")


def find_vendor_id(session: Session, code: str) -> UUID | None:
    """The id of the vendor with this code, whatever the session's scope; None when there is none."""
    return VENDOR_ID.one()(session, code)
