"""Celery entry: ``celery -A app.worker worker``."""

from typing import Any

from celery.signals import beat_init, setup_logging, worker_init

from app.core.celery_config import celery_app as app
from app.core.config import get_settings
from app.core.database import engine
from app.core.errors import ConfigurationError
from app.core.logging import configure_logging
from app.core.roles import refuse_powerful_role
from app.core.tracing import start_tracing

__all__ = ["app"]


@setup_logging.connect  # type: ignore[untyped-decorator]
def _log_as_everything_else(**_: Any) -> None:
    configure_logging(get_settings(), "worker")


@beat_init.connect  # type: ignore[untyped-decorator]
@worker_init.connect  # type: ignore[untyped-decorator]
def _refuse_powerful_role(**_: Any) -> None:
    try:
        start_tracing(get_settings(), "worker")
        with engine().connect() as connection:
            refuse_powerful_role(connection)
    except ConfigurationError as error:
        # Celery logs what its signal handlers raise and goes on; this it does not.
        raise SystemExit(error.detail) from None
