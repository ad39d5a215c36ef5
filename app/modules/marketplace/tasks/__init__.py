"""Background work of the marketplace module."""
