"""Starting, awaiting and stopping one server process."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import Signals

from app.core.embedded import launch
from app.core.errors import UnavailableError

_LOG_BYTES = 10 * 1024 * 1024
_TAIL_BYTES = 4000
_POLL_SECONDS = 0.02


def launch_argv(argv: Sequence[str], *, death_signal: Signals, identity: str = "same") -> list[str]:
    """The command that runs ``argv`` so that ``death_signal`` reaches it when this process dies.

    The kernel ties it to the *thread* that starts it: start from a thread that lives as long as the program.
    """
    launcher = [sys.executable, "-I", "-S", launch.__file__]
    return [*launcher, str(os.getpid()), str(int(death_signal)), identity, *argv]


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs as our child. ``stop_signals`` are tried in turn, each with its seconds to wait."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_signals: Sequence[tuple[Signals, float]]

    def wait_until(self, answers: Callable[[], bool], seconds: float) -> None:
        """Return once it answers; raise UnavailableError with the end of its log if it cannot."""
        deadline = time.monotonic() + seconds
        while not answers():
            if (code := self.process.poll()) is not None:
                raise UnavailableError(f"{self.name} ended with code {code}. {log_tail(self.log)}")
            if time.monotonic() > deadline:
                raise UnavailableError(f"{self.name} gave no answer in {seconds:.0f} s. {log_tail(self.log)}")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Stop it and wait until it is gone."""
        for signal, seconds in self.stop_signals:
            if self.process.poll() is not None:
                return
            self.process.send_signal(signal)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
        self.process.kill()
        self.process.wait()


def start_server(
    name: str,
    argv: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str],
    alive_lock: int,
    stop_signals: Sequence[tuple[Signals, float]],
) -> Server:
    """Start a server in a session of its own, out of reach of the terminal's Ctrl-C.

    It inherits ``alive_lock``, a locked descriptor: the lock is free only when all its processes are gone.
    """
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        process = subprocess.Popen(
            argv,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[alive_lock],
            start_new_session=True,
        )
    return Server(name, process, log, stop_signals)


def log_tail(log: Path) -> str:
    """The end of a log as a sentence for an error."""
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    return f"The end of {log}:\n" + "\n".join(lines[-15:])
