"""Undoing an import: what it changed gets the values of before, what it added goes; edits by hand since then stay."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import TenantScope, acting_in
from app.core.ids import to_public
from app.modules.catalog import facade as catalog
from app.modules.marketplace.exceptions import ImportNotUndoableError
from app.modules.marketplace.models.feed import Feed
from app.modules.marketplace.models.import_job import FeedImport
from app.modules.marketplace.services import feed_service, import_service
from app.modules.marketplace.services.import_service import IMPORT_PREFIX, ORDERING_KEY
from app.modules.marketplace.services.import_sql import VENDOR
from app.modules.tenancy.facade import record_audit
from app.tasks.dispatcher import dispatch

UNDO_HOURS = 24
_PORTION = 5000
_TASK = "app.modules.marketplace.tasks.import_tasks.undo_import"

_TAKE_CHANGES = text(
    f"""
    DELETE FROM feed_changes WHERE vendor_id = {VENDOR} AND import_id = :import_id AND external_id IN (
        SELECT external_id FROM feed_changes WHERE vendor_id = {VENDOR} AND import_id = :import_id
        ORDER BY external_id LIMIT {_PORTION})
    RETURNING external_id, product_id, product_before, text_before, staged_before
    """
)
_RESTORE_STAGED = text(
    f"""
    UPDATE marketplace_products m SET
        raw = b.old -> 'raw', row_hash = cast(b.old ->> 'row_hash' AS bytea), title = b.old ->> 'title',
        price_cents = cast(b.old ->> 'price_cents' AS bigint), currency = b.old ->> 'currency',
        gtin = b.old ->> 'gtin', availability = b.old ->> 'availability', given = cast(b.old ->> 'given' AS bigint),
        line = cast(b.old ->> 'line' AS integer),
        import_id = cast(b.old ->> 'import_id' AS uuid), updated_at = cast(b.old ->> 'updated_at' AS timestamptz),
        missing_since = cast(b.old ->> 'missing_since' AS timestamptz)
    FROM (
        SELECT key, cast(old AS jsonb) AS old FROM unnest(cast(:keys AS text[]), cast(:olds AS text[])) AS u(key, old)
    ) b
    WHERE m.vendor_id = {VENDOR} AND m.feed_id = :feed_id AND m.external_id = b.key
    """
)
_TAKE_ADDED = text(
    f"""
    DELETE FROM marketplace_products WHERE vendor_id = {VENDOR} AND feed_id = :feed_id AND external_id IN (
        SELECT external_id FROM marketplace_products
        WHERE vendor_id = {VENDOR} AND feed_id = :feed_id AND first_import_id = :import_id AND external_id > :after
        ORDER BY external_id LIMIT {_PORTION})
    RETURNING external_id, made_product
    """
)
_OLD = text(
    """
    SELECT DISTINCT c.vendor_id FROM feed_changes c
    JOIN feed_imports i ON i.vendor_id = c.vendor_id AND i.id = c.import_id
    WHERE i.created_at < :until
    """
)
_FORGET = text(
    f"""
    WITH gone AS (
        DELETE FROM feed_changes WHERE vendor_id = {VENDOR} AND (import_id, external_id) IN (
            SELECT c.import_id, c.external_id FROM feed_changes c
            JOIN feed_imports i ON i.vendor_id = c.vendor_id AND i.id = c.import_id
            WHERE c.vendor_id = {VENDOR} AND i.created_at < :until LIMIT {_PORTION})
        RETURNING 1
    )
    SELECT count(*) FROM gone
    """
)
_FINISHED = ("succeeded", "failed", "cancelled")


def why_not(session: Session, import_id: UUID) -> str | None:
    """Why an import cannot be undone: dry_run, running, nothing, too_late, undone or newer_import; None when it can."""
    row, job = import_service.get_import(session, import_id)
    if row.is_dry_run:
        return "dry_run"
    if row.undo_job_id is not None:
        return "undone"
    if job is not None and job.state not in _FINISHED:
        return "running"
    if not row.created + row.updated + row.missing:
        return "nothing"
    if clock.now() - row.created_at > timedelta(hours=UNDO_HOURS):
        return "too_late"
    return "newer_import" if _is_followed(session, row) else None


def start_undo(session: Session, import_id: UUID, *, user_id: UUID | None) -> None:
    """Queue the undoing of an import in the caller's transaction. Raises ImportNotUndoableError."""
    reason = why_not(session, import_id)
    if reason is not None:
        raise ImportNotUndoableError(reason)
    row = import_service.get_import(session, import_id).row
    row.undo_job_id = dispatch(
        session,
        _TASK,
        kwargs={"import_id": row.id},
        vendor_id=row.vendor_id,
        ordering_key=ORDERING_KEY,
        cause="user" if user_id else None,
        created_by=user_id,
    ).id
    session.flush()
    target = to_public(IMPORT_PREFIX, row.id)
    record_audit(session, "marketplace.import_undone", vendor_id=row.vendor_id, target=target)


