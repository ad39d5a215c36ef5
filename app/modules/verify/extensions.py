"""What modules add to others: it leads to something that is there."""

from collections.abc import Iterator

from app.modules.pagekit.list_parts import POINT
from app.modules.verify.project import Project
from app.modules.verify.report import Finding


def check_list_parts(project: Project) -> Iterator[Finding]:
    """What is added to a list names a list page of a module, and not one of its own."""
    lists = {
        page.id: code
        for code, definition in project.modules.items()
        for page in definition.pages
        if page.kind == "list"
    }
    for code, definition in project.modules.items():
        for point in definition.providers:
            page_id = point.removeprefix(POINT)
            if not point.startswith(POINT) or lists.get(page_id, code) != code:
                continue
            path, line = project.in_definition(code, point)
            yield project.finding(
                path,
                line,
                "list-part",
                f"{page_id} is no list page of another module.",
                f"{POINT}<module>.<area>.<page>, of a page of kind list.",
            )


def check_menu_keys(project: Project) -> Iterator[Finding]:
    """Letters that lead to pages are lower-case, and one of a kind in their area."""
    taken: dict[tuple[str, str], str] = {}
    for code, definition in project.modules.items():
        for page in definition.pages:
            key = page.menu.key if page.menu else ""
            if not key:
                continue
            first = taken.setdefault((page.area, key), page.id)
            if first == page.id and len(key) == 1 and "a" <= key <= "z":
                continue
            path, line = project.in_definition(code, page.id)
            yield project.finding(
                path,
                line,
                "menu-key",
                f"{page.id} has the key {key!r} of {first}." if first != page.id else f"{key!r} is no key.",
                "One letter from a to z that no other page of the area has.",
            )
