"""Doors over HTTP: what definitions declare and what routes/*.py register are the same."""

import ast
import re
from collections.abc import Iterator

from app.modules.base import ModuleDefinition, PageDef
from app.modules.verify.project import Project, Source
from app.modules.verify.report import Finding

# The first word of a route file's name; a large area has files of its own for its nouns (admin_companies.py). A file
# that serves several areas at once is named after its subject (webhooks.py).
_AREAS = frozenset({"admin", "vendor", "storefront", "public"})
_OPERATIONS = "api"
_SYMBOL = re.compile(r'<symbol[^>]*\bid="([^"]+)"')


def _doors(source: Source) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, ast.Call]]:
    """Functions with the router call that registers each."""
    for function in source.public_functions():
        for decorator in function.decorator_list:
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).startswith("router."):
                yield function, decorator


def _areas_of(source: Source) -> list[str]:
    """The areas that a route file's router is made for."""
    return [
        area
        for call in source.all(ast.Call)
        if ast.unparse(call.func).rpartition(".")[2] == "AreaRouter"
        for area in map(_literal, call.args)
        if area is not None
    ]


def _in_each(text: str, source: Source) -> list[str]:
    """An id or permission as it is in each area of the file; ``{area}`` stands for these."""
    return [text.replace("{area}", area) for area in _areas_of(source)]