def count_rows(session: Session, import_id: UUID) -> int:
    """How many rows there are to put back, about."""
    row = import_service.get_import(session, import_id).row
    return row.created + row.updated + row.missing


def undo_import(session: Session, import_id: UUID) -> Iterator[int]:
    """Undo an import; gives at each step how many rows are done, and what was done may then be committed."""
    row = import_service.get_import(session, import_id).row
    feed = feed_service.get_feed(session, row.feed_id)
    values: dict[str, Any] = {"import_id": row.id, "feed_id": feed.id, "after": ""}
    done = 0
    while changes := session.execute(_TAKE_CHANGES, values).all():
        past = [(one.external_id, one.product_before, one.text_before) for one in changes if one.product_id]
        catalog.restore_products(session, past, language=feed.language)
        _restore_staged(session, values, [(one.external_id, one.staged_before) for one in changes])
        done += len(changes)
        yield done
    while added := session.execute(_TAKE_ADDED, values).all():
        made = [(one.external_id, None, None) for one in added if one.made_product]
        catalog.restore_products(session, made, language=feed.language)
        values["after"] = max(one.external_id for one in added)
        done += len(added)
        yield done
    _finish(session, feed, row)
    yield done


def forget_old_changes(session: Session) -> int:
    """Remove a portion of what imports changed that are too old to be undone; how much. Needs the system scope."""
    values = {"until": clock.now() - timedelta(hours=2 * UNDO_HOURS)}  # an undo that is under way needs them
    removed = 0
    for vendor_id in session.execute(_OLD, values).scalars().all():
        with acting_in(session, TenantScope(vendor_id)):
            removed += int(session.execute(_FORGET, values).scalar_one())
    return removed


def _restore_staged(session: Session, values: dict[str, Any], rows: Sequence[tuple[str, Any]]) -> None:
    found = {key: orjson.dumps(old).decode() for key, old in rows if old is not None}
    if found:
        session.execute(_RESTORE_STAGED, values | {"keys": list(found), "olds": list(found.values())})


def _finish(session: Session, feed: Feed, row: FeedImport) -> None:
    """The guard compares with the import before, and the next fetch asks for the whole file."""
    row.undone_at = clock.now()
    feed.etag = feed.last_modified = None
    feed.last_import_id = session.scalar(
        _real_imports(feed.id).where(FeedImport.id < row.id).order_by(FeedImport.id.desc()).limit(1)
    )


def _is_followed(session: Session, row: FeedImport) -> bool:
    later = _real_imports(row.feed_id).where(FeedImport.id > row.id)
    return session.scalar(later.limit(1)) is not None


def _real_imports(feed_id: UUID) -> Select[UUID]:
    """Imports of a feed that wrote something which still stands."""
    return select(FeedImport.id).where(
        FeedImport.feed_id == feed_id,
        FeedImport.is_dry_run.is_(False),
        FeedImport.undone_at.is_(None),
        FeedImport.created + FeedImport.updated + FeedImport.missing > 0,
    )
