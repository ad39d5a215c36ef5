"""Templates and messages."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.pofile import PoFileError, read_po
from jinja2 import Environment, TemplateSyntaxError, nodes

from app.core.i18n import LANGUAGES
from app.core.templating import build_environment
from app.modules.verify.project import Project, Source
from app.modules.verify.report import Finding

REQUIRED_LANGUAGES = LANGUAGES
_KEY_KEYWORDS = frozenset({"title_key", "label_key", "message_key"})
_KEY = re.compile(r"[a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)+")
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_TAG = re.compile(r"<([a-zA-Z][\w-]*)([^<>]*)>", re.DOTALL)
_INLINE_ATTRIBUTE = re.compile(r"""(?:^|["'\s])(style|on[a-z]+|hx-on[\w:.-]*)\s*=""")
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True)
class _Template:
    path: Path
    name: str
    owner: str
    text: str


def _template_folders(project: Project) -> Iterator[tuple[str, Path]]:
    for owner, folder in (("ui", project.root / "app" / "ui"), *project.folders.items()):
        if (folder / "templates").is_dir():
            yield owner, folder / "templates"


def _templates(project: Project) -> Iterator[_Template]:
    for owner, folder in _template_folders(project):
        for path in sorted(folder.rglob("*.html")):
            yield _Template(path, path.relative_to(folder).as_posix(), owner, path.read_text("utf-8"))


@lru_cache(maxsize=1)
def _environment(folders: tuple[Path, ...]) -> Environment:
    environment = build_environment(folders, {})
    environment.optimized = False  # else compiling a tree would change it
    return environment


@lru_cache(maxsize=512)
def _parsed(environment: Environment, name: str, text: str) -> nodes.Template:
    return environment.parse(text, name)


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def check_templates(project: Project) -> Iterator[Finding]:
    """Templates compile in the strict environment, find what they include, and hold no code."""
    environment = _environment(tuple(folder for _, folder in _template_folders(project)))
    exports: dict[str, set[str]] = {}
    parsed: list[tuple[_Template, nodes.Template]] = []
    for template in _templates(project):
        yield from _inline_code(project, template)
        try:
            tree = _parsed(environment, template.name, template.text)
            environment.compile(tree, template.name)
        except TemplateSyntaxError as error:
            yield project.finding(
                template.path, error.lineno, "template-syntax", f"{error.message}", "Correct the template."
            )
            continue
        parsed.append((template, tree))
        exports[template.name] = {macro.name for macro in tree.find_all(nodes.Macro)} | {
            name.name for assign in tree.find_all(nodes.Assign) for name in assign.find_all(nodes.Name)
        }
    for template, tree in parsed:
        yield from _references(project, template, tree, exports)


def _references(
    project: Project, template: _Template, tree: nodes.Template, exports: Mapping[str, set[str]]
) -> Iterator[Finding]:
    for node in tree.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
        name = node.template.value if isinstance(node.template, nodes.Const) else None  # type: ignore[attr-defined]
        if name is None:
            continue
        missing = [] if name in exports else [name]
        if isinstance(node, nodes.FromImport) and name in exports:
            wanted = [item if isinstance(item, str) else item[0] for item in node.names]
            missing = [f"{item} in {name}" for item in wanted if item not in exports[name]]
        for what in missing:
            yield project.finding(
                template.path,
                node.lineno,
                "template-missing",
                f"There is no {what}.",
                "Correct the name or write it.",
            )


def _inline_code(project: Project, template: _Template) -> Iterator[Finding]:
    blank = _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), template.text)
    blank = _JINJA.sub(lambda match: re.sub(r"[^\n]", "_", match[0]), blank)
    for tag in _TAG.finditer(blank):
        name, attributes = tag[1].lower(), tag[2]
        bare = re.sub(r"""("[^"]*"|'[^']*')""", '""', attributes)
        found = [match[1] for match in _INLINE_ATTRIBUTE.finditer(bare)]
        if name == "style" or (name == "script" and "src=" not in bare and "application/" not in attributes):
            found.append(f"<{name}>")
        if "javascript:" in attributes.lower():
            found.append("javascript:")
        for what in found:
            yield project.finding(
                template.path,
                _line(blank, tag.start()),
                "inline-code",
                f"{what} stands in the markup; the content security policy blocks it.",
                "Use a class of the UI kit, or a data attribute that a script of app/ui listens to.",
            )


@lru_cache(maxsize=256)
def _catalogue(path: Path, _modified_ns: int) -> dict[str, Message] | str:
    """Messages of a .po file by key, or why it cannot be read."""
    try:
        with path.open("rb") as file:
            catalogue = read_po(file, abort_invalid=True)
    except (PoFileError, UnicodeDecodeError) as error:
        return str(error)
    return {m.id if isinstance(m.id, str) else m.id[0]: m for m in catalogue if m.id}


def forms_of(message: Message) -> list[str]:
    """The text, or one for each plural form."""
    return [message.string] if isinstance(message.string, str) else list(message.string or ("",))


def _is_complete(message: Message | None) -> bool:
    return message is not None and not message.fuzzy and all(forms_of(message))


def messages_of(folder: Path, language: str) -> dict[str, Message]:
    """Messages by key; none where the file is not there or cannot be read."""
    path = folder / f"{language}.po"
    found = _catalogue(path, path.stat().st_mtime_ns) if path.is_file() else {}
    return found if isinstance(found, dict) else {}


