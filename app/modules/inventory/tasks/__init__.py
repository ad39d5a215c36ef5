"""Background work of the stock."""
