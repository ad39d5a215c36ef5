"""The file of an import: fetched, kept, and made readable whatever it is."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast
from uuid import UUID

from app.core.config import get_settings
from app.core.http_client import fetch_to_file
from app.core.storage import get_storage
from app.modules.marketplace.adapters.detect import prepare
from app.modules.marketplace.adapters.feed_reader import Delimiter, Encoding, FeedFormat
from app.modules.marketplace.adapters.prepared import PreparedFeed, Profile
from app.modules.marketplace.models.feed import Feed
from app.modules.marketplace.models.import_job import FeedImport

_FETCH_SECONDS = 600.0
_CONVERTED, _UNPACKED = ".converted.tsv", ".unpacked.feed"


def storage_key(vendor_id: UUID, import_id: UUID) -> str:
    """Where the file of an import is stored."""
    return f"marketplace/{vendor_id}/{import_id}.feed"


def fetch_file(row: FeedImport, feed: Feed) -> bool:
    """Fetch the file of an import into the store. False: the address still has what was imported last.

    Called with no transaction open. Raises UrlRefusedError, FetchFailedError and TooLargeError.
    """
    settings = get_settings()
    is_own = row.url == feed.url and not row.is_confirmed
    key = storage_key(row.vendor_id, row.id)
    with TemporaryDirectory(prefix="wizamart-feed-") as folder:
        target = Path(folder) / "feed"
        fetched = fetch_to_file(
            row.url or "",
            target,
            max_bytes=settings.max_upload_bytes,
            total_seconds=_FETCH_SECONDS,
            etag=feed.etag if is_own else None,
            last_modified=feed.last_modified if is_own else None,
        )
        if fetched.not_modified:
            return False
        get_storage(settings).save(key, target)
    row.storage_key, row.etag, row.last_modified = key, fetched.etag, fetched.last_modified
    return True


def prepare_file(row: FeedImport, feed: Feed) -> PreparedFeed:
    """Make the file of an import readable, once: what had to be unpacked or converted is kept until the run is over.

    Raises a FeedError for what is no product feed.
    """
    assert row.storage_key is not None
    storage = get_storage(get_settings())
    if row.prepared_key is not None and storage.exists(row.prepared_key):
        return _prepared(row, storage.path(row.prepared_key))
    with TemporaryDirectory(prefix="wizamart-feed-") as folder:
        source = storage.path(row.storage_key)
        profile = None if feed.format == "auto" else cast(Profile, feed.format)
        found = prepare(source, Path(folder), profile=profile, mapping=feed.mapping)
        row.header, row.format, row.left_out = found.header, found.profile, found.left_out
        row.encoding, row.delimiter = found.format.encoding, found.format.delimiter
        if found.path == source:
            return found
        row.prepared_key = row.storage_key + (_CONVERTED if found.is_converted else _UNPACKED)
        storage.save(row.prepared_key, found.path)
        return _prepared(row, storage.path(row.prepared_key))


def forget_prepared(row: FeedImport) -> None:
    """Remove the file that was made for reading."""
    if row.prepared_key is not None:
        get_storage(get_settings()).delete(row.prepared_key)
        row.prepared_key = None


def _prepared(row: FeedImport, path: Path) -> PreparedFeed:
    fmt = FeedFormat(cast(Encoding, row.encoding), cast(Delimiter, row.delimiter))
    is_converted = path.name.endswith(_CONVERTED)
    profile, header = cast(Profile, row.format), row.header or []
    return PreparedFeed(path, fmt, profile, header, is_converted, row.left_out or {})
