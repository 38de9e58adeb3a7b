from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

import tamis
from reading_docs import ROOT, blocks, pages
from tamis.api.demo import build_demo
from tamis.cli.app import app
from tamis.model import Severity
from tamis.selection import encode_config, parse_config

if TYPE_CHECKING:
    from pathlib import Path

_COMMANDS = typer.main.get_command(app)


def _pages_with(language: str) -> list[Path]:
    return [page for page in pages() if blocks(page, language)]


@pytest.fixture
def demo_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder that holds a small `demo`."""
    monkeypatch.chdir(tmp_path)
    build_demo(tmp_path / "demo", n_images=30, seed=0)
    return tmp_path


@pytest.mark.usefixtures("demo_folder")
@pytest.mark.parametrize("page", _pages_with("python"), ids=str)
def test_python_snippets_run(page: Path) -> None:
    """The Python of a page runs from top to bottom in a folder that holds a demo."""
    names: dict[str, object] = {}
    for block in blocks(page, "python"):
        code = compile(block.text, str(page), "exec")
        exec(code, names)  # noqa: S102 (the project's own pages)


@pytest.mark.parametrize("page", _pages_with("yaml"), ids=str)
def test_configs_parse_and_survive_writing(page: Path) -> None:
    """Every config on a page is valid, and means the same after it was written and read again."""
    for block in blocks(page, "yaml"):
        config = parse_config(block.text, source=str(page))
        assert parse_config(encode_config(config), source="written") == config


@pytest.mark.parametrize("page", _pages_with("console"), ids=str)
def test_commands_that_are_shown_parse(page: Path) -> None:
    """Every `tamis ...` line of a session is a call that the command line understands."""
    for block in blocks(page, "console"):
        for line in block.text.replace("\\\n", " ").splitlines():
            if line.startswith("$ tamis "):
                name, *arguments = shlex.split(line.partition(" > ")[0])[2:]
                assert name in _COMMANDS.commands, line  # type: ignore[attr-defined]
                command = _COMMANDS.commands[name]  # type: ignore[attr-defined]
                command.make_context(name, arguments)


@pytest.mark.parametrize("page", ["docs/embeddings.md", "docs/objects.md"])
def test_commands_of_a_page_run_as_written(demo_folder: Path, page: str) -> None:
    """One after the other on a fresh demo, none fails; `check` says that some of its files are broken."""
    for block in blocks(page, "console"):
        for line in block.text.splitlines():
            words = shlex.split(line.removeprefix("$ tamis "))
            result = CliRunner().invoke(app, words)
            assert result.exit_code == (1 if words[0] == "check" else 0), (line, result.output, result.exception)
    for number, block in enumerate(blocks(page, "yaml")):
        (demo_folder / f"{number}.yaml").write_text(block.text, "utf-8")
        result = CliRunner().invoke(app, ["select", "demo", "--config", f"{number}.yaml", "--out", f"by-{number}"])
        assert result.exit_code == 0, (block.text, result.output, result.exception)
        assert (demo_folder / f"by-{number}/selected.txt").read_text("utf-8")


def test_files_of_the_format_page_are_a_valid_datasource(tmp_path: Path) -> None:
    """The JSON files that the format's page shows pass `check` together without an error or a warning."""
    for block in blocks("docs/format.md", "json"):
        path = tmp_path / block.above.strip("`:")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, "utf-8")
    (tmp_path / "street").mkdir()
    Image.new("RGB", (640, 480)).save(tmp_path / "street/1.jpg")
    report = tamis.open(tmp_path).check()
    assert [group for group in report.problems if group.severity is not Severity.INFO] == []
    listed = json.loads((tmp_path / ".lightly/predictions/tasks.json").read_text())
    assert {name: task.predictions for name, task in report.tasks.items()} == dict.fromkeys(listed, 1)
    assert {task.task_type for task in report.tasks.values()} == set(tamis.TaskType)


def _shape(output: str) -> str:
    """The words of an output: line breaks, rules, numbers and names of samples are left out."""
    text = re.sub(r"[─\s]+", " ", output)
    text = re.sub(r"\.lightly/predictions/.*?\.json", "FILE", text)
    text = re.sub(r"(harbour|north gate|Café Übersee|駅前)/[^/]*?\.jpg", "KEY", text)
    return re.sub(r"\d+(\.\d+)?", "0", text).strip()


def _sessions(page: str) -> list[tuple[str, str]]:
    """The commands of a page's sessions that are shown with their output."""
    found = []
    for block in blocks(page, "console"):
        first, _, output = block.text.partition("\n")
        if output and not output.startswith("$"):
            found.append((first.removeprefix("$ "), output))
    return found


@pytest.mark.parametrize(("command", "output"), _sessions("README.md"), ids=lambda text: text[:12])
def test_sessions_of_the_readme_are_real(demo_folder: Path, command: str, output: str) -> None:
    """What the README shows is what the commands print, but for numbers and names; `...` stands for more."""
    called = [sys.executable, "-m", *shlex.split(command)]
    environment = {**os.environ, "COLUMNS": "100"}
    result = subprocess.run(
        called, check=False, capture_output=True, encoding="utf-8", cwd=demo_folder, env=environment
    )
    printed = _shape(result.stdout)
    for part in output.split("\n...\n"):
        assert _shape(part) in printed


def test_the_two_commands_of_the_readme_are_targets_of_make() -> None:
    """What the README says to type is what the Makefile has."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    shown = [line for block in blocks("README.md", "console") for line in block.text.splitlines()]
    targets = [line.removeprefix("$ make ") for line in shown if line.startswith("$ make ")]
    assert targets == ["demo", "test"]
    assert all(f"\n{target}:" in makefile for target in targets)
