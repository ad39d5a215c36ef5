"""A generated module is complete, in the tree and as a distribution: it passes every gate.

Its own tests pass too, and `modules verify` with a distribution: ``test_guide.py`` runs them.
"""

import json
import shutil
import sys
from pathlib import Path

import pytest

from app.modules.registry import get_module
from app.modules.scaffold.generator import (
    ModuleExistsError,
    ModuleNameError,
    plan_module,
    plan_package,
    write_module,
)
from app.testing.commands import run_command
from tests.framework.copied_tree import ROOT, copy_tree, run, wizamart

_IMPORTS = ".import_linter_cache"


@pytest.mark.long(15)
@pytest.mark.timeout(240)
def test_generated_modules_with_names_of_any_length_pass_every_gate(tmp_path: Path) -> None:
    tree, names = copy_tree(tmp_path / "tree"), ("abx", "zz_with_24_letters_in_it")
    folders = [f"app/modules/{name}" for name in names]
    for name in names:
        written = json.loads(wizamart(tree, "modules", "new", name, "--json"))["files"]
        assert len(written) > 20
    run(tree, "ruff", "check", *folders)
    run(tree, "ruff", "format", "--check", *folders)
    if (ROOT / ".mypy_cache").is_dir():  # what is known of the files that are the same here
        shutil.copytree(ROOT / ".mypy_cache", tree / ".mypy_cache")
    run(tree, "mypy", *(f"--package=app.modules.{name}" for name in names))
    if (ROOT / _IMPORTS).is_dir():
        shutil.copytree(ROOT / _IMPORTS, tree / _IMPORTS)
    run(tree, "lint-imports")
    assert wizamart(tree, "modules", "verify") == "No findings.\n\n"


def test_a_generated_module_has_a_page_of_each_kind(tmp_path: Path) -> None:
    write_module(plan_package("gift_cards", tmp_path))
    definition = (tmp_path / "wizamart_gift_cards" / "definition.py").read_text("utf-8")
    for kind in ("list", "detail", "form", "job"):
        assert f'"{kind}",' in definition


def test_a_prefix_in_use_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(get_module("catalog").public_ids, "taken_id", ("gce", "products"))
    write_module(plan_package("gift_cards", tmp_path))
    definition = (tmp_path / "wizamart_gift_cards" / "definition.py").read_text("utf-8")
    assert '"gift_cards_entry_id": ("aae", ' in definition
    assert '"gift_cards_check_id": ("gcc", ' in definition


@pytest.mark.long(11)
@pytest.mark.timeout(240)
def test_a_generated_distribution_passes_every_gate_and_is_installed(tmp_path: Path) -> None:
    source, site = tmp_path / "gift_cards", tmp_path / "site"
    assert run_command("modules", "new", "gift_cards", "--package", str(source)).returncode == 0
    assert not (ROOT / "app" / "modules" / "gift_cards").exists()
    run(source, "ruff", "check", ".", paths=(ROOT,))
    run(source, "ruff", "format", "--check", ".", paths=(ROOT,))
    run(source, "mypy", paths=(ROOT,))
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-index")
    run(source, *pip, "--no-deps", "--no-build-isolation", "--target", str(site), ".")
    listed = json.loads(wizamart(tmp_path, "modules", "list", "--json", paths=(ROOT, site)))
    assert [module["version"] for module in listed if module["code"] == "gift_cards"] == ["0.1.0"]


@pytest.mark.parametrize(
    "name", ["", "ab", "Wishes", "wish-list", "9lives", "_wish", "wish__list", "x" * 25, "json"]
)
def test_a_name_that_cannot_be_a_modules_is_refused(name: str) -> None:
    with pytest.raises(ModuleNameError):
        plan_module(name)


def test_a_refused_name_comes_with_a_proposal() -> None:
    with pytest.raises(ModuleNameError, match="Try 'wish_list'"):
        plan_module("Wish List!")


@pytest.mark.parametrize("name", ["catalog", "events", "scaffold"])
def test_a_name_that_is_taken_is_refused(name: str) -> None:
    with pytest.raises(ModuleExistsError, match=name):
        plan_module(name)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ModuleExistsError):
        plan_package("gift_cards", tmp_path)
    with pytest.raises(ModuleExistsError):
        plan_package("gift_cards", tmp_path / "notes.txt")
    assert plan_package("gift_cards", tmp_path / "new").package == "wizamart_gift_cards"


def test_a_refusal_is_one_line_and_an_exit_code() -> None:
    done = run_command("modules", "new", "catalog")
    assert done.returncode == 1
    assert done.stderr == "A module 'catalog' is installed already. (framework.module_exists)\n"
