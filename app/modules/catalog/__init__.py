"""The vendor's own products."""
