"""The host of the database: a PostgreSQL and a broker that other hosts reach, both with passwords."""

import os
import pwd
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from app.core.embedded import postgres
from app.core.embedded.folders import opened, prepare_folders, socket_folder, try_lock
from app.core.embedded.process import Server, launch_argv, start_server
from app.core.roles import LOGIN
from app.modules.setup import DATABASE, initialise_server
from app.testing.delivery.brokers import Place, Program, on_tcp
from app.testing.delivery.network import Host

_INITDB_SECONDS = 120.0
_ACCESS = "local all all trust\nhost all all samenet scram-sha-256\n"
# Others than the superuser do not see the addresses.
_SESSIONS = text("SELECT count(*) FROM pg_stat_activity WHERE client_addr = cast(:address AS inet)")


@dataclass(frozen=True, slots=True)
class DatabaseHost:
    """``admin_url`` works on this machine, ``environment`` on the other hosts once ``admit`` was called."""

    admin_url: str
    password: str
    environment: dict[str, str]

    def admit(self) -> None:
        """Give the login role its password; call this once the role is there."""
        initialise_server(self._admin(), login_password=self.password)

    def sessions_of(self, host: Host) -> int:
        """How many sessions the server believes to have with a host."""
        with self._admin().connect() as connection:
            return int(connection.execute(_SESSIONS, {"address": host.address}).scalar_one())

    def _admin(self) -> Engine:
        return create_engine(self.admin_url, isolation_level="AUTOCOMMIT", poolclass=NullPool)


@contextmanager
def database_host(folder: Path, host: Host, program: Program) -> Iterator[DatabaseHost]:
    """Both servers run on the host for the block."""
    folders = prepare_folders(folder)
    with socket_folder(folders) as sockets, opened(folders.run / "alive") as alive_lock:
        try_lock(alive_lock)
        place = Place(folder, alive_lock, host.address, host.inside)
        database, broker = _start_postgres(place, sockets), on_tcp(program, place)
        password = secrets.token_hex(16)
        try:
            broker.start()
            database.wait_until(lambda: postgres.answers(sockets), postgres.START_SECONDS)
            environment = {
                "WIZAMART_DATABASE_URL": f"postgresql://{LOGIN}:{password}@{host.address}/{DATABASE}",
                "WIZAMART_DATABASE_OWNER_URL": "",
                "WIZAMART_BROKER_URL": broker.broker_url,
                "WIZAMART_CACHE_URL": broker.cache_url,
            }
            admin_url = f"postgresql+psycopg://postgres@/postgres?host={quote(str(sockets))}&port=5432"
            yield DatabaseHost(admin_url, password, environment)
        finally:
            broker.stop()
            database.stop()


def _start_postgres(place: Place, sockets: Path) -> Server:
    """A new one on the address of the place and in the socket folder; as `nobody`, since it never runs as root."""
    programs, data = postgres.find_binaries(), place.folder / "postgres"
    account = pwd.getpwnam("nobody")
    identity = f"user:{account.pw_uid}:{account.pw_gid}"
    make = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust"]
    make += ["--encoding=UTF8", "--locale=C.UTF-8"]
    subprocess.run(
        launch_argv(make, death_signal=Signals.SIGKILL, identity=identity),
        check=True,
        timeout=_INITDB_SECONDS,
        stdout=subprocess.DEVNULL,
    )
    (data / "pg_hba.conf").write_text(_ACCESS, encoding="ascii")
    settings = {
        "listen_addresses": place.address,
        "port": "5432",
        "unix_socket_directories": str(sockets),
        "max_connections": "200",
    }
    argv = [str(programs / "postgres"), "-D", str(data)]
    argv += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return start_server(
        "PostgreSQL",
        [*place.inside, *launch_argv(argv, death_signal=Signals.SIGINT, identity=identity)],
        log=place.folder / "postgres.log",
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        alive_lock=place.alive_lock,
        stop_signals=((Signals.SIGINT, 20.0), (Signals.SIGQUIT, 10.0)),
    )
