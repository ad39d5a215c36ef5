"""Benchmarks: each one command, each printing a figure that can be compared."""
