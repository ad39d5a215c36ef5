"""Closed vocabularies of the catalogue."""

from enum import StrEnum


class Availability(StrEnum):
    """Whether a product can be bought now."""

    IN_STOCK = "in_stock"
    OUT_OF_STOCK = "out_of_stock"
    PREORDER = "preorder"
    BACKORDER = "backorder"


class TaxClass(StrEnum):
    """How a product is taxed: which of a state's rates it bears, whatever they are at the time."""

    STANDARD = "standard"
    INTERMEDIATE = "intermediate"
    REDUCED = "reduced"
    SUPER_REDUCED = "super_reduced"
    ZERO = "zero"


class ProductKind(StrEnum):
    """What is sold: goods that are sent, or something else."""

    PHYSICAL = "physical"
    DIGITAL = "digital"
    SERVICE = "service"
    SUBSCRIPTION = "subscription"
