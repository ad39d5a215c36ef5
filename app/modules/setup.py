"""From an empty server to a platform that can be signed in to: roles, database, migrations, demo data."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from app.core import roles
from app.core.database import SYSTEM, unit_of_work
from app.modules.providers import ProviderPoint
from app.tasks.models import Job, JobState

DATABASE = "wizamart"


@dataclass(frozen=True, slots=True)
class DemoLogin:
    """An account of the demo data, shown when the platform starts."""

    label: str
    url: str
    email: str
    password: str


DemoSeed = Callable[[Session], list[DemoLogin]]
DEMO: ProviderPoint[DemoSeed] = ProviderPoint("framework.demo")


def initialise_server(
    admin: Engine, *, owner_password: str | None = None, login_password: str | None = None
) -> None:
    """Make the roles; needs a superuser or CREATEROLE, and autocommit."""
    with admin.connect() as connection:
        for statement in roles.role_statements(owner_password, login_password):
            connection.exec_driver_sql(statement)


def create_database(admin: Engine, name: str = DATABASE) -> None:
    """Make the platform's database unless it is there."""
    with admin.connect() as connection:
        if connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}) is None:
            connection.exec_driver_sql(
                f"CREATE DATABASE \"{name}\" OWNER {roles.OWNER} ENCODING 'UTF8' TEMPLATE template0"
            )


def initialise_database(admin: Engine) -> None:
    """Extensions and rights inside the platform's database; ``admin`` is connected to it."""
    with admin.begin() as connection:
        name = connection.scalar(text("SELECT current_database()"))
        assert isinstance(name, str)
        for statement in roles.database_statements(name):
            connection.exec_driver_sql(statement)


def seed_demo() -> list[DemoLogin]:
    """Demo data of every module, in dependency order, all or nothing; the logins. A second call changes nothing."""
    with unit_of_work(SYSTEM) as session:
        return [login for seed in DEMO.implementations() for login in seed(session)]


def is_demo_underway(session: Session) -> bool:
    """Whether background work goes on that demo data may wait for; jobs that only wait themselves do not count.

    The session is the system's.
    """
    waiting = select(Job.id).where(
        Job.state.in_([JobState.QUEUED, JobState.RUNNING]), Job.task.not_like("%.tasks.demo.%")
    )
    return session.scalar(select(waiting.exists())) is True
