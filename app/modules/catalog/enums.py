"""Closed vocabularies of the catalogue."""

from enum import StrEnum


class Availability(StrEnum):
    """Whether a product can be bought now."""

    IN_STOCK = "in_stock"
    OUT_OF_STOCK = "out_of_stock"
    PREORDER = "preorder"
    BACKORDER = "backorder"
