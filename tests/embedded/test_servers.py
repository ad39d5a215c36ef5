"""The embedded servers, for real: started, attached to, killed, started again, by root and by others."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import patch

import kombu
import pytest
import redis
from sqlalchemy import NullPool, create_engine, text

import app
from app.core.embedded import Servers, postgres, running_servers, valkey
from app.core.embedded.folders import prepare_folders, socket_folder
from app.core.errors import ConfigurationError, UnavailableError

ROOT = Path(app.__file__).parent.parent
NOBODY = 65534

# Runs the servers until its input ends; says where they are.
OWNER = """
import dataclasses, json, sys
from pathlib import Path
from app.core.embedded import running_servers
with running_servers(Path(sys.argv[1])) as servers:
    print(json.dumps(dataclasses.asdict(servers)), flush=True)
    sys.stdin.read()
"""

# A user namespace whose root has every account but may make no further namespaces, as in many containers.
CONFINED = """
import ctypes, os, sys
down, up = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    assert ctypes.CDLL(None).unshare(0x10000000) == 0
    os.write(up[1], b"x")
    os.read(down[0], 1)
    with open("/proc/sys/user/max_user_namespaces", "w") as file:
        file.write("0")
    os.execvp(sys.argv[1], sys.argv[1:])
os.read(up[0], 1)
for name in ("uid_map", "gid_map"):
    with open(f"/proc/{child}/{name}", "w") as file:
        file.write("0 0 65536")
