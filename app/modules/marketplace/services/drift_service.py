"""Whether a marketplace and we say the same of orders and of what is offered."""

from collections.abc import Generator
from contextlib import closing
from datetime import timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core import clock
from app.modules.marketplace.contracts import Ability, ListingPage
from app.modules.marketplace.models.connection import Connection
from app.modules.marketplace.models.letzshop_order import ExternalRecord
from app.modules.marketplace.services import feed_push_service, listing_drift_service
from app.modules.marketplace.services.connection_service import (
    Line,
    find_connector,
    get_connection,
    name_of,
    open_line,
    write_calls,
)
from app.modules.marketplace.services.order_intake_service import settle
from app.modules.marketplace.services.order_sync_service import Wanted, read_again
from app.modules.marketplace.services.record_service import lock_record
from app.modules.menu import page_url
from app.modules.problems import Problem, clear_problem, report_problem
from app.modules.tenancy import facade as tenancy

_DAYS, _MOST_AT_ONCE = 60, 200
_FRESH = timedelta(minutes=30)


def check(session: Session, connection_id: UUID) -> Generator[dict[str, int]]:
    """Read the orders of the last 60 days again, those first that were not read for longest, and what is offered.

    Yields where the work so far is to be committed, with what was counted. Raises ChannelError.
    """
    connection = get_connection(session, connection_id)
    connector = find_connector(connection.vendor_id, connection.connector)
    abilities = connector.abilities if connector else frozenset()
    wanted = _wanted(session, connection_id) if Ability.ORDERS in abilities else []
    counts = {"read": 0, "drifts": 0}
    with closing(open_line(session, connection)) as line:
        yield counts
        for one in wanted:
            read_again(session, line, one)
            record = lock_record(session, one.record_id)
            settle(session, get_connection(session, connection_id), record)
            counts["read"] += 1
            yield counts
        if Ability.LISTINGS in abilities:
            walk = listing_drift_service.begin(session, connection_id)
            yield counts
            listings = listing_drift_service.read_round(partial(_read_listings, line), walk)
            listing_drift_service.note(session, connection_id, walk, listings)
            write_calls(session, line)
    feed_push_service.note_changed(session)
    counts["drifts"] = _report(session, get_connection(session, connection_id))
    yield counts


def _read_listings(line: Line, cursor: str | None) -> ListingPage:
    return line.ask("listings", lambda channel: channel.read_listings(cursor))


def _wanted(session: Session, connection_id: UUID) -> list[Wanted]:
    now = clock.now()
    statement = (
        select(ExternalRecord.id, ExternalRecord.external_id)
        .where(
            ExternalRecord.connection_id == connection_id,
            ExternalRecord.order_id.is_not(None),
            ExternalRecord.placed_at > now - timedelta(days=_DAYS),
            ExternalRecord.seen_at < now - _FRESH,
        )
        .order_by(ExternalRecord.seen_at, ExternalRecord.id)
        .limit(_MOST_AT_ONCE)
    )
    return [Wanted(*row) for row in session.execute(statement)]


def _report(session: Session, connection: Connection) -> int:
    differing = select(func.count()).where(
        ExternalRecord.connection_id == connection.id, ExternalRecord.drift.is_not(None)
    )
    count = session.scalar(differing) or 0
    key = f"marketplace.units:{connection.connector}"
    if not count:
        clear_problem(session, key, vendor_id=connection.vendor_id)
        return 0
    vendor = tenancy.find_vendor(vendor_id=connection.vendor_id)
    code = vendor.code if vendor else ""
    url = page_url("marketplace.vendor.external_orders", vendor_code=code, state="differs")
    params: dict[str, str | int] = {"name": name_of(connection), "count": count}
    problem = Problem(key, "marketplace.problems.units_differ", params, url=url)
    report_problem(session, problem, vendor_id=connection.vendor_id)
    return count
