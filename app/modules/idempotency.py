"""Doing a thing once, however often it is asked for: an act's answer is stored with its effect, in one transaction.

The API keeps whole answers under the caller's ``Idempotency-Key``; forms keep where they led to under the token that
was drawn with them. Whoever asks again gets what was stored; whoever asks at the same moment waits for the first, a
short while. What fails leaves nothing: asking again does it again. Answers are kept for a day.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Index, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core import clock
from app.core.database import IdentityScope, acting_in
from app.core.errors import ConflictError, ValidationFailedError
from app.core.ids import new_id
from app.core.tables import ERASE, Base, Keyed, Personal, TableScope
from app.modules.pages import PageContext

MAX_KEY_CHARACTERS = 255
_KEPT_FOR = timedelta(hours=24)
_TWIN_WAITS_SECONDS = 5
_LOCK_NOT_AVAILABLE = "55P03"


class StillRunningError(ConflictError):
    """The same request is being answered at this moment."""

    code = "framework.still_running"


class KeyReusedError(ValidationFailedError):
    """The key was used for another request."""

    code = "framework.key_reused"


class IdempotencyKey(Keyed, Base):
    """One act and its answer; without a status it is being done, in a transaction that others cannot see."""

    __tablename__ = "idempotency_keys"
    __personal__ = Personal({"body": ERASE}, mentions=("body",), targets=("route", "body"))
    __impersonal__ = ("route", "key", "body_hash", "headers")
    __scope__ = TableScope.IDENTITY
    __table_args__ = (
        Index(
            "uq_idempotency_keys_act",
            "vendor_id",
            "actor_id",
            "route",
            "key",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )

    vendor_id: Mapped[UUID | None]
    actor_id: Mapped[UUID]
    route: Mapped[str]
    key: Mapped[str]
    body_hash: Mapped[bytes]
    status: Mapped[int | None]
    headers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    body: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.system_now, index=True)


@dataclass(frozen=True, slots=True)
class Act:
    """What is to be done once: where, by whom, under which key of theirs, with which content."""

    vendor_id: UUID | None
    actor_id: UUID
    route: str
    key: str
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the act led to."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


def begin(session: Session, act: Act) -> Answer | None:
    """The stored answer of an act; None when it is to be done now, in this transaction, and stored with ``finish``.

    Waits a few seconds for another transaction that is doing it. Raises StillRunningError when that takes longer,
    KeyReusedError when the key was used with other content.
    """
    body_hash = hashlib.sha256(act.content).digest()
    with acting_in(session, IdentityScope()):
        if _claim(session, act, body_hash):
            return None
        row = session.execute(select(IdempotencyKey).where(*_same(act))).scalar_one()
        if row.body_hash != body_hash:
            raise KeyReusedError
        if row.status is None:
            raise StillRunningError
        return Answer(row.status, row.headers, row.body or b"")


def _claim(session: Session, act: Act, body_hash: bytes) -> bool:
    values: dict[str, Any] = {
        "id": new_id(),
        "vendor_id": act.vendor_id,
        "actor_id": act.actor_id,
        "route": act.route,
    }
    values |= {"key": act.key, "body_hash": body_hash, "headers": {}, "created_at": clock.system_now()}
    insertion = insert(IdempotencyKey).values(values).on_conflict_do_nothing().returning(IdempotencyKey.id)
    session.execute(text(f"SET LOCAL lock_timeout = '{_TWIN_WAITS_SECONDS}s'"))
    try:
        claimed = session.execute(insertion).one_or_none()
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise StillRunningError from None
        raise
    session.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
    return claimed is not None


def finish(session: Session, act: Act, answer: Answer) -> None:
    """Store the answer of an act that ``begin`` said was to be done."""
    with acting_in(session, IdentityScope()):
        session.execute(
            update(IdempotencyKey)
            .where(*_same(act))
            .values(status=answer.status, headers=dict(answer.headers), body=answer.body)
        )


def _same(act: Act) -> tuple[Any, ...]:
    return (
        IdempotencyKey.vendor_id.is_not_distinct_from(act.vendor_id),
        IdempotencyKey.actor_id == act.actor_id,
        IdempotencyKey.route == act.route,
        IdempotencyKey.key == act.key,
    )


def once(ctx: PageContext, token: str) -> str | None:
    """Where a form with this token led to before; None when it is to be done now and kept with ``keep``.

    ``token`` is drawn when the form is shown (``security.new_token``) and sent with it. A second click waits for the
    first. Raises StillRunningError when that takes too long.
    """
    answer = begin(ctx.session, _form(ctx, token))
    return answer.headers["location"] if answer else None


def keep(ctx: PageContext, token: str, url: str) -> None:
    """Store the address that the form with this token leads to."""
    finish(ctx.session, _form(ctx, token), Answer(303, {"location": url}))


def _form(ctx: PageContext, token: str) -> Act:
    vendor = ctx.who.vendor
    route = f"form {ctx.request.url.path}"
    return Act(vendor.id if vendor else None, ctx.who.user_id, route, token[:MAX_KEY_CHARACTERS])


def delete_old(session: Session) -> int:
    """Forget answers older than a day; returns how many. Called by a schedule."""
    with acting_in(session, IdentityScope()):
        ended = delete(IdempotencyKey).where(IdempotencyKey.created_at < clock.system_now() - _KEPT_FOR)
        result = session.connection().execute(ended, execution_options={"preserve_rowcount": True})
        return result.rowcount
