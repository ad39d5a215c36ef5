"""Passwords, tokens, signatures, form tokens and sealed credentials."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from app.core import clock, security
from app.core.config import get_settings
from app.core.errors import ConfigurationError
from app.core.keys import Keys, get_keys, new_keys
from app.core.security import (
    check_csrf,
    check_password_strength,
    csrf_token,
    hash_password,
    hash_token,
    needs_rehash,
    new_token,
    reseal,
    seal,
    sign,
    unseal,
    unsign,
    verify_password,
)

KEYS = new_keys()
OTHER = new_keys()


def test_a_password_fits_its_own_hash_only() -> None:
    hashed = hash_password("correct horse battery")
    assert hashed.startswith("$argon2id$")
    assert hashed != hash_password("correct horse battery")
    assert verify_password(hashed, "correct horse battery")
    assert not verify_password(hashed, "correct horse battery ")
    assert not verify_password("not a hash", "correct horse battery")
    assert not needs_rehash(hashed)
    assert needs_rehash(PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash("x"))


def test_keyboards_do_not_matter() -> None:
    assert verify_password(hash_password("cafe\u0301 ﬁn"), "café fin")


@pytest.fixture
def full_price(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Passwords cost what they cost an installation, not the little that they cost tests."""
    monkeypatch.delenv("WIZAMART_PASSWORD_MEMORY_KIB")
    for cached in (get_settings, security._nobodys_hash):
        cached.cache_clear()
    yield
    monkeypatch.undo()
    for cached in (get_settings, security._nobodys_hash):
        cached.cache_clear()


@pytest.mark.usefixtures("full_price")
def test_a_hash_of_another_price_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = hash_password("correct horse battery")
    assert "$m=32768,t=3,p=1$" in hashed
    monkeypatch.setenv("WIZAMART_PASSWORD_MEMORY_KIB", "16384")
    get_settings.cache_clear()
    assert needs_rehash(hashed)
    assert verify_password(hashed, "correct horse battery")


@pytest.mark.usefixtures("full_price")
def test_nobody_costs_as_much_as_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = hash_password("correct horse battery")
    assert not verify_password(None, "correct horse battery")

    def seconds(stored: str | None) -> float:
        taken = []
        for _ in range(3):
            started = time.process_time()
            verify_password(stored, "a wrong password")
            taken.append(time.process_time() - started)
        return min(taken)

    assert 0.5 < seconds(None) / seconds(hashed) < 2
    monkeypatch.setattr(security, "_nobodys_hash", lambda: hashed)
    assert not verify_password(None, "correct horse battery")  # even if somebody guessed it


@pytest.mark.parametrize(
    ("password", "codes"),
    [
        ("vivid-otter-plays", []),
        ("vivid otter", ["too_short"]),
        ("ünïcödé-ølæ", ["too_short"]),
        ("ünïcödé-ølæß", []),
        ("otter river " * 11, ["too_long"]),
        ("jane.doe@shop.example", ["personal"]),
        ("JANE.DOE@shop.example", ["personal"]),
        ("janedoe1234567", ["personal"]),
        ("Doe!19850101", ["personal"]),
        ("2024-Kleng-Butték-2024", ["personal"]),
        ("janedoe-vivid-otter", []),
        ("Password1234!", ["common"]),
        ("motdepasse2024", ["common"]),
        ("123456789012", ["common"]),
        ("qwertyuiopas", ["common"]),
        ("aaaaaaaaaaaaa", ["common"]),
        ("abcabcabcabcab", ["common"]),
        ("1qaz2wsx3edc", ["common"]),
        ("admin", ["too_short", "common"]),
        ("", ["too_short", "common"]),
    ],
)
def test_password_strength(password: str, codes: list[str]) -> None:
    known = ["jane.doe@shop.example", "Jane Doe", "Kleng Butték"]
    assert check_password_strength(password, known) == codes


@given(st.text(max_size=200), st.lists(st.text(max_size=30), max_size=3))
def test_any_text_can_be_judged(text: str, known: list[str]) -> None:
    assert set(check_password_strength(text, known)) <= {"too_short", "too_long", "personal", "common"}


def test_tokens_are_random_and_stored_as_hashes() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) == 43 for token in tokens)
    assert len(new_token(16)) == 22
    assert hash_token("abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_signed_texts_are_good_for_one_purpose_and_time() -> None:
    text = sign("invite", {"user": "é", "n": 1}, KEYS)
    assert unsign("invite", text, 60, KEYS) == {"user": "é", "n": 1}
    assert unsign("reset", text, 60, KEYS) is None
    assert unsign("invite", text, 60, OTHER) is None
    assert unsign("invite", "f" + text[1:], 60, KEYS) is None
    with time_machine.travel(clock.system_now() + timedelta(seconds=59), tick=False):
        assert unsign("invite", text, 60, KEYS) is not None
    with time_machine.travel(clock.system_now() + timedelta(seconds=62), tick=False):
        assert unsign("invite", text, 60, KEYS) is None


def test_business_time_does_not_age_signatures() -> None:
    text = sign("invite", {}, KEYS)
    clock.set_offset(timedelta(days=400))
    try:
        assert unsign("invite", text, 60, KEYS) == {}
    finally:
        clock.set_offset(timedelta(0))


@given(st.text(max_size=100))
def test_strange_texts_are_no_signatures(text: str) -> None:
    assert unsign("invite", text, 60, KEYS) is None
    assert not check_csrf(text, "nonce", KEYS)


def test_form_tokens_belong_to_a_session() -> None:
    token = csrf_token("nonce-1", KEYS)
    assert token != csrf_token("nonce-1", KEYS)
    assert check_csrf(token, "nonce-1", KEYS)
    assert not check_csrf(token, "nonce-2", KEYS)
    assert not check_csrf(token, "nonce-1", OTHER)
    assert not check_csrf("0" + token, "nonce-1", KEYS)
    assert not check_csrf("", "nonce-1", KEYS)


@given(st.text())
def test_sealed_texts_open_again(plaintext: str) -> None:
    sealed = seal(plaintext, KEYS)
    assert sealed.startswith(KEYS.encryption_keys[0].id + ":")
    assert unseal(sealed, KEYS) == plaintext


def test_keys_rotate() -> None:
    both = Keys(KEYS.secret_key, (*OTHER.encryption_keys, *KEYS.encryption_keys))
    old = seal("api key", KEYS)
    assert unseal(old, both) == "api key"
    fresh = reseal(old, both)
    assert fresh.startswith(OTHER.encryption_keys[0].id + ":")
    assert unseal(fresh, OTHER) == "api key"
    assert reseal(fresh, both) == fresh


@pytest.mark.parametrize("sealed", ["", "plain", "a:b", "a:é", seal("secret", OTHER)])
def test_what_does_not_open_says_which_key(sealed: str) -> None:
    with pytest.raises(ConfigurationError, match="key") as failed:
        unseal(sealed, KEYS)
    assert "secret" not in str(failed.value)


def test_the_keys_of_the_process_are_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIZAMART_DATA_DIR", str(tmp_path))
    for name in ("DATABASE_URL", "SECRET_KEY", "ENCRYPTION_KEYS"):
        monkeypatch.delenv(f"WIZAMART_{name}", raising=False)
    get_settings.cache_clear()
    try:
        assert unseal(seal("api key"), get_keys(get_settings())) == "api key"
        assert unseal(reseal(seal("api key"))) == "api key"
    finally:
        get_settings.cache_clear()
