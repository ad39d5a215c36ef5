"""What is sent to browsers: fresh, small, and nothing that the content security policy would block."""

import gzip
import re
from pathlib import Path

import pytest

from app.ui import build

UI = Path(__file__).parents[1]
MODULES = UI.parent / "modules"
TEMPLATES = sorted([*(UI / "templates").rglob("*.html"), *MODULES.glob("*/templates/**/*.html")])

FORBIDDEN = {
    "inline style": r"<style\b|\sstyle\s*=",
    "inline script": r"<script\b(?![^>]*\ssrc=)|javascript:|\bjs:",
    "event attribute": r"[\s\"']on\w+\s*=\s*[\"']",
    "htmx that needs eval": r"\bhx-on\b|hx-trigger\s*=\s*[\"'][^\"']*\[",
}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(UI.parent)))
def test_templates_obey_the_content_security_policy(path: Path) -> None:
    text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    found = {
        what: match.group() for what, pattern in FORBIDDEN.items() if (match := re.search(pattern, text))
    }
    assert not found


@pytest.mark.parametrize(
    "text",
    [
        '<p style="color:red">',
        "<style>p{}</style>",
        "<script>alert(1)</script>",
        '<a href="javascript:x()">',
        '<p onclick="x()">',
        '<p hx-on:click="x()">',
        "<p hx-vals='js:{a:1}'>",
        '<p hx-trigger="click[ctrlKey]">',
    ],
)
def test_the_scan_finds(text: str) -> None:
    assert any(re.search(pattern, text) for pattern in FORBIDDEN.values())


def test_htmx_is_used_in_the_kit_only() -> None:
    kit = {
        UI / "templates" / name for name in ("base.html", "ui/dialogs.html", "ui/list.html", "ui/live.html")
    }
    assert {path for path in TEMPLATES if re.search(r"\bhx-\w+", path.read_text())} <= kit


def test_style_sheet_is_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["--check"]) == 0, capsys.readouterr().err


def test_a_stale_style_sheet_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "OUTPUT", tmp_path / "app.css")
    assert build.main(["--check"]) == 1
    assert "python -m app.ui.build" in capsys.readouterr().err
    assert build.main([]) == 0
    assert build.main(["--check"]) == 0


@pytest.mark.parametrize(("pattern", "limit_kilobytes"), [("*.css", 30), ("*.js", 55)])
def test_budgets(pattern: str, limit_kilobytes: int) -> None:
    files = list((UI / "static").rglob(pattern))
    assert files
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) <= limit_kilobytes * 1024


def test_vendored_files_have_their_licence_beside_them() -> None:
    vendor = UI / "static" / "vendor"
    for script in vendor.glob("*.js"):
        assert (vendor / f"{script.name.partition('.')[0]}.LICENSE.txt").is_file()
        assert script.name in (vendor / "README.md").read_text()
