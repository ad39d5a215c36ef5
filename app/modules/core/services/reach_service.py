"""Where a person's rows are: at a vendor, or at the operator's."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.database import SYSTEM, PlatformScope, ScopedSession, SystemScope, TenantScope, acting_in
from app.core.errors import ForbiddenError


def vendor_of(session: Session) -> UUID | None:
    """The vendor whose rows the session works on; None at the operator's."""
    assert isinstance(session, ScopedSession)
    return session.scope.vendor_id if isinstance(session.scope, TenantScope) else None


@contextmanager
def own_rows(session: Session) -> Iterator[Session]:
    """Where rows without a vendor can be read that are a person's own: say whose in every query.

    An admin of some of the platforms does not see such rows by their scope.
    """
    assert isinstance(session, ScopedSession)
    if isinstance(session.scope, PlatformScope):
        with acting_in(session, SYSTEM):
            yield session
    else:
        yield session


def require_all_platforms(session: Session) -> None:
    """ForbiddenError for an admin of some of the platforms, where something is about all of them."""
    assert isinstance(session, ScopedSession)
    if not isinstance(session.scope, TenantScope | SystemScope):
        raise ForbiddenError
