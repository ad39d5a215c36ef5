"""A copy of the repository to change at will, and commands run in it as a developer would."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
_COPIED = (
    "app",
    "sandbox",
    "docs",
    "bench",
    "pyproject.toml",
    ".importlinter",
    "README.md",
    "CONTRIBUTING.md",
)
_IGNORED = shutil.ignore_patterns(".*_cache", "node_modules")
_OURS = ("WIZAMART_", "PYTEST_")  # a command in the copy starts servers of its own


def copy_tree(target: Path) -> Path:
    """Code and documents without tests, which are about the original."""
    target.mkdir(parents=True)
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=_IGNORED)
        elif source.is_file():
            shutil.copy(source, target / name)
    return target


def environment(*paths: Path) -> dict[str, str]:
    """Variables for a command that imports from ``paths`` first."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    binaries = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "PYTHONPATH": os.pathsep.join(map(str, paths)), "PATH": binaries, "NO_COLOR": "1"}


def run(folder: Path, *command: str, paths: tuple[Path, ...] = ()) -> str:
    """Run a command that must succeed in a folder, with the code of ``paths`` (else of the folder); what it prints."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(*(paths or (folder,))),
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def wizamart(folder: Path, *arguments: str, paths: tuple[Path, ...] = ()) -> str:
    """A command of the copy."""
    return run(folder, sys.executable, "-m", "app.cli", *arguments, paths=paths)
