"""Who runs the embedded servers of a data folder: the first process that asks; the others attach to them."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from app.core.embedded import postgres, valkey
from app.core.embedded.folders import Folders, opened, prepare_folders, socket_folder, try_lock
from app.core.errors import ConfigurationError, UnavailableError

_ATTACH_SECONDS = 60.0
_PREDECESSOR_SECONDS = 30.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers answer. ``broker_url`` and ``cache_url`` are empty when they run without a broker."""

    admin_url: str
    broker_url: str
    cache_url: str


@contextmanager
def running_servers(data_dir: Path, *, broker: bool = True, durable: bool = True) -> Iterator[Servers]:
    """The servers of ``data_dir``: attached to when another live process runs them, else started here.

    Who starts them stops them at exit; who attached leaves them running. They also stop when the *thread*
    that entered here ends or is killed, so enter from one that lives as long as they shall.
    ``durable=False`` is for tests: a crash of the machine may destroy the data.
    Raises ConfigurationError (what to change) and UnavailableError (with the end of the server's log).
    """
    folders = prepare_folders(data_dir)
    with opened(folders.run / "lock") as owner_lock:
        attached = _attach(folders, owner_lock)
        if attached is None:
            with _own_servers(folders, broker=broker, durable=durable) as servers:
                yield servers
        elif broker and not attached.broker_url:
            raise ConfigurationError(
                f"The servers of {data_dir} run without a broker. Stop who runs them first."
            )
        else:
            yield attached


def find_servers(data_dir: Path) -> Servers | None:
    """The servers that another process runs for ``data_dir`` right now, if any; starts and locks nothing."""
    return _answering_servers(data_dir.resolve() / "run")


def _attach(folders: Folders, owner_lock: int) -> Servers | None:
    """Wait for the servers that another process runs; None when this process became their owner."""
    deadline = time.monotonic() + _ATTACH_SECONDS
    while not try_lock(owner_lock):
        if (servers := _answering_servers(folders.run)) is not None:
            return servers
        if time.monotonic() > deadline:
            raise UnavailableError(
                f"Another process holds {folders.run / 'lock'}, but its servers gave no answer in "
                f"{_ATTACH_SECONDS:.0f} s. See {folders.logs}, and stop that process."
            )
        time.sleep(_POLL_SECONDS)
    return None


@contextmanager
def _own_servers(folders: Folders, *, broker: bool, durable: bool) -> Iterator[Servers]:
    record = folders.run / "servers.json"
    record.unlink(missing_ok=True)
    with ExitStack() as stack:
        sockets = stack.enter_context(socket_folder(folders))
        with opened(folders.run / "alive") as alive_lock:
            _wait_for_predecessors(folders, alive_lock)
            started = {}
            if broker:
                started["valkey"] = valkey.start(folders, sockets, alive_lock)
                stack.callback(started["valkey"].stop)
            started["postgres"] = postgres.start(folders, sockets, alive_lock, durable=durable)
            stack.callback(started["postgres"].stop)
        if broker:
            started["valkey"].wait_until(lambda: valkey.answers(sockets), valkey.START_SECONDS)
        started["postgres"].wait_until(lambda: postgres.answers(sockets), postgres.START_SECONDS)
        servers = _servers(sockets, broker=broker)
        pids = {name: server.process.pid for name, server in started.items()}
        _write_record(record, {"owner": os.getpid(), **pids}, sockets, servers)
        stack.callback(record.unlink, missing_ok=True)
        yield servers


def _wait_for_predecessors(folders: Folders, alive_lock: int) -> None:
    """Servers whose owner was killed need a moment to end; each holds a copy of this lock until it has."""
    deadline = time.monotonic() + _PREDECESSOR_SECONDS
    while not try_lock(alive_lock):
        if time.monotonic() > deadline:
            raise UnavailableError(
                f"Servers of an earlier run still use {folders.root} after "
                f"{_PREDECESSOR_SECONDS:.0f} s. See which: fuser -v {folders.run / 'alive'}"
            )
        time.sleep(_POLL_SECONDS)


def _servers(sockets: Path, *, broker: bool) -> Servers:
    admin_url = f"postgresql+psycopg://postgres@/postgres?host={quote(str(sockets))}&port=5432"
    if not broker:
        return Servers(admin_url, "", "")
    path = valkey.socket_path(sockets)
    return Servers(admin_url, f"redis+socket://{quote(str(path))}", f"unix://{quote(str(path))}?db=1")


def _write_record(record: Path, pids: dict[str, int], sockets: Path, servers: Servers) -> None:
    content = {"pids": pids, "sockets": str(sockets), "urls": asdict(servers)}
    unfinished = record.with_suffix(".new")
    unfinished.write_text(json.dumps(content, indent=2), encoding="utf-8")
    unfinished.chmod(0o600)
    unfinished.replace(record)


def _answering_servers(run: Path) -> Servers | None:
    try:
        content = json.loads((run / "servers.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    servers, sockets = Servers(**content["urls"]), Path(content["sockets"])
    has_answered = postgres.answers(sockets) and (not servers.broker_url or valkey.answers(sockets))
    return servers if has_answered else None
