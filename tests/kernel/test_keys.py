"""Keys: written once to a private file, overruled by the environment, demanded for external servers."""

import base64
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core import keys as keys_module
from app.core.config import Settings
from app.core.errors import ConfigurationError
from app.core.keys import Keys, get_keys, new_keys, to_environment

SECRET = "s" * 40
ENCRYPTION_KEY = base64.urlsafe_b64encode(b"k" * 32).decode()


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    keys_module._load.cache_clear()
    yield
    keys_module._load.cache_clear()


def settings(folder: Path, **values: Any) -> Settings:
    return Settings(data_dir=folder, **values)


def test_the_first_start_writes_a_private_file_once(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    first = get_keys(settings(folder))
    path = folder / "keys.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    keys_module._load.cache_clear()
    assert get_keys(settings(folder)) == first
    assert json.loads(path.read_text())["secret_key"] == first.secret_key
    assert sorted(entry.name for entry in folder.iterdir()) == ["keys.json", "keys.lock"]


def test_keys_are_read_once(tmp_path: Path) -> None:
    first = get_keys(settings(tmp_path))
    (tmp_path / "keys.json").unlink()
    assert get_keys(settings(tmp_path)) is first


_START = """
import json, sys, time
from pathlib import Path
from app.core.config import Settings
from app.core.keys import get_keys, to_environment

folder, go = Path(sys.argv[1]), Path(sys.argv[2])
print("ready", flush=True)
end = time.monotonic() + 60
while not go.exists() and time.monotonic() < end:
    time.sleep(0.001)
print(json.dumps(to_environment(get_keys(Settings(data_dir=folder)))))
"""


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _START, str(tmp_path / "data"), str(tmp_path / "go")]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    (tmp_path / "go").touch()
    found = [json.loads(process.communicate(timeout=30)[0]) for process in processes]
    assert all(answer == found[0] for answer in found)


def test_the_environment_wins(tmp_path: Path) -> None:
    listed = f"new:{ENCRYPTION_KEY}, old:{ENCRYPTION_KEY}"
    keys = get_keys(settings(tmp_path, secret_key=SECRET, encryption_keys=listed))
    assert keys.secret_key == SECRET
    assert [key.id for key in keys.encryption_keys] == ["new", "old"]
    assert not (tmp_path / "keys.json").exists()


def test_the_file_fills_in_what_the_environment_leaves_out(tmp_path: Path) -> None:
    keys = get_keys(settings(tmp_path, secret_key=SECRET))
    stored = json.loads((tmp_path / "keys.json").read_text())
    assert keys.secret_key == SECRET
    assert keys.encryption_keys[0].value == stored["encryption_keys"][0]["key"]


@pytest.mark.parametrize(
    ("values", "variable"),
    [
        ({}, "WIZAMART_SECRET_KEY"),
        ({"encryption_keys": f"a:{ENCRYPTION_KEY}"}, "WIZAMART_SECRET_KEY"),
        ({"secret_key": SECRET}, "WIZAMART_ENCRYPTION_KEYS"),
    ],
)
def test_external_servers_need_keys(tmp_path: Path, values: dict[str, str], variable: str) -> None:
    get_keys(settings(tmp_path))  # a key file that lies around does not help
    with pytest.raises(ConfigurationError, match=variable) as failed:
        get_keys(settings(tmp_path, database_url="postgresql://db/x", **values))
    assert "wizamart keys new" in str(failed.value)


@pytest.mark.parametrize(
    "listed",
    [
        "x",
        "a:short",
        f":{ENCRYPTION_KEY}",
        f"A:{ENCRYPTION_KEY}",
        f"a:{ENCRYPTION_KEY},",
        f"a:{ENCRYPTION_KEY}!",
        f"a:{ENCRYPTION_KEY},a:{ENCRYPTION_KEY}",
        "a:" + base64.urlsafe_b64encode(b"k" * 31).decode(),
        "a:kéy",
    ],
)
def test_malformed_encryption_keys(tmp_path: Path, listed: str) -> None:
    with pytest.raises(ConfigurationError, match="WIZAMART_ENCRYPTION_KEYS") as failed:
        get_keys(settings(tmp_path, secret_key=SECRET, encryption_keys=listed))
    assert ENCRYPTION_KEY not in str(failed.value)


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="shorter than 32") as failed:
        get_keys(settings(tmp_path, secret_key="a-guess", encryption_keys=f"a:{ENCRYPTION_KEY}"))
    assert "a-guess" not in str(failed.value)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[]",
        '{"secret_key": 5, "encryption_keys": []}',
        json.dumps({"secret_key": SECRET, "encryption_keys": []}),
        json.dumps({"secret_key": SECRET, "encryption_keys": [{"id": "a", "key": "b"}]}),
    ],
)
def test_a_damaged_file_is_never_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys.json").write_text(content)
    with pytest.raises(ConfigurationError, match="damaged"):
        get_keys(settings(tmp_path))
    assert (tmp_path / "keys.json").read_text() == content


def test_keys_never_show(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        keys = get_keys(settings(tmp_path))
    shown = repr(keys) + str(keys) + caplog.text
    assert keys.secret_key not in shown
    assert keys.encryption_keys[0].value not in shown
    assert keys.encryption_keys[0].id in shown


def test_new_keys_go_through_the_environment(tmp_path: Path) -> None:
    keys = new_keys()
    variables = to_environment(keys)
    assert keys != new_keys()
    back = get_keys(
        settings(
            tmp_path,
            database_url="postgresql://db/x",
            secret_key=variables["WIZAMART_SECRET_KEY"],
            encryption_keys=variables["WIZAMART_ENCRYPTION_KEYS"],
        )
    )
    assert isinstance(back, Keys)
    assert back == keys
