"""The folders of the embedded servers, and locks on them."""

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import ConfigurationError

# Linux allows 107 bytes and a NUL in the path of a socket; this is the longest name we put into the folder.
_SOCKET_PATH_BYTES = 107
_LONGEST_SOCKET_NAME = "/.s.PGSQL.5432.lock"


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the servers of one data folder keep what they have; all are private to this user."""

    root: Path
    postgres: Path
    valkey: Path
    run: Path
    logs: Path


def prepare_folders(data_dir: Path) -> Folders:
    """Make the folders of ``data_dir``. Raises ConfigurationError, with what to do, when it cannot."""
    root = data_dir.resolve()
    folders = Folders(root, root / "postgres", root / "valkey", root / "run", root / "run/logs")
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (folders.valkey, folders.run, folders.logs):
            folder.mkdir(mode=0o700, exist_ok=True)
            folder.chmod(0o700)
        (folders.run / "lock").touch(mode=0o600)
    except OSError as error:
        raise ConfigurationError(
            f"The data folder {root} cannot be used ({error.strerror}: {error.filename}). Make it writable "
            "for the user who runs the platform, or set WIZAMART_DATA_DIR to another folder."
        ) from error
    return folders


@contextmanager
def socket_folder(folders: Folders) -> Iterator[Path]:
    """A private folder in the temporary one, with a name short enough for sockets whatever the data's is.

    Not in XDG_RUNTIME_DIR: that one is removed at logout, under a platform that goes on in the background.
    """
    digest = hashlib.sha256(os.fsencode(folders.root)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"wizamart-{os.geteuid()}-{digest}"
    if len(os.fsencode(folder)) + len(_LONGEST_SOCKET_NAME) > _SOCKET_PATH_BYTES:
        raise ConfigurationError(f"{folder} is too long a name for sockets. Set TMPDIR to a short one: /tmp.")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise ConfigurationError(
            f"The folder {folder} for sockets cannot be made ({error.strerror}). Set TMPDIR to a folder that "
            "this user may write to."
        ) from error
    # In a shared folder such as /tmp anybody could have made it first, to read along.
    mode = stat.S_IMODE(found.st_mode)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or mode != 0o700:
        raise ConfigurationError(
            f"{folder} is not a private folder of this user (owner {found.st_uid}, mode {mode:04o}). "
            "Remove it, or set TMPDIR to a private folder."
        )
    with opened(folder) as descriptor:
        try_lock(descriptor)  # programs that tidy /tmp up leave a locked folder and what is in it alone
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """A descriptor of a folder, or of a file (made when missing), to be locked."""
    flags = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def try_lock(descriptor: int) -> bool:
    """Lock it for us and those who inherit it; False when another process holds the lock."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
