"""The commands. Each parses, calls one use case and renders.

What a command needs is imported when it runs, so that `tamis --help` answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tamis.cli.terminal import OutputFormat, print_note, progress_bar, stdout, write_json

if TYPE_CHECKING:
    from tamis.api.sources import Sources

app = typer.Typer(
    name="tamis",
    help="Decide from a model's predictions what to label next.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

Source = Annotated[str, typer.Argument(metavar="SRC", help="Folder of the images and videos.")]
Lightly = Annotated[
    str | None, typer.Option(metavar="FOLDER", help="Folder that holds `.lightly`.  [default: SRC]")
]
IndexOption = Annotated[
    Path | None, typer.Option("--index", metavar="FOLDER", help="Folder of the index.  [default: .lightly/tamis]")
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Processes that read.  [default: one a processor]", show_default=False)
]
Format = Annotated[OutputFormat, typer.Option("--format", help="Tables for people, or JSON for programs.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress and no notes.")]
Strict = Annotated[bool, typer.Option("--strict", help="Also look for duplicate keys in the JSON files.")]
Full = Annotated[bool, typer.Option("--full", help="Read every file again, not only what changed.")]
Relevant = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="File inside `.lightly` that lists the samples to consider, one path or pattern a line.",
    ),
]


def _version(value: bool) -> None:  # noqa: FBT001 (typer's callback)
    if value:
        import tamis

        typer.echo(f"tamis {tamis.__version__}")
        raise typer.Exit


@app.callback()
def tamis_command(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Decide from a model's predictions what to label next.

    Predictions lie as JSON in `.lightly/predictions` beside images and videos. Start with `tamis demo`, or with
    `tamis check SRC`, then `tamis scan SRC`, then `tamis select SRC --n 50 --score TASK:uncertainty_entropy --diverse`.

    Exit codes: 0 done; 1 done, but errors were found in the data; 2 wrong usage; 3 could not.
    """


@app.command()
def check(
    src: Source,
    lightly: Lightly = None,
    index: IndexOption = None,
    workers: Workers = None,
    strict: Strict = False,
    full: Full = False,
    relevant: Relevant = None,
    every: Annotated[
        bool, typer.Option("--all", help="Write every single problem as a line of JSON, not the summary.")
    ] = False,
    output: Format = OutputFormat.TEXT,
    quiet: Quiet = False,
) -> None:
    """Check every prediction against its schema, and the dataset as a whole.

    Says for each problem the file, the place in it, what was expected and what to do. Writes nothing.

    Examples: `tamis check data/`, `tamis check data/ --format json`, `tamis check data/ --all > problems.jsonl`
    """
    import msgspec

    from tamis.api.check import report_problems, stream_problems
    from tamis.api.options import ScanOptions
    from tamis.api.scanning.scan import dry_scan
    from tamis.cli.render import print_check

    sources = _open(src, lightly, index, quiet=True)
    options = ScanOptions(workers=workers, strict=strict, full=full, relevant_filenames=relevant)
    with progress_bar(quiet=quiet) as listen, dry_scan(sources, options, listen=listen) as result:
        report = report_problems(sources, result.snapshot)
        if every:
            for problem in stream_problems(sources, result.snapshot):
                write_json(
                    msgspec.json.encode({"severity": problem.severity, **msgspec.structs.asdict(problem)})
                )
    if output is OutputFormat.JSON and not every:
        write_json(msgspec.json.format(msgspec.json.encode(report)))
    elif not every:
        print_check(stdout(), report)
    raise typer.Exit(1 if report.errors else 0)


@app.command()
def scan(
    src: Source,
    lightly: Lightly = None,
    index: IndexOption = None,
    workers: Workers = None,
    strict: Strict = False,
    full: Full = False,
    relevant: Relevant = None,
    output: Format = OutputFormat.TEXT,
    quiet: Quiet = False,
) -> None:
    """Read, check and score what changed, and bring the index up to date.

    The index is a folder of Parquet files that can be deleted and rebuilt at any time. Killed at any moment, the
    last index stands.

    Examples: `tamis scan data/`, `tamis scan images/ --lightly predictions/ --workers 4`
    """
    import msgspec

    from tamis.api.check import report_problems
    from tamis.api.options import ScanOptions
    from tamis.api.scanning.scan import scan as run
    from tamis.cli.render import print_scan

    sources = _open(src, lightly, index, quiet=quiet)
    options = ScanOptions(workers=workers, strict=strict, full=full, relevant_filenames=relevant)
    with progress_bar(quiet=quiet) as listen:
        result = run(sources, options, listen=listen)
    report = report_problems(sources, result.snapshot)
    if output is OutputFormat.JSON:
        write_json(msgspec.json.format(msgspec.json.encode(report)))
    else:
        print_scan(stdout(), result, report)
    raise typer.Exit(1 if report.errors else 0)


def _open(src: str, lightly: str | None, index: Path | None, *, quiet: bool) -> Sources:
    from tamis.api.sources import open_sources

    sources = open_sources(src, lightly=lightly, index=index)
    if sources.index_note is not None:
        print_note(f"note: {sources.index_note}", quiet=quiet)
    return sources
