from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from corpus_expected import CASES
from tamis.api.check import check
from tamis.api.sources import open_sources

if TYPE_CHECKING:
    from pathlib import Path

_CASES = {case.name: case for case in CASES}


def run_check(*arguments: str | Path, columns: int = 80) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tamis", "check", *map(str, arguments)]
    environment = {
        "COLUMNS": str(columns),
        "PYTHONIOENCODING": "utf-8",
        "PATH": "/usr/bin:/bin",
        "HOME": os.devnull,
    }
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)


@pytest.mark.parametrize(
    ("name", "exit_code"),
    [
        ("score NaN", 1),
        ("a file without a sample with an escape sequence", 1),
        ("tasks.json a named pipe", 1),
        ("a mask beside a broken image", 0),
        ("a category that is never seen", 0),
        ("a video cut short", 0),
    ],
)
def test_the_command_writes_the_report_and_exits_by_its_errors(name: str, exit_code: int, tmp_path: Path) -> None:
    """Standard output is the report as JSON, and the exit code is 1 where it has errors, else 0."""
    _CASES[name].write(tmp_path)
    done = run_check(tmp_path, "--format", "json", "--quiet")
    assert done.returncode == exit_code
    assert done.stderr == ""
    report: dict[str, Any] = json.loads(done.stdout)
    expected = check(open_sources(tmp_path), _CASES[name].options)
    assert [(group["code"], group["count"]) for group in report["problems"]] == [
        (group.code, group.count) for group in expected.problems
    ]
    assert (report["errors"], report["warnings"]) == (expected.errors, expected.warnings)


def test_a_missing_folder_is_said_in_one_line(tmp_path: Path) -> None:
    """A datasource that is not there is exit code 3, with what was looked for and a hint."""
    done = run_check(tmp_path / "nowhere")
    assert (done.returncode, done.stdout) == (3, "")
    # Where a long path is broken at the terminal's edge, no space was.
    assert "".join(done.stderr.split()) == (
        f"error: Folder `{tmp_path}/nowhere` does not exist hint: check the path for a typo".replace(" ", "")
    )


def test_a_file_for_a_folder_is_said(tmp_path: Path) -> None:
    """A file in place of a datasource is exit code 3."""
    (tmp_path / "a.png").write_bytes(b"")
    done = run_check(tmp_path / "a.png")
    assert (done.returncode, done.stdout) == (3, "")
    assert "is a file, expected a folder" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_an_unknown_option_is_wrong_usage(tmp_path: Path) -> None:
    """An option that does not exist is exit code 2."""
    done = run_check(tmp_path, "--frobnicate")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--frobnicate" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_relevant_filenames_file_is_said(tmp_path: Path) -> None:
    """A relevant-filenames file that is not there is exit code 3, as all samples would be the wrong ones."""
    _CASES["score NaN"].write(tmp_path)
    done = run_check(tmp_path, "--relevant-filenames", "nowhere.txt")
    assert (done.returncode, done.stdout) == (3, "")
    assert "The relevant filenames cannot be read" in done.stderr


@pytest.mark.parametrize("name", ["10,000 open brackets", "a file without a sample with an escape sequence"])
def test_text_for_people_fits_the_terminal_and_cannot_steer_it(name: str, tmp_path: Path) -> None:
    """At 80 columns no line is longer, and no control character of a file name reaches the terminal."""
    _CASES[name].write(tmp_path)
    done = run_check(tmp_path)
    assert done.returncode == 1
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert not any(line.endswith(" ") for line in done.stdout.splitlines())
    assert all(c.isprintable() or c == "\n" for c in done.stdout)
