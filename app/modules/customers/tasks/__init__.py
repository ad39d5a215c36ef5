"""Background work of the customers module."""
