"""Rules of the house that one look at one file decides: transactions, clocks, HTTP, output, money, size."""

import ast
from collections.abc import Iterator

from app.modules.verify.project import Project, Source
from app.modules.verify.report import Finding

_TRANSACTION_FILES = frozenset({"app.core.database", "app.modules.task_base"})
_HTTP_LIBRARIES = ("requests", "httpx", "httpx2", "urllib.request", "urllib3", "aiohttp", "http.client")
_HTTP_FILES = frozenset({"app.core.http_client", "app.core.http_guard"})
_HTTPX_CALLS = frozenset(
    {"Client", "AsyncClient", "get", "post", "put", "patch", "delete", "head", "options", "request", "stream"}
)
_SERVER_NOW = ("func.now()", "func.current_timestamp()", "now()", "CURRENT_TIMESTAMP")
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50
MAX_PARAMETERS = 6
BUDGET_EXCEPTIONS = "tests/architecture/budget_exceptions.txt"
_DOOR_DECORATORS = frozenset(
    {"page", "action", "command", "callback", "get", "post", "put", "patch", "delete"}
)


def _production(project: Project) -> Iterator[Source]:
    return (source for source in project.sources if not source.is_test)


def check_transactions(project: Project) -> Iterator[Finding]:
    """Transactions end at the edges: commit and rollback stand in two files."""
    for source in _production(project):
        if source.name in _TRANSACTION_FILES:
            continue
        for call in source.all(ast.Call):
            if isinstance(call.func, ast.Attribute) and call.func.attr in ("commit", "rollback"):
                yield project.finding(
                    source,
                    call.lineno,
                    "commit-in-code",
                    f".{call.func.attr}() outside app/core/database.py and app/modules/task_base.py.",
                    "Take the session of the unit of work; raise to roll back; self.checkpoint() in a task.",
                )


def check_clocks(project: Project) -> Iterator[Finding]:
    """There are two clocks, both in app/core/clock.py."""
    for source in _production(project):
        if source.name == "app.core.clock":
            continue
        for call in source.all(ast.Call):
            if isinstance(call.func, ast.Attribute) and call.func.attr in ("now", "utcnow", "today"):
                owner = ast.unparse(call.func.value).rpartition(".")[2]
                if owner in ("datetime", "date"):
                    yield project.finding(
                        source,
                        call.lineno,
                        "wall-clock",
                        f"{owner}.{call.func.attr}() asks the machine's clock.",
                        "Use app.core.clock: now() for business, system_now() for leases and sessions.",
                    )


def check_server_now(project: Project) -> Iterator[Finding]:
    """Times of rows are business time, so the database does not fill them in."""
    for source in _production(project):
        if source.owner == "tasks":
            continue
        for call in source.all(ast.Call):
            for keyword in call.keywords:
                if keyword.arg == "server_default" and any(
                    now in ast.unparse(keyword.value) for now in _SERVER_NOW
                ):
                    yield project.finding(
                        source,
                        keyword.value.lineno,
                        "server-now",
                        "server_default now() ignores the business clock.",
                        "Use default=clock.now.",
                    )


def check_http(project: Project) -> Iterator[Finding]:
    """Requests to the outside go through the guarded client; adapters may use httpx2's types."""
    for source in _production(project):
        if source.name in _HTTP_FILES or source.owner == "entry":
            continue
        for line, name in source.imported:
            library = next((lib for lib in _HTTP_LIBRARIES if f"{name}.".startswith(f"{lib}.")), None)
            if library and not (library == "httpx2" and source.part == "adapters"):
                yield _direct_http(project, source, line, f"{library} is imported")
        for call in source.all(ast.Call):
            owner, _, name = ast.unparse(call.func).rpartition(".")
            if owner == "httpx2" and name in _HTTPX_CALLS:
                yield _direct_http(project, source, call.lineno, f"httpx2.{name}() is called")


def _direct_http(project: Project, source: Source, line: int, what: str) -> Finding:
    return project.finding(
        source,
        line,
        "direct-http",
        f"{what}: such requests have no guard, timeout or limit.",
        "Use app.core.http_client.open_client() in an adapter.",
    )


def check_print(project: Project) -> Iterator[Finding]:
    """Only command lines print."""
    for source in _production(project):
        if (
            source.part == "cli"
            or source.owner == "entry"
            or source.name == "app.modules.cli"
            or source.is_script
        ):
            continue
        for call in source.all(ast.Call):
            if isinstance(call.func, ast.Name) and call.func.id == "print":
                yield project.finding(
                    source,
                    call.lineno,
                    "print",
                    "print() outside a cli file.",
                    "Use structlog.get_logger(__name__).",
                )


