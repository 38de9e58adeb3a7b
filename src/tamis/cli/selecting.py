"""`tamis select` and `tamis report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tamis.cli.options import (
    EngineOption,
    Format,
    IndexOption,
    Lightly,
    Quiet,
    RayAddress,
    Source,
    open_sources_for,
    snapshot_of,
)
from tamis.cli.terminal import OutputFormat, progress_bar, stdout, write_json

Embeddings = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE",
        help="Stored embeddings, `predictions`, or a file: `.npy` with a `.txt`, `.npz`, Parquet, CSV.  "
        "[default: those stored last, or made from predictions]",
    ),
]


def select_command(
    src: Source,
    n: Annotated[int | None, typer.Option("--n", metavar="N", min=1, help="How many new samples to pick.")] = None,
    score: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TASK:SCORE",
            help="Prefer samples with a high score; or `FILE:COLUMN`, numbers of Parquet or CSV. Repeatable.",
        ),
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
    embeddings: Embeddings = None,
    objects: Annotated[
        str | None, typer.Option(metavar="TASK", help="Select predicted objects of a task, not images.")
    ] = None,
    per_image: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Select at most N objects of each image.")
    ] = None,
    per_video: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Select at most N of each video.")
    ] = None,
    duplicates: Annotated[
        bool, typer.Option("--no-duplicates", help="Leave out images that repeat others, near-duplicates too.")
    ] = False,
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
    engine: EngineOption = "local",
    ray_address: RayAddress = None,
    lightly: Lightly = None,
    index: IndexOption = None,
    output: Format = OutputFormat.TEXT,
    quiet: Quiet = False,
) -> None:
    """Select the samples worth labelling next, and say why.

    Writes `selected.txt` (a key a line, in pick order), `selection.json` and `.parquet` (with reasons),
    `report.html` (pictures, distributions, coverage) and `report.json`; for objects also `images.txt`, the images
    that hold them.

    Examples:
    - `tamis select data/ --n 50 --score cars:uncertainty_entropy --diverse`
    - `tamis select data/ --config selection.yaml --pool rounds --add-to-pool --out round-1`
    - `tamis select data/ --n 50 --diverse --labelled done.txt`
    - `tamis select data/ --n 100 --objects cars --score cars:uncertainty_margin --per-image 2`
    """
    import msgspec

    from tamis.api.embedding.embed import embed
    from tamis.api.embedding.options import EmbedOptions
    from tamis.api.selecting.config import choose_config, choose_level
    from tamis.api.selecting.files import selection_document, write_selection
    from tamis.api.selecting.run import SelectOptions, join_pool, run_selection
    from tamis.cli.render_show import print_selection
    from tamis.cli.selecting_notes import keys_of, note_doubt, note_if_stale, note_unknown

    wanted = choose_config(
        n=n,
        config=config,
        scores=score or (),
        balance=balance or (),
        diverse=diverse,
        min_gap_frames=min_gap_frames,
        select=choose_level(objects=objects, per_image=per_image, per_video=per_video, no_duplicates=duplicates),
    )
    sources = open_sources_for(src, lightly, index, quiet=quiet)
    snapshot = snapshot_of(sources, quiet=quiet)
    if wanted.select.without_duplicates is not False:
        with progress_bar(quiet=quiet) as listen:
            embed(sources, snapshot, EmbedOptions(engine=engine, ray_address=ray_address), listen=listen)
    note_if_stale(snapshot, sources, quiet=quiet)
    done = () if labelled is None else keys_of(labelled)
    options = SelectOptions(
        embeddings=embeddings,
        pool=pool,
        labelled=done,
        add_to_pool=add_to_pool,
        engine=engine,
        ray_address=ray_address,
    )
    with progress_bar(quiet=quiet) as listen:
        run = run_selection(snapshot, wanted, options, listen=listen)
        write_selection(run, sources, out, listen=listen)
        join_pool(run, sources, options)
    note_unknown(run, quiet=quiet)
    note_doubt(run, quiet=quiet)
    if output is OutputFormat.JSON:
        write_json(msgspec.json.format(msgspec.json.encode(selection_document(run))))
    else:
        print_selection(stdout(), run, out)


def report_command(
    src: Source,
    selected: Annotated[
        Path,
        typer.Option(
            "--selected",
            metavar="FILE",
            help="Keys of samples, or of objects, one a line, in the order of picking.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the report goes.")] = Path("report"),
    embeddings: Embeddings = None,
    lightly: Lightly = None,
    index: IndexOption = None,
    quiet: Quiet = False,
) -> None:
    """Write the report of any list of samples: chosen by hand, by another tool, or in an earlier round.

    Example: `tamis report data/ --selected mine.txt --out report`
    """
    from tamis.api.key_files import read_keys
    from tamis.api.selecting.files import write_report
    from tamis.api.selecting.given import given_selection

    sources = open_sources_for(src, lightly, index, quiet=quiet)
    snapshot = snapshot_of(sources, quiet=quiet)
    run = given_selection(snapshot, read_keys(selected), embeddings=embeddings)
    with progress_bar(quiet=quiet) as listen:
        write_report(run, sources, out, listen=listen)
    stdout().print(f"{len(run.keys):,} samples: {out / 'report.html'}")
