"""Checking and printing documents, in a process of its own: neither the web nor a worker keeps what that takes."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_SECONDS, _SECONDS_EACH = 60, 2
Paper = Mapping[str, Any]


class PressError(RuntimeError):
    """The press did not do its work; the message is the end of what it said."""


def check(papers: Sequence[Paper]) -> list[list[str]]:
    """The rules of EN 16931 that each document breaks; an empty list for one that is right. Raises `PressError`."""
    with _run("check", papers) as folder:
        answer: list[list[str]] = json.loads((folder / "answer.json").read_text())
        return answer


@contextmanager
def printed(papers: Sequence[Paper]) -> Iterator[Path]:
    """A folder with ``<n>.pdf`` (PDF/A-3b with Factur-X), ``<n>.cii`` and ``<n>.ubl`` of each document, from 0 on.

    It is gone afterwards. Raises `PressError`.
    """
    with _run("print", papers) as folder:
        yield folder


@contextmanager
def _run(act: str, papers: Sequence[Paper]) -> Iterator[Path]:
    with TemporaryDirectory(prefix="documents-") as made:
        folder = Path(made)
        (folder / "papers.json").write_text(json.dumps(papers))
        command = [sys.executable, "-m", "app.modules.orders.adapters.press_work", act, made]
        limit = _SECONDS + _SECONDS_EACH * len(papers)
        try:
            done = subprocess.run(command, capture_output=True, timeout=limit, check=False)
        except subprocess.TimeoutExpired as error:
            raise PressError(f"no answer within {limit} seconds") from error
        if done.returncode:
            raise PressError(done.stderr.decode(errors="replace")[-2000:])
        yield folder
