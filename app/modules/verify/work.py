"""Background work: tasks are ours, named by their path, scheduled, routed; nothing goes round the ledger."""

import ast
import re
from collections.abc import Iterator

from cronsim import CronSim, CronSimError

from app.core import clock
from app.modules.base import ModuleDefinition, ScheduledTask
from app.modules.verify.project import Project, Source
from app.modules.verify.report import Finding

QUEUES = ("default", "long_running", "scheduled")
_CRONTAB_FIELDS = frozenset({"minute", "hour", "day_of_week", "day_of_month", "month_of_year"})
_CANVAS = frozenset({"chain", "chord", "group", "chunks", "signature", "xmap", "xstarmap"})
_ETA_OPTIONS = frozenset({"eta", "countdown", "link", "link_error", "expires", "retry_policy", "queue"})
_RETRY_OPTIONS = frozenset(
    {"autoretry_for", "retry_backoff", "retry_kwargs", "max_retries", "default_retry_delay"}
)
_WITHOUT_DELAY = frozenset({"services", "adapters", "facade", "models", "schemas", "handlers"})


def _task_decorator(function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.expr | None:
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if ast.unparse(called).rpartition(".")[2] in ("shared_task", "task"):
            return decorator
    return None


def _option(decorator: ast.expr, name: str) -> ast.expr | None:
    keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
    return next((keyword.value for keyword in keywords if keyword.arg == name), None)


def check_tasks(project: Project) -> Iterator[Finding]:
    """Every public function of tasks/*.py is a @shared_task(base=ModuleTask) that is named by its path."""
    for source in project.of_modules("tasks"):
        for function in source.public_functions():
            decorator = _task_decorator(function)
            base = _option(decorator, "base") if decorator else None
            if base is None or ast.unparse(base).rpartition(".")[2] != "ModuleTask":
                yield project.finding(
                    source,
                    function.lineno,
                    "task-base",
                    f"{function.name}() is no task of the ledger.",
                    "@shared_task(base=ModuleTask, bind=True); begin helpers with an underscore.",
                )
            name = _option(decorator, "name") if decorator else None
            path = f"{source.name}.{function.name}"
            if name is not None and not (isinstance(name, ast.Constant) and name.value == path):
                yield project.finding(
                    source,
                    name.lineno,
                    "task-name",
                    f"The task {path} has another name.",
                    "Leave name= out: the path is the name that routing, schedule and ledger use.",
                )
        yield from _same_name(project, source)


def _same_name(project: Project, source: Source) -> Iterator[Finding]:
    seen: set[str] = set()
    for function in source.public_functions():
        if function.name in seen:
            yield project.finding(
                source,
                function.lineno,
                "task-name",
                f"There are two tasks {function.name}.",
                "Rename one of them.",
            )
        seen.add(function.name)


def _tasks_of(project: Project, code: str) -> set[str]:
    return {
        f"{source.name}.{function.name}"
        for source in project.of_modules("tasks")
        if source.owner == code
        for function in source.public_functions()
        if _task_decorator(function)
    }


def check_task_wiring(project: Project) -> Iterator[Finding]:
    """tasks_path, globs and queues of a definition fit its tasks."""
    for code, definition in project.modules.items():
        package = f"{definition.package}.tasks"
        if definition.tasks_path not in (None, package) or (
            definition.tasks_path is None and _tasks_of(project, code)
        ):
            path, line = project.in_definition(code, definition.tasks_path or code)
            yield project.finding(
                path,
                line,
                "tasks-path",
                f"The tasks of {code} are not discovered: tasks_path is {definition.tasks_path!r}.",
                f'tasks_path="{package}".',
            )
        for glob, queue in definition.task_queues.items():
            path, line = project.in_definition(code, glob)
            if not glob.startswith(f"{package}."):
                yield project.finding(
                    path,
                    line,
                    "task-queue",
                    f"The glob {glob!r} is not of this module.",
                    f'Begin it with "{package}.".',
                )
            if queue not in QUEUES:
                yield project.finding(
                    path,
                    line,
                    "task-queue",
                    f"There is no queue {queue!r}.",
                    f"Choose one of {', '.join(QUEUES)}.",
                )


def check_schedules(project: Project) -> Iterator[Finding]:
    """Schedules are named, unique, readable, and start tasks that exist."""
    seen: dict[str, str] = {}
    for code, definition in project.modules.items():
        tasks = _tasks_of(project, code)
        for schedule in definition.scheduled_tasks:
            path, line = project.in_definition(code, schedule.name)
            for rule, message, fix in _schedule_faults(definition, schedule, tasks):
                yield project.finding(path, line, rule, message, fix)
            if schedule.name in seen:
                yield project.finding(
                    path,
                    line,
                    "schedule-name",
                    f"The schedule {schedule.name} exists in {seen[schedule.name]} already.",
                    "Rename one of them.",
                )
            seen[schedule.name] = code


def _schedule_faults(
    definition: ModuleDefinition, schedule: ScheduledTask, tasks: set[str]
) -> Iterator[tuple[str, str, str]]:
    prefix = rf"(?:{re.escape(definition.code)}|{definition.code.replace('-', '_')})"
    if not re.fullmatch(rf"{prefix}\.[a-z]+(?:_[a-z0-9]+)+", schedule.name):
        yield (
            "schedule-name",
            f"{schedule.name!r} is no name of a schedule of {definition.code}.",
            f"{definition.code}.<verb_object>.",
        )
    if schedule.task not in tasks:
        yield (
            "schedule-task",
            f"Schedule {schedule.name} starts {schedule.task}, which does not exist in {definition.code}.",
            "Name a task by its full path: " + (", ".join(sorted(tasks)) or "the module has none yet") + ".",
        )
    if not _is_readable(schedule.schedule):
        yield (
            "schedule-time",
            f"Schedule {schedule.name} has no readable time: {schedule.schedule!r}.",
            "Five cron fields in UTC, or the keyword arguments of crontab.",
        )


def _is_readable(schedule: object) -> bool:
    if isinstance(schedule, dict):
        return schedule.keys() <= _CRONTAB_FIELDS
    try:
        return len(str(schedule).split()) == 5 and CronSim(str(schedule), clock.system_now()) is not None
    except CronSimError:
        return False


def check_ledger_bypass(project: Project) -> Iterator[Finding]:
    """Celery is a wake-up for the ledger: nothing that keeps work in the broker."""
    for source in project.of_modules():
        for line, name in source.imported:
            if name.startswith("celery") and name.rpartition(".")[2] in _CANVAS:
                yield _bypass(project, source, line, f"{name} keeps work in the broker")
        for call in source.all(ast.Call):
            what = _bypasses(source, call)
            if what:
                yield _bypass(project, source, call.lineno, what)


def _bypasses(source: Source, call: ast.Call) -> str | None:
    options = {keyword.arg for keyword in call.keywords if keyword.arg}
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
    owner = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    if name == "apply_async" and (used := options & _ETA_OPTIONS):
        return f"apply_async({', '.join(sorted(used))}=…) keeps work in the broker"
    if name == "shared_task" and (used := options & _RETRY_OPTIONS):
        return f"shared_task({', '.join(sorted(used))}=…) lets Celery try again"
    if name == "send_task" or (owner == "celery" and name in _CANVAS):
        return f"{name}() sends a message without a job"
    if name == "retry" and (owner == "self" or source.part == "tasks"):
        return "retry() lets Celery try again"
    if name in ("delay", "apply_async") and source.part in _WITHOUT_DELAY:
        return f"{name}() in {source.part}"
    return None


def _bypass(project: Project, source: Source, line: int, what: str) -> Finding:
    return project.finding(
        source,
        line,
        "ledger-bypass",
        f"{what}.",
        "app.tasks.dispatcher.dispatch() writes the job in your transaction; the ledger tries again.",
    )
