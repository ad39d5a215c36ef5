"""The command line in processes of their own, forked from one that has imported the application already."""

import os
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from tempfile import TemporaryDirectory

from app.testing import programs
from app.testing.programs import become, server, write_into

_LIMIT_SECONDS = 60.0


def run_command(
    *arguments: str, limit_seconds: float = _LIMIT_SECONDS, **environment: str
) -> CompletedProcess[str]:
    """``wizamart`` with these arguments, this process's environment and ``environment``; TimeoutExpired after 60 s.

    As ``python -m app.cli`` does it, but for the seconds that every new interpreter spends on imports.
    """
    with TemporaryDirectory() as folder:
        said, talk = Path(folder, "stdout"), Path(folder, "stderr")
        values = {**os.environ, "NO_COLOR": "1", **environment}
        process = server().Process(target=_command, args=(arguments, values, os.getcwd(), said, talk))
        process.start()
        process.join(limit_seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutExpired(arguments, limit_seconds)
        return CompletedProcess(arguments, process.exitcode, said.read_text("utf-8"), talk.read_text("utf-8"))


def _command(
    arguments: tuple[str, ...], environment: Mapping[str, str], folder: str, said: Path, talk: Path
) -> None:
    programs.is_forking = True
    write_into(said, 1)
    write_into(talk, 2)
    become(("app.cli", *arguments), environment, folder)
