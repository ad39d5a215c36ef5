"""The pytest plugin: one embedded PostgreSQL and broker per run, one migrated template, a fresh clone per test."""

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from kombu.connection import Connection
from sqlalchemy import Engine

from app.core import database, rate_limit
from app.core.config import changed_environment, get_settings
from app.core.database import dispose_engine
from app.core.embedded import running_servers
from app.main import create_app
from app.modules.registry import modules
from app.modules.tasks import QUEUES
from app.testing import programs
from app.testing.database import FIRST_RUN, Database, Templates, connect_app
from app.testing.engines import sharing_engine

_ADMIN, _BROKER, _DATA = OF_THE_RUN = (
    *("WIZAMART_TEST_ADMIN_URL", "WIZAMART_TEST_BROKER_URL"),
    "WIZAMART_TEST_DATA",
)
_RUN = "WIZAMART_TEST_RUN"
_DONE = "done"
SETTINGS = {
    "WIZAMART_ENV": "test",
    "WIZAMART_SECRET_KEY": "test-secret-key-of-this-run-0123456789",
    "WIZAMART_ENCRYPTION_KEYS": "k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
}
# Hundreds of tests sign in; at the price of an installation that alone would be a minute.
_PASSWORDS, _CHEAPEST_KIB = "WIZAMART_PASSWORD_MEMORY_KIB", "1024"
_SHARED_MEMORY, _ROOM_BYTES = Path("/dev/shm"), 4 << 30
_servers = ExitStack()
pytest.register_assert_rewrite("app.testing.conformance")  # its asserts then say what was compared


def pytest_configure(config: pytest.Config) -> None:
    """Say what the marker means, also to the tests of a distribution."""
    config.addinivalue_line(
        "markers", "demo_due: the work that the demo leaves is still to be done when the test begins"
    )
    config.addinivalue_line(
        "markers", "xdist_group(name): is done by the process that does others of the name"
    )
    database.create_engine = sharing_engine  # type: ignore[attr-defined,assignment]
    programs.is_forking = True


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the servers once, before the workers of pytest-xdist are started: they inherit the addresses."""
    if os.environ.get("PYTEST_XDIST_WORKER") or session.config.option.collectonly:
        return
    folder = Path(tempfile.mkdtemp(prefix="wizamart-test-", dir=_memory()))
    _servers.callback(shutil.rmtree, folder, ignore_errors=True)
    # A command in a copy of the tree would compile it anew each time.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    is_guest = _ADMIN in os.environ  # of a test that runs tests of a module that its own run does not know
    if is_guest:
        copy_done(folder / _DONE)
    else:
        servers = _servers.enter_context(running_servers(folder, durable=False))
        os.environ[_ADMIN] = servers.admin_url
        os.environ.setdefault(_BROKER, servers.broker_url)  # or one that stands there, used as it is
    run = folder.name if is_guest else FIRST_RUN
    os.environ.update({_RUN: run, _DATA: str(folder), _PASSWORDS: _CHEAPEST_KIB})
    built = Templates(os.environ[_ADMIN], run)
    with changed_environment({**SETTINGS, "WIZAMART_DATA_DIR": str(folder / _DONE)}):
        if is_guest:
            built.build_on_first_run()
        else:
            built.build()
            built.build_done()
    built.close()


def _memory() -> Path | None:
    """A folder in memory, where a database is copied and dropped for a third less, if it has room; else none."""
    has_room = os.access(_SHARED_MEMORY, os.W_OK) and shutil.disk_usage(_SHARED_MEMORY).free >= _ROOM_BYTES
    return _SHARED_MEMORY if has_room else None


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than processors: many tests wait for processes, leases and browsers."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests first, so that none of them is still at work when the others are done."""
    items.sort(key=_seconds, reverse=True)


def pytest_collection_finish() -> None:
    """What is imported by now stays to the end: nobody need look for garbage among it again and again."""
    gc.collect()
    gc.freeze()


def _seconds(item: pytest.Item) -> float:
    marker = item.get_closest_marker("long")
    return float(marker.args[0]) if marker else float(item.get_closest_marker("browser") is not None)


def pytest_sessionfinish() -> None:
    """Stop what this process started."""
    _servers.close()


@pytest.fixture(scope="session")
def templates() -> Iterator[Templates]:
    """The migrated template databases of this run."""
    built = Templates(os.environ[_ADMIN], os.environ[_RUN])
    yield built
    built.close()


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of this test's own; keys are made in it."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name, value in {**SETTINGS, "WIZAMART_DATA_DIR": str(folder)}.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    rate_limit.forget()
    return folder


@pytest.fixture
def broker(worker_id: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A real broker, empty; the run's own one in a key space of this worker's."""
    url = os.environ[_BROKER]
    if url.startswith("redis+socket://"):
        number = 0 if worker_id == "master" else int(worker_id.removeprefix("gw")) + 1
        url = f"{url}?virtual_host={number}"
    empty_broker(url)
    monkeypatch.setenv("WIZAMART_BROKER_URL", url)
    get_settings.cache_clear()
    return url


def empty_broker(url: str) -> None:
    """Throw away all wake-ups, whatever kind of broker it is."""
    with Connection(url) as connection:  # type: ignore[no-untyped-call]
        for queue in QUEUES:
            with connection.channel() as channel, suppress(*connection.channel_errors):
                channel.queue_purge(queue)


@pytest.fixture
def live_db(templates: Templates, data_dir: Path) -> Iterator[Database]:
    """An empty migrated database; what the application commits is really committed."""
    with templates.clone("empty") as database, connect_app(database):
        yield database


@pytest.fixture
def world(request: pytest.FixtureRequest, templates: Templates, data_dir: Path) -> Iterator[Database]:
    """A database with the demo tenants (see ``app/modules/tenancy/services/demo_service.py``), fresh for each test.

    The work that the demo leaves is done already, but for a test that is marked with ``demo_due``.
    """
    is_due = request.node.get_closest_marker("demo_due") is not None
    if not is_due:
        copy_done(data_dir)
    with templates.clone("demo" if is_due else "done") as database, connect_app(database):
        yield database


def copy_done(folder: Path) -> None:
    """Put the files of the template 'done' into a data folder."""
    shutil.copytree(Path(os.environ[_DATA], _DONE), folder, dirs_exist_ok=True)


@pytest.fixture
def owner_engine(world: Database) -> Engine:
    """The owner's engine, which no policy holds back: for factories and for looking behind the scenes."""
    return world.owner_engine


_built: dict[str, FastAPI] = {}
_OF_EACH_TEST = {
    *("database_url", "database_owner_url", "broker_url", "cache_url", "data_dir"),
    *("secret_key", "encryption_keys"),
}


@pytest.fixture
def app(world: Database) -> FastAPI:
    """The web application on the demo world, built once for the same modules and settings."""
    key = (
        f"{[id(module) for module in modules().values()]} {get_settings().model_dump(exclude=_OF_EACH_TEST)}"
    )
    if key not in _built:
        _built.clear()
        _built[key] = create_app()
    return _built[key]


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A browser without scripts; follows redirects only when told to."""
    with TestClient(
        app, base_url="http://testserver", follow_redirects=False, raise_server_exceptions=False
    ) as client:
        yield client
    dispose_engine()
