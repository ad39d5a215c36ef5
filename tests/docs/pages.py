"""The repository's Markdown pages and the commands that stand in them."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_UNREAD = frozenset({".venv", "build", ".wizamart", ".git", "node_modules", ".pytest_cache"})
_FENCE = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")


def pages() -> list[Path]:
    """Every Markdown file of ours, the top first."""
    found = [path for path in ROOT.rglob("*.md") if not _UNREAD.intersection(path.relative_to(ROOT).parts)]
    return sorted(found, key=lambda path: (len(path.parts), path))


def guides() -> list[Path]:
    """README, CONTRIBUTING and docs: the pages whose commands are to be typed."""
    return [path for path in pages() if path.parent == ROOT or path.is_relative_to(ROOT / "docs")]


def name_of(path: Path) -> str:
    """The path as people write it."""
    return path.relative_to(ROOT).as_posix()


def prose(text: str) -> str:
    """The page without its blocks of code."""
    return _FENCE.sub("", text)


def code_lines(text: str) -> Iterator[str]:
    """Lines of the blocks of code (continued ones joined), and code within sentences."""
    for block in _FENCE.findall(text):
        yield from block.replace("\\\n", " ").splitlines()
    yield from _INLINE.findall(prose(text))
