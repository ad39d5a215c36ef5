"""The business of the catalogue."""
