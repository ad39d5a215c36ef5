"""What people are told by billing, in the bell and by mail: once per fact, in the transaction that makes it one."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.modules.billing.services.subscription_service import ends_at, get_subscription
from app.modules.core.contracts import Notice, NotificationKind
from app.modules.core.facade import notify
from app.modules.menu import find_page, page_url
from app.modules.tenancy.facade import list_users_with, vendor_names

_TRIAL_ENDING, _TRIAL_ENDED, _PAST_DUE = "billing.trial_ending", "billing.trial_ended", "billing.past_due"


def kinds() -> Sequence[NotificationKind]:
    """What billing tells people by itself."""
    return [
        NotificationKind(
            code, f"billing.notifications.{code.partition('.')[2]}", by_email=True, areas=("vendor",)
        )
        for code in (_TRIAL_ENDING, _TRIAL_ENDED, _PAST_DUE)
    ]


def tell_trial_ending(session: Session, vendor_id: UUID, end: datetime) -> None:
    """The trial ends on this day."""
    _tell(session, vendor_id, _TRIAL_ENDING, "info", date=f"{end:%Y-%m-%d}")


def tell_trial_ended(session: Session, vendor_id: UUID) -> None:
    """The trial is over and nothing was subscribed."""
    _tell(session, vendor_id, _TRIAL_ENDED, "warning")


def tell_past_due(session: Session, vendor_id: UUID) -> None:
    """A payment failed, and until when that has to be put right."""
    end = ends_at(get_subscription(session, vendor_id))
    assert end is not None
    _tell(session, vendor_id, _PAST_DUE, "danger", date=f"{end:%Y-%m-%d}")


def plan_url(vendor_code: str) -> str | None:
    """Where a vendor sees and changes its plan."""
    page = find_page("vendor", "plan")
    return page_url(page.id, vendor_code=vendor_code) if page else None


def _tell(session: Session, vendor_id: UUID, kind: str, tone: str, **params: str) -> None:
    vendors = vendor_names()
    vendor = session.execute(select(vendors.c.code, vendors.c.name).where(vendors.c.id == vendor_id)).one()
    title = f"billing.notices.{kind.partition('.')[2]}"
    notice = Notice(kind, tone, title, {"name": vendor.name, **params}, url=plan_url(vendor.code))
    for user in list_users_with(session, vendor_id, "billing.manage_plan"):
        notify(session, notice, user_id=user.id, vendor_id=vendor_id)
