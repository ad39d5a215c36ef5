"""How worker processes tell the benchmark that a task ran, at the cost of one small write to a file.

A result backend would cost more than the tasks that are measured.
"""

import os
import struct
import time
from functools import cache
from pathlib import Path

VARIABLE = "WIZAMART_BENCH_MARKS"
_MARK = struct.Struct("<q")


@cache
def _file() -> int:
    return os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def mark(since_ns: int = 0) -> None:
    """Leave one mark: the nanoseconds since ``since_ns`` (``time.monotonic_ns`` of any process of the machine)."""
    os.write(_file(), _MARK.pack(time.monotonic_ns() - since_ns))


def count_marks() -> int:
    """How many marks there are."""
    return Path(os.environ[VARIABLE]).stat().st_size // _MARK.size


def read_marks() -> list[int]:
    """All marks, in nanoseconds."""
    return [value for (value,) in _MARK.iter_unpack(Path(os.environ[VARIABLE]).read_bytes())]


def clear_marks() -> None:
    """Start again with none."""
    os.truncate(os.environ[VARIABLE], 0)
