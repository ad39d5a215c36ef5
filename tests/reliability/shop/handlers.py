"""Listeners of three modules."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.reliability.shop.events import ParcelSent

received: list[ParcelSent] = []


def on_parcel_sent(session: Session, event: ParcelSent) -> None:
    received.append(event)
    session.execute(
        text("INSERT INTO ledger_test_effects (job_id, number) VALUES (:id, :number)"),
        {"id": event.order_id, "number": event.number},
    )


def on_parcel_sent_fails(session: Session, event: ParcelSent) -> None:
    on_parcel_sent(session, event)
    raise RuntimeError("the carrier's page is down")
