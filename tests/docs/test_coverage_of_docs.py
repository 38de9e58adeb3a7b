from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import tamis
from reading_docs import ROOT, headings, table_under, text_of
from tamis.index import Index
from tamis.index.tables import FILES, PROBLEMS, SAMPLES, predictions_schema, sample_scores_schema
from tamis.model import CODES, TaskType
from tamis.scoring import SCORE_NAMES, UNCERTAINTIES
from tamis.selection import (
    BalanceConfig,
    Distribution,
    DiversityConfig,
    EmbeddingsInput,
    FileInput,
    MetadataInput,
    Operation,
    PredictionsInput,
    PredictionsName,
    RandomInput,
    ScoresInput,
    SelectionConfig,
    SimilarityConfig,
    ThresholdConfig,
    TypicalityConfig,
    WeightsConfig,
)

if TYPE_CHECKING:
    from pathlib import Path

_INPUTS = (EmbeddingsInput, ScoresInput, MetadataInput, PredictionsInput, RandomInput, FileInput)
_STRATEGIES = (
    DiversityConfig,
    WeightsConfig,
    ThresholdConfig,
    BalanceConfig,
    SimilarityConfig,
    TypicalityConfig,
)


def _help(*command: str) -> str:
    environment = {**os.environ, "COLUMNS": "200", "TERMINAL_WIDTH": "200", "NO_COLOR": "1"}
    called = [sys.executable, "-m", "tamis", *command, "--help"]
    return subprocess.run(called, check=True, capture_output=True, text=True, env=environment).stdout


def _section(page: str, heading: str) -> str:
    after = re.split(rf"^## {re.escape(heading)}$", text_of(page), maxsplit=1, flags=re.MULTILINE)[1]
    return re.split(r"^## ", after, maxsplit=1, flags=re.MULTILINE)[0]


def test_every_command_and_option_of_the_help_is_documented() -> None:
    """Each command that `--help` lists has a section, and each of its options a row there."""
    listed = re.findall(r"^\W+([a-z]+)  ", _help().partition("Commands")[2], re.MULTILINE)
    assert len(listed) >= 7
    for command in listed:
        section = _section("docs/cli.md", f"tamis {command}")
        for option in re.findall(r"^\W*(--[a-z-]+)", _help(command), re.MULTILINE):
            assert option == "--help" or f"`{option}" in section, (command, option)


@pytest.mark.parametrize("code", CODES)
def test_every_problem_is_documented(code: str) -> None:
    """Each problem code has a heading, its fix, and a row in the overview."""
    assert code in headings(ROOT / "docs/problems.md")
    assert CODES[code].hint in text_of("docs/problems.md")


def test_every_score_is_documented() -> None:
    """The scores with a heading of their own are the scores that there are."""
    written = set(re.findall(r"^## ([a-z_]+)$", text_of("docs/scores.md"), re.MULTILINE))
    assert written == {name for names in SCORE_NAMES.values() for name in names}


@pytest.mark.parametrize("part", [*_INPUTS, *_STRATEGIES], ids=lambda part: part.__name__)
def test_every_input_and_strategy_is_documented_with_its_keys(part: Any) -> None:
    """Each input and strategy has a heading, and each of its keys is named on the page."""
    page = text_of("docs/strategies.md")
    assert part.__struct_config__.tag.lower() in headings(ROOT / "docs/strategies.md")
    assert [key for key in part.__struct_fields__ if not re.search(rf"\b{key}\b", page)] == []


@pytest.mark.parametrize(
    "word", [*SelectionConfig.__struct_fields__, *Distribution, *Operation, *PredictionsName], ids=str
)
def test_every_value_of_a_config_is_documented(word: str) -> None:
    """Each fixed word of a config is named on the page."""
    assert f"`{word}`" in text_of("docs/strategies.md")


@pytest.mark.parametrize(
    "name",
    [
        *(f"tamis.{name}" for name in tamis.__all__),
        *(name for name in dir(tamis.Datasource) if not name.startswith("_") and name != "sources"),
        *(name for name in vars(tamis.PredictionWriter) if not name.startswith("_")),
        *tamis.ScanOptions.__dataclass_fields__,
    ],
)
def test_every_public_name_is_documented(name: str) -> None:
    """Each public name of the Python API is named on its page."""
    assert re.search(rf"`[^`]*\b{re.escape(name)}\b[^`]*`", text_of("docs/python.md"))


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"list of {_kind(kind.value_type)}"
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind):
        return "text"
    if pa.types.is_boolean(kind):
        return "true or false"
    return "whole number" if pa.types.is_integer(kind) else "number"


@pytest.mark.parametrize(
    ("heading", "schema"),
    [
        ("samples", SAMPLES),
        ("files", FILES),
        ("problems", PROBLEMS),
        ("predictions", predictions_schema(UNCERTAINTIES)),
        ("sample_scores", sample_scores_schema(SCORE_NAMES[TaskType.KEYPOINT_DETECTION])),
    ],
)
def test_columns_of_the_index_are_documented(heading: str, schema: pa.Schema) -> None:
    """The documented columns of a table, their order and their types are those of the code."""
    documented = [(name, kind) for name, kind, _ in table_under("docs/index.md", heading)]
    assert documented == [(field.name, _kind(field.type)) for field in schema if field.name != "unit"]


def test_files_of_the_index_are_documented(tmp_path: Path) -> None:
    """What lies at the top of an index is what the page says lies there."""
    (tmp_path / "data").mkdir()
    tamis.open(tmp_path / "data", index=tmp_path / "index").scan()
    assert Index(tmp_path / "index").latest() is not None
    there = {path.name for path in (tmp_path / "index").iterdir()}
    rows = table_under("docs/index.md", "Files")
    assert there - {"lock"} <= {name.partition("/")[0] for name, _ in rows}
