"""Background work of the payments module."""
