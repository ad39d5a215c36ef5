"""Saying yes to so many of each line, and no to the rest."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from app.modules.orders.contracts import By
from app.modules.orders.enums import Decision, OrderStatus
from app.modules.orders.exceptions import QuantityError
from app.modules.orders.models.exception import OrderException
from app.modules.orders.services.cancel_service import cancel
from app.modules.orders.services.decide_service import confirm_lines, decline_lines
from app.modules.orders.services.exception_service import retry_exceptions
from app.modules.orders.services.state_service import (
    check_status,
    goods_of,
    lines_of,
    lock_order,
    open_quantity,
)


def confirm_parts(
    session: Session, order_id: UUID, wanted: Mapping[UUID, int | None], reason: str, by: By
) -> None:
    """Say yes to so many (None: all) of these lines. The rest of each is cancelled for the reason; of which none is
    left, it is declined.

    Raises QuantityError for more than was ordered, PendingExceptionsError, OrderHeldError, OrderInputError.
    """
    check_status(lock_order(session, order_id), "confirm", OrderStatus.PENDING)
    said: dict[UUID, int] = {}
    parts = []
    for line in goods_of(lines_of(session, order_id)):
        if line.id not in wanted or line.decision != Decision.PENDING:
            continue
        left, quantity = open_quantity(line), wanted[line.id]
        said[line.id] = left if quantity is None else quantity
        if not 0 <= said[line.id] <= left:
            raise QuantityError(sku=line.sku or line.title, left=left)
        if 0 < said[line.id] < left:
            parts.append((line.id, left - said[line.id]))
    if parts:
        cancel(session, order_id, reason, by, parts)
        # What is left of a line may be in stock.
        retry_exceptions(session, OrderException.line_id.in_([key for key, _ in parts]), by)
    refused = [key for key in wanted if said.get(key) == 0]
    if refused:
        decline_lines(session, order_id, refused, reason, by)
    confirmed = [key for key in wanted if said.get(key) != 0]
    if confirmed:
        confirm_lines(session, order_id, confirmed, by)
