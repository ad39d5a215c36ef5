"""What tests of file formats read out of prepared feeds."""

from pathlib import Path

from app.modules.marketplace.adapters.detect import prepare
from app.modules.marketplace.adapters.prepared import PreparedFeed, read_prepared

FIXTURES = Path(__file__).parent / "fixtures"


def dicts(feed: PreparedFeed) -> list[dict[str, str]]:
    """The good rows by column, with their ``line``."""
    return [
        dict(zip(feed.header, row.cells, strict=True)) | {"line": str(row.line)}
        for row in read_prepared(feed)
        if row.problem is None
    ]


def fixture_rows(name: str, folder: Path) -> dict[str, dict[str, str]]:
    """The good rows of a fixture, by id."""
    return {row["id"]: row for row in dicts(prepare(FIXTURES / name, folder))}
