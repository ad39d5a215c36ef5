"""Settings that people may change."""

from collections.abc import Sequence

from app.modules.core.contracts import Setting

WEBHOOK_DAYS = "payments.webhook_days"


def settings() -> Sequence[Setting]:
    """The settings of this module."""
    return (
        Setting(
            WEBHOOK_DAYS,
            "number",
            90,
            "payments.settings.webhook_days",
            "payments.settings.webhook_days_hint",
            area="admin",
            minimum=31,
            maximum=730,
        ),
    )
