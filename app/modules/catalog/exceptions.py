"""Errors of the catalogue."""

from app.core.errors import NotFoundError


class ProductNotFoundError(NotFoundError):
    """The vendor has no such product."""

    code = "catalog.product_not_found"
    title = "There is no such product"
