import csv
import gzip
import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.modules.marketplace.adapters.containers import FREE_BYTES, unpack
from app.modules.marketplace.adapters.detect import prepare
from app.modules.marketplace.adapters.feed_errors import (
    FeedArchiveDamagedError,
    FeedArchiveEmptyError,
    FeedArchiveEncryptedError,
    FeedArchiveMethodError,
    FeedArchiveNestedError,
    FeedArchiveSeveralError,
    FeedArchiveTooLargeError,
    FeedError,
    FeedNotATableError,
)
from app.modules.marketplace.adapters.prepared import read_prepared

TABLE = b"id;title;price\n1;Chair;15.00\n"
MAX = 1 << 30


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def flagged(archive: bytes, *, at: int, value: int) -> bytes:
    """The archive with a field of both headers of its first member changed."""
    changed = bytearray(archive)
    for magic, extra in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
        struct.pack_into("<H", changed, archive.index(magic) + at + extra, value)
    return bytes(changed)


cell = st.text(
    st.characters(codec="utf-8", exclude_categories=["C"]) | st.sampled_from('";\n,\t'), max_size=20
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(cell, cell, cell), min_size=1, max_size=8),
    st.sampled_from("\t;,"),
    st.sampled_from(["gzip", "zip", "stored"]),
)
def test_packed_tables_read_like_unpacked_ones(
    tmp_path: Path, rows: list[tuple[str, str, str]], delimiter: str, kind: str
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([("id", "title", "price"), ("1", "x", "2"), *rows])
    content = text.getvalue().encode()
    packed = {
        "gzip": gzip.compress(content, mtime=0),
        "zip": zipped({"a/b/feed.csv": content, "__MACOSX/a/._feed.csv": b"x", "a/.DS_Store": b"y"}),
        "stored": zipped({"products.tsv": content}, zipfile.ZIP_STORED),
    }[kind]
    plain = prepare(write(tmp_path / "plain", content), tmp_path / "1")
    feed = prepare(write(tmp_path / "packed", packed), tmp_path / "2")
    assert list(read_prepared(feed)) == list(read_prepared(plain))
    assert feed.path.read_bytes() == content
    assert (feed.header, feed.format) == (plain.header, plain.format)
    assert plain.path == tmp_path / "plain"


def test_a_plain_file_is_left_where_it_is(tmp_path: Path) -> None:
    target = tmp_path / "target"
    assert unpack(write(tmp_path / "feed", TABLE), target, max_bytes=MAX) is False
    assert not target.exists()


@pytest.mark.parametrize(
    ("content", "error", "params"),
    [
        (gzip.compress(TABLE * 1000, mtime=0)[:-20], FeedArchiveDamagedError, {"kind": "gzip"}),
        (gzip.compress(TABLE, mtime=0)[:-8] + bytes(8), FeedArchiveDamagedError, {"kind": "gzip"}),
        (gzip.compress(TABLE, mtime=0) + b"rubbish", FeedArchiveDamagedError, {"kind": "gzip"}),
        (zipped({"feed.csv": TABLE * 1000})[:-50], FeedArchiveDamagedError, {"kind": "ZIP"}),
        (zipped({"feed.csv": TABLE})[:10], FeedArchiveDamagedError, {"kind": "ZIP"}),
        (zipped({}), FeedArchiveEmptyError, {}),
        (zipped({"__MACOSX/feed.csv": TABLE, ".hidden": b"x", "folder/": b""}), FeedArchiveEmptyError, {}),
        (zipped({"a.csv": TABLE, "b.csv": TABLE}), FeedArchiveSeveralError, {"found": "a.csv, b.csv"}),
        (zipped({"a.pdf": b"%PDF", "b.jpg": b"x"}), FeedArchiveSeveralError, {"found": "a.pdf, b.jpg"}),
        (flagged(zipped({"feed.csv": TABLE}), at=6, value=1), FeedArchiveEncryptedError, {}),
        (flagged(zipped({"feed.csv": TABLE}), at=8, value=9), FeedArchiveMethodError, {}),
        (zipped({"feed.zip": zipped({"feed.csv": TABLE})}), FeedArchiveNestedError, {"kind": "ZIP or Excel"}),
        (zipped({"feed.csv": gzip.compress(TABLE, mtime=0)}), FeedArchiveNestedError, {"kind": "gzip"}),
        (gzip.compress(gzip.compress(TABLE, mtime=0), mtime=0), FeedArchiveNestedError, {"kind": "gzip"}),
        (
            gzip.compress(bytes(257) + b"ustar\x0000" + bytes(300), mtime=0),
            FeedArchiveNestedError,
            {"kind": "tar"},
        ),
        (zipped({"[Content_Types].xml": b"", "xl/workbook.xml": b""}), FeedNotATableError, {"kind": "Excel"}),
        (zipped({"mimetype": b"", "content.xml": b""}), FeedNotATableError, {"kind": "OpenDocument"}),
    ],
)
def test_what_cannot_be_unpacked(
    tmp_path: Path, content: bytes, error: type[FeedError], params: dict[str, Any]
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(error) as caught:
        prepare(write(tmp_path / "feed", content), folder)
    assert caught.value.params == params
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("kind", ["gzip", "zip", "lying zip"])
def test_a_bomb_is_stopped_and_leaves_nothing(tmp_path: Path, kind: str) -> None:
    zeros = b"0" * (4 * FREE_BYTES)
    content = gzip.compress(zeros, mtime=0) if kind == "gzip" else zipped({"feed.csv": zeros})
    if kind == "lying zip":
        # Both headers say that the member is small.
        content = content.replace(struct.pack("<L", len(zeros)), struct.pack("<L", 100))
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises((FeedArchiveTooLargeError, FeedArchiveDamagedError)) as caught:
        unpack(write(tmp_path / "feed", content), folder / "target", max_bytes=MAX)
    assert list(folder.iterdir()) == []
    if kind != "lying zip":
        assert caught.value.params == {"limit": FREE_BYTES}


def test_the_limit_of_uploads_counts_after_unpacking(tmp_path: Path) -> None:
    feed = write(tmp_path / "feed", gzip.compress(TABLE * 100, mtime=0))
    with pytest.raises(FeedArchiveTooLargeError):
        unpack(feed, tmp_path / "target", max_bytes=1000)
    assert not (tmp_path / "target").exists()


def test_a_long_list_of_members_is_not_read(tmp_path: Path) -> None:
    content = zipped(dict.fromkeys((f"{number:050d}.csv" for number in range(45_000)), b""))
    with pytest.raises(FeedArchiveSeveralError) as caught:
        unpack(write(tmp_path / "feed", content), tmp_path / "target", max_bytes=MAX)
    assert caught.value.params == {"found": "…"}
