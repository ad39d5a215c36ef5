"""What sales channels may sell."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from app.modules.inventory.services.rule_service import available_for


class ChannelLevels:
    """Implements ``marketplace.channel_stock``, in the scope of the vendor."""

    @staticmethod
    def available(
        session: Session, channel: str, product_ids: Sequence[UUID] | None = None
    ) -> dict[UUID, int]:
        """Units of each tracked product that a channel is shown, as the rules of the stock say."""
        return available_for(session, channel, product_ids)
