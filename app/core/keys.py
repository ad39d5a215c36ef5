"""The platform's keys: from the environment, else from a file that the first start writes once.

``secret_key`` signs (sessions, forms, links); the encryption keys seal stored credentials. The first
encryption key seals, every listed one still opens, so a key is rotated by putting a new one in front.
"""

import base64
import binascii
import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from app.core.config import Settings
from app.core.errors import ConfigurationError
from app.core.storage import atomic_file

_KEY_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_MIN_SECRET_CHARACTERS = 32
_ENCRYPTION_KEY_BYTES = 32
_HOW = "Make both with `wizamart keys new` and set them in the environment."


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """One key that seals: its id (kept with every sealed text) and the key in Fernet's base64 form."""

    id: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keys:
    """All keys of the installation. Their values appear in no repr."""

    secret_key: str = field(repr=False)
    encryption_keys: tuple[EncryptionKey, ...]


def new_keys() -> Keys:
    """Fresh random keys, stored nowhere."""
    value = base64.urlsafe_b64encode(secrets.token_bytes(_ENCRYPTION_KEY_BYTES)).decode()
    return Keys(secrets.token_urlsafe(48), (EncryptionKey(f"k{secrets.token_hex(4)}", value),))


def to_environment(keys: Keys) -> dict[str, str]:
    """The environment variables that carry these keys."""
    listed = ",".join(f"{key.id}:{key.value}" for key in keys.encryption_keys)
    return {"WIZAMART_SECRET_KEY": keys.secret_key, "WIZAMART_ENCRYPTION_KEYS": listed}


def get_keys(settings: Settings) -> Keys:
    """The keys for these settings, read once per process.

    The environment wins. What it leaves out comes from ``keys.json`` in the data folder, which is written
    on first use; with an external database nothing is made up: a missing key is a ``ConfigurationError``.
    """
    secret = settings.secret_key.get_secret_value() if settings.secret_key else ""
    listed = settings.encryption_keys.get_secret_value() if settings.encryption_keys else ""
    folder = settings.data_dir.absolute() if settings.is_embedded else None
    return _load(secret, listed, folder)


@lru_cache(maxsize=8)
def _load(secret: str, listed: str, folder: Path | None) -> Keys:
    stored: Keys | None = None
    if not (secret and listed):
        if folder is None:
            missing = "WIZAMART_ENCRYPTION_KEYS" if secret else "WIZAMART_SECRET_KEY"
            raise ConfigurationError(f"{missing} is not set, and WIZAMART_DATABASE_URL is. {_HOW}")
        stored = _read_or_create(folder)
    return Keys(
        secret_key=_checked_secret(secret) if secret else stored.secret_key if stored else "",
        encryption_keys=_parse(listed) if listed else stored.encryption_keys if stored else (),
    )


def _checked_secret(text: str) -> str:
    if len(text) < _MIN_SECRET_CHARACTERS:
        raise ConfigurationError(
            f"WIZAMART_SECRET_KEY is shorter than {_MIN_SECRET_CHARACTERS} characters. {_HOW}"
        )
    return text


def _parse(listed: str) -> tuple[EncryptionKey, ...]:
    keys = []
    for position, entry in enumerate(listed.split(","), start=1):
        key_id, _, value = entry.strip().partition(":")
        if not _KEY_ID.fullmatch(key_id) or not _is_encryption_key(value):
            raise ConfigurationError(
                f"Entry {position} of WIZAMART_ENCRYPTION_KEYS is not `id:key` (32 bytes in base64). {_HOW}"
            )
        keys.append(EncryptionKey(key_id, value))
    if len({key.id for key in keys}) < len(keys):
        raise ConfigurationError("WIZAMART_ENCRYPTION_KEYS names one id twice.")
    return tuple(keys)


def _is_encryption_key(value: str) -> bool:
    try:
        return len(base64.b64decode(value, altchars=b"-_", validate=True)) == _ENCRYPTION_KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def _read_or_create(folder: Path) -> Keys:
    path = folder / "keys.json"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(folder / "keys.lock"):
        if not path.exists():
            keys = new_keys()
            listed = [{"id": key.id, "key": key.value} for key in keys.encryption_keys]
            document = {"secret_key": keys.secret_key, "encryption_keys": listed}
            with atomic_file(path) as file:
                file.write(json.dumps(document, indent=2).encode())
            return keys
    return _read(path)


def _read(path: Path) -> Keys:
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
        secret = document["secret_key"]
        entries = [(entry["id"], entry["key"]) for entry in document["encryption_keys"]]
        if len(secret) < _MIN_SECRET_CHARACTERS or not entries:
            raise ValueError
        if not all(_KEY_ID.fullmatch(key_id) and _is_encryption_key(value) for key_id, value in entries):
            raise ValueError
    except (ValueError, TypeError, KeyError):
        # From None: the cause would quote the file.
        raise ConfigurationError(f"{path} is damaged; bring it back from a backup.") from None
    return Keys(secret, tuple(EncryptionKey(key_id, value) for key_id, value in entries))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the file lock: the first of two processes starting at once writes, the other one reads."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
