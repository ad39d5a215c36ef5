"""A module that knows plans, for tests: limits and the gate are what a test says."""
