"""``wizamart clock``: day by day, here and at the stand-ins, and only where it may."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from typer.testing import CliRunner

from app.core import clock
from app.core.config import get_settings
from app.core.embedded import Servers
from app.core.errors import ConfigurationError, UnavailableError, ValidationFailedError
from app.modules import clock_moves, state
from app.modules.clock_cli import clock_app
from app.modules.platform import embedded_environment, sandbox_note
from app.testing.database import Database

DAY = 24 * 3600


@pytest.fixture
def movable(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installation whose clock may be moved; put right afterwards."""
    monkeypatch.setenv("WIZAMART_CLOCK_MAY_MOVE", "true")
    get_settings.cache_clear()
    yield
    clock.set_offset(timedelta())


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, movable: None) -> Iterator[list[int]]:
    """A server that notes the offsets it is told."""
    told: list[int] = []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/_control/clock"
            told.append(json.loads(self.rfile.read(int(self.headers["content-length"])))["offset_seconds"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Be quiet."""

    server = HTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("WIZAMART_SANDBOX_URL", f"http://127.0.0.1:{server.server_port}")
    get_settings.cache_clear()
    yield told
    server.shutdown()
    server.server_close()


def run(*arguments: str) -> dict[str, int]:
    done = CliRunner().invoke(clock_app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout.splitlines()[-1])[0]


def test_every_day_gets_its_schedules(movable: None, world: Database) -> None:
    run("show")
    assert run("advance", "3d")["offset_seconds"] == 3 * DAY
    state.forget_snapshot()
    state.refresh()
    assert clock.offset() == timedelta(days=3)
    with world.owner_engine.connect() as owner:
        daily = text(
            "SELECT count(DISTINCT due_at::date) FROM ticks WHERE schedule = 'tenancy.delete_ended_sessions'"
        )
        assert owner.execute(daily).scalar_one() in (2, 3), "the first look at a schedule makes no tick"
        left = text("SELECT count(*) FROM jobs WHERE state IN ('queued', 'running') AND run_after <= now()")
        assert owner.execute(left).scalar_one() == 0
    assert run("reset")["offset_seconds"] == 0


def test_the_stand_ins_follow_day_by_day(stand_in: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_moves, "_CALM_SECONDS", 0.0)
    run("advance", "2d12h")
    assert stand_in == [DAY, 2 * DAY, 2 * DAY + DAY // 2]
    run("reset")
    assert stand_in[-1] == 0


def test_stand_ins_that_do_not_answer_stop_it(movable: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIZAMART_SANDBOX_URL", "http://127.0.0.1:9")
    get_settings.cache_clear()
    done = CliRunner().invoke(clock_app, ["advance", "1d"])
    assert isinstance(done.exception, UnavailableError)
    assert "wizamart sandbox" in str(done.exception)


def test_a_clock_that_may_not_move_stands(app: FastAPI) -> None:
    done = CliRunner().invoke(clock_app, ["advance", "1d"])
    assert isinstance(done.exception, ConfigurationError)
    assert clock.offset() == timedelta()


@given(st.integers(0, 3000), st.integers(0, 23), st.integers(0, 59))
def test_a_span_is_read_as_it_is_written(days: int, hours: int, minutes: int) -> None:
    parts = [f"{number}{unit}" for number, unit in ((days, "d"), (hours, "h"), (minutes, "m")) if number]
    if parts:
        wanted = timedelta(days=days, hours=hours, minutes=minutes)
        assert clock_moves.parse_span("".join(parts)) == wanted


@pytest.mark.parametrize("words", ["", "0d", "-1d", "1", "1w", "1h1d", "9999d", "d1"])
def test_what_is_no_span_is_refused(words: str) -> None:
    with pytest.raises(ValidationFailedError):
        clock_moves.parse_span(words)


def test_commands_find_the_stand_ins_of_a_running_platform(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    servers = Servers("postgresql://x@/postgres?host=/tmp", "redis+socket:///tmp/x", "redis+socket:///tmp/x")
    with sandbox_note(tmp_path) as tell:
        assert "WIZAMART_SANDBOX_URL" not in embedded_environment(servers, tmp_path, get_settings())
        tell("http://127.0.0.1:8400")
        known = embedded_environment(servers, tmp_path, get_settings())
        assert known["WIZAMART_SANDBOX_URL"] == "http://127.0.0.1:8400"
    assert "WIZAMART_SANDBOX_URL" not in embedded_environment(servers, tmp_path, get_settings())
