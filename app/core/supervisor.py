"""Runs the platform's processes as one: logs with prefixes, restarts, an orderly stop, and no orphans."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import IO

from app.core import guard
from app.core.embedded.process import launch_argv

_RESTARTS = 5
_RESTART_WINDOW_SECONDS = 60.0
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.1
_LINE_BYTES = 64 * 1024
_COLOURS = (36, 33, 35, 32, 34, 31)
_OWN_NAME = "supervisor"

_output_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process of the platform.

    ``name`` stands before its log lines, ``env`` is added to ours. With ``restart`` it is started again when
    it ends, at most 5 times in 60 s; after that the whole platform stops.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    restart: bool = True


def supervise(
    specs: Sequence[ProcessSpec],
    *,
    ready: Callable[[], bool],
    on_ready: Callable[[], None],
    ready_seconds: float = 90.0,
) -> int:
    """Run the processes until SIGINT or SIGTERM; returns the exit code (0 after a signal, 1 when it gave up).

    ``ready`` is polled (it must come back quickly) until it is true; then ``on_ready`` is called once. Call
    this from the main thread. Processes are stopped in reverse order; a second signal kills them at once.
    """
    width = max(len(_OWN_NAME), *(len(spec.name) for spec in specs))
    say = _Prefix(_OWN_NAME.ljust(width), None)
    with _guarding() as report:
        children = [
            _Child(spec, _Prefix(spec.name.ljust(width), _COLOURS[number % len(_COLOURS)]), report)
            for number, spec in enumerate(specs)
        ]
        with _interrupts(children) as interrupted:
            try:
                for child in children:
                    child.start()
                return _watch(children, say, interrupted, _Readiness(ready, on_ready, ready_seconds))
            finally:
                say("stopping")
                for child in reversed(children):
                    child.stop()


class _Prefix:
    """Writes whole lines with a name before them, coloured on a terminal unless NO_COLOR is set."""

    def __init__(self, name: str, colour: int | None) -> None:
        coloured = colour is not None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._text = f"\x1b[{colour}m{name} |\x1b[0m " if coloured else f"{name} | "

    def __call__(self, line: str) -> None:
        # Nobody may read our output any more; the processes' pipes must be emptied all the same.
        with _output_lock, suppress(OSError):
            sys.stdout.write(f"{self._text}{line}\n")
            sys.stdout.flush()

    def relay(self, stream: IO[bytes]) -> None:
        """Write the lines of a process until it and its descendants have closed them."""
        with stream:
            while line := stream.readline(_LINE_BYTES):
                self(line.decode(errors="replace").rstrip("\r\n"))


class _Child:
    """One process and its descendants: the process group that it leads."""

    def __init__(self, spec: ProcessSpec, log: _Prefix, report: Callable[[str], None]) -> None:
        self.spec = spec
        self._log = log
        self._report = report
        self._process: subprocess.Popen[bytes] | None = None
        self._restarts: list[float] = []
        self._start_at: float | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        self._start_at = None
        self._process = subprocess.Popen(
            launch_argv(self.spec.argv, death_signal=signal.SIGTERM),
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.spec.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal is ours alone
        )
        self._report(f"+{self._process.pid}")
        threading.Thread(target=self._log.relay, args=(self._process.stdout,), daemon=True).start()

    def start_when_due(self) -> None:
        if self._start_at is not None and time.monotonic() >= self._start_at:
            self.start()

    def reap(self) -> int | None:
        """Its exit code when it has ended; what it left behind is killed. None while it runs."""
        if self._process is None or not _has_ended(self._process.pid):
            return None
        # Before the exit code is collected, nobody else gets the number of the group.
        self.kill()
        code = self._process.wait()
        self._report(f"-{self._process.pid}")
        self._process = None
        return code

    def plan_restart(self) -> bool:
        """Let it start again, later each time; False when it has done so too often."""
        now = time.monotonic()
        self._restarts = [moment for moment in self._restarts if now - moment < _RESTART_WINDOW_SECONDS]
        if len(self._restarts) >= _RESTARTS:
            return False
        self._start_at = now + _POLL_SECONDS * 2 ** len(self._restarts)
        self._restarts.append(now)
        return True

    def stop(self) -> None:
        """Ask it to end, wait, kill its group."""
        if self._process is None:
            return
        # Not Popen's own way, which collects the exit code of a process that has ended, behind reap's back.
        os.kill(self._process.pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while self.reap() is None:
            if time.monotonic() > deadline:
                self._log(f"did not end in {_STOP_SECONDS:.0f} s and is killed")
                self.kill()
                deadline = time.monotonic() + _STOP_SECONDS
            time.sleep(_POLL_SECONDS / 2)

    def kill(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


class _Readiness:
    """Asks until the platform is ready, says so once, and knows when it is too late."""

    def __init__(self, ready: Callable[[], bool], on_ready: Callable[[], None], seconds: float) -> None:
        self._ready = ready
        self._on_ready = on_ready
        self._deadline = time.monotonic() + seconds
        self._is_ready = False
        self.seconds = seconds

    def is_late(self) -> bool:
        if not self._is_ready and self._ready():
            self._is_ready = True
            self._on_ready()
        return not self._is_ready and time.monotonic() > self._deadline


def _watch(
    children: Sequence[_Child], say: _Prefix, interrupted: Callable[[], bool], readiness: _Readiness
) -> int:
    while not interrupted():
        for child in children:
            child.start_when_due()
            code = child.reap()
            if code is None:
                continue
            say(f"{child.spec.name} ended with {_exit_text(code)}")
            if child.spec.restart and not child.plan_restart():
                say(f"{child.spec.name} ended more than {_RESTARTS} times in {_RESTART_WINDOW_SECONDS:.0f} s")
                say("giving up: the cause is in its lines above")
                return 1
        if readiness.is_late():
            down = ", ".join(child.spec.name for child in children if not child.is_running)
            cause = f"not running: {down}" if down else "all processes run, but the readiness check fails"
            say(f"giving up: not ready after {readiness.seconds:g} s ({cause})")
            return 1
        time.sleep(_POLL_SECONDS)
    return 0


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _exit_text(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


@contextmanager
def _interrupts(children: Sequence[_Child]) -> Iterator[Callable[[], bool]]:
    """Whether SIGINT or SIGTERM came; the second one kills everything."""
    count = 0

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        if count > 1:
            for child in children:
                child.kill()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: count > 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _guarding() -> Iterator[Callable[[str], None]]:
    """Starts the guard, which outlives a kill -9 of this process; gives the function that reports to it."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", guard.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    reports = process.stdin
    assert reports is not None

    def report(line: str) -> None:
        with suppress(BrokenPipeError):
            reports.write(f"{line}\n")
            reports.flush()

    with process:  # closes the pipe and waits: with nothing left to guard it ends at once
        yield report
