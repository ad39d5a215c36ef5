"""The gate before every commit: borders, declarations and the rules of the house, each finding with its fix.

There is no baseline file: a finding is corrected, or the rule is changed for everybody.
"""

import gc
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.modules.registry import get_module
from app.modules.verify import (
    documents,
    extensions,
    hygiene,
    imports,
    personal,
    plans,
    sql,
    styles,
    tables,
    texts,
    vocabulary,
    wiring,
    wording,
    work,
)
from app.modules.verify.project import Project, load_project
from app.modules.verify.report import Finding, format_findings

__all__ = ["CHECKS", "Finding", "check_project", "format_findings", "run_verify"]

CHECKS: tuple[Callable[[Project], Iterator[Finding]], ...] = (
    imports.check_imports,
    vocabulary.check_definitions,
    vocabulary.check_names,
    vocabulary.check_packages,
    vocabulary.check_completeness,
    vocabulary.check_data_folders,
    vocabulary.check_sdk,
    tables.check_scopes,
    tables.check_unique_keys,
    tables.check_foreign_keys,
    tables.check_money_columns,
    tables.check_relationships,
    personal.check_personal,
    sql.check_table_names,
    sql.check_migration_imports,
    sql.check_copy,
    sql.check_set_null,
    wiring.check_routes,
    wiring.check_route_files,
    wiring.check_permissions,
    wiring.check_pages,
    wiring.check_paths,
    extensions.check_list_parts,
    extensions.check_menu_keys,
    plans.check_features,
    plans.check_feature_codes,
    work.check_tasks,
    work.check_task_wiring,
    work.check_schedules,
    work.check_ledger_bypass,
    hygiene.check_transactions,
    hygiene.check_clocks,
    hygiene.check_server_now,
    hygiene.check_http,
    hygiene.check_print,
    hygiene.check_money,
    hygiene.check_budgets,
    texts.check_templates,
    styles.check_classes,
    texts.check_catalogues,
    texts.check_messages,
    wording.check_wording,
    documents.check_docs,
)


def run_verify(codes: Sequence[str] | None = None) -> list[Finding]:
    """Check the installed tree, or only the modules ``codes``; what is found, by file and line.

    Definitions and models are imported, everything else is only read. A tree that cannot be imported gives
    one finding that says why. Raises ModuleRegistryError for an unknown code.
    """
    with _all_kept():
        try:
            project = load_project()
        except Exception as error:
            return [_not_loaded(error)]
        for code in codes or ():
            get_module(code)
        return check_project(project, codes)


@contextmanager
def _all_kept() -> Iterator[None]:
    """The syntax trees stay to the end; to look for garbage among them takes a quarter of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def check_project(project: Project, codes: Sequence[str] | None = None) -> list[Finding]:
    """Run every check over ``project``."""
    found = sorted({finding for check in CHECKS for finding in check(project)})
    if codes is None:
        return found
    folders = [project.show(project.folders[code]) + "/" for code in codes]
    return [finding for finding in found if finding.file.startswith(tuple(folders))]


def _not_loaded(error: Exception) -> Finding:
    root = Path(__file__).parents[3]
    frames = [
        (frame.filename, frame.lineno or 1)
        for frame in traceback.extract_tb(sys.exc_info()[2])
        if Path(frame.filename).is_relative_to(root / "app")
        and Path(frame.filename).parent != Path(__file__).parent
    ]
    if isinstance(error, SyntaxError) and error.filename:
        frames.append((error.filename, error.lineno or 1))
    file, line = frames[-1] if frames else (str(root / "app" / "modules"), 1)
    path = Path(file)
    return Finding(
        path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix(),
        line,
        "not-importable",
        f"The tree cannot be loaded: {type(error).__name__}: {error}",
        "Correct this first; the other checks need definitions and models.",
    )
