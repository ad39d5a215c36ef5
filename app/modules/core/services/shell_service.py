"""What the frame around every page shows: unread notifications, alerts, other places."""

from app.modules.core.services import notification_service
from app.modules.pagekit.points import ALERTS
from app.modules.pages import PageContext
from app.modules.shell import Alert, ShellExtras
from app.modules.state import kept
from app.modules.tenancy.facade import other_places


def shell_extras(ctx: PageContext) -> ShellExtras:
    """For the page that is being shown; costs one short query, and once in a second or two a few more."""
    who = ctx.who
    alerts = kept(("core.alerts", who, ctx.language), lambda: _alerts(ctx))
    places = kept(("core.places", who), lambda: other_places(ctx.session, who))
    return ShellExtras(
        unread=notification_service.unread_count(ctx.session, who.user_id),
        alerts=alerts,
        places=[(name, f"/vendor/{code}") for name, code in places],
    )


def _alerts(ctx: PageContext) -> list[Alert]:
    found = ALERTS.collect(ctx.session, lambda source: list(source(ctx)), ctx.who.platform_ids)
    return [alert for alerts in found for alert in alerts]
