"""What was to happen and what happened: two tables that only the proof has."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.core.database import SYSTEM, unit_of_work
from app.core.roles import PLATFORM, TENANT
from app.tasks.ports import ClaimedJob

_TABLES = f"""
    CREATE TABLE proof_expected (name text PRIMARY KEY);
    CREATE TABLE proof_effects (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, line text, number int,
        job_id uuid, token bigint
    );
    CREATE INDEX ON proof_effects (name);
    CREATE TABLE proof_received (name text PRIMARY KEY, calls int NOT NULL DEFAULT 1);
    GRANT SELECT, INSERT, UPDATE ON proof_expected, proof_effects, proof_received TO {TENANT}, {PLATFORM};
"""
_EXPECT = text("INSERT INTO proof_expected (name) VALUES (:name)")
_EFFECT = text(
    "INSERT INTO proof_effects (name, line, number, job_id, token) VALUES (:name, :line, :number, :job_id, :token)"
)
# As a payment provider does: the key makes a repeated call a repeated answer.
_RECEIVE = text(
    "INSERT INTO proof_received (name) VALUES (:name) "
    "ON CONFLICT (name) DO UPDATE SET calls = proof_received.calls + 1"
)


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that must happen once; the ``number`` of effects of one ``line`` must rise."""

    name: str
    line: str | None = None
    number: int | None = None


def make_tables(owner: Engine) -> None:
    """Make the tables of the proof."""
    with owner.begin() as connection:
        connection.exec_driver_sql(_TABLES)


def expect(session: Session, *names: str) -> None:
    """These effects must be seen if the caller's transaction is committed, and not if it is not."""
    session.execute(_EXPECT, [{"name": name} for name in names])


def write_effect(session: Session, effect: Effect, job: ClaimedJob | None = None) -> None:
    """The effect itself, in the caller's transaction."""
    identity: dict[str, UUID | int | None] = {"job_id": None, "token": None}
    if job is not None:
        identity = {"job_id": job.id, "token": job.token}
    session.execute(_EFFECT, {"name": effect.name, "line": effect.line, "number": effect.number, **identity})


def call_outside(key: str) -> None:
    """A call to another system, which remembers keys; no transaction of the job holds it."""
    with unit_of_work(SYSTEM) as session:
        session.execute(_RECEIVE, {"name": key})
