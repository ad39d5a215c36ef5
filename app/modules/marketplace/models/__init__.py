"""Tables of the marketplace module."""
