"""The command line as a user meets it: what it prints, where, and what it exits with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tamis.api.demo import build_demo

if TYPE_CHECKING:
    from pathlib import Path

SCORE = "street-objects:uncertainty_entropy"


def run(*arguments: str | Path, columns: int = 80, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tamis", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "COLUMNS": str(columns)},
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "data"
    build_demo(folder, n_images=40, seed=3)
    assert run("scan", folder, "--quiet").returncode == 1
    return folder


def test_data_is_on_stdout_and_nothing_else(demo: Path) -> None:
    """With `--format json` stdout is one JSON document; notes and progress never mix with it."""
    for command in (["check"], ["scan"], ["show"], ["doctor"]):
        result = run(*command, demo, "--format", "json")
        assert isinstance(json.loads(result.stdout), dict)
        assert "Traceback" not in result.stderr


def test_the_json_of_check_is_the_contract(demo: Path) -> None:
    """`check --format json` has the documented keys, and its counts are those of the groups."""
    report = json.loads(run("check", demo, "--format", "json").stdout)
    assert set(report) == {"samples", "tasks", "problems", "errors", "warnings"}
    assert report["samples"] == 40
    for task in report["tasks"].values():
        assert set(task) == {"task_type", "files", "valid_files", "predictions", "samples_without_file"}
    for group in report["problems"]:
        assert set(group) == {"code", "severity", "task", "count", "message", "hint", "examples"}
        for example in group["examples"]:
            assert set(example) == {"file", "path", "line", "column", "message"}
    for severity, total in (("error", report["errors"]), ("warning", report["warnings"])):
        assert sum(g["count"] for g in report["problems"] if g["severity"] == severity) == total


def test_every_single_problem_is_a_line_of_json(demo: Path) -> None:
    """`check --all` writes as many lines as the summary counts errors, warnings and infos."""
    counted = sum(g["count"] for g in json.loads(run("check", demo, "--format", "json").stdout)["problems"])
    lines = [json.loads(line) for line in run("check", demo, "--all").stdout.splitlines()]
    assert sum(line.get("count", 1) for line in lines) == counted
    assert all({"severity", "code", "message"} <= line.keys() for line in lines)


def test_errors_in_the_data_exit_with_1(demo: Path) -> None:
    """A check that finds errors is done, and exits with 1; a clean datasource exits with 0."""
    assert run("check", demo).returncode == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["check", "{missing}"], 3, "does not exist"),
        (["check", "{file}"], 3, "is a file, expected a folder"),
        (["check", "ftp://bucket/x"], 2, "`ftp://` is not supported"),
        (["check", "{demo}", "--wrong"], 2, "No such option"),
        (["check"], 2, "Missing argument"),
        (["select", "{demo}", "--n", "5"], 2, "There is nothing to select by"),
        (["select", "{demo}", "--diverse"], 2, "How many samples to pick is not said"),
        (["select", "{demo}", "--n", "0", "--diverse"], 2, "Invalid value"),
        (["select", "{demo}", "--n", "5", "--score", "street-objects"], 2, "names no score"),
        (["select", "{demo}", "--n", "5", "--score", "cars:uncertainty_entropy"], 2, "There is no task `cars`"),
        (["select", "{demo}", "--n", "5", "--score", "weather:object_frequency"], 2, "cannot have it"),
        (["select", "{demo}", "--n", "5", "--diverse", "--pool", "a/b"], 2, "cannot be the name of a pool"),
        (["select", "{demo}", "--n", "5", "--diverse", "--add-to-pool"], 2, "give `--pool NAME`"),
        (["select", "{demo}", "--config", "{missing}"], 3, "cannot be read"),
        (["select", "{demo}", "--n", "5", "--diverse", "--embeddings", "{file}"], 2, "no embeddings file"),
        (["show", "{demo}", "nothing.jpg"], 2, "There is no sample `nothing.jpg`"),
        (["show", "{demo}", "--sort", "weather:nothing"], 2, "has no score `nothing`"),
        (["report", "{demo}", "--selected", "{missing}"], 3, "cannot be read"),
        (["doctor", "{missing}"], 3, "does not exist"),
        (["demo", "{full}"], 2, ""),
    ],
)
def test_wrong_calls_say_what_is_wrong(
    demo: Path, tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    """A wrong call gives one message, no traceback, and 2 (usage) or 3 (could not)."""
    file = tmp_path / "file.jpg"
    file.write_bytes(b"x")
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("do not touch")
    places = {"missing": tmp_path / "missing", "file": file, "demo": demo, "full": full}
    result = run(*(argument.format(**places) for argument in arguments))
    everything = " ".join((result.stdout + result.stderr).replace("│", " ").split())
    assert result.returncode == code, everything
    assert said in everything
    assert "Traceback" not in everything
    assert (full / "mine.txt").read_text() == "do not touch"


def test_a_selection_writes_its_files(demo: Path, tmp_path: Path) -> None:
    """`select` writes names, picks with reasons and a report that agree with each other."""
    out = tmp_path / "out"
    result = run("select", demo, "--n", "7", "--score", SCORE, "--diverse", "--out", out)
    assert result.returncode == 0, result.stderr
    names = (out / "selected.txt").read_text("utf-8").splitlines()
    document = json.loads((out / "selection.json").read_text("utf-8"))
    assert len(names) == 7 == len(set(names))
    assert [pick["key"] for pick in document["picks"]] == names
    assert [pick["pick"] for pick in document["picks"]] == list(range(1, 8))
    assert all(pick["why"] and len(pick["reasons"]) == 2 for pick in document["picks"])
    html = (out / "report.html").read_text("utf-8")
    assert html.count("data:image/jpeg;base64,") >= 7
    assert "http://" not in html.replace("http://www.w3.org", "")
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert report["summary"]["n_picked"] == 7
    again = tmp_path / "again"
    assert run("select", demo, "--config", out / "config.yaml", "--out", again).returncode == 0
    assert (again / "selected.txt").read_text("utf-8").splitlines() == names


def test_rounds_with_a_pool_never_pick_twice(demo: Path, tmp_path: Path) -> None:
    """Picks that joined the pool are never picked again, and asking for more than is left takes all, said."""
    seen: list[str] = []
    for n in (9, 9, 100):
        out = tmp_path / str(len(seen))
        result = run("select", demo, "--n", str(n), "--diverse", "--pool", "rounds", "--add-to-pool", "--out", out)
        assert result.returncode == 0, result.stderr
        seen += (out / "selected.txt").read_text("utf-8").splitlines()
    assert len(seen) == len(set(seen)) == 40
    assert "all candidates are taken" in result.stdout


def test_labelled_samples_by_standard_input(demo: Path, tmp_path: Path) -> None:
    """Keys on standard input are never picked, unknown ones are noted, and all join the pool in their order."""
    keys = [row["key"] for row in json.loads(run("show", demo, "--samples", "--format", "json").stdout)]
    arguments = ["--n", "40", "--score", SCORE, "--labelled", "-", "--pool", "piped", "--add-to-pool"]
    lines = "".join(f"{key}\n" for key in [*keys[:3], "nowhere.jpg"])
    result = run("select", demo, *arguments, "--out", tmp_path, "--format", "json", stdin=lines)
    document = json.loads(result.stdout)
    picked = [pick["key"] for pick in document["picks"]]
    assert not set(picked) & set(keys[:3])
    assert (document["n_labelled"], document["labelled_unknown"]) == (3, ["nowhere.jpg"])
    assert result.stderr == "warning: 1 labelled name not among the samples: `nowhere.jpg`\n"
    pool = json.loads((demo / ".lightly/tamis/pools/piped/000001.json").read_bytes())
    assert pool == [*keys[:3], *picked]


def test_what_the_summary_of_a_selection_says(demo: Path, tmp_path: Path) -> None:
    """It says when the index was made, and names embeddings only where they decided."""
    result = run("select", demo, "--n", "2", "--score", SCORE, "--out", tmp_path)
    assert "embeddings" not in result.stdout
    assert "  index: scanned 20" in result.stdout
    assert result.stderr == ""
    assert "  embeddings: made from" in run("select", demo, "--n", "2", "--diverse", "--out", tmp_path).stdout


def test_a_stale_index_is_noted(demo: Path, tmp_path: Path) -> None:
    """Where predictions changed after the scan, `select` says so on standard error, and selects."""
    os.utime(demo / ".lightly/predictions/tasks.json", (2**32, 2**32))
    result = run("select", demo, "--n", "2", "--score", SCORE, "--out", tmp_path)
    os.utime(demo / ".lightly/predictions/tasks.json", (0, 0))
    assert result.returncode == 0
    assert "`.lightly/predictions/tasks.json` changed after the last scan" in result.stderr


def test_reports_of_foreign_lists(demo: Path, tmp_path: Path) -> None:
    """`report` takes any list of sample keys, and names those that are no samples."""
    keys = [row["key"] for row in json.loads(run("show", demo, "--samples", "--format", "json").stdout)]
    mine = tmp_path / "mine.txt"
    mine.write_text("\n".join(keys[:3]) + "\n", "utf-8")
    assert run("report", demo, "--selected", mine, "--out", tmp_path / "r").returncode == 0
    assert json.loads((tmp_path / "r" / "report.json").read_text("utf-8"))["summary"]["n_picked"] == 3
    mine.write_text("\n".join([*keys[:3], "nowhere.jpg"]), "utf-8")
    result = run("report", demo, "--selected", mine, "--out", tmp_path / "r2")
    assert result.returncode == 2
    assert "`nowhere.jpg`" in result.stderr


def test_texts_fit_80_columns(demo: Path) -> None:
    """Nothing that is printed for people is wider than the terminal."""
    commands: list[list[str | Path]] = [
        ["check", demo],
        ["show", demo],
        ["doctor", demo],
        ["show", demo, "--sort", SCORE],
    ]
    for command in commands:
        lines = run(*command).stdout.splitlines()
        assert lines
        assert max(map(len, lines)) <= 80
