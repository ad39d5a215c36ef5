"""Wizamart: a modular, multi-tenant commerce platform."""

VERSION = "0.1.0"
