"""Write the generated parts of the pages beside this file, or check that they are up to date.

```
python docs/generate.py           rewrite
python docs/generate.py --check   exit with 1 and name the pages that are out of date
```

A generated part stands between `<!-- generated: NAME -->` and `<!-- end: NAME -->`; the rest of a page is written
by hand.
"""  # noqa: INP001 (a script, not a package)

from __future__ import annotations

import argparse
import inspect
import re
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import msgspec
from typer.models import ArgumentInfo, OptionInfo

from tamis.api.browsing.conditions import Condition
from tamis.cli.app import app, tamis_command
from tamis.model import TaskType
from tamis.model.problem_codes import JSON_CODES, PREDICTION_CODES, ProblemCode
from tamis.model.problem_codes_dataset import FINDING_CODES, NAME_CODES, TASK_CODES
from tamis.model.problem_codes_metadata import METADATA_CODES, RELEVANT_CODES
from tamis.scoring import SCORE_NAMES
from tamis.selection.config_faults import TABLE
from tamis.web.app import ENDPOINTS
from tamis.web.openapi import attributes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

DOCS = Path(__file__).parent

_GROUPS = {
    "Text and JSON": JSON_CODES,
    "Predictions": PREDICTION_CODES,
    "Names, images and videos": NAME_CODES,
    "Tasks and schemas": TASK_CODES,
    "Metadata": METADATA_CODES,
    "Relevant filenames": RELEVANT_CODES,
    "The dataset as a whole": FINDING_CODES,
}


def problems() -> str:
    """Return an overview of all codes, then each with its example and what to do."""
    parts = []
    for title, codes in _GROUPS.items():
        rows = [
            (f"[`{code.code}`](#{code.code})", code.severity, code.drops, _cell(code.summary)) for code in codes
        ]
        parts += [f"## {title}", _table(("code", "severity", "drops", "what is wrong"), rows)]
    parts.append("## Each code")
    parts += [_problem(code) for codes in _GROUPS.values() for code in codes]
    return "\n\n".join(parts)


def _problem(code: ProblemCode) -> str:
    # The example may hold any character: a fenced block shows them all as they are.
    return (
        f"### {code.code}\n\n{code.severity.capitalize()}; drops {_dropped(code)}. {code.summary}.\n\n"
        f"```text\n{code.example}\n```\n\n{code.hint}."
    )


def _dropped(code: ProblemCode) -> str:
    return "nothing" if code.drops == "nothing" else f"the {code.drops}"


def scores() -> str:
    """Return which score exists for which task type."""
    names = list(dict.fromkeys(name for names in SCORE_NAMES.values() for name in names))
    rows = [
        (f"[`{name}`](#{name})", *("yes" if name in SCORE_NAMES[kind] else "" for kind in TaskType))
        for name in names
    ]
    return _table(("score", *TaskType), rows)


def strategies() -> str:
    """Return which strategy serves which input."""
    names = list(dict.fromkeys(name for served in TABLE.values() for name in served))
    rows = [(f"`{given}`", *("yes" if name in served else "" for name in names)) for given, served in TABLE.items()]
    return _table(("input", *(f"[{name}](#{name.lower()})" for name in names)), rows)


def commands() -> str:
    """Return each command with its arguments and options, from the annotations that `--help` shows."""
    parts = [_reflowed(tamis_command.__doc__), _options(tamis_command)]
    for command in app.registered_commands:
        function = command.callback
        if function is None:
            continue
        name = command.name or function.__name__
        parts += [f"## tamis {name}", _usage(name, function), _reflowed(function.__doc__), _options(function)]
    return "\n\n".join(parts)


def routes() -> str:
    """Return each route with what it takes and answers."""
    parts = []
    for endpoint in ENDPOINTS:
        answer = endpoint.answer if isinstance(endpoint.answer, str) else _type_name(endpoint.answer)
        parts.append(f"### {endpoint.method} {endpoint.path}\n\n{endpoint.about} Answers `{answer}`.")
        about = attributes_of(endpoint.request)
        rows = [
            (f"`{field.name}`", "yes" if field.required else "", _cell(about.get(field.name, "")))
            for field in msgspec.structs.fields(endpoint.request)
        ]
        if rows:
            parts.append(_table(("query" if endpoint.method == "GET" else "body", "required", "meaning"), rows))
    return "\n\n".join(parts)


def conditions() -> str:
    """Return each kind of condition of a filter with its keys."""
    parts = []
    for kind in get_args(Condition):
        about = attributes_of(kind)
        summary = (kind.__doc__ or "").strip().split("\n")[0]
        parts.append(f"### {kind.__struct_config__.tag}\n\n{summary}")
        rows = [(f"`{field.name}`", _cell(about.get(field.name, ""))) for field in msgspec.structs.fields(kind)]
        parts.append(_table(("key", "meaning"), rows))
    return "\n\n".join(parts)


