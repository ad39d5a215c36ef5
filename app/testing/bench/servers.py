"""A platform of a benchmark's own: durable servers in a temporary folder, and worker processes on them."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from app.core.config import changed_environment, get_settings
from app.core.database import dispose_engine
from app.core.embedded import running_servers
from app.core.errors import UnavailableError
from app.modules.migrations import owner_connection
from app.modules.platform import embedded_environment, owner_url, prepare_embedded
from app.modules.registry import modules
from app.testing.bench import marks
from app.testing.bench.table import CREATE
from app.testing.programs import start_program

_STOP_SECONDS = 15.0
_ENTRY_POINT = "[wizamart.modules]\nbench = app.testing.bench.definition:definition\n"


@contextmanager
def scratch_platform(broker_url: str | None) -> Iterator[Path]:
    """Settings and servers in place for the block, with the module of the benchmarks installed.

    Nothing is stored with less care than in production. Gives the folder; it is removed afterwards.
    """
    folder = Path(tempfile.mkdtemp(prefix="wizamart-bench-"))
    try:
        with ExitStack() as stack:
            servers = stack.enter_context(running_servers(folder))
            environment = embedded_environment(servers, folder, get_settings()) | {
                "WIZAMART_LOG_LEVEL": "WARNING",
                "PYTHONPATH": os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH")))),
                marks.VARIABLE: str(folder / "marks"),
            }
            if broker_url:
                environment["WIZAMART_BROKER_URL"] = broker_url
            stack.enter_context(changed_environment(environment))
            _install_module(folder)
            stack.callback(dispose_engine)
            prepare_embedded(servers)
            with owner_connection(owner_url()) as connection:
                connection.execute(CREATE)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _install_module(folder: Path) -> None:
    """As a distribution of its own, so that every process finds it as it finds any other."""
    info = folder / "wizamart_bench-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: wizamart-bench\nVersion: 0\n")
    (info / "entry_points.txt").write_text(_ENTRY_POINT)
    (folder / "marks").touch()
    sys.path.insert(0, str(folder))
    modules.cache_clear()


class Workers:
    """A worker or another process with all its children; a stopped one takes nothing until it goes on."""

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        self._process = start_program(arguments, log, os.environ, death_signal=signal.SIGTERM)
        self._log = log

    @property
    def pid(self) -> int:
        """Of the first process; the others are its children."""
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all its processes. Raises UnavailableError with its log when it has ended."""
        if self._process.poll() is not None:
            raise UnavailableError(f"A worker ended: {self._log.read_text()[-2000:]}")
        os.killpg(self._process.pid, number)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Frozen for the block."""
        self.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal(signal.SIGCONT)

    def end(self) -> None:
        """End it in good order, or at once when that takes long."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def wait_for_marks(count: int, seconds: float) -> None:
    """Return once there are so many marks; UnavailableError when the time is over first."""
    end = time.monotonic() + seconds
    while (found := marks.count_marks()) < count:
        if time.monotonic() > end:
            raise UnavailableError(f"Only {found} of {count} tasks ran in {seconds:.0f} s.")
        time.sleep(0.002)
