"""Features that plans limit: declared once, counted by something that is there, asked for by a declared code."""

import ast
from collections.abc import Iterator

from app.modules.base import Feature, ModuleDefinition
from app.modules.verify.project import Project, Source
from app.modules.verify.report import Finding

_MODULE = "app.modules.entitlements"
_ASKING = frozenset(
    {"allowance", "check_editable", "consume", "find_limit", "get_feature", "is_allowed", "require", "take"}
)
_CODE_PLACE = 2  # (session, vendor_id, code, …)


def check_features(project: Project) -> Iterator[Finding]:
    """A feature is named after its module, has one declaration, and says how present use is counted."""
    seen: set[str] = set()
    for code, definition in project.modules.items():
        for feature in definition.features:
            for rule, message, fix in _faults(code, definition, feature, is_second=feature.code in seen):
                path, line = project.in_definition(code, feature.code)
                yield project.finding(path, line, rule, f"{feature.code} {message}", fix)
            seen.add(feature.code)


def _faults(
    code: str, definition: ModuleDefinition, feature: Feature, *, is_second: bool
) -> Iterator[tuple[str, str, str]]:
    noun = feature.code.removeprefix(f"{code}.")
    if noun == feature.code or not noun.replace("_", "").isalnum() or not noun.islower():
        yield "feature-name", "is not named after its module.", f"{code}.<noun>."
    if is_second:
        yield "feature-name", "is declared twice.", "Give each feature a code of its own."
    needs_usage = feature.kind == "quantitative" and not feature.is_per_period
    if needs_usage and feature.usage is None:
        fix = f'usage="{definition.package}.services.<noun>_service:count_<nouns>", or is_per_period=True.'
        yield "feature-usage", "has no function that counts what is there.", fix
    if not needs_usage and feature.usage is not None:
        yield "feature-usage", "is not counted by a function.", "Take usage out."


def check_feature_codes(project: Project) -> Iterator[Finding]:
    """Pages and services ask for features that are declared."""
    declared = {one.code: one for definition in project.modules.values() for one in definition.features}
    for code, definition in project.modules.items():
        for page in definition.pages:
            feature = declared.get(page.feature or "")
            if page.feature and (feature is None or feature.kind != "binary"):
                path, line = project.in_definition(code, page.feature)
                message = f"{page.id} needs {page.feature}, which is no binary feature."
                yield project.finding(
                    path, line, "feature-undeclared", message, "Declare it with kind='binary'."
                )
    for source in project.of_modules():
        for line, asked in _asked(source):
            if asked not in declared:
                yield project.finding(
                    source,
                    line,
                    "feature-undeclared",
                    f"No module declares the feature {asked!r}.",
                    "Add a Feature to the definition of its module.",
                )


def _asked(source: Source) -> Iterator[tuple[int, str]]:
    """Codes that calls of the entitlements' functions name, as text or as a constant of the file."""
    imported = {name for _, name in source.imported}
    own = {name for name in _ASKING if imported.intersection({f"{_MODULE}.{name}", f"app.sdk.{name}"})}
    if not own and _MODULE not in imported:
        return
    constants = {
        target.id: node.value
        for node in source.tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in source.all(ast.Call):
        called = ast.unparse(call.func)
        if called not in own and called not in {f"entitlements.{name}" for name in _ASKING}:
            continue
        node = call.args[_CODE_PLACE] if len(call.args) > _CODE_PLACE else None
        value = constants.get(node.id) if isinstance(node, ast.Name) else node
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield call.lineno, value.value
