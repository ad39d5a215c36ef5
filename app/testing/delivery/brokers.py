"""The brokers on which the proof runs, each a process of its own that can be killed and emptied.

As a script it runs a command with such a broker: ``python -m app.testing.delivery.brokers rabbitmq pytest …``.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.core.embedded import valkey
from app.core.embedded.folders import Folders, opened
from app.core.embedded.process import Server, launch_argv, start_server
from app.core.errors import ConfigurationError

_USER = "proof"
_START_SECONDS = 90.0
_STOP_SECONDS = 30.0
_RABBITMQ = Path(
    "/usr/lib/rabbitmq/bin/rabbitmq-server"
)  # not the wrapper: that one changes to another account
_LISTENING = "0A"


class Program(StrEnum):
    """What is started: the embedded Valkey, or Debian's own packages."""

    VALKEY = "valkey"
    REDIS = "redis-server"
    RABBITMQ = "rabbitmq"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server runs: its folder and address, and the words before its command (``inside`` a namespace)."""

    folder: Path
    alive_lock: int
    address: str = "127.0.0.1"
    inside: tuple[str, ...] = ()


@dataclass(slots=True)
class Broker:
    """A broker that keeps its addresses when it is started again. ``data`` is all that it remembers."""

    broker_url: str
    cache_url: str
    data: Path
    launch: Callable[[], Server]
    answers: Callable[[Server], bool]
    server: Server | None = None

    def start(self) -> None:
        """Start it and wait until it answers. Do so from the thread that lives as long as it shall."""
        self.server = started = self.launch()
        started.wait_until(lambda: self.answers(started), _START_SECONDS)

    def stop(self) -> None:
        """Kill it with all its processes."""
        if self.server is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.server.process.pid, signal.SIGKILL)
        self.server.process.wait(_STOP_SECONDS)

    def stop_and_forget(self) -> None:
        """Kill it; all that waited in it is gone."""
        self.stop()
        shutil.rmtree(self.data)
        self.data.mkdir(mode=0o700)


def embedded_valkey(folders: Folders, sockets: Path, alive_lock: int) -> Broker:
    """As the platform runs it without settings."""
    path = valkey.socket_path(sockets)
    return Broker(
        f"redis+socket://{path}",
        f"unix://{path}?db=1",
        folders.valkey,
        lambda: valkey.start(folders, sockets, alive_lock),
        lambda _: valkey.answers(sockets),
    )


def on_tcp(program: Program, place: Place) -> Broker:
    """On a free port, with a password. Raises ConfigurationError when the program is not installed."""
    return _rabbitmq(place) if program is Program.RABBITMQ else _redis_like(program, place)


def _redis_like(program: Program, place: Place) -> Broker:
    found = str(valkey.find_server()) if program is Program.VALKEY else _find(program.value, "redis-server")
    data, port, password = _data(place), _free_port(), secrets.token_hex(16)
    words = f"--port {port} --bind {place.address} --dir {data} --requirepass {password} --appendonly yes"
    url = f"redis://:{password}@{place.address}:{port}"
    return Broker(
        f"{url}/0",
        f"{url}/1",
        data,
        lambda: _start(place, [found, *words.split(), "--save", ""]),
        lambda server: _listens(server, port),
    )


def _rabbitmq(place: Place) -> Broker:
    """Its node, its ports and its name service (which it would start as a daemon and leave behind) are its own."""
    _find(str(_RABBITMQ), "rabbitmq-server")
    data, port, password = _data(place), _free_port(), secrets.token_hex(16)
    environment = {
        "HOME": str(data),
        "ERL_EPMD_PORT": str(_free_port()),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": "proof@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": place.address,
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(_free_port()),
        "RABBITMQ_CONFIG_FILE": str(place.folder / "rabbitmq"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(place.folder / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(data),
        "RABBITMQ_LOG_BASE": str(data),
        "RABBITMQ_PID_FILE": str(data / "pid"),
    }
    settings = f"default_user = {_USER}\ndefault_pass = {password}\nloopback_users = none\n"
    (place.folder / "rabbitmq.conf").write_text(settings, encoding="ascii")
    command = ["sh", "-c", f'epmd -address 127.0.0.1 & exec "{_RABBITMQ}"']
    return Broker(
        f"amqp://{_USER}:{password}@{place.address}:{port}//",
        "",
        data,
        lambda: _start(place, command, environment),
        lambda server: _listens(server, port),
    )


def _start(place: Place, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Server:
    return start_server(
        "The broker",
        [*place.inside, *launch_argv(command, death_signal=signal.SIGTERM)],
        log=place.folder / "broker.log",
        env={**os.environ, **(environment or {})},
        alive_lock=place.alive_lock,
        stop_signals=(),
    )


def _find(program: str, package: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise ConfigurationError(f"There is no {program} here. Install it: apt install {package}")
    return found


def _data(place: Place) -> Path:
    data = place.folder / "broker"
    data.mkdir(mode=0o700)
    return data


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(server: Server, port: int) -> bool:
    """Whether the port is open where the server runs, which may be another network than ours."""
    with suppress(OSError):
        table = Path(f"/proc/{server.process.pid}/net/tcp").read_text(encoding="ascii")
        rows = [line.split() for line in table.splitlines()[1:]]
        return any(row[1].endswith(f":{port:04X}") and row[3] == _LISTENING for row in rows)
    return False


def main(program: str, command: Sequence[str]) -> int:
    """Run a command while the broker runs, its address in ``WIZAMART_TEST_BROKER_URL``; returns its exit code."""
    folder = Path(tempfile.mkdtemp(prefix="wizamart-broker-"))
    with opened(folder / "alive") as alive_lock:
        broker = on_tcp(Program(program), Place(folder, alive_lock))
        try:
            started = time.monotonic()
            broker.start()
            print(f"{program} answers after {time.monotonic() - started:.1f} s", file=sys.stderr)
            environment = {**os.environ, "WIZAMART_TEST_BROKER_URL": broker.broker_url}
            return subprocess.run(command, env=environment, check=False).returncode
        finally:
            broker.stop()
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
