"""The commands. Each parses, calls one use case and renders.

What a command needs is imported when it runs, so that `tamis --help` answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tamis.cli.comparing import diff_command, evaluate_command
from tamis.cli.converting import export_command, import_command
from tamis.cli.frames import frames_command
from tamis.cli.helping import Commands
from tamis.cli.objects import crops_command, embed_command, similar_command, tag_command
from tamis.cli.options import (
    EngineOption,
    Format,
    IndexOption,
    Lightly,
    Quiet,
    RayAddress,
    Source,
    Workers,
    note_index,
    open_sources_for,
    snapshot_of,
)
from tamis.cli.selecting import report_command, select_command
from tamis.cli.serving import serve_command
from tamis.cli.terminal import OutputFormat, progress_bar, stdout, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    import msgspec

app = typer.Typer(
    name="tamis",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

Strict = Annotated[bool, typer.Option("--strict", help="Also look for duplicate keys in the JSON files.")]
Full = Annotated[bool, typer.Option("--full", help="Read every file again, not only what changed.")]
RelevantFilenames = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="File inside `.lightly` that lists the samples to consider, one path or pattern a line.",
    ),
]


def _version(value: bool) -> None:
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

    Predictions lie as JSON in `.lightly/predictions` beside images and videos. SRC is the folder of the images.

    - `tamis demo` builds an example to try everything on
    - `tamis doctor SRC` says what is there and what to do next
    - `tamis check SRC` finds what is wrong with the predictions
    - `tamis select SRC --n 50 --diverse` picks what to label

    Exit codes: 0 done; 1 done, but errors were found in the data; 2 wrong usage; 3 could not.
    """


@app.command()
def check(
    src: Source,
    lightly: Lightly = None,
    index: IndexOption = None,
    workers: Workers = None,
    engine: EngineOption = "local",
    ray_address: RayAddress = None,
    strict: Strict = False,
    full: Full = False,
    relevant_filenames: RelevantFilenames = None,
    duplicates: Annotated[
        bool,
        typer.Option(
            "--duplicates", help="Also look for images that repeat others; what that needs is kept with the index."
        ),
    ] = False,
    limit: Annotated[
        float | None,
        typer.Option(metavar="D", help="Up to which distance pictures count as near-duplicates.  [default: 0.4]"),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Write every single problem as a line of JSON, not the summary.")
    ] = False,
    output: Format = OutputFormat.TEXT,
    quiet: Quiet = False,
) -> None:
    """Check every prediction against its schema, and the dataset as a whole.

    Says for each problem the file, the place in it, what was expected and what to do. Writes nothing.

    Examples:
    - `tamis check data/`
    - `tamis check data/ --all > problems.jsonl`
    - `tamis check data/ --duplicates`
    """
    import msgspec

    from tamis.api.check import report_problems, stream_problems
    from tamis.api.embedding.duplicates import duplicate_report, duplicates_in
    from tamis.api.options import ScanOptions
    from tamis.api.scanning.scan import dry_scan
    from tamis.cli.render import print_check
    from tamis.cli.render_objects import print_duplicates

    sources = open_sources_for(src, lightly, index, quiet=True)
    options = ScanOptions(
        workers=workers,
        engine=engine,
        ray_address=ray_address,
        strict=strict,
        full=full,
        relevant_filenames=relevant_filenames,
    )
    with progress_bar(quiet=quiet) as listen, dry_scan(sources, options, listen=listen) as result:
        report = report_problems(sources, result.snapshot)
        repeated = None
        if duplicates or limit is not None:
            repeated = duplicate_report(duplicates_in(sources, result.snapshot, limit=limit, listen=listen))
        if every:
            for problem in stream_problems(sources, result.snapshot):
                write_json(msgspec.json.encode({"severity": problem.severity, **msgspec.structs.asdict(problem)}))
            if repeated is not None:
                _write_lines("duplicate", repeated.duplicates)
                _write_lines("not_compared", repeated.not_compared)
    if output is OutputFormat.JSON and not every:
        found = msgspec.structs.asdict(report) | ({} if repeated is None else {"duplicates": repeated})
        write_json(msgspec.json.format(msgspec.json.encode(found)))
    elif not every:
        print_check(stdout(), report)
        if repeated is not None:
            print_duplicates(stdout(), repeated)
    raise typer.Exit(1 if report.errors else 0)


def _write_lines(code: str, found: Sequence[msgspec.Struct]) -> None:
    import msgspec

    for one in found:
        write_json(msgspec.json.encode({"severity": "info", "code": code, **msgspec.structs.asdict(one)}))


