"""Web entry: ``uvicorn app.main:create_app --factory``."""

from app.core.celery_config import celery_app
from app.modules.web import create_app

__all__ = ["celery_app", "create_app"]
