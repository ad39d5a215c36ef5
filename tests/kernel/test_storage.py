"""Stored files: whole or not at all, inside their folder, private."""

import hashlib
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.config import Settings
from app.core.errors import NotFoundError, TooLargeError, ValidationFailedError
from app.core.storage import LocalStorage, Storage, Usage, atomic_file, get_storage


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return get_storage(Settings(data_dir=tmp_path, max_upload_bytes=1000))


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_save_and_read(storage: Storage, tmp_path: Path) -> None:
    stored = storage.save("imports/v1/feed_1.csv.gz", io.BytesIO(b"a;b"))
    assert (stored.key, stored.bytes) == ("imports/v1/feed_1.csv.gz", 3)
    assert stored.sha256 == hashlib.sha256(b"a;b").hexdigest()
    with storage.open(stored.key) as file:
        assert file.read() == b"a;b"
    assert storage.path(stored.key).stat().st_mode & 0o777 == 0o600
    assert storage.exists(stored.key)
    assert files(tmp_path) == ["files/imports/v1/feed_1.csv.gz"]


def test_save_from_a_file_and_replace(storage: Storage, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"new")
    storage.save("a", io.BytesIO(b"old"))
    assert storage.save("a", source).bytes == 3
    assert storage.path("a").read_bytes() == b"new"
    assert source.exists()


def test_delete(storage: Storage) -> None:
    storage.save("a/b", io.BytesIO(b"x"))
    storage.delete("a/b")
    storage.delete("a/b")
    assert not storage.exists("a/b")
    with pytest.raises(NotFoundError):
        storage.open("a/b")
    with pytest.raises(NotFoundError):
        storage.path("a")  # a folder is no file


def test_a_folder_is_counted_and_deleted_with_all_that_is_in_it(storage: Storage, tmp_path: Path) -> None:
    for key in ("shop/v1/a", "shop/v1/deep/b", "shop/v2/c", "shopping/d"):
        storage.save(key, io.BytesIO(b"12345"))
    unfinished = tmp_path / "files/shop/v1/.1234.part"
    unfinished.write_bytes(b"123")
    (tmp_path / "files/shop/elsewhere").symlink_to(tmp_path / "files/shopping")
    link = len(str(tmp_path / "files/shopping"))
    assert storage.usage("shop/v1") == Usage(files=3, bytes=13)
    assert storage.usage("shop") == Usage(files=5, bytes=18 + link)
    assert storage.usage("sho") == storage.delete_folder("sho") == Usage(0, 0)
    assert storage.delete_folder("shop") == Usage(files=5, bytes=18 + link)
    assert storage.usage("shop") == storage.delete_folder("shop") == Usage(0, 0)
    assert files(tmp_path) == ["files/shopping/d"]
    assert not (tmp_path / "files/shop").exists()


def test_the_limit(storage: Storage, tmp_path: Path) -> None:
    assert storage.save("a", io.BytesIO(b"x" * 1000)).bytes == 1000
    with pytest.raises(TooLargeError):
        storage.save("a", io.BytesIO(b"y" * 1001))
    assert storage.path("a").read_bytes() == b"x" * 1000
    assert files(tmp_path) == ["files/a"]


def test_a_source_that_breaks_leaves_nothing(storage: Storage, tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise OSError("gone")
            return super().read(2)

    with pytest.raises(OSError, match="gone"):
        storage.save("a", Broken(b"abcd"))
    assert files(tmp_path) == []


BAD_KEYS = [
    "",
    "/",
    "/a",
    "a/",
    "a//b",
    "..",
    "../a",
    "a/../b",
    "a/..",
    ".",
    "./a",
    ".hidden",
    "a/.b",
    "A",
    "a b",
]


@pytest.mark.parametrize("key", [*BAD_KEYS, "a\n", "a\0b", "é", "a\\b", "a" * 501, "c:/x"])
def test_keys_that_lead_elsewhere(storage: Storage, key: str) -> None:
    for use in (
        storage.open,
        storage.path,
        storage.delete,
        storage.exists,
        storage.usage,
        storage.delete_folder,
    ):
        with pytest.raises(ValidationFailedError):
            use(key)
    with pytest.raises(ValidationFailedError):
        storage.save(key, io.BytesIO(b""))


@given(st.text(alphabet="ab./_-", max_size=20))
def test_every_accepted_key_stays_inside(key: str) -> None:
    storage = LocalStorage(Path("/nowhere/files"), 1)
    try:
        target = storage._locate(key)
    except ValidationFailedError:
        return
    assert target.resolve().is_relative_to("/nowhere/files")
    assert target != Path("/nowhere/files")


def test_atomic_file_keeps_the_old_content_on_errors(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "file"
    with atomic_file(target) as file:
        file.write(b"old")
    with pytest.raises(TypeError), atomic_file(target) as file:
        file.writelines([b"new", "no bytes"])  # type: ignore[list-item]
    assert target.read_bytes() == b"old"
    assert files(tmp_path) == ["deep/file"]
