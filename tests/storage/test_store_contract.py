"""What every storage does; a new one joins by a line in `STORES`."""

from __future__ import annotations

import itertools
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bucket_servers import SERVICES, use_server
from generations import with_generations
from tamis.storage import (
    Blob,
    LocalStore,
    MemoryStore,
    NotFoundError,
    Stamp,
    Store,
    StoreError,
    check_key,
    join_key,
)
from tamis.storage.bucket import BucketStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def _bucket(service: str, monkeypatch: pytest.MonkeyPatch) -> BucketStore:
    return BucketStore(f"{use_server(service, monkeypatch).new_bucket()}/root folder")


STORES: dict[str, Callable[[Path, pytest.MonkeyPatch], Store]] = {
    "memory": lambda _, __: MemoryStore(),
    "local": lambda folder, _: LocalStore(folder),
    **{service: lambda _, patch, service=service: _bucket(service, patch) for service in SERVICES},  # type: ignore[misc]
}

BAD_KEYS = [
    "",
    "/",
    "/etc/passwd",
    "..",
    "../x",
    "a/../x",
    "a/..",
    ".",
    "./a",
    "a/./b",
    "a//b",
    "a/",
    "a\0b",
    "a\\b",
    "..\\x",
]
ODD_NAMES = [
    "a b.jpg",
    " lead",
    "trail ",
    "new\nline",
    "quo'te",
    'quo"te',
    "tab\t",
    "ünïcödé.png",
    "日本.jpg",
    "%41",
    "a=b",
    "[x]*?",
    "...",
    "..a",
    "-rf",
    "~",
    "$HOME",
    "e\u0301",
    "\u2028",
]

names = st.text(st.characters(codec="utf-8", exclude_characters="/\\\0"), min_size=1, max_size=20).filter(
    lambda name: name not in {".", ".."} and len(name.encode()) < 200
)


_EXAMPLES = itertools.count()


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    return STORES[request.param](tmp_path, monkeypatch)


def takes(store: Store, name: str) -> bool:
    """Whether a store can hold a name: buckets hold no control characters."""
    return not isinstance(store, BucketStore) or not any(ord(c) < 32 or c == "\x7f" for c in name)


def listed(store: Store, folder: str = "") -> tuple[dict[str, Stamp], set[str]]:
    """Return the files of a folder with their stamps, and its subfolders."""
    files: dict[str, Stamp] = {}
    folders: set[str] = set()
    for page in store.list_folder(folder):
        assert not page.skipped
        assert len(page.names) == len(page.sizes_bytes) == len(page.mtimes_ns)
        files |= {
            name: Stamp(size, time)
            for name, size, time in zip(page.names, page.sizes_bytes, page.mtimes_ns, strict=True)
        }
        folders |= set(page.folders)
    return files, folders


