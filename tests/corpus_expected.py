"""What is said of each case, as text: `python tests/corpus_expected.py` writes `expected.txt` anew, for review."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import corpus_json
import corpus_project
import corpus_values
from tamis.api.check import check
from tamis.api.sources import open_sources
from tamis.cli.render import printable

if TYPE_CHECKING:
    from tamis.api.check import CheckReport, Example

EXPECTED = Path(__file__).parent / "corpus" / "expected.txt"
CASES = (*corpus_json.CASES, *corpus_values.CASES, *corpus_project.CASES)
_MARK = "== "


def describe(report: CheckReport, root: Path) -> str:
    """Return all that a report says, but for the hints that its codes have anyway, one line a thing."""
    lines = [
        f"{name}: {task.valid_files} of {task.files} files valid, {task.predictions} predictions, "
        f"{task.samples_without_file} of {report.samples} samples without file"
        for name, task in report.tasks.items()
    ]
    for group in report.problems:
        head = f"{group.severity} {group.code} x {group.count}"
        lines.append(head if group.task is None else f"{head} in {group.task}")
        lines += [f"    {_place(example)}{example.message}" for example in group.examples]
    return "".join(f"{printable(line)}\n" for line in lines).replace(str(root), "ROOT")


def _place(example: Example) -> str:
    where = example.file or ""
    where += "" if example.path is None else f" {example.path}"
    where += "" if example.line is None else f" {example.line}:{example.column}"
    return f"{where} | " if where else ""


def read_expected() -> dict[str, str]:
    """Return what is expected of each case, by its name."""
    sections = EXPECTED.read_text(encoding="utf-8").split(_MARK)[1:]
    return dict(section.split("\n", 1) for section in sections)


def _write() -> None:
    sections = []
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            case.write(root)
            sections.append(f"{_MARK}{case.name}\n{describe(check(open_sources(root), case.options), root)}")
    EXPECTED.write_text("".join(sections), encoding="utf-8")


if __name__ == "__main__":
    _write()
