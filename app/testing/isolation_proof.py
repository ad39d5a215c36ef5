"""The proof that tenants are kept apart, whole: tables, routes and tasks on scratch databases."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from celery import current_app

from app.core.database import engine
from app.core.embedded import running_servers
from app.modules.registry import modules, owner_of
from app.modules.task_base import ModuleTask, task_names
from app.modules.web import create_app
from app.tasks.runner import run_until_idle
from app.testing.database import Templates, connect_app, scratch_keys
from app.testing.isolation import application_role, prove_tables
from app.testing.isolation_doors import QUEUES, find_tenant, prove_routes, prove_tasks


@contextmanager
def scratch() -> Iterator[Templates]:
    """Servers in a temporary folder, with migrated and seeded template databases."""
    folder = Path(tempfile.mkdtemp(prefix="wizamart-prove-"))
    try:
        with running_servers(folder, broker=False, durable=False) as servers:
            templates = Templates(servers.admin_url)
            templates.build()
            yield templates
            templates.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tasks_of_modules() -> list[ModuleTask]:
    named = [current_app.tasks[name] for name in task_names()]
    return [task for task in named if owner_of(task.run.__module__) in modules()]


def is_proved(figures: dict[str, Any]) -> bool:
    """No leak, nothing left untried, no blind spot, and every dropped policy noticed."""
    return (
        figures["leaks"] == 0
        and not figures["blind_spots"]
        and not figures["untried"]
        and figures["policies_dropped"] == figures["policies_noticed"] > 0
    )


def prove_isolation(templates: Templates) -> dict[str, Any]:
    """Run all parts on clones of the templates; returns the figures."""
    with templates.clone("empty") as database, connect_app(database):
        role = application_role(engine())
        tables = prove_tables(engine(), templates.superuser(database))
    with templates.clone("demo") as database, scratch_keys(), connect_app(database):
        app = create_app()
        run_until_idle(QUEUES, timeout_seconds=120)
        owner = database.owner_engine
        ours = find_tenant(owner, "MINETT", "owner@minett.example")
        theirs = find_tenant(owner, "MOSELLE", "owner@moselle.example")
        routes = prove_routes(app, owner, ours, theirs)
        tasks = prove_tasks(_tasks_of_modules(), owner, ours, theirs)
    leaked = [*tables.leaks, *routes.leaks, *tasks.leaks]
    return {
        "role": role,
        "tables": tables.tables,
        "functions": tables.functions,
        "routes": routes.routes,
        "tasks": tasks.tasks,
        "attempts": tables.attempts + routes.attempts + tasks.attempts,
        "leaks": len(leaked),
        "leaked": leaked,
        "blind_spots": tables.blind_spots,
        "untried": [*routes.untried, *tasks.untried],
        "policies_dropped": tables.policies_dropped,
        "policies_noticed": tables.policies_dropped - len(tables.policies_unnoticed),
        "policies_unnoticed": tables.policies_unnoticed,
    }
