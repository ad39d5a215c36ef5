"""Marketplaces: product feeds in and out, and the orders that come back."""
