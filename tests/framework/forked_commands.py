"""Commands of a copied tree, each forked from one process that has imported the copy.

As their programs do it, but for the seconds that every new interpreter spends on imports.
"""

import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PROGRAMS = {"wizamart": ("app.cli", "main"), "pytest": ("pytest", "console_main")}
_START_SECONDS = 60.0
# Entry files look at all modules when they are imported; pytest imports what helps it by itself.
_NOT_IMPORTED = {"app.cli", "app.main", "app.worker", "app.core.celery_config", "app.testing"}
_PROGRAM = """#!{python} -IS
import json, os, socket, sys

words = [os.path.basename(sys.argv[0]), *sys.argv[1:]]
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
    door.connect({door!r})
    socket.send_fds(door, [json.dumps([words, os.getcwd(), dict(os.environ)]).encode()], [0, 1, 2])
    sys.exit(door.recv(1)[0])
"""


@contextmanager
def forked_commands(environment: Mapping[str, str]) -> Iterator[tuple[Path, int]]:
    """A folder with programs that have themselves run by a process, and the id of that process.

    The process imports ``app`` from where the environment's PYTHONPATH has it.
    """
    with TemporaryDirectory() as short_name:
        door, folder = Path(short_name, "door"), Path(short_name, "bin")
        folder.mkdir()
        for name in PROGRAMS:
            (folder / name).write_text(_PROGRAM.format(python=sys.executable, door=str(door)))
            (folder / name).chmod(0o700)
        server = subprocess.Popen(
            [sys.executable, "-P", __file__, str(door)], env=environment, start_new_session=True
        )
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not door.exists():
                assert server.poll() is None, "nobody serves the commands"
                assert time.monotonic() < deadline, "the imports take too long"
                time.sleep(0.05)
            yield folder, server.pid
        finally:
            os.killpg(server.pid, signal.SIGKILL)  # with what it has begun
            server.wait()


def _serve(door: str) -> None:
    _import_all("app")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(door)
        listener.listen()
        while True:
            caller, _ = listener.accept()
            with caller:
                said, handles, _, _ = socket.recv_fds(caller, 1 << 20, 3)
                child = os.fork()
                if not child:
                    _run(*json.loads(said), handles)
                for handle in handles:
                    os.close(handle)
                status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                caller.send(bytes([status & 0xFF]))


def _import_all(package: str) -> None:
    for found in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        if found.name not in _NOT_IMPORTED and not found.name.endswith((".tests", ".migrations")):
            importlib.import_module(found.name)
            if found.ispkg:
                _import_all(found.name)


def _run(words: Sequence[str], folder: str, variables: Mapping[str, str], handles: Sequence[int]) -> Any:
    """Never returns: the command ends the process."""
    for number, handle in enumerate(handles):
        os.dup2(handle, number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    _forget()
    sys.argv = list(words)
    module, function = PROGRAMS[words[0]]
    sys.exit(getattr(importlib.import_module(module), function)())


def _forget() -> None:
    """What was known when the imports were done: files, modules and settings may have changed since."""
    from app.core.config import get_settings
    from app.modules.registry import modules

    importlib.invalidate_caches()
    modules.cache_clear()
    get_settings.cache_clear()


if __name__ == "__main__":
    _serve(sys.argv[1])
