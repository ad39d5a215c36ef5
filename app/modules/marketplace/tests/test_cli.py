"""The commands as a shell sees them, where no worker runs."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.modules.marketplace.tests.conftest import Shop, feed, row
from app.testing.commands import run_command


def call(*arguments: object) -> tuple[int, Any]:
    result = run_command(*map(str, arguments), "--json")
    assert result.stdout, result.stderr
    return result.returncode, json.loads(result.stdout)


@pytest.mark.usefixtures("broker")
def test_import_and_export(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "feed.tsv"
    file.write_bytes(feed([row(1), row(2), row(3, price="free")]))
    options = ("--vendor", "moselle", "--language", "en")

    code, refused = call("import", "products", file, *options, "--policy", "all-or-nothing")
    assert (code, refused["state"], refused["created"], refused["failed"]) == (1, "failed", 2, 1)
    assert shop.rows("SELECT count(*) FROM products") == [(0,)]

    code, done = call("import", "products", file, *options)
    assert code == 5
    assert list(done) == [
        *("job", "state", "rows", "created", "updated", "unchanged", "failed"),
        *("encoding", "delimiter", "seconds", "errors_csv"),
    ]
    assert list(done.values())[1:9] == ["succeeded", 3, 2, 0, 0, 1, "utf-8", "\t"]
    assert "A-3" in Path(done["errors_csv"]).read_text("utf-8-sig")

    code, exported = call("export", "products", *options, "--out", tmp_path / "out")
    assert (code, exported["state"], exported["rows"]) == (0, "succeeded", 2)
    assert [exported[name] for name in ("excluded", "new", "changed", "gone")] == [0, 2, 0, 0]
    assert [Path(name).name for name in exported["files"]] == ["MOSELLE_letzshop_export_en.tsv"]
    assert Path(exported["files"][0]).is_file()

    code, refused = call("import", "products", file, *options, "--feed", "Feed EN")
    assert (code, refused["unchanged"]) == (5, 2)
    code, feeds = call("feeds", "list", "--vendor", "moselle")
    assert (code, [(one["name"], one["language"], one["rows"]) for one in feeds]) == (
        0,
        [("Feed EN", "en", 3)],
    )
