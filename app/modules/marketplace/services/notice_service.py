"""Telling people that the work they asked for is done, or waits for them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import to_public
from app.modules.core.contracts import Notice, NotificationKind
from app.modules.core.facade import notify, notify_job_ended
from app.modules.marketplace.enums import ActState
from app.modules.marketplace.models.connection import Connection
from app.modules.marketplace.models.feed_export import FeedExport
from app.modules.marketplace.models.letzshop_order import ExternalRecord
from app.modules.marketplace.models.outgoing_act import OutgoingAct
from app.modules.marketplace.services.connection_service import lock_connection, name_of
from app.modules.marketplace.services.export_diff import finding_text
from app.modules.marketplace.services.feed_export_service import EXPORT_PREFIX, get_export, has_held_twin
from app.modules.marketplace.services.import_service import IMPORT_PREFIX, get_import
from app.modules.menu import page_url
from app.modules.tenancy import facade as tenancy

_EXPORT_HELD, _PARKED, _REFUSED = (
    f"marketplace.{one}" for one in ("export_held", "orders_parked", "acts_refused")
)


def kinds() -> Sequence[NotificationKind]:
    """What the marketplace tells people by itself."""
    return [
        NotificationKind(kind, kind.replace(".", ".notifications.", 1), by_email=True, areas=("vendor",))
        for kind in (_EXPORT_HELD, _PARKED, _REFUSED)
    ]


def tell_import_ended(session: Session, import_id: UUID, state: str) -> None:
    """Tell who started an import that it has ended."""
    row = get_import(session, import_id).row
    if row.created_by is None:
        return
    url = page_url(
        "marketplace.vendor.import",
        vendor_code=_code(row.vendor_id),
        import_id=to_public(IMPORT_PREFIX, import_id),
    )
    title = "marketplace.notices.trial_ended" if row.is_dry_run else "marketplace.notices.import_ended"
    notice = Notice("", "", title, {"name": row.source_name[-60:]}, url=url)
    notify_job_ended(session, notice, state, user_id=row.created_by, vendor_id=row.vendor_id)


def tell_export_ended(session: Session, export_id: UUID) -> None:
    """Tell who asked for an export that its file is there; or all who may confirm it that it is held."""
    row = get_export(session, export_id).row
    vendor = tenancy.find_vendor(vendor_id=row.vendor_id)
    assert vendor is not None
    url = page_url(
        "marketplace.vendor.export",
        vendor_code=vendor.code,
        export_id=to_public(EXPORT_PREFIX, export_id),
    )
    if row.findings:
        _tell_held(session, row, vendor.dashboard_language, url)
    elif row.created_by is not None:
        notice = Notice("", "", "marketplace.notices.export_ended", {"name": row.file_name}, url=url)
        notify_job_ended(session, notice, "succeeded", user_id=row.created_by, vendor_id=row.vendor_id)


def _tell_held(session: Session, row: FeedExport, language: str, url: str) -> None:
    if row.created_by is None and has_held_twin(session, row):
        return
    for user in tenancy.list_users_with(session, row.vendor_id, "marketplace.exports.create"):
        texts = [finding_text(user.language or language, finding) for finding in row.findings or ()]
        title, params = "marketplace.notices.export_held", {"name": row.file_name}
        notice = Notice(_EXPORT_HELD, "warning", title, params, "; ".join(texts), url)
        notify(session, notice, user_id=user.id, vendor_id=row.vendor_id)


def tell_parked(session: Session, connection_id: UUID) -> int:
    """Tell the shop's people how many orders of a marketplace wait because they could not be taken over; how many."""
    parked = select(func.count()).where(
        ExternalRecord.connection_id == connection_id, ExternalRecord.fault.is_not(None)
    )
    row = lock_connection(session, connection_id)
    row.parked_told_at = clock.now()
    url = page_url("marketplace.vendor.external_orders", vendor_code=_code(row.vendor_id), state="parked")
    return _tell_waiting(session, row, session.scalar(parked) or 0, _PARKED, url)


def tell_refused(session: Session, connection_id: UUID) -> int:
    """Tell the shop's people how many messages a marketplace has refused; how many."""
    refused = select(func.count()).where(
        OutgoingAct.connection_id == connection_id, OutgoingAct.state == ActState.REFUSED
    )
    row = lock_connection(session, connection_id)
    row.refused_told_at = clock.now()
    url = page_url("marketplace.vendor.acts", vendor_code=_code(row.vendor_id), state="refused")
    return _tell_waiting(session, row, session.scalar(refused) or 0, _REFUSED, url)


def _tell_waiting(session: Session, row: Connection, count: int, kind: str, url: str) -> int:
    if count:  # it may be put right already
        params: dict[str, str | int] = {"name": name_of(row), "count": count}
        notice = Notice(kind, "warning", kind.replace(".", ".notices.", 1), params, url=url)
        for user in tenancy.list_users_with(session, row.vendor_id, "marketplace.connections.view"):
            notify(session, notice, user_id=user.id, vendor_id=row.vendor_id)
    return count


def _code(vendor_id: UUID) -> str:
    vendor = tenancy.find_vendor(vendor_id=vendor_id)
    assert vendor is not None
    return vendor.code
