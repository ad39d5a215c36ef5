"""Customers: who buys from a vendor, with addresses, consents and what they spent."""
