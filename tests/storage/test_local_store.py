from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tamis.errors import DatasourceError
from tamis.storage import LocalStore, NotFoundError, Page, StoreError, UnusableKeyError, join_key
from tamis.storage import local as local_module

not_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")


def page_of(root: Path, folder: str = "") -> Page:
    (page,) = LocalStore(root).list_folder(folder)
    return page


def walk(root: Path) -> tuple[list[str], list[str]]:
    """Return all files that a walk finds, and what it skips; endless if the store lets it be."""
    store, pending, files, skipped = LocalStore(root), [""], [], []
    while pending:
        folder = pending.pop()
        assert folder.count("/") < 10
        for page in store.list_folder(folder):
            files += [join_key(folder, name) for name in page.names]
            skipped += [join_key(folder, name) for name, _ in page.skipped]
            pending += [join_key(folder, name) for name in page.folders]
    return sorted(files), sorted(skipped)


@pytest.mark.parametrize("n_files", [0, 1, 6, 7, 8, 14, 15])
def test_pages_hold_every_name_once(n_files: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pages a folder takes, each name is on one of them, beside its own size."""
    monkeypatch.setattr(local_module, "_PAGE_NAMES", 7)
    for i in range(n_files):
        (tmp_path / f"{i}.x").write_bytes(bytes(i))
    (tmp_path / "folder").mkdir()
    pages = list(LocalStore(tmp_path).list_folder(""))
    rows = [row for page in pages for row in zip(page.names, page.sizes_bytes, strict=True)]
    assert sorted(rows) == sorted((f"{i}.x", i) for i in range(n_files))
    assert [folder for page in pages for folder in page.folders] == ["folder"]
    assert all(len(page.names) <= 7 for page in pages)


def test_links_are_followed(tmp_path: Path) -> None:
    """A link to a file or to a folder beside is as good as what it leads to."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.jpg").write_bytes(b"123")
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "b.jpg").symlink_to("real/a.jpg")
    assert walk(tmp_path) == (["b.jpg", "folder/a.jpg", "real/a.jpg"], [])
    page = page_of(tmp_path)
    assert page.sizes_bytes == [3]
    assert LocalStore(tmp_path).read("folder/a.jpg").data == b"123"


@pytest.mark.parametrize("target", [".", "..", "../x", "../../x"])
def test_links_that_lead_back_are_skipped(target: str, tmp_path: Path) -> None:
    """A folder that is linked into itself is listed once, and the link is named."""
    root = tmp_path / "x"
    (root / "y").mkdir(parents=True)
    (root / "y" / "a.jpg").write_bytes(b"")
    (root / "y" / "loop").symlink_to(target)
    files, skipped = walk(root)
    assert (files, skipped) == (["y/a.jpg"], ["y/loop"])


def test_links_that_cross_do_not_loop(tmp_path: Path) -> None:
    """Two folders linked into each other are walked to an end, and no file of theirs is missed."""
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.jpg").write_bytes(b"")
        (tmp_path / name / "to").symlink_to(f"../{other}")
    files, skipped = walk(tmp_path)
    assert {"a/a.jpg", "b/b.jpg"} <= set(files)
    assert skipped


def test_what_is_neither_file_nor_folder_is_named(tmp_path: Path) -> None:
    """Links to nothing, links to themselves and pipes are skipped by name, and nothing waits for a pipe."""
    (tmp_path / "nothing.jpg").symlink_to("gone.jpg")
    (tmp_path / "self.jpg").symlink_to("self.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "piped.jpg").symlink_to("pipe.jpg")
    page = page_of(tmp_path)
    assert (page.names, page.folders) == ([], [])
    assert dict(page.skipped) == {
        "nothing.jpg": "a symlink to nothing",
        "self.jpg": "too many levels of symbolic links",
        "pipe.jpg": "neither a file nor a folder",
        "piped.jpg": "neither a file nor a folder",
    }


def test_names_that_cannot_be_keys_are_named(tmp_path: Path) -> None:
    """A name that is no UTF-8 or holds a backslash is skipped in a form that can be printed and stored."""
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg"))).write_bytes(b"")
    (tmp_path / "a\\b.jpg").write_bytes(b"")
    page = page_of(tmp_path)
    assert page.names == []
    assert sorted(page.skipped) == [
        ("a\\b.jpg", "its name holds a backslash"),
        ("caf\\xe9.jpg", "its name is not UTF-8"),
    ]
    assert all(name.encode() for name, _ in page.skipped)


@not_root
def test_what_may_not_be_read_says_so(tmp_path: Path) -> None:
    """A file or folder without permission is `StoreError`, not "missing"."""
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "a").chmod(0)
    (tmp_path / "folder").mkdir(mode=0)
    with pytest.raises(StoreError, match="`a` cannot be read: permission denied") as caught:
        LocalStore(tmp_path).read("a")
    assert not isinstance(caught.value, NotFoundError)
    with pytest.raises(StoreError, match="`folder` cannot be listed: permission denied"):
        list(LocalStore(tmp_path).list_folder("folder"))


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    """Where the content cannot be put, the old content stands and no temporary file stays behind."""
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "file").write_bytes(b"old")
    store = LocalStore(tmp_path)
    for key in ("folder", "file/x", "n" * 300):
        with pytest.raises(StoreError, match="cannot be written"):
            store.write(key, b"new")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file", "folder", "inner"]
    assert store.read("file").data == b"old"


