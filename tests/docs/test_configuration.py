"""The table of settings is complete and its defaults are the real ones."""

import re
from pathlib import Path

from app.core.config import Settings
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "operations" / "configuration.md"
_ROW = re.compile(r"^\| `(WIZAMART_\w+)` \| (.+?) \| .+\|$", re.MULTILINE)


def _described() -> dict[str, str]:
    return {name: default.strip("`") for name, default in _ROW.findall(PAGE.read_text("utf-8"))}


def _expected(default: object) -> str:
    return "not set" if default is None or default == frozenset() else str(default)


def test_every_setting_stands_in_the_table_with_its_default() -> None:
    described = _described()
    for name, field in Settings.model_fields.items():
        variable = f"WIZAMART_{name.upper()}"
        assert variable in described, f"{variable} is missing in {PAGE.name}"
        assert described[variable] == _expected(field.default), variable


def test_every_variable_in_the_table_is_read_by_the_code() -> None:
    settings = {f"WIZAMART_{name.upper()}" for name in Settings.model_fields}
    sources = "\n".join(path.read_text("utf-8") for path in _sources())
    for variable in _described().keys() - settings:
        assert f'"{variable}"' in sources, f"nothing reads {variable}"


def _sources() -> list[Path]:
    return sorted((ROOT / "app").rglob("*.py"))
