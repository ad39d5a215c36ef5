"""Errors of the marketplace module."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.core.errors import AppError, ConflictError, NotFoundError


class RowsFailedError(AppError):
    """An all-or-nothing import had bad rows, so nothing was imported; params: ``failed``, ``rows``."""

    status = 422
    code = "marketplace.rows_failed"
    title = "Nothing was imported"

    def __init__(self, *, failed: int, rows: int) -> None:
        super().__init__(
            f"{failed} of {rows} rows have errors, so nothing was imported.", failed=failed, rows=rows
        )


class FeedGuardError(AppError):
    """The feed lost many rows, or emptied a column; params: ``findings``, as one text for logs."""

    status = 422
    code = "marketplace.feed_guard"
    title = "Nothing was imported"

    def __init__(self, findings: Sequence[Mapping[str, Any]]) -> None:
        self.findings = [dict(one) for one in findings]
        listed = ", ".join(f"{one['column'] or 'rows'}: {one['before']} → {one['now']}" for one in findings)
        super().__init__(
            f"The feed lost much of what it had ({listed}), so nothing was imported.", findings=listed
        )


class ImportNotUndoableError(ConflictError):
    """The import cannot be undone; param ``reason`` says why, see ``undo_service.why_not``."""

    code = "marketplace.import_not_undoable"
    title = "The import cannot be undone"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The import cannot be undone: {reason}.", reason=reason)


class FeedNotFoundError(NotFoundError):
    """The vendor has no such feed."""

    code = "marketplace.feed_not_found"
    title = "There is no such feed"


class FeedBusyError(ConflictError):
    """An import of the feed waits or runs."""

    code = "marketplace.feed_busy"
    title = "The feed is being imported"


class RuleNotFoundError(NotFoundError):
    """The vendor has no such rule."""

    code = "marketplace.rule_not_found"
    title = "There is no such rule"


class TooManyRulesError(ConflictError):
    """``limit``: rules a vendor may have."""

    code = "marketplace.too_many_rules"
    title = "There are too many rules"


class ImportNotFoundError(NotFoundError):
    """The vendor has no such import."""

    code = "marketplace.import_not_found"
    title = "There is no such import"


class ExportNotFoundError(NotFoundError):
    """The vendor has no such export."""

    code = "marketplace.export_not_found"
    title = "There is no such export"


class ExportNotHeldError(ConflictError):
    """The export does not wait to be confirmed."""

    code = "marketplace.export_not_held"
    title = "The export does not wait to be sent"


class SourceNotFoundError(NotFoundError):
    """No feed of the vendor has such a row."""

    code = "marketplace.source_not_found"
    title = "There is no such row"


class ChannelError(AppError):
    """Something between us and a marketplace. The detail has no secrets and no personal data."""

    status = 502
    code = "marketplace.channel"
    title = "The marketplace did not do this"
    http_status: int | None = None  # of the answer, where there was one


class ChannelNotConfiguredError(ChannelError):
    """The connection lacks its credentials."""

    status = 409
    code = "marketplace.channel_not_configured"
    title = "The connection is not set up"


class ChannelUnavailableError(ChannelError):
    """No answer, or none that can be used; worth another try after ``retry_after`` seconds."""

    code = "marketplace.channel_unavailable"
    title = "The marketplace does not answer"

    def __init__(self, detail: str = "", *, retry_after: float = 0.0) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class KeyRefusedError(ChannelError):
    """The marketplace does not know the key."""

    code = "marketplace.key_refused"
    title = "The marketplace refused the key"


class RoleMissingError(ChannelError):
    """The key is known and may not do this."""

    code = "marketplace.role_missing"
    title = "The key may not read orders"


class SchemaDriftError(ChannelError):
    """The marketplace no longer knows a name that we use."""

    code = "marketplace.schema_drift"
    title = "The marketplace has changed"


class ChannelRefusedError(ChannelError):
    """The act itself was refused, and trying again will not help. ``reason``: the marketplace's code."""

    status = 409
    code = "marketplace.channel_refused"
    title = "The marketplace refused this"

    def __init__(self, detail: str = "", *, reason: str = "") -> None:
        super().__init__(detail, reason=reason)
        self.reason = reason


class ConnectionNotFoundError(NotFoundError):
    """The vendor has no such connection."""

    code = "marketplace.connection_not_found"
    title = "There is no such connection"


class ShopTakenError(ConflictError):
    """A shop of a directory is one vendor, and a vendor is one shop of a marketplace."""

    code = "marketplace.shop_taken"
    title = "The shop belongs to another vendor"


class ConnectorUnknownError(NotFoundError):
    """No module that is on has such a connector."""

    code = "marketplace.connector_unknown"
    title = "There is no such connector"


class RecordNotFoundError(NotFoundError):
    """The vendor has no such order of a marketplace."""

    code = "marketplace.record_not_found"
    title = "There is no such order of the marketplace"


class ActNotFoundError(NotFoundError):
    """There is no such act, or none that was refused."""

    code = "marketplace.act_not_found"
    title = "There is nothing to tell the marketplace again"


class OrderUnexpectedError(ChannelError):
    """An order could not be stored for a reason nobody foresaw."""

    status = 500
    code = "marketplace.order_unexpected"
    title = "The order cannot be stored"
