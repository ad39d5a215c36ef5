"""A running platform for whoever needs one: the configured servers, or embedded ones made ready here."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import structlog
from celery import current_app
from kombu.exceptions import OperationalError
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from app.core.config import Settings, changed_environment, get_settings
from app.core.database import SYSTEM, dispose_engine, unit_of_work
from app.core.embedded import Servers, running_servers
from app.core.errors import ConfigurationError, UnavailableError
from app.core.keys import get_keys, to_environment
from app.core.roles import LOGIN, OWNER
from app.modules import install, migrations, setup
from app.modules.setup import DATABASE, DemoLogin
from app.modules.tasks import QUEUES
from app.tasks.models import Job
from app.tasks.runner import run_until_idle

log = structlog.stdlib.get_logger(__name__)
_POLL_SECONDS = 0.3
_LONGEST_JOB_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Platform:
    """Where the platform's servers are, as environment variables, and the demo logins if demo data was asked for."""

    environment: Mapping[str, str]
    demo_logins: tuple[DemoLogin, ...]

    def work(self, job_id: UUID) -> Job:
        """Wait for a job's end and return it. Where no worker runs, this process does the work.

        Raises UnavailableError when the job makes no end within a day.
        """
        is_worked_on = has_workers()
        deadline = time.monotonic() + _LONGEST_JOB_SECONDS
        while time.monotonic() < deadline:
            if not is_worked_on:
                run_until_idle(QUEUES, timeout_seconds=_POLL_SECONDS)
            with unit_of_work(SYSTEM) as session:
                job = session.get_one(Job, job_id)
            if job.finished_at is not None:
                return job
            time.sleep(_POLL_SECONDS)
        raise UnavailableError(f"Job {job_id} did not end within a day. See `wizamart jobs show {job_id}`.")


def has_workers() -> bool:
    """Whether any worker answers; takes a second. Without a broker there is none."""
    if get_settings().broker_url is None:
        return False
    try:
        return bool(current_app.control.ping(timeout=1.0))
    except (OSError, OperationalError):
        return False


@contextmanager
def running_platform(
    *, data_dir: Path | None = None, demo: bool = False, migrate: bool = True
) -> Iterator[Platform]:
    """Settings, database and broker in place for the block.

    With addresses set these are the configured servers, used as they are. Else they are the embedded ones of the
    data folder: attached to when a platform runs there, started for the block when not, migrated unless told not to.
    ``demo`` adds the demo data, to embedded servers only: its passwords are public.
    """
    settings = get_settings()
    if not settings.is_embedded:
        yield Platform({}, ())
        return
    folder = (data_dir or settings.data_dir).resolve()
    with running_servers(folder) as servers:
        environment = embedded_environment(servers, folder, settings)
        with changed_environment(environment):
            dispose_engine()
            try:
                prepare_embedded(servers, migrate=migrate)
                yield Platform(environment, tuple(setup.seed_demo()) if demo else ())
            finally:
                dispose_engine()


def embedded_environment(servers: Servers, folder: Path, settings: Settings) -> dict[str, str]:
    """The variables that point a process at embedded servers; keys come from the data folder's key file."""
    url = make_url(servers.admin_url)
    keys = get_keys(settings.model_copy(update={"data_dir": folder}))
    return {
        "WIZAMART_DATA_DIR": str(folder),
        "WIZAMART_DATABASE_URL": url.set(username=LOGIN, database=DATABASE).render_as_string(
            hide_password=False
        ),
        "WIZAMART_DATABASE_OWNER_URL": url.set(username=OWNER, database=DATABASE).render_as_string(
            hide_password=False
        ),
        "WIZAMART_BROKER_URL": servers.broker_url,
        "WIZAMART_CACHE_URL": servers.cache_url,
        **to_environment(keys),
        **_sandbox_environment(folder, settings),
    }


@contextmanager
def sandbox_note(folder: Path) -> Iterator[Callable[[str], object]]:
    """Gives a function that notes where the stand-ins are: from then to the block's end, commands on the same data
    folder know it."""
    note = _sandbox_note(folder)
    note.unlink(missing_ok=True)  # of one that was killed
    try:
        yield lambda url: note.write_text(url, "utf-8")
    finally:
        note.unlink(missing_ok=True)


def _sandbox_environment(folder: Path, settings: Settings) -> dict[str, str]:
    note = _sandbox_note(folder)
    if settings.sandbox_url or not note.is_file():
        return {}
    return {"WIZAMART_SANDBOX_URL": note.read_text("utf-8")}


def _sandbox_note(folder: Path) -> Path:
    return folder / "run" / "sandbox-url"


def prepare_embedded(servers: Servers, *, migrate: bool = True) -> None:
    """Roles, database and migrations on the embedded server; quick when there is nothing to do."""
    admin = create_engine(servers.admin_url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    setup.initialise_server(admin)
    setup.create_database(admin)
    inside = create_engine(make_url(servers.admin_url).set(database=DATABASE), poolclass=NullPool)
    setup.initialise_database(inside)
    if migrate:
        with migrations.owner_connection(owner_url()) as connection:
            migrations.migrate(connection)
            for added in install.enable_requirements(connection):
                log.warning("requirement_enabled", what=str(added))


def owner_url() -> str:
    """The owner's URL; ConfigurationError when only the application's is set."""
    url = get_settings().database_owner_url
    if url is None:
        raise ConfigurationError(
            "This needs the owner of the tables. Set WIZAMART_DATABASE_OWNER_URL, "
            f"e.g. postgresql://{OWNER}:…@host/{DATABASE}."
        )
    return url
