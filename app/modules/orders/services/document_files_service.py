"""The stored files of issued documents."""

import hashlib
from pathlib import Path

from app.core.config import get_settings
from app.core.storage import get_storage
from app.modules.orders.exceptions import DocumentNotFoundError
from app.modules.orders.models.document import Document

FORMS = ("pdf", "cii", "ubl")


def file_of(document: Document, form: str) -> Path:
    """Where a stored file of an issued document can be read: ``pdf``, ``cii`` or ``ubl``.

    Raises DocumentNotFoundError when there is none, or when it is not what was stored.
    """
    key = getattr(document, f"{form}_key", None) if form in FORMS else None
    if key is None:
        raise DocumentNotFoundError
    path = get_storage(get_settings()).path(key)
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != getattr(document, f"{form}_sha256"):
            raise DocumentNotFoundError(f"the file of {document.number} is not the one that was stored")
    return path
