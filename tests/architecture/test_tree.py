"""The real tree keeps its own rules, and verify stays quick."""

import sys
import time
from pathlib import Path

import orjson
import pytest

from app.modules import verify
from app.modules.registry import ModuleRegistryError, modules
from app.modules.verify import Finding, format_findings, imports, run_verify
from app.modules.verify.project import Project, load_project
from tests.architecture.conftest import planted_project

FINDING = Finding("app/modules/shop/services/x.py", 3, "print", "print() outside a cli file.", "Use the log.")


@pytest.fixture(scope="module")
def tree() -> Project:
    """This tree, as it is read for the checks."""
    return load_project()


def test_the_tree_has_no_findings_and_is_read_in_ten_seconds():
    started = time.process_time()  # the clock on the wall would measure what else the machine does
    found = run_verify()
    assert not found, format_findings(found)
    assert time.process_time() - started < 10


def test_one_module_can_be_checked_alone(tmp_path):
    project = planted_project(
        tmp_path, {"app/modules/shop/odd.py": "", "app/modules/stock/odd.py": ""}, {}, []
    )
    project_findings = verify.check_project(project, ["stock"])
    assert {finding.file.split("/")[2] for finding in project_findings} == {"stock"}


def test_an_unknown_module_is_refused():
    with pytest.raises(ModuleRegistryError, match="no module 'nowhere'"):
        run_verify(["nowhere"])


def test_a_tree_that_cannot_be_loaded_is_a_finding(monkeypatch):
    def broken() -> None:
        raise ModuleRegistryError("Two modules have the code 'x'.")

    monkeypatch.setattr(verify, "load_project", broken)
    (finding,) = run_verify()
    assert finding.rule == "not-importable"
    assert "Two modules have the code 'x'." in finding.message


def test_without_the_development_tools_verify_says_so(monkeypatch, tree):
    monkeypatch.setitem(sys.modules, "grimp", None)
    (finding,) = imports.check_imports(tree)
    assert finding.rule == "imports-unchecked"


def test_every_module_of_the_tree_is_read(tree):
    assert set(tree.folders) == set(modules())
    read = {source.path for source in tree.sources}
    app = Path(verify.__file__).parents[2]
    assert {path for path in app.rglob("*.py") if "static" not in path.parts} <= read


def test_text_names_file_line_and_fix():
    assert format_findings([FINDING], "text") == (
        "app/modules/shop/services/x.py:3: print: print() outside a cli file.\n"
        "    fix: Use the log.\n"
        "1 finding of 1 rule.\n"
    )
    assert format_findings([], "text") == "No findings.\n"


def test_json_carries_every_field():
    assert orjson.loads(format_findings([FINDING], "json")) == [
        {
            "file": "app/modules/shop/services/x.py",
            "line": 3,
            "rule": "print",
            "message": "print() outside a cli file.",
            "fix": "Use the log.",
        }
    ]


def test_sarif_has_the_parts_that_scanners_ask_for():
    other = Finding("app/x.py", 0, "budget", "Too long.", "Split it.")
    document = orjson.loads(format_findings([FINDING, other], "sarif"))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert place["region"]["startLine"] >= 1
        assert not place["artifactLocation"]["uri"].startswith("/")
    assert orjson.loads(format_findings([], "sarif"))["runs"][0]["results"] == []
