"""A program that is forked for a test can be treated like one that was started."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from subprocess import TimeoutExpired

import pytest

from app import VERSION
from app.testing.programs import Forked, Program, start_program
from tests.e2e.platform import free_port

pytestmark = pytest.mark.reliability


def start(log: Path, *words: str, **environment: str) -> Program:
    program = start_program(
        ("app.cli", *words), log, {**os.environ, **environment}, death_signal=signal.SIGKILL
    )
    assert isinstance(program, Forked)
    return program


def test_it_ends_with_its_own_code_and_adds_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    assert start(log, "--version").wait(30) == 0
    assert log.read_text() == f"before\n{VERSION}\n"
    refused = start(log, "migrate", WIZAMART_DATABASE_URL="nonsense")
    assert refused.wait(30) == 3
    assert refused.poll() == refused.returncode == 3


def test_it_leads_a_group_and_is_killed_by_its_number(
    tmp_path: Path, eventually: Callable[..., None]
) -> None:
    log = tmp_path / "log"
    program = start(log, "sandbox", "--port", str(free_port()))
    eventually(lambda: "listen" in log.read_text() if log.exists() else False)
    assert os.getpgid(program.pid) == os.getsid(program.pid) == program.pid
    assert program.poll() is None
    with pytest.raises(TimeoutExpired):
        program.wait(0.01)
    os.killpg(program.pid, signal.SIGKILL)
    assert program.wait(10) == -signal.SIGKILL
    program.terminate()  # of no effect: the number may be another's by now
