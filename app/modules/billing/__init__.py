"""Billing: plans, subscriptions, limits."""
