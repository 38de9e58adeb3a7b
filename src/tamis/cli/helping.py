"""How `--help` looks."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup, TyperOption


class Commands(TyperGroup):
    """The commands; their flags are shown without the `<bool>` that typer puts behind them: they take no value."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 (of the copy of click inside typer)
        """Return a command by its name, `None` where there is none."""
        command = super().get_command(ctx, cmd_name)
        for param in [] if command is None else [*command.params, command.get_help_option(ctx)]:
            _without_type(param)
        return command

    def get_params(self, ctx: Any) -> Any:  # noqa: ANN401
        """Return the options of the program itself."""
        return [_without_type(param) for param in super().get_params(ctx)]


def _without_type(param: Any) -> Any:  # noqa: ANN401
    if isinstance(param, TyperOption) and param.is_flag and param.metavar is None:
        param.metavar = ""
    return param
