"""Tables of the customers module."""
