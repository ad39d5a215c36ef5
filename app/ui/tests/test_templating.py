"""Strict variables, hashed static URLs and filters that follow the reader's language and time zone."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, UndefinedError

from app.core.templating import build_environment, render

PLAIN = build_environment([], {})
MOMENT = datetime(2026, 3, 9, 23, 30, tzinfo=UTC)


def show(expression: str, value: object = None, lang: str = "en", timezone: str = "UTC") -> str:
    return PLAIN.from_string("{{ " + expression + " }}").render(value=value, lang=lang, timezone=timezone)


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    for folder in ("first", "second", "static"):
        (tmp_path / folder).mkdir()
    (tmp_path / "first" / "page.html").write_text("first {{ name }}")
    (tmp_path / "second" / "page.html").write_text("second")
    (tmp_path / "static" / "app.css").write_text("a{}")
    return build_environment([tmp_path / "first", tmp_path / "second"], {"ui": tmp_path / "static"})


def test_first_folder_wins_and_data_is_escaped(environment: Environment) -> None:
    assert render(environment, "page.html", {"name": "<b>"}) == "first &lt;b&gt;"


def test_unknown_names_are_errors(environment: Environment) -> None:
    with pytest.raises(UndefinedError):
        render(environment, "page.html", {})


def test_static_urls_follow_the_content(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.templating._LOOK_AGAIN_SECONDS", 0.0)
    page = environment.from_string("{{ static('ui/app.css') }}")
    before = page.render()
    assert before.startswith("/static/ui/app.css?v=")
    assert len(before.partition("=")[2]) == 10
    (tmp_path / "static" / "app.css").write_text("a{color:red}")
    assert page.render() != before


@pytest.mark.parametrize("path", ["ui/none.css", "other/app.css", "ui"])
def test_missing_static_files_are_errors(environment: Environment, path: str) -> None:
    with pytest.raises(LookupError, match="static file not found"):
        environment.from_string("{{ static(path) }}").render(path=path)


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        ("en", "€1,234,567.50"),
        ("fr", "1\u202f234\u202f567,50\xa0€"),
        ("de", "1.234.567,50\xa0€"),
        ("lb", "1.234.567,50\xa0€"),
    ],
)
def test_money_is_cents_in_the_readers_notation(lang: str, expected: str) -> None:
    assert show("value | money('EUR')", 123_456_750, lang) == expected


def test_money_knows_currencies_without_cents() -> None:
    assert show("value | money('JPY')", 500) == "JP¥500"


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_money_loses_no_cent(cents: int) -> None:
    digits = "".join(character for character in show("value | money('EUR')", cents) if character.isdigit())
    assert int(digits) == abs(cents)


def test_moments_move_to_the_readers_zone() -> None:
    assert show("value | datetime", MOMENT, "de", "Europe/Luxembourg") == "10.03.2026, 00:30"
    assert show("value | datetime", MOMENT) == "9 Mar 2026, 23:30"
    assert show("value | date", MOMENT, "de", "Europe/Luxembourg") == "10.03.2026"
    assert show("value | date('long')", date(2026, 3, 9), "lb") == "9. Mäerz 2026"


@pytest.mark.parametrize("name", ["date", "datetime"])
def test_a_moment_without_a_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        show(f"value | {name}", MOMENT.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("size", "expected"), [(999, "999 byte"), (1000, "1 kB"), (999_960, "1 MB"), (12_345_678, "12.3 MB")]
)
def test_filesize(size: int, expected: str) -> None:
    assert show("value | filesize", size) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 secs"),
        (3.14, "3.1 secs"),
        (59.6, "1 min"),
        (125, "2 mins 5 secs"),
        (3605, "1 hr"),
        (90_061, "1 day 1 hr"),
    ],
)
def test_duration(seconds: float, expected: str) -> None:
    assert show("value | duration", seconds) == expected


@pytest.mark.parametrize("name", ["datetime", "date", "number", "money", "filesize", "duration"])
def test_nothing_is_a_dash(name: str) -> None:
    assert show(f"value | {name}") == "–"
