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

import orjson
from sqlalchemy import Index, delete, select, text
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
# Waits for a twin as long as said and no longer; what comes after it waits as long as ever. One statement, as every act
# of a program and every form pays for it.
_CLAIM = text(
    """
    WITH waiting AS MATERIALIZED (
        SELECT former.value, set_config('lock_timeout', :waits, true)
        FROM (SELECT current_setting('lock_timeout') AS value OFFSET 0) former
    )
    INSERT INTO idempotency_keys (id, vendor_id, actor_id, route, key, body_hash, headers, created_at)
    SELECT CAST(:id AS uuid), CAST(:vendor_id AS uuid), CAST(:actor_id AS uuid), CAST(:route AS text),
        CAST(:key AS text), CAST(:body_hash AS bytea), '{}', CAST(:now AS timestamptz)
    FROM waiting
    ON CONFLICT DO NOTHING
    RETURNING (SELECT set_config('lock_timeout', value, true) FROM waiting)
    """
)
_FINISH = """
    UPDATE idempotency_keys SET status = :status, headers = CAST(:headers AS jsonb), body = CAST(:body AS bytea)
    WHERE {vendor} AND actor_id = :actor_id AND route = :route AND key = :key
"""
# No "is not distinct from": no index serves it.
_FINISH_OF_VENDOR = text(_FINISH.format(vendor="vendor_id = :vendor_id"))
_FINISH_OF_NOBODY = text(_FINISH.format(vendor="vendor_id IS NULL"))


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
        **_key_of(act),
        "vendor_id": act.vendor_id,
        "id": new_id(),
        "body_hash": body_hash,
        "now": clock.system_now(),
        "waits": f"{_TWIN_WAITS_SECONDS}s",
    }
    try:
        return session.connection().execute(_CLAIM, values).first() is not None
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise StillRunningError from None
        raise


def finish(session: Session, act: Act, answer: Answer) -> None:
    """Store the answer of an act that ``begin`` said was to be done."""
    values: dict[str, Any] = {
        **_key_of(act),
        "status": answer.status,
        "headers": orjson.dumps(dict(answer.headers)).decode(),
        "body": answer.body,
    }
    with acting_in(session, IdentityScope()):
        connection = session.connection()
        if act.vendor_id is None:
            connection.execute(_FINISH_OF_NOBODY, values)
        else:
            connection.execute(_FINISH_OF_VENDOR, {**values, "vendor_id": act.vendor_id})


def _key_of(act: Act) -> dict[str, Any]:
    return {"actor_id": act.actor_id, "route": act.route, "key": act.key}


def _same(act: Act) -> tuple[Any, ...]:
    return (
        IdempotencyKey.vendor_id == act.vendor_id,
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
