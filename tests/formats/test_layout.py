from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.formats.layout import PREDICTIONS, metadata_key, prediction_key, schema_key, task_name_fault
from tamis.storage import check_key

names = st.text(st.sampled_from("aZ09_+=,.@:/-\\ é\n~"), max_size=12)


@given(names)
def test_a_good_task_name_stays_inside_the_predictions_folder(name: str) -> None:
    """A name without a fault makes a key that every storage takes, below the predictions folder."""
    if task_name_fault(name) is None:
        check_key(schema_key(name))
        assert schema_key(name).startswith(f"{PREDICTIONS}/")
        assert set(name) <= set("aZ09_+=,.@:/-")


@pytest.mark.parametrize("name", ["cars", "a/b", "v1.2", "x@1:2,3=4+5-6_7", "..a", "a..", "schema.json"])
def test_names_of_the_formats_characters_are_good(name: str) -> None:
    """Letters, digits, `_ + = , . @ : / -` make a good name, dots and slashes included."""
    assert task_name_fault(name) is None


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", "expected a name of at least one character"),
        ("a b", "expected a name of letters, digits and `_ + = , . @ : / -`"),
        ("a\\b", "expected a name of letters, digits and `_ + = , . @ : / -`"),
        ("cars\n", "expected a name of letters, digits and `_ + = , . @ : / -`"),
        ("٣", "expected a name of letters, digits and `_ + = , . @ : / -`"),
        ("/cars", "expected a name relative to the predictions folder"),
        ("..", "expected a name without an empty part, `.` or `..`"),
        ("a/../../b", "expected a name without an empty part, `.` or `..`"),
        ("a//b", "expected a name without an empty part, `.` or `..`"),
        ("a/", "expected a name without an empty part, `.` or `..`"),
        ("./a", "expected a name without an empty part, `.` or `..`"),
    ],
)
def test_a_bad_name_is_told_why(name: str, fault: str) -> None:
    """Each way in which a name is no folder of predictions has its own words."""
    assert task_name_fault(name) == fault


@pytest.mark.parametrize(
    ("sample", "stem"),
    [("a.jpg", "a"), ("a.b.jpg", "a.b"), ("d.1/a", "d.1/a"), ("v-099-mp4.png", "v-099-mp4"), (".jpg", ".jpg")],
)
def test_the_last_extension_becomes_json(sample: str, stem: str) -> None:
    """A sample's files are named by its key without the last extension."""
    assert prediction_key("t", sample) == f".lightly/predictions/t/{stem}.json"
    assert metadata_key(sample) == f".lightly/metadata/{stem}.json"
