from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.errors import IndexMissingError, UsageError
from tamis.index import Tag, tag_names
from tamis.model import ObjectKey, parse_object_key

CHANGES = st.lists(
    st.tuples(st.sampled_from(["add", "remove", "delete"]), st.lists(st.sampled_from("abcdef"), max_size=4)),
    max_size=12,
)


@settings(max_examples=40)
@given(CHANGES)
def test_a_tag_is_an_ordered_set_with_a_history(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, list[str]]]
) -> None:
    """Members are those of an ordered set after the same changes; each real change is one more in the history."""
    root = tmp_path_factory.mktemp("tags")
    expected: dict[str, None] = {}
    n_changes = 0
    for action, keys in changes:
        before = dict(expected)
        tag = Tag(root, "t")
        if action == "add":
            changed = tag.add(keys, origin="test")
            expected.update(dict.fromkeys(keys))
        elif action == "remove":
            changed = tag.remove(keys)
            for key in keys:
                expected.pop(key, None)
        else:
            changed = tag.delete()
            expected.clear()
        assert changed == len(set(before) ^ set(expected))
        n_changes += changed > 0
        assert Tag(root, "t").members() == list(expected)
    assert len(Tag(root, "t").history()) == n_changes
    assert tag_names(root) == (["t"] if expected else [])


def test_names_and_damage(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A name that could leave the folder is refused; a damaged file is said, never passed over."""
    root = tmp_path_factory.mktemp("tags")
    for name in ("", "../x", "a/b", ".hidden"):
        with pytest.raises(UsageError, match="cannot be the name of a tag"):
            Tag(root, name)
    Tag(root, "t").add(["a"])
    (root / "tags/t/000001.json").write_text('{"when": "now", "action": "ad')
    with pytest.raises(IndexMissingError, match="cannot be read"):
        Tag(root, "t").members()


@given(st.text(min_size=1), st.text("abc/-_:", min_size=1), st.integers(0, 10**9 - 1))
def test_names_of_objects_are_taken_apart_as_they_were_put_together(sample: str, task: str, position: int) -> None:
    """Whatever a sample is called, `#` included, its objects' names lead back to it."""
    key = ObjectKey(sample, task, position)
    assert parse_object_key(str(key)) == key