class TestStoreContract:
    def test_it_is_a_store(self, store: Store) -> None:
        """It has every member of the protocol."""
        assert isinstance(store, Store)
        assert store.url

    @pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 5_000_000])
    def test_what_is_written_is_read(self, store: Store, size: int) -> None:
        """Bytes of any length come back whole, with a stamp of that length."""
        data = bytes(range(256)) * (size // 256) + bytes(size % 256)
        store.write("a/b.bin", data)
        blob = store.read("a/b.bin")
        assert (blob.data, blob.stamp.size_bytes) == (data, size)

    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_any_name_is_a_name(self, store: Store, name: str) -> None:
        """Names with blanks, quotes, line breaks and letters of any script are listed and read as they are."""
        if not takes(store, name):
            with pytest.raises(StoreError, match="may hold no control characters"):
                store.write(f"{name}/{name}", b"x")
            return
        store.write(f"{name}/{name}", b"x")
        assert listed(store) == ({}, {name})
        assert list(listed(store, name)[0]) == [name]
        assert store.read(f"{name}/{name}").data == b"x"

    @pytest.mark.parametrize("n_bytes", [1, 3, 10, 11])
    def test_the_start_of_a_file(self, store: Store, n_bytes: int) -> None:
        """A read of the start gives the first bytes, and the stamp of the whole."""
        store.write("a", b"0123456789")
        start = store.read_start("a", n_bytes)
        assert start.data == b"0123456789"[:n_bytes]
        assert start.stamp == store.read("a").stamp

    @pytest.mark.parametrize(("at", "n_bytes"), [(0, 4), (3, 4), (8, 4), (9, 1), (10, 1), (12, 5), (3, 0), (99, 0)])
    def test_a_range_of_a_file(self, store: Store, at: int, n_bytes: int) -> None:
        """A range is that slice of the content, empty past its end, with the stamp of the whole."""
        store.write("a", b"0123456789")
        part = store.read_range("a", at, n_bytes)
        assert part.data == b"0123456789"[at : at + n_bytes]
        assert part.stamp == store.read("a").stamp

    @pytest.mark.parametrize("n_bytes", [None, 0, 1, 4096])
    def test_an_empty_file(self, store: Store, n_bytes: int | None) -> None:
        """Nothing is read of nothing, however much is asked for, and the stamp is that of the listing."""
        store.write("f/empty", b"")
        (blob,) = store.read_many(["f/empty"], n_bytes=n_bytes)
        assert not isinstance(blob, StoreError)
        assert (blob.data, blob.stamp) == (b"", listed(store, "f")[0]["empty"])

    def test_a_listing_says_what_a_read_says(self, store: Store) -> None:
        """The stamp of a listing equals that of a read: what was listed as unchanged need not be read."""
        for i in range(5):
            store.write(f"f/{i}", bytes(i))
        files, _ = listed(store, "f")
        assert files == {str(i): store.read(f"f/{i}").stamp for i in range(5)}
        assert [files[str(i)].size_bytes for i in range(5)] == list(range(5))

    def test_names_alone(self, store: Store) -> None:
        """A listing without stamps has the names and no sizes."""
        store.write("a", b"1")
        store.write("b/c", b"2")
        (page,) = store.list_folder("", stamps=False)
        assert (page.names, page.folders, page.sizes_bytes, page.mtimes_ns) == (["a"], ["b"], [], [])

    def test_a_folder_that_is_not_there_is_empty(self, store: Store) -> None:
        """Listing nothing gives nothing; a file is no folder."""
        store.write("a/b", b"1")
        for folder in ("x", "a/x", "a/b", "a/b/c"):
            assert listed(store, folder) == ({}, set())

    @pytest.mark.parametrize("key", ["x", "a/x", "a/b/c", "a"])
    def test_what_is_not_there(self, store: Store, key: str) -> None:
        """A missing key is `StoreError`, and where nothing at all has the name, `NotFoundError` that names it."""
        store.write("a/b", b"1")
        expected = StoreError if key == "a" else NotFoundError
        for read in (store.read, lambda k: store.read_start(k, 5), lambda k: store.read_range(k, 3, 5)):
            with pytest.raises(expected, match=f"`{key}`"):
                read(key)

    def test_a_later_write_wins(self, store: Store) -> None:
        """The last content stands, shorter or longer, and the stamp tells sizes apart."""
        for data in (b"long content", b"", b"x"):
            store.write("k", data)
            assert store.read("k").data == data
            assert listed(store)[0]["k"].size_bytes == len(data)

    @pytest.fixture
    def comparing(
        self, request: pytest.FixtureRequest, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Store]:
        """Give the store; moto ignores generations, by which Google compares, so that a proxy has them."""
        if request.node.callspec.params["store"] != "gs":
            yield store
            return
        with with_generations(os.environ["STORAGE_EMULATOR_HOST"]) as address:
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
            yield BucketStore(store.url)

    def test_a_write_on_condition(self, comparing: Store) -> None:
        """It is done where the key holds what the caller saw; else it says no, and what is there stands."""
        store = comparing
        assert not store.write_if("f/k", b"1", there=Stamp(1, 2))
        assert store.write_if("f/k", b"1", there=None)
        seen = store.read("f/k").stamp
        assert not store.write_if("f/k", b"22", there=None)
        assert store.write_if("f/k", b"22", there=seen)
        assert not store.write_if("f/k", b"333", there=seen)
        assert store.read("f/k").data == b"22"
        assert store.write_if("f/k", b"22", there=seen), "what is there already"

    def test_of_many_writes_on_one_condition_one_is_done(self, comparing: Store) -> None:
        """Eight at once, twice: exactly one is told that it wrote, and its bytes are there."""
        store = comparing
        for there in (None, "last"):
            stamp = None if there is None else store.read("f/k").stamp
            values = [f"{there} {i}".encode() for i in range(8)]
            with ThreadPoolExecutor(8) as threads:
                done = list(threads.map(lambda data: store.write_if("f/k", data, there=stamp), values))  # noqa: B023
            assert sum(done) == 1
            assert store.read("f/k").data == values[done.index(True)]

    def test_deleting(self, store: Store) -> None:
        """What was deleted is gone, its neighbour is not, and deleting nothing is fine."""
        store.write("a/x", b"1")
        store.write("a/y", b"2")
        store.delete("a/x")
        store.delete("a/x")
        store.delete("no/where")
        assert set(listed(store, "a")[0]) == {"y"}
        with pytest.raises(NotFoundError):
            store.read("a/x")

    @pytest.mark.parametrize("key", BAD_KEYS)
    def test_no_key_leaves_the_root(self, store: Store, key: str) -> None:
        """Every operation refuses a key that is absolute, climbs, or has empty parts, NUL or backslash."""
        operations: list[Callable[[], object]] = [
            lambda: store.read(key),
            lambda: store.read_start(key, 1),
            lambda: store.read_range(key, 1, 1),
            lambda: store.write(key, b"x"),
            lambda: store.write_if(key, b"x", there=None),
            lambda: store.delete(key),
        ]
        if key:
            operations.append(lambda: list(store.list_folder(key)))
        for operation in operations:
            with pytest.raises(StoreError, match="is not a key"):
                operation()
        assert listed(store) == ({}, set())

    @pytest.mark.parametrize("n_bytes", [None, 0, 3])
    def test_many_reads_are_as_many_single_reads(self, store: Store, n_bytes: int | None) -> None:
        """Many keys give what each gives alone, in their order, bad and missing ones in the place of their blob."""
        for key in ["a", "a b/ü.json", "a b/-rf", "c/d/e", "big"]:
            store.write(key, key.encode() * (30_000 if key == "big" else 1))
        keys = [
            "c/d/e",
            "a",
            "a b/ü.json",
            "gone",
            "a b/gone",
            "gone/x",
            "a/x",
            "c",
            "big",
            "a b/-rf",
            "a",
            *BAD_KEYS,
        ]

        def single(key: str) -> Blob | str:
            try:
                return store.read(key) if n_bytes is None else store.read_start(key, n_bytes)
            except StoreError as error:
                return f"{type(error).__name__}: {error.message}"

        def text(blob: Blob | StoreError) -> Blob | str:
            return f"{type(blob).__name__}: {blob.message}" if isinstance(blob, StoreError) else blob

        assert [text(blob) for blob in store.read_many(keys, n_bytes=n_bytes)] == [single(key) for key in keys]

    def test_it_can_be_sent_to_workers(self, store: Store) -> None:
        """A pickled copy reads what the store reads."""
        store.write("a/b", b"1")
        copy = pickle.loads(pickle.dumps(store))  # noqa: S301 (our own)
        assert copy.read("a/b") == store.read("a/b")

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
    @given(st.lists(st.tuples(st.lists(names, min_size=1, max_size=3), st.binary(max_size=9)), max_size=8))
    def test_it_is_a_dictionary(self, store: Store, writes: list[tuple[list[str], bytes]]) -> None:
        """After any writes, walking the folders gives exactly the keys and contents of a dict."""
        place = f"example-{next(_EXAMPLES)}"  # the store outlives the examples
        expected: dict[str, bytes] = {}
        for parts, data in writes:
            key = "/".join([place, *parts])
            clashes = any(key.startswith(f"{k}/") or k.startswith(f"{key}/") for k in expected)
            if not clashes and takes(store, key):  # a file cannot be a folder too
                expected[key] = data
                store.write(key, data)
        found: dict[str, bytes] = {}
        pending = [place]
        while pending:
            folder = pending.pop()
            files, folders = listed(store, folder)
            found |= {join_key(folder, name): store.read(join_key(folder, name)).data for name in files}
            pending += [join_key(folder, name) for name in folders]
        assert found == expected
        for key in expected:
            store.delete(key)
        assert not any(listed(store, folder)[0] for folder in {k.rpartition("/")[0] for k in expected})


@given(st.lists(st.sampled_from(["a", "..", ".", "", "b c", "\\", "\0", "...", "é"]), min_size=1, max_size=5))
def test_keys_stay_below_any_root(parts: list[str]) -> None:
    """A key is accepted exactly if none of its parts is empty, `.`, `..` or holds NUL or a backslash."""
    is_key = not any(part in {"..", ".", "", "\\", "\0"} for part in parts)
    try:
        assert check_key("/".join(parts)) == "/".join(parts)
    except StoreError:
        assert not is_key
    else:
        assert is_key
