"""Wizamart: a modular, multi-tenant commerce platform."""

import gc

VERSION = "0.1.0"

# A start makes a hundred thousand objects that stay; looking through them again and again took an eighth of it.
gc.set_threshold(10_000, 20, 20)
