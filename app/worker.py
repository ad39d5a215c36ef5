"""Celery entry: ``celery -A app.worker worker``."""

from typing import Any

from celery.signals import setup_logging

from app.core.celery_config import celery_app as app
from app.core.config import get_settings
from app.core.logging import configure_logging

__all__ = ["app"]


@setup_logging.connect  # type: ignore[untyped-decorator]
def _log_as_everything_else(**_: Any) -> None:
    configure_logging(get_settings(), "worker")
