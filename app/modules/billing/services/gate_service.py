"""Whether a vendor may change anything."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.core import clock
from app.modules.billing.services.subscription_service import find_subscription, is_ended
from app.modules.gates import Closed


def find_closed(session: Session, vendor_id: UUID) -> Closed | None:
    """Billing's answer to ``framework.subscription_gate``: closed once access has ended.

    A vendor that never had a subscription is let through; it gets its trial at once, or from the next daily task.
    """
    subscription = find_subscription(session, vendor_id)
    if subscription is None or not is_ended(subscription, clock.now()):
        return None
    return Closed("billing.gate.expired")
