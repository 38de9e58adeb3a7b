"""Files of numbers to select by: what is in them comes back, and what cannot be used is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.errors import DatasourceError, TamisError, UsageError
from tamis.index import read_scores, score_table

if TYPE_CHECKING:
    from pathlib import Path

NUMBERS = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.none() | st.floats(allow_infinity=False)
)


@given(numbers=NUMBERS)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, numbers: dict[str, float | None]
) -> None:
    """Keys and numbers come back as they were, what is no number as NaN."""
    path = tmp_path_factory.mktemp("scores") / "scores.parquet"
    values = np.array([np.nan if value is None else value for value in numbers.values()], np.float64)
    path.write_bytes(score_table({"key": pa.array(list(numbers), pa.string()), "error": values}))
    keys, found = read_scores(path, "error")
    assert keys.to_pylist() == list(numbers)
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        (None, DatasourceError, "cannot be read: no such file or directory"),
        ("name,error\na,1\n", UsageError, "has no column `key`"),
        ("key,other\na,1\n", UsageError, "has no column `error`"),
        ("key,error\na,much\n", UsageError, "holds no numbers"),
        ("key,error\na,inf\n", UsageError, "is not finite for `a`"),
        ("key,error\na,1\na,2\n", UsageError, "names `a` 2 times"),
        ("", DatasourceError, "is no CSV file"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path: Path, text: str | None, kind: type[TamisError], said: str) -> None:
    """A file that is not there, or that holds no numbers of samples, is named with what is wrong."""
    path = tmp_path / "scores.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(kind) as caught:
        read_scores(path, "error")
    assert said in caught.value.message
    assert str(path) in caught.value.message