def _shared_folders(project: Project) -> list[Path]:
    return [project.root / "app" / room / "locales" for room in ("core", "ui", "modules")]


def catalogue_folders(project: Project) -> list[Path]:
    """Where message files are: those of everybody, and each module's."""
    return [*_shared_folders(project), *(folder / "locales" for folder in project.folders.values())]


def check_catalogues(project: Project) -> Iterator[Finding]:
    """Message files can be read and say the same in each language."""
    for folder in catalogue_folders(project):
        for path in sorted(folder.glob("*.po")):
            read = _catalogue(path, path.stat().st_mtime_ns)
            if isinstance(read, str):
                yield project.finding(
                    path, 1, "message-file", f"The file cannot be read: {read}.", "Correct the file."
                )
        by_language = {language: messages_of(folder, language) for language in REQUIRED_LANGUAGES}
        for key in dict.fromkeys(key for messages in by_language.values() for key in messages):
            texts = {language: messages.get(key) for language, messages in by_language.items()}
            yield from _compare(project, folder, key, texts)


def _compare(
    project: Project, folder: Path, key: str, texts: Mapping[str, Message | None]
) -> Iterator[Finding]:
    found = {language: message for language, message in texts.items() if message is not None}
    lacking = [language for language, message in texts.items() if not _is_complete(message)]
    if lacking:
        language = next(iter(found))
        yield project.finding(
            folder / f"{language}.po",
            found[language].lineno or 1,
            "message-missing",
            f"{key} has no text in {', '.join(lacking)}.",
            f"Add it to {project.show(folder)}/{lacking[0]}.po.",
        )
    every = set().union(*(_placeholders(found[language]) for language in found if language not in lacking))
    for language, message in found.items():
        hidden = every - _placeholders(message) if language not in lacking else set()
        if hidden:
            yield project.finding(
                folder / f"{language}.po",
                message.lineno or 1,
                "message-placeholder",
                f"{key} in {language} does not show {', '.join(sorted(hidden))}.",
                "Use the same placeholders.",
            )


def _placeholders(message: Message) -> set[str]:
    # The count may be written out in one of the forms, and says itself.
    return {name for form in forms_of(message) for name in PLACEHOLDER.findall(form)} - {"count"}


def check_messages(project: Project) -> Iterator[Finding]:
    """Every message key that stands in the code or in a template has a text in each language."""
    shared = _shared_folders(project)
    known: dict[tuple[str, str], set[str]] = {}
    for owner in (*project.modules, "framework"):
        folders = [*shared, project.folders[owner] / "locales"] if owner in project.folders else shared
        for language in REQUIRED_LANGUAGES:
            found = {
                key
                for folder in folders
                for key, text in messages_of(folder, language).items()
                if _is_complete(text)
            }
            known[owner, language] = found
    for path, line, owner, key in _used(project):
        scope = owner if owner in project.folders else "framework"
        lacking = [language for language in REQUIRED_LANGUAGES if key not in known[scope, language]]
        if lacking:
            yield project.finding(
                path,
                line,
                "message-missing",
                f"{key} has no text in {', '.join(lacking)}.",
                "Add it to locales/<language>.po of the module (or of app/ui, app/core for shared words).",
            )


def _used(project: Project) -> Iterator[tuple[Path, int, str, str]]:
    """File, line, owner and key of each literal message key."""
    environment = _environment(tuple(folder for _, folder in _template_folders(project)))
    for template in _templates(project):
        try:
            tree = _parsed(environment, template.name, template.text)
        except TemplateSyntaxError:
            continue
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "t" and call.args:
                key = call.args[0].value if isinstance(call.args[0], nodes.Const) else None
                if isinstance(key, str):
                    yield template.path, call.lineno, template.owner, key
    for source in project.sources:
        if not source.is_test:
            yield from (
                (source.path, line, source.owner, key)
                for line, key in _keys_in(source)
                if _KEY.fullmatch(key)
            )
    for code, definition in project.modules.items():
        keys = [page.title_key for page in definition.pages] + [p.label_key for p in definition.permissions]
        keys += [feature.label_key for feature in definition.features]
        keys += [f"ui.menu.{page.menu.section}" for page in definition.pages if page.menu]
        for key in dict.fromkeys(keys):
            yield (*project.in_definition(code, key), code, key)


def _keys_in(source: Source) -> Iterator[tuple[int, str]]:
    positions = {"t": 0, "translate": 1, "ntranslate": 1, "flash": 1, "FieldError": 2}
    for call in source.all(ast.Call):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
        arguments = [keyword.value for keyword in call.keywords if keyword.arg in _KEY_KEYWORDS]
        if source.part == "definition":
            arguments = []
        if name in positions and len(call.args) > positions[name]:
            arguments.append(call.args[positions[name]])
        for argument in arguments:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.lineno, argument.value
    if source.part == "exceptions":
        yield from _error_keys(source)


def _error_keys(source: Source) -> Iterator[tuple[int, str]]:
    for error in source.all(ast.ClassDef):
        for statement in error.body:
            code = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
            if isinstance(code, ast.Constant) and isinstance(code.value, str) and _assigns_code(statement):
                yield statement.lineno, f"errors.{code.value}"


def _assigns_code(statement: ast.stmt) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return any(isinstance(target, ast.Name) and target.id == "code" for target in targets)
