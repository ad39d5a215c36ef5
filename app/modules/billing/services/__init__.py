"""The business of billing."""