def test_deleting_a_folder_is_refused(tmp_path: Path) -> None:
    """Only files are removed."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match="`folder` cannot be removed"):
        LocalStore(tmp_path).delete("folder")
    assert (tmp_path / "folder").is_dir()


def test_readers_see_the_old_or_the_new_content(tmp_path: Path) -> None:
    """While a key is written again and again, every read is one of the contents, whole."""
    store, done = LocalStore(tmp_path), threading.Event()
    contents = [bytes([i]) * 200_000 for i in range(40)]
    store.write("k", contents[0])
    torn: list[int] = []

    def read() -> None:
        while not done.is_set():
            if store.read("k").data not in contents:
                torn.append(1)

    reader = threading.Thread(target=read)
    reader.start()
    for content in contents:
        store.write("k", content)
    done.set()
    reader.join()
    assert not torn


def test_written_files_have_the_rights_of_others(tmp_path: Path) -> None:
    """A file gets the rights that the user's umask gives, not the private ones of a temporary file."""
    LocalStore(tmp_path).write("a", b"")
    (tmp_path / "b").write_bytes(b"")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


@pytest.mark.parametrize("time_ns", [-1, 0, 1, 10**18, (1 << 63) - 1, 1 << 63, 1 << 65])
def test_any_time_fits_a_table(time_ns: int, tmp_path: Path) -> None:
    """A time of change from any century is an int64, the same when listed and when read."""
    (tmp_path / "a").write_bytes(b"1")
    os.utime(tmp_path / "a", ns=(0, time_ns))
    read = LocalStore(tmp_path).read("a").stamp
    assert page_of(tmp_path).mtimes_ns == [read.mtime_ns]
    assert read.mtime_ns == min((tmp_path / "a").stat().st_mtime_ns, (1 << 63) - 1)


def test_opening_a_folder(tmp_path: Path) -> None:
    """Only a folder that is there opens; the message has the whole path."""
    (tmp_path / "file").write_bytes(b"")
    assert LocalStore.open(tmp_path).url == str(tmp_path)
    for name, message in {"gone": "does not exist", "file": "is a file, expected a folder"}.items():
        with pytest.raises(DatasourceError, match=f"`{tmp_path / name}` {message}"):
            LocalStore.open(tmp_path / name)
    with pytest.raises(DatasourceError, match="cannot be read: Not a directory"):
        LocalStore.open(tmp_path / "file" / "below")


def test_the_root_of_the_machine_is_a_root() -> None:
    """Keys below `/` have one slash."""
    assert LocalStore("/").path("etc/hosts") == "/etc/hosts"


@pytest.mark.parametrize("key", ["x" * 256, f"{'x' * 256}/a", "file/below", "folder"])
def test_keys_that_no_file_can_have(key: str, tmp_path: Path) -> None:
    """Too long a name, a folder at the key or a file above it blame the key; the next one can be written."""
    store = LocalStore(tmp_path)
    store.write("file", b"1")
    store.write("folder/below", b"1")
    with pytest.raises(UnusableKeyError, match=f"`{key}` cannot be written: "):
        store.write(key, b"2")
    store.write("next", b"3")
    assert store.read("file").data == store.read("folder/below").data == b"1"
