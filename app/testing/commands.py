"""The command line in processes of their own, forked from one that has imported the application already."""

import os
import sys
from collections.abc import Mapping
from functools import cache
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from tempfile import TemporaryDirectory

from app.core.config import get_settings
from app.modules.registry import modules
from app.modules.tasks import discover_module_tasks

_LIMIT_SECONDS = 60.0


def run_command(*arguments: str, **environment: str) -> CompletedProcess[str]:
    """``wizamart`` with these arguments, this process's environment and ``environment``; TimeoutExpired after 60 s.

    As ``python -m app.cli`` does it, but for the second that every new interpreter spends on imports.
    """
    with TemporaryDirectory() as folder:
        said, talk = Path(folder, "stdout"), Path(folder, "stderr")
        values = {**os.environ, "NO_COLOR": "1", **environment}
        process = _server().Process(target=_command, args=(arguments, values, os.getcwd(), said, talk))
        process.start()
        process.join(_LIMIT_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutExpired(arguments, _LIMIT_SECONDS)
        return CompletedProcess(arguments, process.exitcode, said.read_text("utf-8"), talk.read_text("utf-8"))


@cache
def _server() -> ForkServerContext:
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
        ]
    )
    return context


def _command(
    arguments: tuple[str, ...], environment: Mapping[str, str], folder: str, said: Path, talk: Path
) -> None:
    for number, file in ((1, said), (2, talk)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    get_settings.cache_clear()
    sys.argv = ["wizamart", *arguments]
    from app.cli import main

    main()
