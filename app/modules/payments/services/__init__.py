"""Business of the payments module."""
