"""PostgreSQL and broker of the proof, each of which can be stopped, emptied and started by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from urllib.parse import quote

import redis

from app.core.embedded import Servers, postgres, valkey
from app.core.embedded.folders import Folders, opened, prepare_folders, socket_folder, try_lock
from app.core.embedded.process import Server

_STOP_SECONDS = 30.0


@dataclass(slots=True)
class ScratchServers:
    """Servers on unix sockets. Start them from the thread that lives as long as they shall."""

    folders: Folders
    sockets: Path
    alive_lock: int
    postgres: Server
    valkey: Server

    @property
    def addresses(self) -> Servers:
        """Where they answer, also after a restart."""
        path = quote(str(valkey.socket_path(self.sockets)))
        return Servers(
            f"postgresql+psycopg://postgres@/postgres?host={quote(str(self.sockets))}&port=5432",
            f"redis+socket://{path}",
            f"unix://{path}?db=1",
        )

    def stop_postgres(self, signal: Signals) -> None:
        """SIGINT: the orderly way, sessions are ended. SIGQUIT: at once, as in a crash."""
        self.postgres.process.send_signal(signal)
        self.postgres.process.wait(_STOP_SECONDS)

    def start_postgres(self) -> None:
        """Start it again and wait until it answers."""
        self.postgres = postgres.start(self.folders, self.sockets, self.alive_lock, durable=True)
        self.postgres.wait_until(lambda: postgres.answers(self.sockets), postgres.START_SECONDS)

    def stop_broker_and_forget(self) -> None:
        """All that waited in the broker is gone."""
        redis.Redis(unix_socket_path=str(valkey.socket_path(self.sockets))).flushall()
        self.valkey.process.send_signal(Signals.SIGKILL)
        self.valkey.process.wait(_STOP_SECONDS)

    def start_broker(self) -> None:
        """Start it again and wait until it answers."""
        self.valkey = valkey.start(self.folders, self.sockets, self.alive_lock)
        self.valkey.wait_until(lambda: valkey.answers(self.sockets), valkey.START_SECONDS)


@contextmanager
def scratch_servers(folder: Path) -> Iterator[ScratchServers]:
    """Durable servers in a folder, stopped at the end of the block."""
    folders = prepare_folders(folder)
    with socket_folder(folders) as sockets, opened(folders.run / "alive") as alive_lock:
        try_lock(alive_lock)
        running = ScratchServers(
            folders,
            sockets,
            alive_lock,
            postgres.start(folders, sockets, alive_lock, durable=True),
            valkey.start(folders, sockets, alive_lock),
        )
        try:
            running.postgres.wait_until(lambda: postgres.answers(sockets), postgres.START_SECONDS)
            running.valkey.wait_until(lambda: valkey.answers(sockets), valkey.START_SECONDS)
            yield running
        finally:
            running.valkey.stop()
            running.postgres.stop()