os.write(down[1], b"x")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def start_owner(data_dir: Path, *wrapper: str) -> tuple[subprocess.Popen[str], Servers]:
    owner = subprocess.Popen(
        [*wrapper, sys.executable, "-c", OWNER, str(data_dir)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    line = owner.stdout.readline()
    assert line, f"the owner ended with {owner.wait()}"
    return owner, Servers(**json.loads(line))


def sql(servers: Servers, *statements: str) -> object:
    """Run statements; the first value of the last one's result, if it has one."""
    engine = create_engine(servers.admin_url, poolclass=NullPool)
    with engine.begin() as connection:
        result = [connection.execute(text(statement)) for statement in statements][-1]
        return result.scalar() if result.returns_rows else None


def write_traces(servers: Servers) -> None:
    sql(servers, "CREATE TABLE traces (word text)", "INSERT INTO traces VALUES ('kept')")
    redis.Redis.from_url(servers.cache_url).set("trace", "kept")


def traces(servers: Servers) -> tuple[object, object]:
    return sql(servers, "SELECT word FROM traces"), redis.Redis.from_url(servers.cache_url).get("trace")


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def test_the_second_caller_attaches_and_leaves_the_servers_running(tmp_path: Path) -> None:
    with running_servers(tmp_path, durable=False) as servers:
        with running_servers(tmp_path) as attached:
            assert attached == servers
        assert sql(attached, "SHOW server_encoding") == "UTF8"
        assert sql(attached, "SHOW listen_addresses") == ""
        assert sql(attached, "SELECT datcollate FROM pg_database LIMIT 1") == "C.UTF-8"
        with kombu.Connection(servers.broker_url) as broker:
            broker.ensure_connection(max_retries=1, timeout=5)
        for name in ("postgres", "valkey", "run"):
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o700
        record = json.loads((tmp_path / "run/servers.json").read_text())
    assert not any(is_alive(record["pids"][name]) for name in ("postgres", "valkey"))
    assert not postgres.answers(Path(record["sockets"]))
    assert not valkey.answers(Path(record["sockets"]))
    assert not (tmp_path / "run/servers.json").exists()


def test_data_survives_a_restart_and_a_stale_pid_file(tmp_path: Path) -> None:
    stranger = subprocess.Popen(["sleep", "60"])
    with running_servers(tmp_path) as servers:
        write_traces(servers)
        pid_file = (tmp_path / "postgres/postmaster.pid").read_text()
    # As after a crash, when the server's number has since gone to a stranger.
    (tmp_path / "postgres/postmaster.pid").write_text(f"{stranger.pid}\n{pid_file.partition(chr(10))[2]}")
    with running_servers(tmp_path) as servers:
        assert traces(servers) == ("kept", b"kept")
    stranger.kill()
    stranger.wait()


def test_servers_end_with_a_killed_owner_and_start_again(tmp_path: Path) -> None:
    owner, servers = start_owner(tmp_path)
    write_traces(servers)
    pids = json.loads((tmp_path / "run/servers.json").read_text())["pids"]
    owner.kill()
    owner.wait()
    began = time.monotonic()
    with running_servers(tmp_path, durable=False) as again:
        assert time.monotonic() - began < 20
        assert traces(again) == ("kept", b"kept")
        assert not any(is_alive(pid) for pid in pids.values())


def test_a_killed_postgres_leaves_nothing_that_stops_the_next_start(tmp_path: Path) -> None:
    owner, servers = start_owner(tmp_path)
    write_traces(servers)
    pids = json.loads((tmp_path / "run/servers.json").read_text())["pids"]
    for pid in (pids["postgres"], pids["owner"]):
        os.kill(pid, signal.SIGKILL)
    with running_servers(tmp_path, durable=False) as again:
        assert traces(again) == ("kept", b"kept")
    owner.wait()


def other_ways() -> list[tuple[str, ...]]:
    """How root can run the servers besides its own way; an ordinary user has only that."""
    if os.geteuid() != 0:
        return [()]
    ids = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    # The interpreter may lie in root's home; to read there is all that this user may do beyond others.
    reading = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search"]
    return [("setpriv", *ids, *reading), (sys.executable, "-c", CONFINED)]


@pytest.mark.parametrize("wrapper", other_ways(), ids=["ordinary user", "no namespaces"][: len(other_ways())])
def test_other_users(tmp_path: Path, wrapper: tuple[str, ...]) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o700)
    if wrapper and wrapper[0] == "setpriv":
        os.chown(data_dir, NOBODY, NOBODY)
    for _ in ("cold", "warm"):
        owner, servers = start_owner(data_dir, *wrapper)
        assert sql(servers, "SELECT 1") == 1
        pid = json.loads((data_dir / "run/servers.json").read_text())["pids"]["postgres"]
        if wrapper:
            assert Path(f"/proc/{pid}").stat().st_uid == NOBODY
        owner.communicate(timeout=30)
        assert owner.returncode == 0
        assert not is_alive(pid)
    if os.geteuid() == 0:  # and root goes on with the same data
        with running_servers(data_dir, durable=False) as servers:
            assert sql(servers, "SELECT 1") == 1


def installed_version() -> str:
    binary = postgres.find_binaries() / "postgres"
    said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    return said.split()[-1].partition(".")[0]


def test_data_of_another_version_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir(mode=0o700)
    (tmp_path / "postgres/PG_VERSION").write_text("9\n")
    with (
        pytest.raises(ConfigurationError, match=r"PostgreSQL 9.*pg_dumpall.*psql"),
        running_servers(tmp_path),
    ):
        pass


def test_a_failed_start_shows_the_log(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir(mode=0o700)
    (tmp_path / "postgres/PG_VERSION").write_text(installed_version())
    with (
        pytest.raises(UnavailableError, match=r"postgres\.log:\n.*postgresql\.conf"),
        running_servers(tmp_path),
    ):
        pass


def test_a_socket_folder_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    with socket_folder(prepare_folders(tmp_path)) as folder:
        folder.chmod(0o755)
        with pytest.raises(ConfigurationError, match="not a private folder"), running_servers(tmp_path):
            pass
    assert not folder.exists()


def test_unusable_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(ConfigurationError, match="WIZAMART_DATA_DIR"),
        running_servers(tmp_path / "file/data"),
    ):
        pass
    long = tmp_path / ("x" * 100)
    long.mkdir()
    with (
        patch("tempfile.tempdir", str(long)),
        pytest.raises(ConfigurationError, match="TMPDIR"),
        running_servers(tmp_path / "data"),
    ):
        pass


def test_the_named_folder_of_binaries_wins(tmp_path: Path) -> None:
    with patch.dict(os.environ, {"WIZAMART_POSTGRES_BIN": str(tmp_path)}):
        with pytest.raises(ConfigurationError, match="WIZAMART_POSTGRES_BIN"):
            postgres.find_binaries()
        (tmp_path / "initdb").touch()
        assert postgres.find_binaries() == tmp_path
