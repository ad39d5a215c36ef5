"""Workers and beats of the proof: started again when they die, as a supervisor would."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from app.core.embedded.process import log_tail
from app.testing.programs import Program, start_program

_STOP_SECONDS = 15.0


@dataclass(slots=True)
class Running:
    """One process of the product; ``pids`` has it and its children."""

    name: str
    arguments: Sequence[str]
    process: Program
    starts: int = 1

    def children(self) -> list[int]:
        """The worker children that are alive."""
        try:
            return [child.pid for child in psutil.Process(self.process.pid).children()]
        except psutil.NoSuchProcess:
            return []


@dataclass(slots=True)
class Processes:
    """Programs, each in a process group of its own. ``stopped`` are to be woken at their time.

    ``inside``: the words before each command, that make it run on another host.
    """

    logs: Path
    environment: Mapping[str, str]
    inside: Sequence[str] = ()
    running: dict[str, Running] = field(default_factory=dict)
    stopped: dict[int, float] = field(default_factory=dict)

    def start(self, name: str, *words: str, module: str = "app.cli") -> None:
        """Run ``wizamart`` (or another module) with these words, and again whenever it ends."""
        arguments = (module, *words)
        self.running[name] = Running(name, arguments, self._launch(name, arguments))

    def _launch(self, name: str, arguments: Sequence[str]) -> Program:
        log, environment = self.logs / f"{name}.log", {**os.environ, **self.environment}
        return start_program(arguments, log, environment, death_signal=signal.SIGKILL, inside=self.inside)

    def named(self, kind: str) -> list[Running]:
        """Those whose name begins so."""
        return [found for name, found in self.running.items() if name.startswith(kind)]

    def look_after(self) -> None:
        """Wake those whose time has come, start again those that ended."""
        for pid, wake_at in list(self.stopped.items()):
            if time.monotonic() >= wake_at:
                del self.stopped[pid]
                _signal(pid, signal.SIGCONT)
        for found in self.running.values():
            if found.process.poll() is not None:
                found.process = self._launch(found.name, found.arguments)
                found.starts += 1

    def kill(self, pid: int) -> None:
        """SIGKILL."""
        _signal(pid, signal.SIGKILL)

    def stop_for(self, pid: int, seconds: float) -> None:
        """SIGSTOP now (harmless when it has stopped itself), SIGCONT later."""
        _signal(pid, signal.SIGSTOP)
        self.stopped[pid] = time.monotonic() + seconds

    def end(self, name: str) -> None:
        """End one for good."""
        _end([self.running.pop(name)])

    def end_all(self) -> None:
        """End all, woken first."""
        for pid in self.stopped:
            _signal(pid, signal.SIGCONT)
        _end(list(self.running.values()))
        self.running.clear()

    def tails(self) -> str:
        """The ends of the logs, for an error."""
        return "\n\n".join(log_tail(log) for log in sorted(self.logs.glob("*.log")))


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _end(processes: Sequence[Running]) -> None:
    for found in processes:
        found.process.terminate()
    deadline = time.monotonic() + _STOP_SECONDS
    for found in processes:
        with suppress(subprocess.TimeoutExpired):
            found.process.wait(max(0.1, deadline - time.monotonic()))
        with suppress(ProcessLookupError):
            os.killpg(found.process.pid, signal.SIGKILL)
        found.process.wait()
