"""What `--help` says."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from tamis.cli.app import app

COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def help_of(*command: str) -> str:
    result = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
    assert result.exit_code == 0
    return result.output


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_fits_and_has_an_example(command: str) -> None:
    """In 80 columns nothing is cut, flags look like flags, and there is something to paste."""
    said = help_of(command)
    assert max(map(len, said.splitlines())) <= 80
    assert "Example" in said
    assert "…" not in said
    assert "<bool>" not in said


def test_the_help_of_the_program_says_where_to_begin_and_what_exit_codes_mean() -> None:
    """A new user sees first steps, every command and the exit codes."""
    said = help_of()
    for first in ("tamis demo", "tamis doctor SRC", "tamis check SRC", "tamis select SRC"):
        assert first in said
    assert "Exit codes: 0 done; 1 done, but errors were found in the data; 2 wrong usage" in said
    assert all(f"│ {command} " in said for command in COMMANDS)
    assert "<bool>" not in said


def test_a_command_that_is_not_there_is_refused() -> None:
    """A wrong name is a usage error with the likely one."""
    result = CliRunner().invoke(app, ["chek"])
    assert result.exit_code == 2
    assert "check" in result.output