def _type_name(kind: Any) -> str:  # noqa: ANN401 (a type or a list of one)
    inner = get_args(kind)
    return f"[{inner[0].__name__}]" if inner else kind.__name__


def _usage(name: str, function: Callable[..., Any]) -> str:
    words = ["tamis", name, "[OPTIONS]"]
    for _, info, default in _parameters(function):
        if isinstance(info, ArgumentInfo):
            metavar = str(info.metavar).strip("[]")
            words.append(metavar if default is inspect.Parameter.empty else f"[{metavar}]")
    return f"```text\n{' '.join(words)}\n```"


def _options(function: Callable[..., Any]) -> str:
    rows = []
    for name, info, default in _parameters(function):
        spelled = _cell(_spelled(function, name, info))
        text, _, said = str(info.help or "").partition("  [default: ")
        rows.append((spelled, _cell(text), _default(default, said.removesuffix("]"))))
    return _table(("option", "what it does", "default"), rows)


def _parameters(function: Callable[..., Any]) -> Iterator[tuple[str, ArgumentInfo | OptionInfo, object]]:
    for name, parameter in inspect.signature(function).parameters.items():
        info = next(arg for arg in get_args(_hint(function, name)) if isinstance(arg, ArgumentInfo | OptionInfo))
        yield name, info, parameter.default


def _hint(function: Callable[..., Any], name: str) -> Any:  # noqa: ANN401 (an annotation)
    return get_type_hints(function, include_extras=True)[name]


def _spelled(function: Callable[..., Any], name: str, info: ArgumentInfo | OptionInfo) -> str:
    if isinstance(info, ArgumentInfo):
        return f"`{str(info.metavar).strip('[]')}`"
    # Within `Annotated`, typer keeps the first spelling where the default would be.
    first = (info.default,) if isinstance(info.default, str) else ()
    names = [*first, *(info.param_decls or ())] or [f"--{name.replace('_', '-')}"]
    return ", ".join(f"`{spelling}`" for spelling in [f"{names[0]}{_value(function, name, info)}", *names[1:]])


def _value(function: Callable[..., Any], name: str, info: OptionInfo) -> str:
    """Return what follows the name of an option, with a blank before it; nothing for a flag."""
    if info.metavar:
        return f" {info.metavar}"
    annotated = get_args(_hint(function, name))[0]
    kind = next((arg for arg in get_args(annotated) if arg is not type(None)), annotated)
    if issubclass(kind, Enum):
        return f" {'|'.join(str(member.value) for member in kind)}"
    return " N" if kind is int else ""


def _default(default: object, said: str) -> str:
    if said:
        return _cell(said)
    if isinstance(default, bool) or default is None or default is inspect.Parameter.empty:
        return ""
    return f"`{default.value if isinstance(default, Enum) else default}`"


def _reflowed(doc: str | None) -> str:
    """Return a docstring as Markdown paragraphs and list items of one line each."""
    paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(doc or ""))
    lines = ([" ".join(line.split()) for line in re.split(r"\n(?=- )", paragraph)] for paragraph in paragraphs)
    return "\n\n".join(map("\n".join, lines))


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


_PARTS = {
    "problems.md": {"problems": problems},
    "scores.md": {"scores": scores},
    "strategies.md": {"strategies": strategies},
    "cli.md": {"commands": commands},
    "api.md": {"routes": routes, "conditions": conditions},
}


def render(page: str, text: str) -> str:
    """Return the text of a page with its generated parts made anew.

    Raises:
        ValueError: when a part has no place on the page.
    """
    for name, make in _PARTS[page].items():
        begin, end = f"<!-- generated: {name} -->\n", f"<!-- end: {name} -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"{page}: expected `{begin.strip()}` and `{end}`")
        text = f"{before}{begin}\n{make()}\n\n{end}{after}"
    return text


def main() -> int:
    """Rewrite or check all pages; return the exit code."""
    parser = argparse.ArgumentParser(description="Write the generated parts of the documentation.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail where a page is out of date")
    check = parser.parse_args().check
    stale = []
    for page in _PARTS:
        path = DOCS / page
        text = path.read_text("utf-8")
        wanted = render(page, text)
        if text != wanted:
            stale.append(page)
            if not check:
                path.write_text(wanted, "utf-8")
    for page in stale:
        sys.stderr.write(f"docs/{page}: {'out of date: run `make docs`' if check else 'written'}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
