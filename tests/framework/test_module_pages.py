"""The generated pages say what the modules declare, and nobody forgets to write them."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.core import i18n
from app.modules import docs
from app.modules.migrations import load_models, tables_of
from app.modules.registry import modules
from app.modules.task_base import task_names
from app.modules.verify.documents import check_docs
from app.modules.verify.project import Project, load_project


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with fresh pages."""
    docs.write_pages(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def project() -> Project:
    return load_project()


def test_the_pages_of_the_tree_are_fresh() -> None:
    assert docs.stale_pages() == []


@pytest.mark.parametrize("code", list(modules()))
def test_a_page_names_everything_that_is_declared(code: str) -> None:
    module = modules()[code]
    load_models()
    page = docs.wanted_pages()[f"{code}.md"]
    names = [f"### {table.name}\n" for table in tables_of(code)]
    names += [f"`{column.name}`" for table in tables_of(code) for column in table.columns]
    names += [f"`{one.code}`" for one in module.permissions]
    names += [f"`{one.name}`" for one in module.scheduled_tasks]
    names += [f"`{name}`" for name in (*module.publishes, *module.handlers, *module.providers)]
    names += [f"`{name}`" for name in task_names() if name.startswith(f"{module.package}.")]
    assert [name for name in names if name not in page] == []


def test_arrows_show_requirements_listeners_and_answers() -> None:
    page = docs.wanted_pages()["marketplace.md"]
    assert "    marketplace --> catalog\n" in page
    assert "    tenancy -. vendor_created .-> marketplace\n" in page
    assert "    core == vendor_tiles ==> marketplace\n" in page


def test_pages_are_written_once(root: Path) -> None:
    assert docs.write_pages(root) == []


def test_a_changed_missing_or_foreign_page_is_stale_and_put_right(root: Path, project: Project) -> None:
    folder = root / docs.PAGES
    (folder / "core.md").write_text("# Core\n")
    (folder / "catalog.md").unlink()
    (folder / "gone.md").touch()
    found = list(check_docs(replace(project, root=root)))
    assert [finding.file for finding in found] == [
        f"docs/modules/{name}.md" for name in ("catalog", "core", "gone")
    ]
    assert {finding.rule for finding in found} == {"stale-docs"}
    assert docs.write_pages(root) == ["catalog.md", "core.md", "gone.md"]
    assert list(check_docs(replace(project, root=root))) == []
    assert not (folder / "gone.md").exists()


def test_a_changed_definition_makes_its_page_stale(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modules()["catalog"], "description", "Something else.")
    assert docs.stale_pages(root) == ["README.md", "catalog.md"]


def test_an_installation_without_documents_has_none_to_check(tmp_path: Path, project: Project) -> None:
    assert list(check_docs(replace(project, root=tmp_path))) == []


def test_the_language_of_the_machine_changes_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    monkeypatch.setenv("WIZAMART_DEFAULT_LANGUAGE", "fr")
    i18n.translate("fr", "ui.menu")
    assert docs.stale_pages(root) == []
