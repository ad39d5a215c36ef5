"""What the pages name exists: files behind links, commands of `wizamart`, targets of `make`."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from app import cli
from tests.docs.pages import ROOT, code_lines, guides, name_of, pages, prose

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_COMMAND = re.compile(r"^\$? *(?:[A-Z_]+=\S+ +)*(?:\.venv/bin/)?wizamart +(.*)$")
_MAKE = re.compile(r"^\$? *make +([a-z][a-z ]*)")
_VARIABLE = re.compile(r"\$[A-Z]+")
_ANY_ID = "01a206c8-1cd0-76c0-a756-a7f7e3107ba5"


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(prose(page.read_text("utf-8"))):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{name_of(page)}: {target}"
        if anchor:
            assert anchor in _anchors(file), f"{name_of(page)}: {target}"


def _anchors(page: Path) -> set[str]:
    headings = _HEADING.findall(prose(page.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture(scope="module")
def program() -> TyperGroup:
    """The command line with all groups mounted."""
    cli.mount_commands()
    mounted = typer.main.get_command(cli.cli)
    assert isinstance(mounted, TyperGroup)
    return mounted


@pytest.mark.parametrize("page", guides(), ids=name_of)
def test_commands_parse(page: Path, program: TyperGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIZAMART_NEW_PASSWORD", "so that no command asks for it")
    for words in _commands(page):
        try:
            _parse(program, words)
        except (LookupError, TyperException) as error:
            pytest.fail(f"{name_of(page)}: wizamart {shlex.join(words)}: {error}")


def test_the_parser_refuses_what_does_not_exist(program: TyperGroup) -> None:
    for wrong in (["jobz"], ["jobs", "lizt"], ["jobs", "list", "--nope"], ["jobs", "show", "no-id"]):
        with pytest.raises((LookupError, TyperException)):
            _parse(program, wrong)


def test_commands_are_found() -> None:
    assert sum(1 for page in guides() for _ in _commands(page)) > 10


def _commands(page: Path) -> Iterator[list[str]]:
    for line in code_lines(page.read_text("utf-8")):
        found = _COMMAND.match(line.strip())
        if found:
            text = _VARIABLE.sub(_ANY_ID, re.split(r" (?:#|\||>|&&) ?", f"{found[1]} ")[0])
            yield shlex.split(text)


def _parse(program: TyperGroup, words: list[str]) -> None:
    """Check names, options and values as the command line does, and run nothing. A name alone is fine."""
    command, context, name, rest = program, None, "wizamart", list(words)
    while isinstance(command, TyperGroup):
        context = typer.Context(command, info_name=name, parent=context)
        flags = {"--help", *(option for parameter in command.params for option in parameter.opts)}
        while rest and rest[0].startswith("-"):
            if rest.pop(0) not in flags:
                raise LookupError(f"{name} has no such option")
        if not rest:
            return
        name = rest.pop(0)
        command = command.get_command(context, name)
        if command is None:
            raise LookupError(f"there is no command {name}")
    if rest and "--help" not in rest:
        command.make_context(name, rest, context).close()


@pytest.mark.parametrize("page", guides(), ids=name_of)
def test_make_targets_exist(page: Path) -> None:
    known = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for line in code_lines(page.read_text("utf-8")):
        found = _MAKE.match(line.strip())
        for target in found[1].split() if found else ():
            assert target in known, f"{name_of(page)}: make {target}"
