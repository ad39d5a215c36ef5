"""PostgreSQL and broker of the proof, each of which can be stopped, emptied and started by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from urllib.parse import quote

from app.core.embedded import Servers, postgres
from app.core.embedded.folders import Folders, opened, prepare_folders, socket_folder, try_lock
from app.core.embedded.process import Server
from app.testing.delivery.brokers import Broker, Place, Program, embedded_valkey, on_tcp

_STOP_SECONDS = 30.0


@dataclass(slots=True)
class ScratchServers:
    """PostgreSQL on a unix socket, and a broker. Start them from the thread that lives as long as they shall."""

    folders: Folders
    sockets: Path
    alive_lock: int
    postgres: Server
    broker: Broker

    @property
    def addresses(self) -> Servers:
        """Where they answer, also after a restart."""
        admin_url = f"postgresql+psycopg://postgres@/postgres?host={quote(str(self.sockets))}&port=5432"
        return Servers(admin_url, self.broker.broker_url, self.broker.cache_url)

    def stop_postgres(self, signal: Signals) -> None:
        """SIGINT: the orderly way, sessions are ended. SIGQUIT: at once, as in a crash."""
        self.postgres.process.send_signal(signal)
        self.postgres.process.wait(_STOP_SECONDS)

    def start_postgres(self) -> None:
        """Start it again and wait until it answers."""
        self.postgres = postgres.start(self.folders, self.sockets, self.alive_lock, durable=True)
        self.postgres.wait_until(lambda: postgres.answers(self.sockets), postgres.START_SECONDS)


@contextmanager
def scratch_servers(folder: Path, program: Program) -> Iterator[ScratchServers]:
    """Durable servers in a folder, stopped at the end of the block."""
    folders = prepare_folders(folder)
    with socket_folder(folders) as sockets, opened(folders.run / "alive") as alive_lock:
        try_lock(alive_lock)
        if program is Program.VALKEY:
            broker = embedded_valkey(folders, sockets, alive_lock)
        else:
            broker = on_tcp(program, Place(folder, alive_lock))
        running = ScratchServers(
            folders, sockets, alive_lock, postgres.start(folders, sockets, alive_lock, durable=True), broker
        )
        try:
            broker.start()
            running.postgres.wait_until(lambda: postgres.answers(sockets), postgres.START_SECONDS)
            yield running
        finally:
            broker.stop()
            running.postgres.stop()
