"""Words with a fixed meaning."""

from enum import StrEnum


class DeliveryState(StrEnum):
    """Where a message to a webhook endpoint is; the last two are final until it is sent again."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class DisabledReason(StrEnum):
    """Why an endpoint is off."""

    PERSON = "person"
    GONE = "gone"
    FAILING = "failing"


class SettingSource(StrEnum):
    """Where the value of a setting comes from; the environment wins over the database."""

    DEFAULT = "default"
    ENVIRONMENT = "environment"
    DATABASE = "database"


class ListJobKind(StrEnum):
    """What is done with many rows of a list."""

    EXPORT = "export"
    BULK = "bulk"
