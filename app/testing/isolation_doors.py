"""The proof at the doors: vendor pages and actions with foreign ids, tasks with a missing or foreign vendor."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select, text

from app.core.database import TenantScope, unit_of_work
from app.core.ids import to_public
from app.core.tables import Base, TableScope
from app.modules.registry import modules
from app.modules.task_base import ModuleTask
from app.tasks.dispatcher import dispatch
from app.tasks.errors import MissingTenantError
from app.tasks.runner import run_until_idle
from app.testing.browsing import sign_in, token_of

QUEUES = ("default", "long_running", "scheduled")
_VENDOR_PATH = "/vendor/{vendor_code}"
_RUN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Tenant:
    """A vendor of the proof and somebody who may do everything there."""

    id: UUID
    code: str
    owner_email: str


@dataclass(slots=True)
class DoorReport:
    """What was tried at the doors. ``leaks`` and ``untried`` must stay empty."""

    routes: int = 0
    tasks: int = 0
    attempts: int = 0
    leaks: list[str] = field(default_factory=list)
    untried: list[str] = field(default_factory=list)


def find_tenant(owner: Engine, code: str, owner_email: str) -> Tenant:
    """A vendor of the demo data."""
    with owner.connect() as connection:
        vendor_id = connection.execute(
            text("SELECT id FROM vendors WHERE code = :code"), {"code": code}
        ).scalar_one()
    return Tenant(vendor_id, code, owner_email)


def fingerprint(owner: Engine, vendor_id: UUID) -> dict[str, str]:
    """A digest of all rows of a vendor, by table: equal before and after means untouched."""
    found = {}
    with owner.connect() as connection:
        for table in Base.metadata.sorted_tables:
            if table.info["scope"] is TableScope.VENDOR:
                digest = connection.execute(
                    text(
                        f"SELECT coalesce(md5(string_agg(t::text, chr(10) ORDER BY t::text)), '') "
                        f'FROM "{table.name}" t WHERE "{table.info["scope_column"]}" = :id'
                    ),
                    {"id": vendor_id},
                ).scalar_one()
                found[table.name] = digest
    return found


def prove_routes(app: FastAPI, owner: Engine, ours: Tenant, theirs: Tenant) -> DoorReport:
    """As the owner of ``ours``: every door of the vendor area with the code or the ids of ``theirs`` answers 404 and
    changes nothing; with our own code and ids, pages answer 200."""
    report = DoorReport()
    before = fingerprint(owner, theirs.id)
    with TestClient(
        app, base_url="http://testserver", follow_redirects=False, raise_server_exceptions=False
    ) as client:
        sign_in(client, "vendor", ours.owner_email)
        token = token_of(client.get(f"/vendor/{ours.code}"))
        for route in _vendor_routes(app):
            report.routes += 1
            for path in _paths(route, owner, theirs, theirs, report):
                report.attempts += 1
                _expect(client, route, path, token, 404, report)
            if "{" in route.path.removeprefix(_VENDOR_PATH):
                for path in _paths(route, owner, ours, theirs, report):
                    report.attempts += 1
                    _expect(client, route, path, token, 404, report)
            if "GET" in (route.methods or ()):
                for path in _paths(route, owner, ours, ours, report):
                    _expect(client, route, path, token, 200, report)
    report.leaks += [
        f"changed: {name}" for name, digest in fingerprint(owner, theirs.id).items() if digest != before[name]
    ]
    return report


def prove_tasks(tasks: Sequence[ModuleTask], owner: Engine, ours: Tenant, theirs: Tenant) -> DoorReport:
    """Every vendor task is refused without a vendor, and for ``ours`` with ids of ``theirs`` changes nothing."""
    report = DoorReport()
    for task in tasks:
        if task.scope != "vendor":
            continue
        report.tasks += 1
        report.attempts += 2
        arguments = _foreign_arguments(task, owner, theirs, report)
        if arguments is None:
            continue
        if not _is_refused_without_vendor(task, arguments):
            report.leaks.append(f"{task.name}: ran without a vendor")
        before = fingerprint(owner, theirs.id)
        with unit_of_work(TenantScope(ours.id)) as session:
            job = dispatch(session, task.name, kwargs=arguments, vendor_id=ours.id, max_attempts=1)
        run_until_idle(QUEUES, timeout_seconds=_RUN_SECONDS)
        if arguments and _state(owner, job.id) == "succeeded":
            report.leaks.append(f"{task.name}: succeeded with foreign ids")
        report.leaks += [
            f"{task.name} changed {name}"
            for name, digest in fingerprint(owner, theirs.id).items()
            if digest != before[name]
        ]
    return report


def _vendor_routes(app: FastAPI) -> Iterator[APIRoute]:
    for route in app.routes:
        if isinstance(route, APIRoute) and route.path.startswith(_VENDOR_PATH):
            yield route


def _ids(name: str, owner: Engine, tenant: Tenant) -> tuple[str, list[UUID]] | None:
    """Prefix and up to two keys of a tenant's rows behind a path parameter; None where no module declares it."""
    for module in modules().values():
        if name in module.public_ids:
            prefix, table_name = module.public_ids[name]
            table = Base.metadata.tables[table_name]
            column = table.info["scope_column"] or "vendor_id"  # rows under the identity role name it too
            rows = select(table.c.id).order_by(table.c.id).limit(2)
            if column in table.c:  # else they are nobody's own, as people are
                rows = rows.where(table.c[column] == tenant.id)
            with owner.connect() as connection:
                return prefix, list(connection.execute(rows).scalars())
    return None


