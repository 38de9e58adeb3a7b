"""`tamis evaluate` and `tamis diff`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 (typer reads the annotations)
from typing import Annotated

import typer

from tamis.cli.options import Format, IndexOption, Lightly, Quiet, Source, open_sources_for, snapshot_of
from tamis.cli.terminal import OutputFormat, progress_bar, stdout, write_json

Compared = Annotated[
    str | None,
    typer.Option(
        "--shape",
        metavar="boxes|masks|keypoints",
        help="What of the objects is compared.  [default: masks or keypoints, if both have them]",
    ),
]


def evaluate_command(
    src: Source,
    task: Annotated[str, typer.Option(metavar="TASK", help="Whose predictions.")],
    labels: Annotated[
        str, typer.Option(metavar="TASK", help="The task that holds the labels; `tamis import` makes one.")
    ],
    shape: Compared = None,
    min_iou: Annotated[
        float, typer.Option(metavar="IOU", help="Overlap from which on an object counts as found.")
    ] = 0.5,
    min_score: Annotated[
        float | None,
        typer.Option(metavar="S", help="Score from which on predictions count.  [default: that with the best F1]"),
    ] = None,
    only_predicted: Annotated[
        bool,
        typer.Option("--only-predicted", help="Leave out labelled samples without a prediction file."),
    ] = False,
    top_k: Annotated[int, typer.Option(metavar="K", min=1, help="Top-k accuracy of classifications.")] = 5,
    bins: Annotated[int, typer.Option(metavar="N", min=1, help="Bins of the calibration.")] = 15,
    worst: Annotated[int, typer.Option(metavar="N", min=0, help="How many of the worst samples to show.")] = 24,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write figures, page and scores there.")
    ] = None,
    lightly: Lightly = None,
    index: IndexOption = None,
    output: Format = OutputFormat.TEXT,
    quiet: Quiet = False,
) -> None:
    """Hold predictions against labels: how good they are, where they are wrong, how far scores can be believed.

    Boxes, masks and keypoints: average precision by COCO's protocol, precision and recall by score, confusions.
    Classifications: accuracy, F1, log loss, Brier score. Semantic segmentations: IoU. All: calibration where there
    are scores. With `--out`: `evaluation.html`, `evaluation.json`, `samples.parquet` and `objects.parquet` to
    select by (`--score FOLDER/samples.parquet:error`), and `worst.txt`, to find more of the same by SIMILARITY.

    Examples:
    - `tamis import coco labels.json data/ --task labels --score 1`
    - `tamis evaluate data/ --task cars --labels labels --out evaluation`
    - `tamis evaluate data/ --task cars --labels labels --min-score 0.5 --format json`
    """
    import msgspec

    from tamis.api.evaluating import EvaluateOptions, evaluate
    from tamis.api.evaluating.files import write_evaluation
    from tamis.cli.render_comparing import print_evaluation
    from tamis.scoring.matching import shape_named

    options = EvaluateOptions(
        shape=None if shape is None else shape_named(shape),
        min_iou=min_iou,
        min_score=min_score,
        only_predicted=only_predicted,
        n_bins=bins,
        top_k=top_k,
        n_worst=worst,
    )
    sources = open_sources_for(src, lightly, index, quiet=quiet)
    snapshot = snapshot_of(sources, quiet=quiet)
    with progress_bar(quiet=quiet) as listen:
        run = evaluate(snapshot, task, labels, options, listen=listen)
        if out is not None:
            write_evaluation(run, sources, out, listen=listen)
    if output is OutputFormat.JSON:
        write_json(msgspec.json.format(msgspec.json.encode(run.report)))
    else:
        print_evaluation(stdout(), run.report, out)


def diff_command(
    src: Source,
    other: Annotated[
        str | None, typer.Argument(metavar="OTHER", help="Datasource of the second run.  [default: SRC]")
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(metavar="TASK", help="The task of both runs; or twice: of the first, then of the second."),
    ] = None,
    shape: Compared = None,
    min_iou: Annotated[float, typer.Option(metavar="IOU", help="Overlap from which on two objects are one.")] = 0.5,
    moved_below: Annotated[
        float, typer.Option(metavar="IOU", help="The same object moved where the two overlap by less.")
    ] = 0.95,
    score_change: Annotated[
        float, typer.Option(metavar="S", help="Smaller changes of a score do not count.")
    ] = 0.05,
    limit: Annotated[int, typer.Option(metavar="N", min=0, help="How many of the changed samples to list.")] = 20,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write figures and scores there.")] = None,
    lightly: Lightly = None,
    other_lightly: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="Folder or URL that holds `.lightly` of OTHER.  [default: OTHER]"),
    ] = None,
    index: IndexOption = None,
    other_index: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder of the index of OTHER.  [default: .lightly/tamis]")
    ] = None,
    output: Format = OutputFormat.TEXT,
    quiet: Quiet = False,
) -> None:
    """Compare two runs of a model: what is new, gone, moved, surer, or called otherwise.

    Two tasks of one datasource, or a task in two datasources; samples are matched by key, categories by name. With
    `--out`: `diff.json`, and `samples.parquet` to select by what the runs disagree about
    (`--score FOLDER/samples.parquet:disagreement`).

    Examples:
    - `tamis diff data/ --task cars-v1 --task cars-v2`
    - `tamis diff old/ new/ --task cars --out diff`
    - `tamis diff data/ data/ --lightly run-1/ --other-lightly run-2/ --task cars`
    """
    import msgspec

    from tamis.api.diffing import DiffOptions, diff
    from tamis.api.diffing.files import write_diff
    from tamis.api.diffing.sides import sides_of
    from tamis.cli.render_comparing import print_diff
    from tamis.scoring.matching import shape_named

    options = DiffOptions(
        shape=None if shape is None else shape_named(shape),
        min_iou=min_iou,
        moved_below=moved_below,
        score_change=score_change,
        n_samples=limit,
    )
    has_other = other is not None or other_lightly is not None or other_index is not None
    one, second = sides_of(task or (), has_other=has_other)
    first = snapshot_of(open_sources_for(src, lightly, index, quiet=quiet), quiet=quiet)
    snapshot = first
    if has_other:
        sources = open_sources_for(other or src, other_lightly, other_index, quiet=quiet)
        snapshot = snapshot_of(sources, quiet=quiet)
    with progress_bar(quiet=quiet) as listen:
        run = diff(first, one, snapshot, second, options, listen=listen)
    if out is not None:
        write_diff(run, out)
    if output is OutputFormat.JSON:
        write_json(msgspec.json.format(msgspec.json.encode(run.report)))
    else:
        print_diff(stdout(), run.report, out)
