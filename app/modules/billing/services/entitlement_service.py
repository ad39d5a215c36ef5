"""What the framework asks about plans; see ``app/modules/entitlements.py``."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.modules.billing.services import limit_service, lock_service, usage_service


class Plans:
    """Billing's answer to ``framework.entitlements``. Every call comes in the vendor's scope."""

    @staticmethod
    def limit_of(session: Session, vendor_id: UUID, feature_code: str) -> int | None:
        """The limit that holds now; None is unlimited."""
        return limit_service.effective_limit(session, vendor_id, feature_code)

    @staticmethod
    def used_in_period(session: Session, vendor_id: UUID, feature_code: str) -> int:
        """What was counted in the present month."""
        return usage_service.used_in_month(session, vendor_id, feature_code)

    @staticmethod
    def lock(session: Session, vendor_id: UUID, feature_code: str) -> None:
        """Let no other writer of this feature go on until the transaction has ended."""
        lock_service.lock_name(session, "limit", vendor_id, feature_code)

    @staticmethod
    def count(session: Session, vendor_id: UUID, feature_code: str, amount: int) -> None:
        """Add to the present month's counter."""
        usage_service.count(session, vendor_id, feature_code, amount)
