"""Stock that has come: the lines that wait for it get it at once."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.modules.orders.enums import ExceptionKind
from app.modules.orders.models.exception import OrderException
from app.modules.orders.models.order import OrderLine
from app.modules.orders.services.exception_service import retry_exceptions
from app.tasks.dispatcher import dispatch

_TASK = "app.modules.orders.tasks.rounds.retry_products"
_MOST = 200  # products of a job
# Asked with each change of stock, while others wait for the same products: nothing is put together for it.
_WAITING = (
    "SELECT DISTINCT l.product_id FROM order_lines l JOIN order_exceptions e ON e.line_id = l.id "
    "WHERE l.product_id = ANY (%(products)s::uuid[]) AND e.status = 'pending' AND e.kind = 'out_of_stock'"
)


def on_arrival(session: Session, vendor_id: UUID, product_ids: Sequence[UUID]) -> None:
    """Have jobs look again at the lines that wait for these products, if there are such lines."""
    products = "{" + ",".join(map(str, product_ids)) + "}"
    found = sorted(session.connection().exec_driver_sql(_WAITING, {"products": products}).scalars())
    for start in range(0, len(found), _MOST):
        some = ",".join(str(key) for key in found[start : start + _MOST])
        dispatch(session, _TASK, kwargs={"product_ids": some}, vendor_id=vendor_id)


def retry_products(session: Session, product_ids: Sequence[UUID]) -> int:
    """Give what there is now of these products to the lines that wait, the oldest first; returns how many got it."""
    return retry_exceptions(session, _waits_for(product_ids))


def _waits_for(product_ids: Sequence[UUID]) -> ColumnElement[bool]:
    lines = select(OrderLine.id).where(OrderLine.product_id.in_(product_ids))
    return (OrderException.kind == ExceptionKind.OUT_OF_STOCK) & OrderException.line_id.in_(lines)
