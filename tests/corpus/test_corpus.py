from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from corpus_cases import SAMPLES, Case, write_base
from corpus_expected import CASES, describe, read_expected
from tamis.api.check import report_problems
from tamis.api.scanning.scan import dry_scan
from tamis.api.sources import open_sources
from tamis.model import CODES, Severity

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.index import Snapshot

_SCORES = dict(zip(SAMPLES, (0.25, 0.5, 0.75), strict=True))
_EXPECTED = read_expected()


def _predictions(snapshot: Snapshot, task: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return position, category and score of each prediction, by sample."""
    columns = ["sample", "position", "category_id", "score"]
    found = defaultdict(list)
    for row in snapshot.table(f"predictions:{task}", columns).to_pylist():
        found[row["sample"]].append(tuple(row[name] for name in columns[1:]))
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_fault_is_reported_word_for_word_and_touches_nothing_else(case: Case, tmp_path: Path) -> None:
    """Whatever is broken, the report says exactly what and where, and all other predictions are read."""
    case.write(tmp_path)
    sources = open_sources(tmp_path)
    with dry_scan(sources, case.options) as result:
        report = report_problems(sources, result.snapshot)
        found = {task.name: _predictions(result.snapshot, task.name) for task in result.snapshot.tasks}
    codes = [group.code for group in report.problems for _ in group.examples]
    assert Counter(codes) == Counter(case.codes)
    assert describe(report, tmp_path) == _EXPECTED[case.name]
    for task in set(case.tasks) - set(case.touched):
        for sample in SAMPLES:
            if f"{task}/{sample}.png" not in case.touched:
                assert found[task][f"{sample}.png"] == [(0, 0, _SCORES[sample]), (1, 1, 0.9)]


def test_nothing_is_found_where_nothing_is_wrong(tmp_path: Path) -> None:
    """A datasource of all task types without a fault has no problem at all."""
    write_base(tmp_path, ("cars", "weather", "ground", "parts", "poses"))
    sources = open_sources(tmp_path)
    with dry_scan(sources) as result:
        report = report_problems(sources, result.snapshot)
    assert report.problems == ()
    assert [task.predictions for task in report.tasks.values()] == [6] * 5


def test_every_code_is_found_in_some_case() -> None:
    """There is no code of problem that no datasource can have."""
    assert {code for case in CASES for code in case.codes} == set(CODES)


def test_every_section_belongs_to_a_case() -> None:
    """Names of cases are unique, and `expected.txt` has a section for each and no other."""
    assert list(_EXPECTED) == [case.name for case in CASES]


def test_errors_say_that_something_was_lost() -> None:
    """Each code that drops something is an error, so that no prediction is lost while the exit code is 0."""
    dropping = {name for name, code in CODES.items() if code.drops != "nothing"}
    # Only pictures need a skeleton.
    assert {name for name in dropping if CODES[name].severity is not Severity.ERROR} == {"keypoint-skeleton"}
