"""Tables of the stock."""
