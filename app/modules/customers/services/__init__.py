"""The business of the customers module."""