def _paths(route: APIRoute, owner: Engine, place: Tenant, ids_of: Tenant, report: DoorReport) -> list[str]:
    """The route's addresses at ``place`` with ids of ``ids_of``."""
    names = [name for name in re.findall(r"{(\w+)}", route.path) if name != "vendor_code"]
    choices = []
    for name in names:
        found = _ids(name, owner, ids_of)
        if found is None or not found[1]:
            report.untried.append(
                f"{route.path}: no {name} of {ids_of.code}; declare it in public_ids and seed one"
            )
            return []
        choices.append([to_public(found[0], key) for key in found[1]])
    base = route.path.replace("{vendor_code}", place.code)
    paths = []
    for values in product(*choices):
        path = base
        for name, value in zip(names, values, strict=True):
            path = path.replace("{" + name + "}", value)
        paths.append(path)
    return paths


def _expect(
    client: TestClient, route: APIRoute, path: str, token: str, status: int, report: DoorReport
) -> None:
    method = "GET" if "GET" in (route.methods or ()) else "POST"
    response = client.request(method, path, data={"csrf_token": token} if method == "POST" else None)
    if response.status_code != status:
        report.leaks.append(f"{method} {path}: {response.status_code} instead of {status}")


def _foreign_arguments(
    task: ModuleTask, owner: Engine, theirs: Tenant, report: DoorReport
) -> dict[str, Any] | None:
    """Arguments for a task, every id one of ``theirs``."""
    import inspect

    arguments: dict[str, Any] = {}
    for name, parameter in inspect.signature(task.run).parameters.items():
        if name in ("self", "vendor_id"):
            continue
        found = _ids(name, owner, theirs)
        if found is not None and found[1]:
            arguments[name] = found[1][0]
        elif parameter.default is not inspect.Parameter.empty:
            continue
        elif not name.endswith("_id"):
            arguments[name] = name  # no id of ours: any text
        else:
            report.untried.append(f"{task.name}: no {name}; declare it in public_ids and seed one")
            return None
    return arguments


def _is_refused_without_vendor(task: ModuleTask, arguments: dict[str, Any]) -> bool:
    try:
        task.apply_async(kwargs=arguments)
    except MissingTenantError:
        return True
    return False


def _state(owner: Engine, job_id: UUID) -> str:
    with owner.connect() as connection:
        return str(
            connection.execute(text("SELECT state FROM jobs WHERE id = :id"), {"id": job_id}).scalar_one()
        )
