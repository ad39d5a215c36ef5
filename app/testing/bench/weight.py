"""What a page weighs on a first visit: bytes as a proxy compresses them, and how many requests it takes."""

import gzip
import re
from dataclasses import asdict, dataclass

import httpx2

# Bytes after compression, for a page with 50 rows; tests/pagekit/test_budgets.py holds pages to them.
BUDGETS = {"html": 60_000, "js": 55_000, "css": 30_000, "requests": 8}
_STATIC = re.compile(r'(?:href|src)="(/static/[^"#]+)')


@dataclass(frozen=True, slots=True)
class Weight:
    """Compressed bytes of the page, its scripts and its styles; ``requests`` for all it loads, itself included."""

    html: int
    js: int
    css: int
    requests: int

    def over(self) -> dict[str, int]:
        """What is above its budget."""
        return {name: value for name, value in asdict(self).items() if value > BUDGETS[name]}


def weigh(client: httpx2.Client, path: str) -> Weight:
    """Load a page and what it refers to."""
    page = client.get(path)
    addresses = set(_STATIC.findall(page.text))
    return Weight(
        html=_compressed(page),
        js=sum(_compressed(client.get(one)) for one in addresses if ".js?" in one),
        css=sum(_compressed(client.get(one)) for one in addresses if ".css?" in one),
        requests=1 + len(addresses),
    )


def _compressed(answer: httpx2.Response) -> int:
    answer.raise_for_status()
    return len(gzip.compress(answer.content, mtime=0))
