"""The examples in the documentation do what they say."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from app.modules.api.serving import operations

_TEXT = (Path(__file__).parents[2] / "docs" / "api" / "examples.md").read_text()
_SECTIONS = dict(
    section.split("\n", 1) if "\n" in section else (section, "") for section in _TEXT.split("\n## ")[1:]
)
_PREPARED = re.findall(r"```python\n(.*?)```", _TEXT.split("\n## ")[0], re.DOTALL)[0]


def _blocks(module: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", _SECTIONS[module], re.DOTALL)


def test_every_module_with_operations_has_an_example() -> None:
    assert set(_SECTIONS) == {module.code for module, _ in operations().values()}
    for module in _SECTIONS:
        assert _blocks(module, "sh"), module
        assert _blocks(module, "python"), module


@pytest.mark.parametrize("module", _SECTIONS)
def test_examples_work(module: str, api_url: str, vendor_key: str, admin_key: str, catalogue: None) -> None:
    environment = {
        "API": f"{api_url}/api/v1",
        "KEY": vendor_key,
        "ADMIN_KEY": admin_key,
        "PATH": "/usr/bin:/bin",
    }
    for block in _blocks(module, "sh"):
        command = ["bash", "-euo", "pipefail", "-c", block]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        assert '"' in done.stdout
    names: dict[str, Any] = {"key": vendor_key, "admin_key": admin_key}
    prepared = _PREPARED.replace("http://127.0.0.1:8000", api_url)
    for block in _blocks(module, "python"):
        exec(prepared + block, names)
        assert not names["api"].get("/me").is_error