def _literal(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def check_routes(project: Project) -> Iterator[Finding]:
    """Every function of a route file is a door of our router; the file is declared and named after what it serves."""
    for source in project.of_modules("routes"):
        for line, name in source.imported:
            if name.rpartition(".")[2] in ("APIRouter", "FastAPI") and name.startswith(
                ("fastapi", "starlette")
            ):
                yield project.finding(
                    source,
                    line,
                    "plain-router",
                    f"{name} has no gate, no tenant and no permission check.",
                    "router = AreaRouter(area) of app.modules.routing.",
                )
        stem = source.path.stem
        if stem == "__init__":
            continue
        if stem not in project.modules[source.owner].routes:
            yield project.finding(
                source,
                1,
                "route-undeclared",
                f"Nothing mounts {source.name}.",
                f'Add "{stem}" to routes in the definition of {source.owner}.',
            )
        yield from _unregistered(project, source)
        yield from _misnamed(project, source)


def _misnamed(project: Project, source: Source) -> Iterator[Finding]:
    name, areas = source.path.name, _areas_of(source)
    own = source.path.stem.partition("_")[0]
    if own in _AREAS and areas and areas != [own]:
        yield project.finding(
            source,
            1,
            "route-area",
            f"{name} opens doors in {', '.join(areas)}.",
            f'AreaRouter("{own}"), or name the file after the areas that it serves.',
        )
    elif own not in {*_AREAS, _OPERATIONS} and len(areas) < 2 and not _takes_messages(source):
        yield project.finding(
            source,
            1,
            "module-vocabulary",
            f"routes/ has no {name!r} for one area.",
            f"{', '.join(sorted({*_AREAS, _OPERATIONS}))}.py or <one of these>_<noun>.py; "
            'only a router of several areas, AreaRouter("admin", "vendor"), stands in <noun>.py.',
        )


def _takes_messages(source: Source) -> bool:
    """Whether it is the file of a module's doors for other systems."""
    return source.path.name == "webhooks.py" and any(
        ast.unparse(call.func) == "WebhookRouter" for call in source.all(ast.Call)
    )


def _unregistered(project: Project, source: Source) -> Iterator[Finding]:
    registered = {function for function, _ in _doors(source)}
    for function in source.public_functions():
        if function not in registered:
            yield project.finding(
                source,
                function.lineno,
                "route-unregistered",
                f"{function.name}() is not registered with the router.",
                '@router.page("<id>") or @router.action("/path", …); other functions begin with "_".',
            )


def check_route_files(project: Project) -> Iterator[Finding]:
    """Route files that a definition names exist."""
    for code, definition in project.modules.items():
        for name in definition.routes:
            if f"{definition.package}.routes.{name}" not in project.by_name:
                path, line = project.in_definition(code, name)
                yield project.finding(
                    path,
                    line,
                    "route-undeclared",
                    f"There is no routes/{name}.py.",
                    "Write it or take it out of routes.",
                )


def check_permissions(project: Project) -> Iterator[Finding]:
    """Doors and pages ask for permissions that their module declares."""
    for code, definition in project.modules.items():
        declared = {permission.code for permission in definition.permissions}
        for permission in sorted(declared):
            if not permission.startswith(f"{code}."):
                yield _in_definition(
                    project,
                    code,
                    permission,
                    "permission-name",
                    "is not named after its module",
                    f"{code}.<resource>.<action>.",
                )
        for page in definition.pages:
            if page.permission is None and page.area != "public":
                yield _in_definition(
                    project,
                    code,
                    page.id,
                    "permission-missing",
                    "needs a permission",
                    "Only public pages go without.",
                )
            elif page.permission is not None and page.permission not in declared:
                yield _in_definition(
                    project,
                    code,
                    page.permission,
                    "permission-undeclared",
                    f"is used by page {page.id} but not declared",
                    "Add it to permissions.",
                )
    for source in project.of_modules("routes"):
        yield from _action_permissions(project, source)


def _in_definition(project: Project, code: str, what: str, rule: str, message: str, fix: str) -> Finding:
    path, line = project.in_definition(code, what)
    return project.finding(path, line, rule, f"{what} {message}.", fix)


def _action_permissions(project: Project, source: Source) -> Iterator[Finding]:
    declared = {permission.code for permission in project.modules[source.owner].permissions}
    for function, call in _doors(source):
        if ast.unparse(call.func) != "router.action":
            continue
        node = _keyword(call, "permission")
        text = _literal(node)
        codes = _in_each(text, source) if text else []
        if node is None or (
            isinstance(node, ast.Constant) and node.value is None and _areas_of(source) != ["public"]
        ):
            yield project.finding(
                source,
                call.lineno,
                "permission-missing",
                f"{function.name}() asks for no permission.",
                'permission="<module>.<resource>.<action>"; only public doors go without.',
            )
        for code in codes:
            if code not in declared:
                yield project.finding(
                    source,
                    call.lineno,
                    "permission-undeclared",
                    f"{function.name}() asks for {code}, which {source.owner} does not declare.",
                    "Add it to permissions in the definition.",
                )


def check_pages(project: Project) -> Iterator[Finding]:
    """Pages have proper ids, one address each, an icon that exists, and exactly one function."""
    icons_file = project.root / "app" / "ui" / "static" / "icons.svg"
    icons = set(_SYMBOL.findall(icons_file.read_text("utf-8"))) if icons_file.is_file() else set()
    addresses: dict[tuple[str, str], str] = {}
    for code, definition in project.modules.items():
        for page in definition.pages:
            yield from _page_faults(project, code, page, icons)
            first = addresses.setdefault((page.area, page.path), page.id)
            if first != page.id or sum(other.id == page.id for other in definition.pages) > 1:
                yield _in_definition(
                    project,
                    code,
                    page.id,
                    "page-twice",
                    f"has the id or address of {first}",
                    "Give each its own.",
                )
        yield from _functions_of_pages(project, code, definition)


def check_paths(project: Project) -> Iterator[Finding]:
    """Import paths of handlers, providers, hooks, commands and features lead to something of the module."""
    for code, definition in project.modules.items():
        hooks = definition.hooks
        paths = [*definition.handlers.values(), *definition.providers.values(), definition.commands]
        paths += [hooks.on_enable, hooks.on_disable, hooks.on_startup, hooks.health_check]
        paths += [feature.usage for feature in definition.features]
        for path in filter(None, paths):
            name, _, attribute = path.partition(":")
            source = project.by_name.get(name)
            if source is None or source.owner != code or attribute not in _top_level(source):
                yield _in_definition(
                    project,
                    code,
                    path,
                    "dead-path",
                    f"leads to nothing in {code}",
                    "package.module:attribute.",
                )


def _top_level(source: Source) -> set[str]:
    names: set[str] = set()
    for node in source.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def _page_faults(project: Project, code: str, page: PageDef, icons: set[str]) -> Iterator[Finding]:
    if not page.id.startswith(f"{code}.{page.area}."):
        yield _in_definition(
            project,
            code,
            page.id,
            "page-name",
            "is no id of this module and area",
            f"{code}.{page.area}.<page>.",
        )
    if icons and page.menu and not icons.intersection({page.menu.icon, f"icon-{page.menu.icon}"}):
        yield _in_definition(
            project,
            code,
            page.menu.icon,
            "page-icon",
            "is not in the icon sprite",
            "Add the icon to app/ui/static/icons.svg or choose one that is there.",
        )


def _functions_of_pages(project: Project, code: str, definition: ModuleDefinition) -> Iterator[Finding]:
    shown: dict[str, tuple[Source, int]] = {}
    for source in project.of_modules("routes"):
        if source.owner != code:
            continue
        for _, call in _doors(source):
            text = _literal(call.args[0]) if call.args and ast.unparse(call.func) == "router.page" else None
            for page_id in _in_each(text, source) if text else ():
                if page_id in shown:
                    yield project.finding(
                        source,
                        call.lineno,
                        "page-twice",
                        f"{page_id} is shown twice.",
                        "Take one function out, or write {area} in the id for a router of several areas.",
                    )
                shown[page_id] = (source, call.lineno)
    pages = {page.id: page for page in definition.pages}
    mounted = _mounted_ids(project, code)
    for page_id in sorted(pages.keys() - shown.keys()):
        if mounted and re.fullmatch(mounted, page_id):
            continue
        yield _in_definition(
            project,
            code,
            page_id,
            "page-without-function",
            "is shown by no function",
            f'@router.page("{page_id}"), mount_list or mount_form.',
        )
    for page_id, (source, line) in shown.items():
        if page_id not in pages:
            yield project.finding(
                source,
                line,
                "page-undeclared",
                f"{page_id} is not declared by {code}.",
                "Add a PageDef to the definition.",
            )
        elif pages[page_id].area not in _areas_of(source):
            yield project.finding(
                source,
                line,
                "route-area",
                f"{page_id} of the area {pages[page_id].area} is shown by {source.path.name}.",
                f"Move the function to a file of the area {pages[page_id].area}.",
            )


def _mounted_ids(project: Project, code: str) -> str:
    """A pattern of the ids that lists and forms are declared with; they may be put together (f"core.{area}.webhooks").

    "" where the module mounts none. Whether each page is really there is seen when the application starts.
    """
    sources = [source for source in project.of_modules("routes") if source.owner == code]
    mounts = {"mount_list", "mount_form"}
    if not any(ast.unparse(call.func) in mounts for source in sources for call in source.all(ast.Call)):
        return ""
    found: set[str] = set()
    for source in sources:
        found |= {re.escape(text) for node in source.all(ast.Constant) if (text := _literal(node))}
        for joined in source.all(ast.JoinedStr):
            parts = [re.escape(text) if (text := _literal(part)) else r"\w+" for part in joined.values]
            found.add("".join(parts))
    return "|".join(sorted(text for text in found if text.startswith((re.escape(f"{code}."), r"\w+"))))
