"""Whose rows are written, and who writes first."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.core.database import ScopedSession, TenantScope, acting_in
from app.modules.billing.exceptions import SubscriptionNotFoundError
from app.modules.billing.models.subscription import Subscription

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


def lock_name(session: Session, *parts: object) -> None:
    """Wait until no other transaction holds the lock of this name, and hold it until this one has ended."""
    session.execute(_LOCK, {"key": ":".join(("billing", *map(str, parts)))})


@contextmanager
def as_vendor(session: Session, vendor_id: UUID) -> Iterator[None]:
    """The vendor's own scope for the block, whoever writes."""
    assert isinstance(session, ScopedSession)
    if isinstance(session.scope, TenantScope) and session.scope.vendor_id == vendor_id:
        yield
        session.flush()
        return
    with acting_in(session, TenantScope(vendor_id)):
        yield


@contextmanager
def locked_subscription(session: Session, vendor_id: UUID) -> Iterator[Subscription]:
    """A vendor's subscription, as it is now and stays until the transaction ends, in the vendor's scope.

    Raises SubscriptionNotFoundError where there is none that the session's own scope may see.
    """
    statement = select(Subscription).where(Subscription.vendor_id == vendor_id)
    if session.scalar(statement.with_only_columns(Subscription.id)) is None:
        raise SubscriptionNotFoundError
    with as_vendor(session, vendor_id):
        yield session.scalars(statement.with_for_update().execution_options(populate_existing=True)).one()
