"""Passwords, tokens, signed texts and sealed credentials. Signatures and ages follow the system clock."""

import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer

from app.core.clock import system_now
from app.core.config import get_settings
from app.core.errors import ConfigurationError
from app.core.keys import Keys, get_keys

MIN_PASSWORD_CHARACTERS = 12
MAX_PASSWORD_CHARACTERS = 128

# The stems of the most common passwords: with digits and signs around them they are just as common.
_WORDS = """
password passwort passwd passwuert motdepasse passwordpassword mypassword pass passphrase secret supersecret
qwerty qwertz azerty qwertyuiop qwertzuiop azertyuiop asdfghjkl asdfgh zxcvbnm qazwsxedc qwertyqwerty
azertyazerty azertyuiopqsdfghjklm qwertyuiopasdfghjkl letmein letmeinplease welcome welcomehome bienvenue
willkommen admin administrator administrateur adminadmin root superuser master changeme changemenow default
iloveyou iloveyouforever jetaime jetaimeforever ichliebedich princess sunshine football baseball superman
batman dragon monkey shadow michael jordan computer internet starwars pokemon whatever trustno freedom login
test testtest testing demo guest user username hello bonjour hallo moien loulou doudou soleil chocolat
luxembourg letzebuerg letzshop wizamart marseille france deutschland
"""
_COMMON_WORDS = frozenset(_WORDS.split())
_SEQUENCES = (
    "0123456789" * 3,
    "9876543210" * 3,
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1q2w3e4r5t6z7u8i9o0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn",
)


def hash_password(text: str) -> str:
    """The argon2id hash to store for a password."""
    return _hasher().hash(_normalised(text))


def verify_password(hashed: str | None, text: str) -> bool:
    """Whether the password fits. With None (nobody of that name) the same work is done before saying no."""
    try:
        return _hasher().verify(hashed or _nobodys_hash(), _normalised(text)) and hashed is not None
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(hashed: str) -> bool:
    """Whether a stored hash was made with older costs: hash again after the next successful sign-in."""
    return _hasher().check_needs_rehash(hashed)


def check_password_strength(text: str, user_inputs: Iterable[str]) -> list[str]:
    """What is wrong with a new password, as codes: ``too_short``, ``too_long``, ``personal``, ``common``.

    ``user_inputs`` are texts everybody knows about the person: e-mail address, names, company.
    """
    password = _normalised(text)
    codes = []
    if len(password) < MIN_PASSWORD_CHARACTERS:
        codes.append("too_short")
    if len(password) > MAX_PASSWORD_CHARACTERS:
        codes.append("too_long")
    if _is_personal(password, user_inputs):
        codes.append("personal")
    if _is_common(password.casefold()):
        codes.append("common")
    return codes


def new_token(bytes: int = 32) -> str:  # noqa: A002 (the unit is the name)
    """A random token for links, sessions and keys, safe in URLs. Store ``hash_token`` of it only."""
    return secrets.token_urlsafe(bytes)


def hash_token(text: str) -> bytes:
    """SHA-256 of a token. Enough for tokens, which are random; never for passwords."""
    return hashlib.sha256(text.encode()).digest()


def sign(purpose: str, payload: dict[str, Any], keys: Keys) -> str:
    """A URL-safe text that carries ``payload`` readably and cannot be changed; good for one purpose only."""
    text: str = _serializer(purpose, keys).dumps(payload)
    return text


def unsign(purpose: str, text: str, max_age_seconds: int, keys: Keys) -> dict[str, Any] | None:
    """The payload of a text from ``sign``; None when it is forged, too old or of another purpose."""
    try:
        payload = _serializer(purpose, keys).loads(text, max_age=max_age_seconds)
    except BadData:
        return None
    return payload if isinstance(payload, dict) else None


def csrf_token(nonce: str, keys: Keys) -> str:
    """A form token bound to the session's ``nonce``; salted, so that no two pages carry the same one."""
    salt = secrets.token_hex(8)
    return f"{salt}.{_csrf_mac(salt, nonce, keys)}"


def check_csrf(token: str, nonce: str, keys: Keys) -> bool:
    """Whether a form token belongs to the session's ``nonce``."""
    salt, _, mac = token.partition(".")
    return hmac.compare_digest(mac.encode(), _csrf_mac(salt, nonce, keys).encode())


def seal(plaintext: str, keys: Keys | None = None) -> str:
    """Encrypt a credential for the database: ``<key id>:<token>``; by default with this process's keys."""
    current = (keys or get_keys(get_settings())).encryption_keys[0]
    return f"{current.id}:{Fernet(current.value).encrypt(plaintext.encode()).decode()}"


def unseal(sealed: str, keys: Keys | None = None) -> str:
    """The plaintext of ``seal``. Raises ``ConfigurationError`` when no configured key opens it."""
    key_id, _, token = sealed.partition(":")
    known = (keys or get_keys(get_settings())).encryption_keys
    try:
        return MultiFernet([Fernet(key.value) for key in known]).decrypt(token).decode()
    except (InvalidToken, ValueError):
        raise ConfigurationError(
            f"A sealed text (key {key_id[:32]!r}) does not open: the key is missing or the text is damaged."
        ) from None


def reseal(sealed: str, keys: Keys | None = None) -> str:
    """The same secret under the current key; returns ``sealed`` itself when that is the case already."""
    keys = keys or get_keys(get_settings())
    if sealed.partition(":")[0] == keys.encryption_keys[0].id:
        return sealed
    return seal(unseal(sealed, keys), keys)


class _SystemClockSigner(TimestampSigner):
    def get_timestamp(self) -> int:
        return int(system_now().timestamp())


def _serializer(purpose: str, keys: Keys) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        keys.secret_key,
        salt=f"wizamart.sign.{purpose}",
        signer=_SystemClockSigner,
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )


def _csrf_mac(salt: str, nonce: str, keys: Keys) -> str:
    message = f"wizamart.csrf\0{salt}\0{nonce}".encode()
    return hmac.new(keys.secret_key.encode(), message, hashlib.sha256).hexdigest()


def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=3, memory_cost=get_settings().password_memory_kib, parallelism=1)


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_urlsafe())


def _normalised(text: str) -> str:
    """One form for what keyboards type in several ways."""
    return unicodedata.normalize("NFKC", text)


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalpha())


def _is_personal(password: str, user_inputs: Iterable[str]) -> bool:
    """Whether nothing but digits and signs was added to (a part of) what is known about the person."""
    letters = _letters(password)
    for known in map(_normalised, user_inputs):
        local_part = known.partition("@")[0]
        parts = [known, local_part, *re.split(r"[^\w]+|_", known)]
        if password.casefold() == known.casefold():
            return True
        if len(letters) > 2 and letters in {_letters(part) for part in parts}:
            return True
    return False


def _is_common(password: str) -> bool:
    if _letters(password) in _COMMON_WORDS or any(password in row for row in _SEQUENCES if password):
        return True
    # One short piece again and again, such as "abcabcabcabc".
    return any(password == (password[:size] * len(password))[: len(password)] for size in range(1, 5))
