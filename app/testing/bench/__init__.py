"""Benchmarks of the running platform. Also a module, which only a benchmark's own platform has installed."""
