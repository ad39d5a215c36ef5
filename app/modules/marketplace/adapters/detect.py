"""The one door for files that people bring: whatever it is, it becomes a table of the feed's columns."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from app.core.config import get_settings
from app.modules.marketplace.adapters.columns import CORRECTION_COLUMN, REQUIRED_COLUMNS, column_names
from app.modules.marketplace.adapters.containers import unpack
from app.modules.marketplace.adapters.feed_errors import (
    FeedColumnsUnmappedError,
    FeedNoRowsError,
    FeedNothingForSaleError,
)
from app.modules.marketplace.adapters.feed_reader import detect_format, read_header, starts_xml
from app.modules.marketplace.adapters.mapping import SAMPLE_ROWS, apply_mapping
from app.modules.marketplace.adapters.prepared import (
    CONVERTED_FORMAT,
    PreparedFeed,
    Profile,
    TableWriter,
    read_prepared,
)
from app.modules.marketplace.adapters.shopify import convert_shopify
from app.modules.marketplace.adapters.shopify_columns import is_shopify
from app.modules.marketplace.adapters.woocommerce import convert_woocommerce
from app.modules.marketplace.adapters.woocommerce_columns import is_woocommerce
from app.modules.marketplace.adapters.xml_feed import convert_xml

UNPACKED_PER_UPLOAD = 2
"""A packed file may hold this many times the bytes that an upload may have."""
UNPACKED_NAME = "unpacked.feed"
CONVERTED_NAME = "converted.tsv"
_FOUND_CUT = 300
_CONVERTERS = {"shopify": convert_shopify, "woocommerce": convert_woocommerce}


@dataclass(frozen=True, slots=True)
class Look:
    """What people see of a file before they map its columns; ``rows`` are the first ones that can be read."""

    profile: Profile
    header: list[str]
    rows: list[list[str]]


def detect_profile(header: list[str]) -> Profile:
    """Whose table has this header: the feed's own, a shop system's export, or any other."""
    if is_shopify(header):
        return "shopify"
    if is_woocommerce(header):
        return "woocommerce"
    return "google" if set(REQUIRED_COLUMNS) <= set(column_names(header)) else "table"


def prepare(
    path: Path, folder: Path, *, profile: Profile | None = None, mapping: Mapping[str, str] | None = None
) -> PreparedFeed:
    """Make the file ``path`` readable for `read_prepared`; what has to be written for that is in ``folder``.

    A plain table is read where it is. A gzip or ZIP file is unpacked to `UNPACKED_NAME`, an XML feed and the
    export of a shop system are converted to `CONVERTED_NAME`; the same input gives the same bytes. ``profile``
    overrides what the header says ("table": no conversion), ``mapping`` is column to field (`apply_mapping`).
    Raises a `FeedError`, with nothing left in the folder, for what cannot be read or mapped.
    """
    try:
        feed = _open(path, folder, profile)
        if mapping and not (_is_correction(feed.header) and not mapping.keys() <= set(feed.header)):
            feed = replace(feed, header=apply_mapping(feed.header, mapping))
        names = column_names(feed.header)
        if missing := [name for name in REQUIRED_COLUMNS if name not in names]:
            found = ", ".join(feed.header)[:_FOUND_CUT]
            raise FeedColumnsUnmappedError(columns=", ".join(missing), found=found)
        if next(read_prepared(feed), None) is None:
            raise FeedNoRowsError
    except Exception:
        _clear(folder)
        raise
    return feed


def look(path: Path, folder: Path) -> Look:
    """Header and first rows of a file, as `prepare` would find them. ``folder`` is empty again afterwards."""
    try:
        feed = _open(path, folder, None)
        rows = [row.cells for row in islice(read_prepared(feed), SAMPLE_ROWS) if row.problem is None]
        return Look(feed.profile, feed.header, rows)
    finally:
        _clear(folder)


def _clear(folder: Path) -> None:
    for name in (UNPACKED_NAME, CONVERTED_NAME):
        (folder / name).unlink(missing_ok=True)


def _open(path: Path, folder: Path, profile: Profile | None) -> PreparedFeed:
    unpacked, target = folder / UNPACKED_NAME, folder / CONVERTED_NAME
    limit = UNPACKED_PER_UPLOAD * get_settings().max_upload_bytes
    source = unpacked if unpack(path, unpacked, max_bytes=limit) else path
    if starts_xml(source):
        feed = _converted(target, None, *convert_xml(source, target))
    else:
        fmt = detect_format(source)
        header = read_header(source, fmt)
        found = detect_profile(header)
        profile = found if _is_correction(header) else profile or found
        if profile not in _CONVERTERS:
            return PreparedFeed(source, fmt, profile, header)
        feed = _converted(target, profile, *_CONVERTERS[profile](source, fmt, header, target))
    unpacked.unlink(missing_ok=True)
    return feed


def _is_correction(header: list[str]) -> bool:
    """Whether this is a file of failed rows: it has our columns, not those of the file that they were in."""
    return {CORRECTION_COLUMN, *REQUIRED_COLUMNS} <= set(column_names(header))


def _converted(target: Path, profile: Profile | None, columns: list[str], table: TableWriter) -> PreparedFeed:
    if not table.rows:
        if table.left_out:
            raise FeedNothingForSaleError(count=table.left_out.total())
        raise FeedNoRowsError
    left_out = dict(sorted(table.left_out.items()))
    profile = profile or detect_profile(columns)
    return PreparedFeed(target, CONVERTED_FORMAT, profile, columns, is_converted=True, left_out=left_out)
