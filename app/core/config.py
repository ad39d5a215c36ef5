"""Settings of the kernel: environment variables with the prefix ``WIZAMART_``, read once."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every field can be set as ``WIZAMART_<NAME>``. Sizes are bytes, durations are seconds."""

    model_config = SettingsConfigDict(env_prefix="WIZAMART_", env_ignore_empty=True, extra="ignore")

    env: Literal["development", "production", "test"] = "development"
    data_dir: Path = Path(".wizamart")

    # Unset means: the embedded server in ``data_dir``.
    database_url: str | None = None
    database_owner_url: str | None = None
    broker_url: str | None = None
    cache_url: str | None = None

    # Signs sessions and forms / seals stored credentials. Unset means: the 0600 key file in ``data_dir``.
    secret_key: SecretStr | None = None
    encryption_keys: SecretStr | None = None

    # Of hashing one password: 32 MiB for about 60 ms, so that forty sign-ins at once stay near 1.3 GiB.
    password_memory_kib: int = Field(default=32 * 1024, ge=1024)

    base_url: str = "http://127.0.0.1:8000"
    host: str = "127.0.0.1"
    port: int = 8000

    # smtp://user:password@host:587 (STARTTLS) or smtps://…:465. Unset means: the folder ``data_dir/outbox``.
    mail_url: SecretStr | None = None
    mail_from: str = "no-reply@localhost"

    default_language: str = "fr"
    log_format: Literal["text", "json"] = "text"
    log_level: str = "INFO"

    # Where unexpected errors and traces are sent (extra `observability`). Unset means: nowhere.
    sentry_dsn: SecretStr | None = None
    otlp_endpoint: str | None = None

    # Also how many requests a web process works at in the same moment; each may take one more for a moment.
    database_pool_size: int = Field(default=10, ge=1)
    # Off: for a pooler that gives a session another connection for each transaction and knows no prepared statements.
    database_prepared_statements: bool = True
    statement_timeout_seconds: int = 30

    job_retention_days: int = 90

    max_body_bytes: int = 2 * 1024 * 1024
    max_upload_bytes: int = 1024 * 1024 * 1024

    # Of one API key, counted by all web processes together.
    api_requests_per_minute: int = 600

    http_connect_seconds: float = 5.0
    http_read_seconds: float = 30.0
    # Name servers for looking up proofs of domains, `address` or `address:port`. Unset means: the machine's own.
    dns_servers: frozenset[str] = frozenset()
    # Hosts that outgoing requests may reach although their addresses are private (stand-ins, tests).
    http_allowed_private_hosts: frozenset[str] = frozenset()
    # The business clock may be moved although the servers are not the embedded ones: where no real business is done.
    clock_may_move: bool = False
    # The stand-in for Stripe and others, where one runs.
    sandbox_url: str | None = None

    @property
    def is_embedded(self) -> bool:
        """Whether the platform runs on the servers of its own data folder: no address of another one is set."""
        return self.database_url is None and self.database_owner_url is None


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process. What changes the environment calls ``get_settings.cache_clear()``."""
    return Settings()


@contextmanager
def changed_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the block, settings read anew, and put the former ones back afterwards."""
    former = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    get_settings.cache_clear()
    try:
        yield
    finally:
        for name, value in former.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        get_settings.cache_clear()
