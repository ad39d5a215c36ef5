"""Errors of the stock."""

from app.core.errors import ConflictError, NotFoundError


class WarehouseNotFoundError(NotFoundError):
    """The vendor has no such warehouse."""

    code = "inventory.warehouse_not_found"
    title = "There is no such warehouse"


class LevelNotFoundError(NotFoundError):
    """Nothing of the product is known at the place."""

    code = "inventory.level_not_found"
    title = "Nothing is known of this product there"


class CountNotFoundError(NotFoundError):
    """The vendor has no such count."""

    code = "inventory.count_not_found"
    title = "There is no such count"


class IncomingNotFoundError(NotFoundError):
    """The vendor has no such delivery."""

    code = "inventory.incoming_not_found"
    title = "There is no such delivery"


class NotEnoughStockError(ConflictError):
    """Less would be left than orders were promised; ``on_hand`` and ``reserved`` are what there is."""

    code = "inventory.not_enough_stock"
    title = "Orders are waiting for these units"


class WarehouseInUseError(ConflictError):
    """Goods still lie in the warehouse, or it is the default one."""

    code = "inventory.warehouse_in_use"
    title = "The warehouse is in use"


class WarehouseCodeTakenError(ConflictError):
    """Another warehouse has the code."""

    code = "inventory.warehouse_code_taken"
    title = "Another warehouse has this code"


class CountClosedError(ConflictError):
    """The count was applied or thrown away."""

    code = "inventory.count_closed"
    title = "The count is closed"


class DeliveryClosedError(ConflictError):
    """The delivery has arrived or is no longer expected."""

    code = "inventory.delivery_closed"
    title = "The delivery is closed"
