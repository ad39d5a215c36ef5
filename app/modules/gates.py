"""The gate of the subscription: while it is closed, a vendor can read and take everything away, but change nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import ForbiddenError
from app.modules.menu import find_page
from app.modules.providers import ProviderPoint


class PlanError(ForbiddenError):
    """The vendor's plan does not allow this. ``page_id``: the vendor's page where that can be changed, if one is on."""

    def __init__(
        self, detail: str = "", /, *, message_key: str = "", page_id: str | None = None, **params: Any
    ) -> None:
        super().__init__(detail, message_key=message_key, **params)
        plan = find_page("vendor", "plan")
        self.page_id = page_id or (plan.id if plan else None)


class ReadOnlyError(PlanError):
    """The subscription has ended: nothing of the vendor's may be changed."""

    code = "framework.read_only"
    title = "Read-only"


@dataclass(frozen=True, slots=True)
class Closed:
    """Why the gate is closed, as a text for people, and the page where it can be opened."""

    message_key: str
    params: Mapping[str, Any] = field(default_factory=dict)
    page_id: str | None = None


# Answered by the module that knows subscriptions: why a vendor may change nothing, None when it may.
SUBSCRIPTION: ProviderPoint[Callable[[Session, UUID], Closed | None]] = ProviderPoint(
    "framework.subscription_gate"
)


def find_closed(session: Session, vendor_id: UUID) -> Closed | None:
    """Why a vendor's subscription lets it change nothing; None when it may, and where no module knows subscriptions.

    ``session`` is in the vendor's scope.
    """
    ask = SUBSCRIPTION.find_for(vendor_id)
    return ask(session, vendor_id) if ask else None


def require_open(session: Session, vendor_id: UUID) -> None:
    """Raise ReadOnlyError while the vendor's subscription lets it change nothing."""
    closed = find_closed(session, vendor_id)
    if closed is not None:
        raise ReadOnlyError(
            "The subscription has ended.",
            message_key=closed.message_key,
            page_id=closed.page_id,
            **closed.params,
        )
