"""``wizamart billing``: plans and subscriptions of an installation."""

from typing import Annotated

import typer
from sqlalchemy.orm import Session

from app.core.console import print_rows
from app.core.database import SYSTEM, unit_of_work
from app.modules.billing.contracts import By
from app.modules.billing.enums import ChangeSource, SubscriptionStatus
from app.modules.billing.models.subscription import Subscription
from app.modules.billing.services import subscription_service, tier_service
from app.modules.platform import running_platform
from app.modules.state import require_enabled
from app.modules.tenancy.facade import get_vendor, list_platforms, vendor_names

billing_app = typer.Typer(help="Plans and subscriptions.", no_args_is_help=True)
trial_app = typer.Typer(help="Trials.", no_args_is_help=True)
billing_app.add_typer(trial_app, name="trial")
groups = {"billing": billing_app}

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@billing_app.command("tiers")
def list_tiers(as_json: _Json = False) -> None:
    """Plans of all platforms, with the vendors that have them and their estimated monthly revenue (cents).

    Example: wizamart billing tiers --json
    """
    with running_platform(), unit_of_work(SYSTEM) as session:
        platforms = {platform.id: platform.code for platform in list_platforms(session)}
        figures = tier_service.figures(session)
        rows = [
            {
                "platform": platforms.get(tier.platform_id),
                "code": tier.code,
                "monthly_cents": tier.monthly_cents,
                "annual_cents": tier.annual_cents,
                "is_sold": tier.archived_at is None,
                "subscriptions": figures[tier.id].subscriptions if tier.id in figures else 0,
                "revenue_cents": figures[tier.id].monthly_cents if tier.id in figures else 0,
            }
            for tier in tier_service.list_tiers(session, is_sold=False)
        ]
    print_rows(rows, as_json)


@billing_app.command("subscriptions")
def list_subscriptions(
    status: Annotated[SubscriptionStatus | None, typer.Option(help="Only those that stand there.")] = None,
    as_json: _Json = False,
) -> None:
    """Subscriptions of all vendors.

    Example: wizamart billing subscriptions --status past_due
    """
    with running_platform(), unit_of_work(SYSTEM) as session:
        print_rows(_rows(session, status), as_json)


@trial_app.callback()
def _trials() -> None:
    """A group of one command keeps its name."""


@trial_app.command("extend")
def extend_trial(
    vendor: Annotated[str, typer.Argument(help="Code of the vendor.")],
    days: Annotated[int, typer.Option(help="How many days longer.")],
    reason: Annotated[str, typer.Option(help="Kept in the history.")] = "",
) -> None:
    """Let a vendor's trial last longer.

    Example: wizamart billing trial extend MOSELLE --days 7
    """
    with running_platform():
        found = get_vendor(vendor)
        require_enabled("billing", found.id)
        with unit_of_work(SYSTEM) as session:
            by = By(ChangeSource.USER)
            subscription = subscription_service.extend_trial(session, found.id, days, by, reason)
            end = subscription.period_end
    typer.echo(f"The trial of {found.code} ends at {end:%Y-%m-%d %H:%M} UTC.", err=True)


def _rows(session: Session, status: SubscriptionStatus | None) -> list[dict[str, object]]:
    vendors = vendor_names()
    statement = subscription_service.select_subscriptions().join(
        vendors, vendors.c.id == Subscription.vendor_id
    )
    if status is not None:
        statement = statement.where(Subscription.status == status)
    return [
        {
            "vendor": row.code,
            "tier": row.tier_code,
            "interval": row.Subscription.interval,
            "status": row.Subscription.status,
            "period_end": row.Subscription.period_end,
            "ends_at": subscription_service.ends_at(row.Subscription),
        }
        for row in session.execute(statement.add_columns(vendors.c.code).order_by(vendors.c.code))
    ]
