"""The definition is complete, says what stands in the folder, and everything it names is there."""

import re
from functools import cache
from pathlib import Path

import pytest
import typer

from app.core.ids import from_public, new_id, to_public
from app.modules import docs, migrations
from app.modules.base import load
from app.modules.registry import modules, requirements
from app.modules.verify import Finding, format_findings, run_verify
from app.testing.conformance.module import Conformance, ways

_CODE = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:[.+-][0-9A-Za-z.+-]+)?")
_ROOT = Path(__file__).parents[3]


@cache
def _tree_findings() -> tuple[Finding, ...]:
    """What the gate says about the whole installation, asked once in a process."""
    return tuple(run_verify())


def _stems(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.py")} - {"__init__"}


class DeclarationRules(Conformance):
    """What a definition declares."""

    def test_the_definition_is_complete(self) -> None:
        module = self.module
        assert module.code == self.code
        assert _CODE.fullmatch(module.code), module.code
        assert _VERSION.fullmatch(module.version), module.version
        assert module.name.strip(), "name is empty"
        assert module.description.strip(), "description is empty: one line that says what the module is for"

    def test_the_folder_is_named_after_the_module(self) -> None:
        module = self.module
        assert module.package.rpartition(".")[2] == module.folder.name
        if self.is_in_tree:
            assert module.folder.name == module.code.replace("-", "_")

    def test_the_definition_matches_the_folder(self) -> None:
        module, folder = self.module, self.module.folder
        assert set(module.routes) == _stems(folder / "routes")
        assert bool(module.tasks_path) == bool(_stems(folder / "tasks"))
        assert bool(module.handlers) == (folder / "handlers.py").is_file()
        assert bool(module.commands) == (folder / "cli.py").is_file()
        assert bool(module.publishes) == (folder / "events.py").is_file()

    def test_what_it_requires_is_installed_and_comes_before_it(self) -> None:
        order = list(modules())
        for required in requirements(self.module, modules()):
            assert order.index(required) < order.index(self.code), required

    def test_permissions_are_named_after_the_module_and_used(self) -> None:
        codes = [permission.code for permission in self.module.permissions]
        declared = {(permission.code, permission.area) for permission in self.module.permissions}
        assert len(codes) == len(declared), "a permission is declared twice for an area"
        for code in codes:
            assert re.fullmatch(rf"{self.code}(?:\.[a-z][a-z0-9_]*){{1,2}}", code), code
        assert {way.permission for way in ways(self.module)} - {None} <= set(codes)

    def test_every_page_is_shown_by_one_function(self) -> None:
        shown = [way.page.id for way in ways(self.module) if way.page]
        assert sorted(shown) == sorted(page.id for page in self.module.pages)

    def test_import_paths_lead_to_functions(self) -> None:
        hooks = self.module.hooks
        named = [hooks.on_enable, hooks.on_disable, hooks.on_startup, hooks.health_check]
        for path in filter(None, [*named, *self.module.handlers.values()]):
            assert callable(load(path)), path
        for path in self.module.providers.values():  # a function, or an object with the methods of a protocol
            found = load(path)
            assert callable(found) or type(found).__module__ != "builtins", path

    def test_commands_are_groups(self) -> None:
        groups = load(self.module.commands) if self.module.commands else {}
        assert all(isinstance(group, typer.Typer) for group in groups.values())
        taken = [
            name
            for code, other in modules().items()
            if other.commands and code != self.code
            for name in load(other.commands)
        ]
        assert not set(taken) & set(groups), "another module has a command group of this name"

    def test_public_ids_resolve(self) -> None:
        migrations.load_models()
        # The ledger has no definition of its own: whoever shows its records declares their ids.
        owned = {table.name: table for owner in (self.code, "tasks") for table in migrations.tables_of(owner)}
        for name, (prefix, table) in self.module.public_ids.items():
            assert re.fullmatch(r"[a-z]{2,4}", prefix), prefix
            assert table in owned, f"{name}: {table} is no table of {self.code}"
            assert "id" in owned[table].primary_key.columns, f"{table} has no key `id`"
            key = new_id()
            assert from_public(prefix, to_public(prefix, key)) == key

    def test_prefixes_of_public_ids_are_its_own(self) -> None:
        others = {
            prefix
            for code, other in modules().items()
            if code != self.code
            for prefix, _ in other.public_ids.values()
        }
        assert not others & {prefix for prefix, _ in self.module.public_ids.values()}

    def test_ids_in_addresses_are_declared(self) -> None:
        declared = {name for other in modules().values() for name in other.public_ids}
        for way in ways(self.module):
            assert set(way.ids) <= declared, f"{way.path}: declare the id in public_ids"

    def test_there_is_a_readme(self) -> None:
        readme = self.module.folder / "README.md"
        assert readme.is_file(), "write README.md: purpose, vocabulary, decisions"
        assert readme.read_text("utf-8").startswith("# ")

    def test_its_page_is_up_to_date(self) -> None:
        is_described = self.code in docs.described_modules() and (_ROOT / "docs").is_dir()
        stale = docs.stale_pages() if is_described else []
        assert f"{self.code}.md" not in stale, "run `wizamart modules docs`"

    @pytest.mark.xdist_group("gate")  # asked once in a process, and one process is enough
    def test_the_gate_finds_nothing(self) -> None:
        found = [one for one in _tree_findings() if (_ROOT / one.file).is_relative_to(self.module.folder)]
        assert not found, format_findings(found)
