"""PostgreSQL and Valkey in a data folder, for an installation that names no servers of its own."""

from app.core.embedded.runtime import Servers, find_servers, running_servers

__all__ = ["Servers", "find_servers", "running_servers"]
