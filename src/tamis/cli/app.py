"""The commands. Each parses, calls one use case and renders.

What a command needs is imported when it runs, so that `tamis --help` answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tamis.cli.converting import export_command, import_command
from tamis.cli.frames import frames_command
from tamis.cli.helping import Commands
from tamis.cli.options import (
    Format,
    IndexOption,
    Lightly,
    Quiet,
    Source,
    Workers,
    open_sources_for,
    snapshot_of,
)
from tamis.cli.terminal import OutputFormat, progress_bar, stdout, write_json

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
    strict: Strict = False,
    full: Full = False,
    relevant_filenames: RelevantFilenames = None,
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
    """
    import msgspec

    from tamis.api.check import report_problems, stream_problems
    from tamis.api.options import ScanOptions
    from tamis.api.scanning.scan import dry_scan
    from tamis.cli.render import print_check

    sources = open_sources_for(src, lightly, index, quiet=True)
    options = ScanOptions(workers=workers, strict=strict, full=full, relevant_filenames=relevant_filenames)
    with progress_bar(quiet=quiet) as listen, dry_scan(sources, options, listen=listen) as result:
        report = report_problems(sources, result.snapshot)
        if every:
            for problem in stream_problems(sources, result.snapshot):
                write_json(msgspec.json.encode({"severity": problem.severity, **msgspec.structs.asdict(problem)}))
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
    relevant_filenames: RelevantFilenames = None,
    output: Format = OutputFormat.TEXT,
    quiet: Quiet = False,
) -> None:
    """Read, check and score what changed, and bring the index up to date.

    The index is a folder of Parquet files that can be deleted and rebuilt at any time. Killed at any moment, the
    last index stands.

    Examples:
    - `tamis scan data/`
    - `tamis scan images/ --lightly results/`, where predictions are in `results/.lightly/predictions`
    """
    import msgspec

    from tamis.api.check import report_problems
    from tamis.api.options import ScanOptions
    from tamis.api.scanning.scan import scan as run
    from tamis.cli.render import print_scan

    sources = open_sources_for(src, lightly, index, quiet=quiet)
    options = ScanOptions(workers=workers, strict=strict, full=full, relevant_filenames=relevant_filenames)
    with progress_bar(quiet=quiet) as listen:
        result = run(sources, options, listen=listen)
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


@app.command()
def select(
    src: Source,
    n: Annotated[int | None, typer.Option("--n", metavar="N", min=1, help="How many new samples to pick.")] = None,
    score: Annotated[
        list[str] | None, typer.Option(metavar="TASK:SCORE", help="Prefer samples with a high score. Repeatable.")
    ] = None,
    balance: Annotated[
        list[str] | None,
        typer.Option(metavar="TASK", help="Bring a task's classes to equal shares. Repeatable."),
    ] = None,
    diverse: Annotated[
        bool, typer.Option("--diverse", help="Prefer what differs from everything selected.")
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML or JSON that says what decides, instead of the three above."),
    ] = None,
    min_gap_frames: Annotated[
        int | None,
        typer.Option(
            metavar="K", min=1, help="Keep selected frames of one video K frames apart.  [default: the config's]"
        ),
    ] = None,
    embeddings: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Vectors of the samples: `.npy` with names in a `.txt`, `.npz`, Parquet or CSV.  "
            "[default: made from predictions]",
        ),
    ] = None,
    pool: Annotated[
        str | None, typer.Option(metavar="NAME", help="Named list of samples that count as selected already.")
    ] = None,
    labelled: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Sample keys that count as selected already, one a line; `-` is standard input."
        ),
    ] = None,
    add_to_pool: Annotated[
        bool, typer.Option("--add-to-pool", help="Let the picks, and the labelled samples, join the pool.")
    ] = False,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the results go.")] = Path("selection"),
    lightly: Lightly = None,
    index: IndexOption = None,
    output: Format = OutputFormat.TEXT,
    quiet: Quiet = False,
) -> None:
    """Select the samples worth labelling next, and say why.

    Writes `selected.txt` (a sample key a line, in pick order), `selection.json` and `.parquet` (with reasons),
    `report.html` (pictures, distributions, coverage) and `report.json`.

    Examples:
    - `tamis select data/ --n 50 --score cars:uncertainty_entropy --diverse`
    - `tamis select data/ --config selection.yaml --pool rounds --add-to-pool --out round-1`
    - `tamis select data/ --n 50 --diverse --labelled done.txt`
    """
    import msgspec

    from tamis.api.selecting.config import choose_config
    from tamis.api.selecting.files import selection_document, write_selection
    from tamis.api.selecting.run import SelectOptions, join_pool, run_selection
    from tamis.cli.render_show import print_selection
    from tamis.cli.selecting import keys_of, note_if_stale, note_unknown

    wanted = choose_config(
        n=n,
        config=config,
        scores=score or (),
        balance=balance or (),
        diverse=diverse,
        min_gap_frames=min_gap_frames,
    )
    sources = open_sources_for(src, lightly, index, quiet=quiet)
    snapshot = snapshot_of(sources, quiet=quiet)
    note_if_stale(snapshot, sources, quiet=quiet)
    done = () if labelled is None else keys_of(labelled)
    options = SelectOptions(embeddings=embeddings, pool=pool, labelled=done, add_to_pool=add_to_pool)
    with progress_bar(quiet=quiet) as listen:
        run = run_selection(snapshot, wanted, options, listen=listen)
        write_selection(run, sources, out, listen=listen)
        join_pool(run, options)
    note_unknown(run, quiet=quiet)
    if output is OutputFormat.JSON:
        write_json(msgspec.json.format(msgspec.json.encode(selection_document(run))))
    else:
        print_selection(stdout(), run, out)


@app.command()
def report(
    src: Source,
    selected: Annotated[
        Path, typer.Option("--selected", metavar="FILE", help="Sample keys, one a line, in the order of picking.")
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the report goes.")] = Path("report"),
    embeddings: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Embeddings, as for `select`.  [default: made from predictions]"),
    ] = None,
    lightly: Lightly = None,
    index: IndexOption = None,
    quiet: Quiet = False,
) -> None:
    """Write the report of any list of samples: chosen by hand, by another tool, or in an earlier round.

    Example: `tamis report data/ --selected mine.txt --out report`
    """
    from tamis.api.selecting.files import read_keys, write_report
    from tamis.api.selecting.run import given_selection

    sources = open_sources_for(src, lightly, index, quiet=quiet)
    snapshot = snapshot_of(sources, quiet=quiet)
    run = given_selection(snapshot, read_keys(selected), embeddings=embeddings)
    with progress_bar(quiet=quiet) as listen:
        write_report(run, sources, out, listen=listen)
    stdout().print(f"{len(run.keys):,} samples: {out / 'report.html'}")


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
