"""The guide to the first module is true: its commands are run, in its order, in a copy of the tree."""

import os
import re
import subprocess
from pathlib import Path

import psutil
import pytest

from app.testing.plugin import OF_THE_RUN
from tests.framework.copied_tree import ROOT, copy_tree, environment
from tests.framework.forked_commands import forked_commands

GUIDE = ROOT / "docs" / "guide" / "first-module.md"
_BLOCK = re.compile(r"^<!-- tested -->\n```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PASSED = re.compile(r"\b(\d+) passed\b")
CONFORMANCE_AND_OWN = 50
_ANY_BLOCK = re.compile(r"^```sh$", re.MULTILINE)


def blocks() -> list[str]:
    return _BLOCK.findall(GUIDE.read_text("utf-8"))


def test_every_block_of_commands_is_tested() -> None:
    assert len(blocks()) == len(_ANY_BLOCK.findall(GUIDE.read_text("utf-8"))) >= 5


def spent(pid: int) -> float:
    """Processor seconds of the commands: the clock on the wall also measures what else the machine does."""
    used = psutil.Process(pid).cpu_times()
    return float(used.children_user + used.children_system)


def run_block(block: str, folder: Path, variables: dict[str, str]) -> str:
    """Run what one types; what is printed."""
    done = subprocess.run(
        ["/bin/sh", "-euxc", block],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, f"{block}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.mark.long(60)
@pytest.mark.timeout(400)
def test_the_commands_of_the_guide_work(tmp_path: Path) -> None:
    tree, site = copy_tree(tmp_path / "tree"), tmp_path / "site"
    site.mkdir()
    variables = {
        **environment(tree, site),
        **{name: os.environ[name] for name in OF_THE_RUN},  # for the tests of the new modules
        "PIP_TARGET": str(site),  # as if installed, and nothing but this test sees it
        "PIP_NO_INDEX": "1",
        "PYTEST_ADDOPTS": "-W ignore::pytest.PytestAssertRewriteWarning",  # it finds what is imported already
        "WIZAMART_DATA_DIR": str(tmp_path / "data"),
        "HOME": os.environ.get("HOME", str(tmp_path)),
    }
    passed = []
    with forked_commands(variables) as (programs, pid):
        variables["PATH"] = f"{programs}{os.pathsep}{variables['PATH']}"
        for block in blocks():
            before = spent(pid)
            said = run_block(block, tree, variables)
            found = _PASSED.search(said)
            if found:  # the module's tests, after `modules verify`
                passed.append(int(found[1]))
                assert 5 < spent(pid) - before < 60
    assert len(passed) == 2
    assert min(passed) > CONFORMANCE_AND_OWN
    assert not (tree / "app" / "modules" / "wish_lists").exists()
    assert (site / "wizamart_gift_cards" / "definition.py").is_file()