def check_money(project: Project) -> Iterator[Finding]:
    """No float touches an amount in cents."""
    for source in _production(project):
        for line, name in _floats(source):
            yield project.finding(
                source,
                line,
                "money-float",
                f"{name} becomes a float.",
                "Money is whole cents: int with //, divmod, or app.core.money.",
            )


def _floats(source: Source) -> Iterator[tuple[int, str]]:
    for annotated in source.all(ast.AnnAssign):
        if (cents := _cents(annotated.target)) and "float" in ast.unparse(annotated.annotation):
            yield annotated.lineno, cents
    for argument in source.all(ast.arg):
        if (
            argument.annotation
            and argument.arg.endswith("_cents")
            and "float" in ast.unparse(argument.annotation)
        ):
            yield argument.lineno, argument.arg
    for assigned in source.all(ast.Assign):
        for target in assigned.targets:
            if (cents := _cents(target)) and _is_float(assigned.value):
                yield assigned.lineno, cents
    for call in source.all(ast.Call):
        if isinstance(call.func, ast.Name) and call.func.id == "float":
            for cents in filter(
                None, (_cents(node) for argument in call.args for node in ast.walk(argument))
            ):
                yield call.lineno, cents
    for division in source.all(ast.BinOp):
        if isinstance(division.op, ast.Div) and (cents := _cents(division.left) or _cents(division.right)):
            yield division.lineno, cents


def _cents(node: ast.AST) -> str:
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name if name.endswith("_cents") else ""


def _is_float(node: ast.expr) -> bool:
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
    return is_call or (isinstance(node, ast.Constant) and isinstance(node.value, float))


def check_budgets(project: Project) -> Iterator[Finding]:
    """Files, functions and parameter lists stay short; the list of exceptions only shrinks."""
    allowed = _allowed(project)
    for source in project.sources:
        for key, line, what, size, limit in _sizes(project, source):
            granted = allowed.pop(key, None)
            if size > (granted[0] if granted else limit):
                yield project.finding(
                    source,
                    line,
                    "budget",
                    f"{what}: {size}, the limit is {limit}.",
                    "Split it by what it is about.",
                )
            elif granted and (size < granted[0] or size <= limit):
                yield _shrink(project, granted[1], f"{key} is down to {size}")
    for key, (_, line) in allowed.items():
        yield _shrink(project, line, f"{key} is gone")


def _shrink(project: Project, line: int, message: str) -> Finding:
    return project.finding(
        project.root / BUDGET_EXCEPTIONS,
        line,
        "budget-exception",
        f"{message}: the exception is larger than needed.",
        "Lower the number, or take the line out once the limit is kept.",
    )


def _allowed(project: Project) -> dict[str, tuple[int, int]]:
    """Exceptions by key, as (size, line). One a line: ``<path>[::<function>] <lines|parameters> <size>``."""
    path = project.root / BUDGET_EXCEPTIONS
    if not path.is_file():
        return {}
    found = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            where, kind, size = line.split()
            found[f"{where} {kind}"] = (int(size), number)
    return found


def _sizes(project: Project, source: Source) -> Iterator[tuple[str, int, str, int, int]]:
    """Key, line, description, size and limit of everything in a file that has a budget."""
    shown = project.show(source.path)
    yield f"{shown} lines", 1, "Lines of the file", source.lines, MAX_FILE_LINES
    if source.part == "migrations" or "/versions/" in shown:
        return
    for function in source.functions():
        size = (function.end_lineno or function.lineno) - function.lineno + 1
        key = f"{shown}::{function.name}"
        yield f"{key} lines", function.lineno, f"Lines of {function.name}", size, MAX_FUNCTION_LINES
        if not source.is_test and not _is_door(function):
            yield (
                f"{key} parameters",
                function.lineno,
                f"Parameters of {function.name}",
                _parameters(function),
                MAX_PARAMETERS,
            )


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    arguments = function.args
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def _is_door(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether the parameters are the fields of a form or the options of a command."""
    decorators = (node.func if isinstance(node, ast.Call) else node for node in function.decorator_list)
    return any(isinstance(node, ast.Attribute) and node.attr in _DOOR_DECORATORS for node in decorators)
