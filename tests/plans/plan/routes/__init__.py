"""Doors of the tests' plans."""
