from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.errors import IndexMissingError, UsageError
from tamis.index import Pool
from tamis.storage import StoreError

if TYPE_CHECKING:
    from pathlib import Path


@settings(max_examples=30)
@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=4), max_size=15))
def test_a_pool_is_a_list_without_repeats(
    tmp_path_factory: pytest.TempPathFactory, joinings: list[list[str]]
) -> None:
    """Members are all keys that ever joined, in the order of their first joining, which counts them."""
    root = tmp_path_factory.mktemp("pools")
    expected: dict[str, None] = {}
    for keys in joinings:
        new = [key for key in dict.fromkeys(keys) if key not in expected]
        assert Pool(root, "p").join(keys) == len(new)
        expected |= dict.fromkeys(new)
        assert Pool(root, "p").members() == list(expected)


def test_a_pool_only_grows(tmp_path: Path) -> None:
    """A joining adds a file and changes none, so that the history stays; joining again adds nothing."""
    pool = Pool(tmp_path, "p")
    seen: dict[Path, bytes] = {}
    for keys in (["a"], ["b", "ü /x.jpg"], ["a", "b"], ['q"\n']):
        pool.join(keys)
        files = {path: path.read_bytes() for path in tmp_path.rglob("*.json")}
        assert files.items() >= seen.items()
        seen = files
    assert len(seen) == 3
    assert pool.members() == ["a", "b", "ü /x.jpg", 'q"\n']


def test_pools_are_apart(tmp_path: Path) -> None:
    """What joins one pool is in no other, and a pool that nothing joined is empty."""
    Pool(tmp_path, "one").join(["a"])
    assert Pool(tmp_path, "two").members() == []
    assert Pool(tmp_path, "one").members() == ["a"]


def test_the_order_holds_past_any_number_of_digits(tmp_path: Path) -> None:
    """The millionth joining comes after the one before it."""
    pool = Pool(tmp_path, "p")
    pool.join(["first"])
    (tmp_path / "pools" / "p" / "000001.json").rename(tmp_path / "pools" / "p" / "999999.json")
    pool.join(["second"])
    pool.join(["third"])
    assert pool.members() == ["first", "second", "third"]


def test_joining_at_once_loses_nothing(tmp_path: Path) -> None:
    """Several that join at the same time all get in."""
    joined: list[int] = []

    def join(name: str) -> None:
        for i in range(10):
            joined.append(Pool(tmp_path, "p").join([f"{name}{i}", "shared"]))  # noqa: PERF401 (as it goes)

    threads = [threading.Thread(target=join, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    members = Pool(tmp_path, "p").members()
    assert sorted(members) == sorted([f"{name}{i}" for name in "abcd" for i in range(10)] + ["shared"])
    assert sum(joined) == len(members)


@pytest.mark.parametrize("data", [b"", b"{", b'["a", 1]', b'{"a": 1}', b'["\xff"]', b"null"])
def test_a_damaged_file_is_named(data: bytes, tmp_path: Path) -> None:
    """A file that is no list of keys is an error that names it: nobody is labelled twice for a missing file."""
    pool = Pool(tmp_path, "p")
    pool.join(["a"])
    pool.join(["b"])
    path = tmp_path / "pools" / "p" / "000001.json"
    path.write_bytes(data)
    for call in (pool.members, lambda: pool.join(["c"])):
        with pytest.raises(IndexMissingError) as caught:
            call()
        assert caught.value.message.startswith(f"Pool `p` cannot be read: `{path}`: ")
        assert caught.value.hint == "mend or remove that file"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", "a b", "-a", "é", "a" * 101, "a\n", "_"])
def test_names_that_are_no_folder_are_refused(name: str, tmp_path: Path) -> None:
    """A name that could leave the folder of pools, or that a shell would stumble over, is refused."""
    with pytest.raises(UsageError) as caught:
        Pool(tmp_path, name)
    assert caught.value.message == f"`{name}` cannot be the name of a pool"
    assert Pool(tmp_path, "A-1_b.c").name == "A-1_b.c"


def test_where_no_pool_can_be_is_said(tmp_path: Path) -> None:
    """Where the folder cannot be made, joining says so."""
    (tmp_path / "pools").write_bytes(b"")
    with pytest.raises(StoreError, match="Pool `p` cannot be written: not a directory"):
        Pool(tmp_path, "p").join(["a"])
