"""The business of the marketplace module."""
