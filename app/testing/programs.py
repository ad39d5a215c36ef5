"""Programs of the product that run beside: web, worker, beat and the rest, each in a process group of its own.

An interpreter spends a second and a half on imports. In tests, whose point the start hardly ever is, a program is
forked from a process that has done them; proofs and benchmarks of an installation start real ones.
"""

import ctypes
import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.forkserver import _forkserver
from pathlib import Path
from typing import Protocol

from app.core.config import get_settings
from app.core.embedded.process import launch_argv
from app.modules.registry import modules
from app.modules.tasks import discover_module_tasks

is_forking = False  # in tests, and in commands that tests run
_PROGRAMS = {
    "app.cli": ("wizamart", "app.cli"),
    "celery": ("celery", "celery.__main__"),
}  # name, where main() is
_AT_WORK = ("celery.bin.celery", "celery.apps.worker", "uvicorn.protocols.http.auto", "sandbox.app")
_PR_SET_PDEATHSIG = 1


class Program(Protocol):
    """What is used of ``subprocess.Popen``; ``pid`` is the process group's number as well."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int, /) -> None: ...
    def terminate(self) -> None: ...


def start_program(
    words: Sequence[str],
    log: Path,
    environment: Mapping[str, str],
    *,
    death_signal: signal.Signals,
    inside: Sequence[str] = (),
) -> Program:
    """Run ``python -m`` with these words: a module, ``app.cli`` mostly, and arguments. It adds to the end of ``log``.

    It has the environment and no other, and gets the signal when this process dies. ``inside``: the words before
    the command that make it run on another host.
    """
    if is_forking and not inside:
        return Forked(words, log, environment, death_signal)
    with log.open("ab") as output:
        return subprocess.Popen(
            [*inside, *launch_argv([sys.executable, "-m", *words], death_signal=death_signal)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


class Forked:
    """A program forked from the server of this process, to be treated like one that ``subprocess`` has started."""

    def __init__(
        self, words: Sequence[str], log: Path, environment: Mapping[str, str], death_signal: signal.Signals
    ) -> None:
        arguments = (tuple(words), dict(environment), os.getcwd(), log, int(death_signal))
        self._process: ForkServerProcess = server().Process(target=_program, args=arguments, daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code once it has ended; minus the number of the signal that ended it."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; TimeoutExpired after so many seconds."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("a forked program", timeout or 0)
        return self._process.exitcode

    def send_signal(self, sig: int, /) -> None:
        """Send a signal to the first process, if it has not ended."""
        if self._process.exitcode is None:
            os.kill(self.pid, sig)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)


@cache
def server() -> ForkServerContext:
    """The process that the others are forked from, started with the first."""
    groups = [module.commands.partition(":")[0] for module in modules().values() if module.commands]
    context = get_context("forkserver")
    context.set_forkserver_preload(
        [
            "app.cli",
            "app.tasks.cli",
            "app.testing.cli",
            "app.testing.bench.cli",
            *groups,
            *discover_module_tasks(),
            "app.main",
            "app.worker",
            *_AT_WORK,
        ]
    )
    return context


def become(words: Sequence[str], environment: Mapping[str, str], folder: str) -> None:
    """Run a program in this process, which was forked for it, as if it had been started for it."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    _forget(environment)
    name, module = _PROGRAMS[words[0]]
    sys.argv = [name, *words[1:]]
    importlib.import_module(module).main()


def _forget(environment: Mapping[str, str]) -> None:
    """What was known when the imports were done: settings and installed modules may be others now."""
    paths = environment.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [path for path in paths if path and path not in sys.path]
    modules.cache_clear()
    get_settings.cache_clear()


def write_into(log: Path, *numbers: int) -> None:
    """Have these descriptors of this process write at the end of a file."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number in numbers:
        os.dup2(file, number)
    os.close(file)


def _program(
    words: Sequence[str], environment: Mapping[str, str], folder: str, log: Path, death_signal: int
) -> None:
    # Else the server would outlive the tests for as long as this does.
    os.close(_forkserver._forkserver_alive_fd)  # type: ignore[attr-defined]
    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    write_into(log, 1, 2)
    become(words, environment, folder)
