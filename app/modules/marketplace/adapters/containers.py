"""Takes a packed feed (gzip, ZIP) out of its container: streamed, counted, and nothing left behind on errors."""

import gzip
import io
import zipfile
import zlib
from pathlib import Path
from typing import IO

from app.core.storage import atomic_file
from app.modules.marketplace.adapters.feed_errors import (
    FeedArchiveDamagedError,
    FeedArchiveEmptyError,
    FeedArchiveEncryptedError,
    FeedArchiveMethodError,
    FeedArchiveNestedError,
    FeedArchiveSeveralError,
    FeedArchiveTooLargeError,
    FeedNotATableError,
)

# Tables shrink to a fifth or a tenth, the most monotonous ones to a fiftieth; bombs to a thousandth.
MAX_RATIO = 200
FREE_BYTES = 16 << 20
"""Up to this size a file may be packed as tightly as it likes."""
_DIRECTORY_BYTES = 4 << 20
_CHUNK = 1 << 18
_NAMES_SHOWN = 200
_TABLES = frozenset({".csv", ".tsv", ".tab", ".txt", ".xml"})
_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_NESTED = (
    *((magic, "ZIP or Excel") for magic in _ZIP),
    (_GZIP, "gzip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!\x1a\x07", "RAR"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
)
_TAR_AT = 257
_ENCRYPTED = 0x1


def unpack(path: Path, target: Path, *, max_bytes: int) -> bool:
    """Write the one table inside the gzip or ZIP file ``path`` to ``target``; False if ``path`` is not packed.

    ``max_bytes`` limits the table, and so does its packed size (see `MAX_RATIO`). Raises a `FeedError` for
    what cannot be unpacked; ``target`` then does not exist.
    """
    with path.open("rb") as file:
        magic = file.read(4)
    limit = min(max_bytes, max(FREE_BYTES, MAX_RATIO * path.stat().st_size))
    if magic.startswith(_GZIP):
        _unpack_gzip(path, target, limit)
    elif magic in _ZIP:
        _unpack_zip(path, target, limit)
    else:
        return False
    return True


def _unpack_gzip(path: Path, target: Path, limit: int) -> None:
    try:
        with gzip.open(path) as source:
            _copy(source, target, limit)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise FeedArchiveDamagedError(kind="gzip") from None


def _unpack_zip(path: Path, target: Path, limit: int) -> None:
    try:
        with _SmallReads(path) as file, zipfile.ZipFile(file) as archive:
            member = _table_in(archive)
            if member.flag_bits & _ENCRYPTED:
                raise FeedArchiveEncryptedError
            if member.file_size > limit:
                raise FeedArchiveTooLargeError(limit=limit)
            with archive.open(member) as source:
                _copy(source, target, limit)
    except NotImplementedError:
        raise FeedArchiveMethodError from None
    except (EOFError, zipfile.BadZipFile, zlib.error, ValueError):
        raise FeedArchiveDamagedError(kind="ZIP") from None


class _SmallReads(io.FileIO):
    """`zipfile` reads the list of members at once, however long an attacker has made it."""

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > _DIRECTORY_BYTES:
            raise FeedArchiveSeveralError(found="…")
        return super().read(-1 if size is None else size) or b""


def _table_in(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    names = set(archive.namelist())
    if "[Content_Types].xml" in names:
        raise FeedNotATableError(kind="Excel")
    if "mimetype" in names:
        raise FeedNotATableError(kind="OpenDocument")
    files = [
        member for member in archive.infolist() if not member.is_dir() and not _is_hidden(member.filename)
    ]
    tables = [member for member in files if Path(member.filename).suffix.lower() in _TABLES]
    candidates = tables or files
    if not candidates:
        raise FeedArchiveEmptyError
    if len(candidates) > 1:
        raise FeedArchiveSeveralError(found=", ".join(m.filename for m in candidates[:20])[:_NAMES_SHOWN])
    return candidates[0]


def _is_hidden(name: str) -> bool:
    """What macOS and editors add to archives."""
    return any(part == "__MACOSX" or part.startswith(".") for part in name.split("/"))


def _copy(source: gzip.GzipFile | IO[bytes], target: Path, limit: int) -> None:
    with atomic_file(target) as out:
        written = 0
        while chunk := source.read(_CHUNK):
            if not written:
                _refuse_nested(chunk)
            written += len(chunk)
            if written > limit:
                raise FeedArchiveTooLargeError(limit=limit)
            out.write(chunk)


def _refuse_nested(head: bytes) -> None:
    for magic, kind in _NESTED:
        if head.startswith(magic):
            raise FeedArchiveNestedError(kind=kind)
    if head[_TAR_AT : _TAR_AT + 5] == b"ustar":
        raise FeedArchiveNestedError(kind="tar")