@app.command()
def scan(
    src: Source,
    lightly: Lightly = None,
    index: IndexOption = None,
    workers: Workers = None,
    engine: EngineOption = "local",
    ray_address: RayAddress = None,
    strict: Strict = False,
    full: Full = False,
    relevant_filenames: RelevantFilenames = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on, and read what arrives or changes, until Ctrl-C.")
    ] = False,
    interval: Annotated[
        float, typer.Option(metavar="SECS", min=0.1, help="With `--watch`: seconds between two looks.")
    ] = 10.0,
    output: Format = OutputFormat.TEXT,
    quiet: Quiet = False,
) -> None:
    """Read, check and score what changed, and bring the index up to date.

    The index is a folder of Parquet files that can be deleted and rebuilt at any time. Killed at any moment, the
    last index stands.

    Examples:
    - `tamis scan data/`
    - `tamis scan images/ --lightly results/`, where predictions are in `results/.lightly/predictions`
    - `tamis scan data/ --watch --interval 60`, beside a model that writes predictions
    """
    import msgspec

    from tamis.api.check import report_problems
    from tamis.api.options import ScanOptions
    from tamis.api.scanning.scan import scan as run
    from tamis.cli.render import print_scan

    sources = open_sources_for(src, lightly, index, quiet=quiet)
    options = ScanOptions(
        workers=workers,
        engine=engine,
        ray_address=ray_address,
        strict=strict,
        full=full,
        relevant_filenames=relevant_filenames,
    )
    if watch:
        from tamis.cli.watching import watch_and_tell

        code = watch_and_tell(sources, options, interval_secs=interval, output=output, quiet=quiet)
        raise typer.Exit(code)
    with progress_bar(quiet=quiet) as listen:
        result = run(sources, options, listen=listen)
    note_index(sources, quiet=quiet)
    report = report_problems(sources, result.snapshot)
    if output is OutputFormat.JSON:
        write_json(msgspec.json.format(msgspec.json.encode(report)))
    else:
        print_scan(stdout(), result, report)
    raise typer.Exit(1 if report.errors else 0)


@app.command()
def show(
    src: Source,
    sample: Annotated[str | None, typer.Argument(metavar="SAMPLE", help="Key of a sample to show whole.")] = None,
    samples: Annotated[bool, typer.Option("--samples", help="List samples instead of tasks and classes.")] = False,
    sort: Annotated[
        str | None, typer.Option(metavar="TASK:SCORE", help="List the samples with the highest score first.")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="How many samples to list.")] = 20,
    lightly: Lightly = None,
    index: IndexOption = None,
    output: Format = OutputFormat.TEXT,
    quiet: Quiet = False,
) -> None:
    """Show what is in the index: tasks and classes, a list of samples, or one sample.

    Examples:
    - `tamis show data/`
    - `tamis show data/ --sort cars:uncertainty_entropy`
    - `tamis show data/ a/1.jpg`
    """
    import msgspec

    from tamis.api.show import show_overview, show_sample, show_samples
    from tamis.cli.render_show import print_overview, print_sample, print_samples

    snapshot = snapshot_of(open_sources_for(src, lightly, index, quiet=quiet), quiet=quiet)
    value: object
    if sample is not None:
        value = view = show_sample(snapshot, sample)
        if output is OutputFormat.TEXT:
            print_sample(stdout(), view)
    elif samples or sort is not None:
        value = rows = show_samples(snapshot, sort=sort, limit=limit)
        if output is OutputFormat.TEXT:
            print_samples(stdout(), rows, sort)
    else:
        value = overview = show_overview(snapshot)
        if output is OutputFormat.TEXT:
            print_overview(stdout(), overview)
    if output is OutputFormat.JSON:
        write_json(msgspec.json.format(msgspec.json.encode(value)))


app.command("select")(select_command)
app.command("report")(report_command)


@app.command()
def doctor(
    src: Source,
    lightly: Lightly = None,
    index: IndexOption = None,
    output: Format = OutputFormat.TEXT,
) -> None:
    """Look whether everything is there that the work needs, and say what to do next.

    Example: `tamis doctor data/`
    """
    import msgspec

    from tamis.api.doctor import Verdict, diagnose
    from tamis.cli.render_show import print_diagnosis

    diagnosis = diagnose(src, lightly=lightly, index=index)
    if output is OutputFormat.JSON:
        write_json(msgspec.json.format(msgspec.json.encode(diagnosis)))
    else:
        print_diagnosis(stdout(), diagnosis)
    raise typer.Exit(3 if any(finding.verdict is Verdict.BAD for finding in diagnosis.findings) else 0)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to build it; new or empty.")] = Path(
        "demo"
    ),
    images: Annotated[int, typer.Option(metavar="N", min=10, max=100_000, help="How many images to draw.")] = 120,
    seed: Annotated[int, typer.Option(metavar="N", help="Another seed, another datasource.")] = 0,
    quiet: Quiet = False,
) -> None:
    """Build a small datasource with a simulated detector, then check, scan and select from it.

    The detector errs more at night, in fog and in crowds; a few of its files are broken on purpose.

    Example: `tamis demo demo`
    """
    from tamis.api.tour import run_demo
    from tamis.cli.render_show import print_demo

    with progress_bar(quiet=quiet) as listen:
        result = run_demo(folder, n_images=images, seed=seed, listen=listen)
    print_demo(stdout(), result)


app.command("import")(import_command)
app.command("export")(export_command)
app.command("frames")(frames_command)
app.command("embed")(embed_command)
app.command("crops")(crops_command)
app.command("similar")(similar_command)
app.command("tag")(tag_command)
app.command("evaluate")(evaluate_command)
app.command("diff")(diff_command)
app.command("serve")(serve_command)
