from __future__ import annotations

import re

import pytest

from reading_docs import table_under, text_of
from tamis.api.converting.choices import ExportFormat, ImportFormat
from tamis.formats import IMPORT_CODES, TABLE_COLUMNS
from tamis.model import CODES

PAGE = "docs/convert.md"


def test_every_format_is_documented() -> None:
    """The tables of formats list what can be imported and exported, no more and no less."""
    assert [row[0] for row in table_under(PAGE, "Import")] == list(ImportFormat)
    exported = [name for row in table_under(PAGE, "Export") for name in row[0].split(", ")]
    assert sorted(exported) == sorted(ExportFormat)


def test_every_reason_is_documented() -> None:
    """The table of reasons is what the code says of them."""
    expected = [
        [code, "yes" if known.drops else "no", known.summary.replace("`", ""), known.hint.replace("`", "")]
        for code, known in IMPORT_CODES.items()
    ]
    assert table_under(PAGE, "Reasons") == expected


@pytest.mark.parametrize("code", sorted(IMPORT_CODES.keys() & CODES.keys()))
def test_codes_that_mean_the_same_are_as_severe(code: str) -> None:
    """A reason that shares its code with a problem leaves out what the problem drops."""
    assert IMPORT_CODES[code].drops == (CODES[code].drops != "nothing")


def test_every_column_of_tables_is_documented() -> None:
    """Each column that means something is on the page; corners may be abbreviated by their first."""
    written = set(re.findall(r"`(\w+)`", text_of(PAGE)))
    assert {name for name in TABLE_COLUMNS if not name.startswith(("y_", "x_max"))} <= written
