"""Errors of orders."""

from app.core.errors import (
    AppError,
    ConflictError,
    FieldError,
    NotFoundError,
    ValidationFailedError,
)
from app.modules.gates import PlanError


class OrdersException(AppError):
    """Base of the errors of orders."""

    status = 409
    code = "orders.error"
    title = "The order cannot do this"


class OrderNotFoundError(OrdersException, NotFoundError):
    """The vendor has no such order."""

    status = 404
    code = "orders.order_not_found"
    title = "There is no such order"


class ShipmentNotFoundError(OrdersException, NotFoundError):
    """The vendor has no such shipment."""

    status = 404
    code = "orders.shipment_not_found"
    title = "There is no such shipment"


class ExceptionNotFoundError(OrdersException, NotFoundError):
    """The vendor has no such exception, or it is no longer open."""

    status = 404
    code = "orders.exception_not_found"
    title = "There is no such open exception"


class WithdrawalNotFoundError(OrdersException, NotFoundError):
    """The vendor has no such notice of withdrawal."""

    status = 404
    code = "orders.withdrawal_not_found"
    title = "There is no such withdrawal"


class CarrierNotFoundError(OrdersException, NotFoundError):
    """The vendor has no such carrier."""

    status = 404
    code = "orders.carrier_not_found"
    title = "There is no such carrier"


class ProposalNotFoundError(OrdersException, NotFoundError):
    """The order has no such open proposal."""

    status = 404
    code = "orders.proposal_not_found"
    title = "There is no such open proposal"


class OrderStateError(OrdersException, ConflictError):
    """The state does not allow this; params: ``status``, ``action``."""

    code = "orders.order_state"
    title = "The order does not allow this now"


class PendingExceptionsError(OrdersException, ConflictError):
    """Open exceptions bar confirmation; params: ``count``."""

    code = "orders.pending_exceptions"
    title = "Exceptions of the order are open"


class OrderHeldError(OrdersException, PlanError):
    """The plan's orders of this period are used up: a larger plan or the next period frees the order."""

    status = 403
    code = "orders.order_held"
    title = "The plan allows no more orders in this period"


class BuyerBlockedError(OrdersException, ConflictError):
    """The buyer is blocked: nothing is ordered, or what is there is held until somebody lets it pass."""

    code = "orders.buyer_blocked"
    title = "The buyer is blocked"


class OutOfStockError(OrdersException, ConflictError):
    """There is not enough; nothing was ordered and nothing reserved. Params: ``skus``."""

    code = "orders.out_of_stock"
    title = "There is not enough in stock"


class QuantityError(OrdersException, ValidationFailedError):
    """More of a line than there is left of it; params: ``sku``, ``left``."""

    status = 422
    code = "orders.quantity"
    title = "There is less of this line left"


class OrderInputError(OrdersException, ValidationFailedError):
    """A value that cannot be accepted, said at its field."""

    status = 422
    code = "orders.input"
    title = "The order cannot be accepted"

    def __init__(self, field: str, reason: str, **params: object) -> None:
        error = FieldError(field, reason, f"orders.errors.{reason}", params)
        ValidationFailedError.__init__(self, f"{field}: {reason}", errors=[error])


class DocumentNotFoundError(OrdersException, NotFoundError):
    """The vendor has no such document, or its file is not there yet."""

    status = 404
    code = "orders.document_not_found"
    title = "There is no such document"


class DocumentRefusedError(OrdersException, ConflictError):
    """The document cannot be made; params: ``reason``, what is missing or in the way."""

    code = "orders.document_refused"
    title = "The document cannot be made"
