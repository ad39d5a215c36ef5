"""What the frame around every page shows: unread notifications, alerts, other places, pages left out of the menu."""

from app.modules.core.services import menu_service, notification_service
from app.modules.pagekit.points import ALERTS
from app.modules.pages import PageContext
from app.modules.shell import ShellExtras
from app.modules.tenancy.facade import other_places


def shell_extras(ctx: PageContext) -> ShellExtras:
    """For the page that is being shown; costs one or two short queries."""
    alerts = ALERTS.collect(ctx.session, lambda source: list(source(ctx)), ctx.who.platform_ids)
    return ShellExtras(
        unread=notification_service.unread_count(ctx.session, ctx.who.user_id),
        alerts=[alert for found in alerts for alert in found],
        places=[(name, f"/vendor/{code}") for name, code in other_places(ctx.session, ctx.who)],
        hidden_pages=menu_service.hidden_pages(ctx.who.platform_ids),
    )
