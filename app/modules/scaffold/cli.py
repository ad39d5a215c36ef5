"""``wizamart modules new`` and ``wizamart modules docs``."""

import importlib
from pathlib import Path
from typing import Annotated

import typer

from app.core.console import print_json
from app.modules import docs, registry
from app.modules.scaffold.generator import plan_module, plan_package, write_module
from app.modules.texts import load_texts


def new_module(
    name: Annotated[str, typer.Argument(help="Small letters, digits and underscores, such as wish_lists.")],
    package: Annotated[
        Path | None, typer.Option("--package", help="Make a distribution of its own in this folder.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a small working module: tables, pages, tasks, schedule, event, handler, texts and tests.

    Example: wizamart modules new wish_lists
    """
    plan = plan_module(name) if package is None else plan_package(name, package)
    written = write_module(plan)
    if not plan.is_package:
        written += _write_pages()
    if as_json:
        print_json({"code": plan.code, "package": plan.package, "files": [str(path) for path in written]})
        return
    typer.echo(f"{len(written)} files in {plan.folder}")
    steps = (
        [f"pip install {package}", f"wizamart modules show {name}", f"pytest --pyargs {plan.package}"]
        if plan.is_package
        else [f"wizamart modules verify {name}", f"pytest {plan.folder}"]
    )
    typer.echo("\n".join(["Next:", *(f"  {step}" for step in steps)]), err=True)


def _write_pages() -> list[Path]:
    """Write the pages of the modules, with one that was not there when this process started."""
    importlib.invalidate_caches()
    for cached in (registry.modules, load_texts):
        cached.cache_clear()
    return [docs.ROOT / docs.PAGES / name for name in docs.write_pages()]


def write_docs(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 when a page is stale.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write docs/modules: a page about each module, from what it declares.

    Example: wizamart modules docs --check
    """
    names = docs.stale_pages() if check else docs.write_pages()
    if as_json:
        print_json(names)
    else:
        typer.echo("\n".join(names) or "Every page is up to date.", err=not names)
    raise typer.Exit(1 if check and names else 0)
