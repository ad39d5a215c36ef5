"""Files of the platform: a folder today, behind a protocol so that another store can take its place."""

import hashlib
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from app.core.config import Settings
from app.core.errors import NotFoundError, TooLargeError, ValidationFailedError

_SEGMENT = r"[a-z0-9_-][a-z0-9_.-]*"  # never begins with a dot, so neither '..' nor hidden files exist
_KEY = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")
_MAX_KEY = 500
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What was stored: its key, its size in bytes and the SHA-256 of its content (hex)."""

    key: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Usage:
    """How many files, and how many bytes they have together."""

    files: int
    bytes: int


class Storage(Protocol):
    """Files by key. Keys are made by our code: ``[a-z0-9/_.-]+``, folders divided by ``/``.

    The first folder is the code of the module whose file it is.
    """

    def save(self, key: str, source: BinaryIO | Path) -> StoredFile:
        """Store or replace a file, as a whole or not at all. Raises ``TooLargeError`` over the limit."""
        ...

    def open(self, key: str) -> BinaryIO:
        """The content for reading; the caller closes it. Raises ``NotFoundError``."""
        ...

    def path(self, key: str) -> Path:
        """Where the content can be read as a local file. Raises ``NotFoundError``."""
        ...

    def delete(self, key: str) -> None:
        """Remove the file; one that is not there is fine."""
        ...

    def exists(self, key: str) -> bool:
        """Whether there is such a file."""
        ...

    def usage(self, folder: str) -> Usage:
        """All files below a folder, also unfinished ones; nothing when there is no such folder."""
        ...

    def delete_folder(self, folder: str) -> Usage:
        """Remove all files below a folder, also unfinished ones; returns what was removed. Safe to repeat."""
        ...


@contextmanager
def atomic_file(target: Path) -> Iterator[BinaryIO]:
    """Write ``target`` (mode 0600) as a whole: it appears when the block ends well, else nothing changes."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = target.parent / f".{secrets.token_hex(8)}.part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class LocalStorage:
    """Files below one folder, mode 0600. ``max_bytes`` limits each file."""

    def __init__(self, root: Path, max_bytes: int) -> None:
        self._root = root
        self._max_bytes = max_bytes

    def save(self, key: str, source: BinaryIO | Path) -> StoredFile:
        """See ``Storage.save``."""
        target = self._locate(key)
        if isinstance(source, Path):
            with source.open("rb") as stream:
                return self._write(key, target, stream)
        return self._write(key, target, source)

    def open(self, key: str) -> BinaryIO:
        """See ``Storage.open``."""
        return self.path(key).open("rb")

    def path(self, key: str) -> Path:
        """See ``Storage.path``."""
        target = self._locate(key)
        if not target.is_file():
            raise NotFoundError("There is no such file.")
        return target

    def delete(self, key: str) -> None:
        """See ``Storage.delete``."""
        self._locate(key).unlink(missing_ok=True)

    def exists(self, key: str) -> bool:
        """See ``Storage.exists``."""
        return self._locate(key).is_file()

    def usage(self, folder: str) -> Usage:
        """See ``Storage.usage``."""
        return _sum(path.lstat().st_size for path in _below(self._locate(folder)) if not _is_folder(path))

    def delete_folder(self, folder: str) -> Usage:
        """See ``Storage.delete_folder``."""
        return _sum(size for path in _below(self._locate(folder)) if (size := _remove(path)) is not None)

    def _locate(self, key: str) -> Path:
        if len(key) > _MAX_KEY or not _KEY.fullmatch(key):
            raise ValidationFailedError("A storage key has lower-case letters, digits and / _ . - only.")
        return self._root / key

    def _write(self, key: str, target: Path, stream: BinaryIO) -> StoredFile:
        size, digest = 0, hashlib.sha256()
        with atomic_file(target) as file:
            while chunk := stream.read(_CHUNK_BYTES):
                size += len(chunk)
                if size > self._max_bytes:
                    raise TooLargeError(max_bytes=self._max_bytes)
                digest.update(chunk)
                file.write(chunk)
        return StoredFile(key=key, bytes=size, sha256=digest.hexdigest())


def _below(folder: Path) -> Iterator[Path]:
    """Everything in a folder, one after the other, each folder after its content and the folder itself last."""
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in (*files, *folders):
            yield Path(parent, name)
    if folder.is_dir():
        yield folder


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _remove(path: Path) -> int | None:
    """Remove a file, or an empty folder; returns the bytes of a file that was there."""
    if _is_folder(path):
        path.rmdir()
        return None
    try:
        size = path.lstat().st_size
        path.unlink()
    except FileNotFoundError:
        return None
    return size


def _sum(sizes: Iterable[int]) -> Usage:
    files = total = 0
    for size in sizes:
        files, total = files + 1, total + size
    return Usage(files, total)


def get_storage(settings: Settings) -> Storage:
    """The store these settings choose: the folder ``files`` in the data folder."""
    return LocalStorage(settings.data_dir / "files", settings.max_upload_bytes)
