"""The business of the order folder."""
