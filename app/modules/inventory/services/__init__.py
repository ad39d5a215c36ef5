"""The business of the stock."""
