"""What buckets have that folders have not: pages of servers, markers, hostile keys, many reads at once."""

from __future__ import annotations

import http.client
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bucket_servers import BucketServer, use_server
from faulty_proxy import Faults, faulty
from tamis.storage import Blob, StoreError, UnavailableError, bucket_listing
from tamis.storage.bucket import BucketStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SECOND_NS = 1_000_000_000
names = st.text("a0.-_~Z\u00e9\U0001f600", min_size=1, max_size=3).filter(lambda name: name not in {".", ".."})


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> BucketServer:
    return use_server("s3", monkeypatch)


def listed(store: BucketStore, folder: str = "") -> tuple[list[str], list[str]]:
    pages = list(store.list_folder(folder))
    assert all(len(page.names) == len(page.sizes_bytes) == len(page.mtimes_ns) for page in pages)
    files = [name for page in pages for name in page.names]
    return sorted(files), sorted(folder for page in pages for folder in page.folders)


def put_raw(server: BucketServer, url: str, key: str) -> None:
    """Put an object at a key that is none of ours."""
    connection = http.client.HTTPConnection(urlsplit(server.address).netloc)
    connection.request("PUT", f"/{url.removeprefix('s3://')}/{quote(key, safe='/')}", b"")
    assert connection.getresponse().status == 200
    connection.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(st.lists(st.lists(names, min_size=1, max_size=3), max_size=10), st.integers(0, 4), st.integers(1, 3))
def test_a_folder_is_listed_once_and_whole(
    s3: BucketServer, keys: list[list[str]], max_jumps: int, chunk: int
) -> None:
    """However many subfolders are jumped over, and however little comes at a time, each name is told once."""
    store = BucketStore(s3.new_bucket())
    for parts in keys:
        store.write("/".join(["root", *parts]), b"x")
    files = sorted({parts[0] for parts in keys if len(parts) == 1})
    folders = sorted({parts[0] for parts in keys if len(parts) > 1})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bucket_listing, "_MAX_JUMPS", max_jumps)
        patch.setattr(bucket_listing, "_CHUNK", chunk)
        patch.setattr(bucket_listing, "_PAGE_NAMES", 2)
        assert listed(store, "root") == (files, folders)


def test_long_folders_come_in_pages(s3: BucketServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of more keys than a server sends at a time is whole, and no page is much longer than its limit."""
    monkeypatch.setattr(bucket_listing, "_PAGE_NAMES", 500)
    store = BucketStore(f"{s3.new_bucket()}/root")
    keys = [f"{i:04d}" for i in range(1_030)]
    for key in keys:
        store.write(f"f/{key}", b"")
    pages = list(store.list_folder("f"))
    assert sorted(name for page in pages for name in page.names) == keys
    assert max(len(page.names) for page in pages) <= 1_500


def test_markers_of_folders_are_no_files(s3: BucketServer) -> None:
    """The empty object by which consoles make a folder is not a file of that folder."""
    store = BucketStore(s3.new_bucket())
    for key in ("f/", "f/x", "f/sub/", "f/sub/y"):
        put_raw(s3, store.url, key)
    assert listed(store, "f")[0] in (["x"], ["sub", "x"])  # what a marker below looks like, obstore does not tell
    assert listed(store, "f")[1] == ["sub"]
    assert listed(store, "f/sub") == (["y"], [])


@pytest.mark.parametrize("key", ["f//x", "f/../x", "f/./x", "f/a\tb"])
def test_keys_that_are_no_paths(key: str, s3: BucketServer) -> None:
    """A folder with such a key is refused with its name, not listed in part; its neighbour is listed."""
    store = BucketStore(s3.new_bucket())
    store.write("f/fine", b"")
    store.write("g/fine", b"")
    put_raw(s3, store.url, key)
    with pytest.raises(StoreError, match="is not a path") as refused:
        listed(store, "f")
    assert refused.value.hint
    assert listed(store, "g") == (["fine"], [])


def test_names_with_a_backslash_are_named(s3: BucketServer) -> None:
    """A key that holds a backslash is skipped by name."""
    store = BucketStore(s3.new_bucket())
    put_raw(s3, store.url, "f/..\\x")
    put_raw(s3, store.url, "f/x")
    pages = list(store.list_folder("f"))
    assert [name for page in pages for name in page.names] == ["x"]
    assert [skipped for page in pages for skipped in page.skipped] == [("..\\x", "its name holds a backslash")]


def test_stamps_are_times_with_a_tag(s3: BucketServer) -> None:
    """The stamp's seconds are those of the change; what lies below tells contents of one length apart."""
    store = BucketStore(s3.new_bucket())
    before = int(time.time())
    stamps = set()
    for i in range(20):
        store.write("k", bytes([i]))
        stamps.add(store.read("k").stamp)
        assert before <= store.read("k").stamp.mtime_ns // SECOND_NS <= time.time() + 1
    assert len({stamp.mtime_ns % SECOND_NS for stamp in stamps}) == 20


def test_reads_are_as_many_as_said(s3: BucketServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than `in_flight` reads are under way, no more than twice as many are held, and order stays."""
    store = BucketStore(s3.new_bucket(), in_flight=3)
    running, most, begun = 0, 0, 0
    lock = threading.Lock()

    def read(key: str, n_bytes: int | None) -> Blob | StoreError:
        nonlocal running, most, begun
        del n_bytes
        with lock:
            running, begun = running + 1, begun + 1
            most = max(most, running)
        time.sleep(0.002 * (int(key) % 3))
        with lock:
            running -= 1
        return StoreError(key)

    monkeypatch.setattr(store, "_read_or_error", read)
    keys = [str(i) for i in range(40)]
    taken: list[str] = []
    for result in store.read_many(keys):
        assert isinstance(result, StoreError)
        taken.append(result.message)
        assert begun <= len(taken) + 6
    assert taken == keys
    assert most == 3


def test_reading_that_is_given_up_ends(s3: BucketServer) -> None:
    """A reader that stops half way leaves no reads waiting, and the store can be used on."""
    store = BucketStore(s3.new_bucket(), in_flight=2)
    for i in range(12):
        store.write(str(i), bytes([i]))
    reads = store.read_many([str(i) for i in range(12)])
    assert next(iter(reads)) == store.read("0")
    del reads
    assert [blob.data for blob in _blobs(store, range(12))] == [bytes([i]) for i in range(12)]


def _blobs(store: BucketStore, numbers: Sequence[int]) -> list[Blob]:
    return [blob for blob in store.read_many([str(i) for i in numbers]) if isinstance(blob, Blob)]


def test_an_outage_is_no_fault_of_a_key(s3: BucketServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the server fails for good, every operation raises `UnavailableError`, `read_many` too."""
    url = s3.new_bucket()
    with faulty(s3.address, Faults(until=lambda *_: True)) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        store = BucketStore(url, retry_secs=0.1)
        operations: list[Callable[[], object]] = [
            lambda: store.read("k"),
            lambda: list(store.read_many(["k", "l"])),
            lambda: list(store.list_folder("")),
            lambda: store.write("k", b""),
            lambda: store.delete("k"),
        ]
        for operation in operations:
            with pytest.raises(UnavailableError, match=r"the server answers 503 \(SlowDown\)"):
                operation()
