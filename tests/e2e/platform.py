"""The product's own processes beside a test: web, workers, beat."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx2

from app.core.embedded.process import log_tail
from app.testing.programs import Program, start_program

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
_STOP_SECONDS = 10.0


class Processes:
    """Starts commands of the product, each in a process group of its own; ``stop`` ends all that still run."""

    def __init__(self, logs: Path, environment: Mapping[str, str] | None = None) -> None:
        self._logs = logs
        self._environment = {**os.environ, **(environment or {})}
        self._started: list[tuple[Program, Path]] = []

    def start(self, *arguments: str) -> Program:
        """Run ``wizamart`` with these arguments. It ends with this process at the latest."""
        log = self._logs / f"{len(self._started)}-{arguments[0]}.log"
        words = ("app.cli", *arguments)
        process = start_program(words, log, self._environment, death_signal=signal.SIGTERM)
        self._started.append((process, log))
        return process

    def wait_until(self, condition: Callable[[], bool], seconds: float = START_SECONDS) -> None:
        """Return once it holds; fail with the ends of the logs when a process died or the time is over."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert all(process.poll() is None for process, _ in self._started), self._said()
            assert time.monotonic() < deadline, self._said()
            time.sleep(0.05)

    def kill(self, process: Program) -> None:
        """SIGKILL for the process and its children, as when the machine's memory runs out."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(_STOP_SECONDS)
        self._started = [entry for entry in self._started if entry[0] is not process]

    def stop(self) -> None:
        """End everything and wait until it is gone."""
        for process, _ in self._started:
            process.terminate()
        for process, _ in self._started:
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(_STOP_SECONDS)

    def _said(self) -> str:
        return "\n\n".join(log_tail(log) for _, log in self._started)


def free_port() -> int:
    """A port that nothing holds at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def is_ready(base_url: str) -> bool:
    """Whether the web process may get traffic."""
    try:
        return httpx2.get(f"{base_url}/health/ready", timeout=2.0, trust_env=False).status_code == 200
    except httpx2.HTTPError:
        return False
