"""Background work of billing."""
