"""What changes of all records share: the version somebody saw, and being put on hold."""

from app.core import clock
from app.core.errors import ConflictError, FieldError, ValidationFailedError
from app.core.tables import Versioned
from app.modules.tenancy.models.tenant import Suspendable


def require_version(record: Versioned, version: int | None) -> None:
    """Raise ConflictError unless ``version`` is the record's; None accepts every one."""
    if version is not None and record.version != version:
        raise ConflictError("Somebody else changed this in the meantime. Open it again.")


def require_text(field: str, text: str) -> str:
    """The text without spaces around it; ValidationFailedError when nothing is left."""
    if not text.strip():
        error = FieldError(field, "missing", "tenancy.errors.missing", {})
        raise ValidationFailedError(f"{field} is empty.", errors=[error])
    return text.strip()


def suspend(record: Suspendable, reason: str) -> None:
    """Put a record on hold; the reason is needed."""
    record.suspended_reason = require_text("reason", reason)
    if record.is_active:
        record.is_active, record.suspended_at = False, clock.now()


def reactivate(record: Suspendable) -> None:
    """Take a record off hold."""
    record.is_active, record.suspended_at, record.suspended_reason = True, None, None
