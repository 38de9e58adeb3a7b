"""`tamis import` and `tamis export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tamis.api.converting.choices import ExportFormat, IfThere, ImportFormat
from tamis.cli.options import Format, IndexOption, Lightly, Quiet, Source, open_sources_for, snapshot_of
from tamis.cli.terminal import OutputFormat, print_note, progress_bar, stdout, write_json

Kind = Annotated[ImportFormat, typer.Argument(metavar="FORMAT", help=f"What FROM is: {', '.join(ImportFormat)}.")]
Wanted = Annotated[
    ExportFormat, typer.Argument(metavar="FORMAT", help=f"What to write: {', '.join(ExportFormat)}.")
]
From = Annotated[Path, typer.Argument(metavar="FROM", help="File or folder to read.")]
File = Path | None


def import_command(
    kind: Kind,
    source: From,
    src: Source,
    task: Annotated[str, typer.Option(metavar="NAME", help="Task to write.")],
    task_type: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="Type of the task.  [default: what FROM holds]")
    ] = None,
    score: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Score of records that have none, such as labels; none is invented."),
    ] = None,
    annotations: Annotated[
        File,
        typer.Option(metavar="FILE", help="COCO file that describes the images and categories of results."),
    ] = None,
    classes: Annotated[
        File,
        typer.Option(metavar="FILE", help="Names of the categories: `data.yaml`, a name a line, or JSON."),
    ] = None,
    prefix: Annotated[
        str, typer.Option(metavar="FOLDER", help="Folder within SRC in which the named images lie.")
    ] = "",
    merge: Annotated[
        bool, typer.Option("--merge", help="Add to prediction files that are there what is not in them.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace prediction files of the imported samples.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check everything, write nothing.")] = False,
    keep_missing: Annotated[
        bool, typer.Option("--keep-missing", help="Also write predictions of images that are not in SRC.")
    ] = False,
    empty: Annotated[
        bool, typer.Option("--empty", help="Say of listed images without any result that nothing was seen.")
    ] = False,
    visibility: Annotated[
        bool, typer.Option("--visibility", help="Keypoints have COCO's flags 0, 1, 2: write 0, .5, 1.")
    ] = False,
    columns: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="What the numbers of YOLO lines are, e.g. 'class score x y x2 y2'."),
    ] = None,
    pixels: Annotated[bool, typer.Option("--pixels", help="Those lines count in pixels, not in shares.")] = False,
    masks: Annotated[
        File, typer.Option(metavar="FOLDER", help="Pictures of a panoptic file.  [default: named like it]")
    ] = None,
    lightly: Lightly = None,
    output: Format = OutputFormat.TEXT,
    quiet: Quiet = False,
) -> None:
    """Turn files of other tools into predictions beside the images, and say what was not taken and why.

    One bad record never stops an import. Files that are there are never touched unless `--merge` or `--replace`
    says so. Exits with 1 when something was not taken.

    Examples:
    - `tamis import coco results.json data/ --task cars --annotations instances.json`
    - `tamis import yolo labels/ data/ --task cars --classes data.yaml --score 1`
    """
    import msgspec

    from tamis.api.converting.run import import_from
    from tamis.api.converting.values import ImportOptions, task_type_named
    from tamis.cli.render_converting import print_import
    from tamis.errors import UsageError

    if merge and replace:
        raise UsageError("`--merge` and `--replace` exclude each other", hint="give one of them")
    options = ImportOptions(
        task=task,
        task_type=None if task_type is None else task_type_named(task_type),
        annotations=None if annotations is None else str(annotations),
        classes=None if classes is None else str(classes),
        score=score,
        if_there=IfThere.MERGE if merge else IfThere.REPLACE if replace else IfThere.REFUSE,
        dry_run=dry_run,
        prefix=prefix,
        keep_missing=keep_missing,
        empty=empty,
        visibility=visibility,
        columns=columns,
        pixels=pixels,
        masks=None if masks is None else str(masks),
    )
    sources = open_sources_for(src, lightly, None, quiet=True)
    with progress_bar(quiet=quiet) as listen:
        report = import_from(sources, kind, source, options, listen=listen)
    if output is OutputFormat.JSON:
        write_json(msgspec.json.format(msgspec.json.encode(report)))
    else:
        print_import(stdout(), report)
    if report.files and not dry_run:
        print_note("run `tamis scan` to bring the index up to date", quiet=quiet)
    raise typer.Exit(1 if report.n_not_taken else 0)


def export_command(
    kind: Wanted,
    src: Source,
    task: Annotated[str | None, typer.Option(metavar="NAME", help="Task.  [default: the only one]")] = None,
    out: Annotated[
        File, typer.Option(metavar="PATH", help="File or folder to write.  [default: the standard output]")
    ] = None,
    selection: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Only these: `selected.txt` or its folder, any list of keys, a tag or a pool; objects stand for "
            "their images.  [default: all samples]",
        ),
    ] = None,
    annotations: Annotated[
        File, typer.Option(metavar="FILE", help="COCO file whose ids of images and categories to use.")
    ] = None,
    boxes: Annotated[
        bool, typer.Option("--boxes", help="COCO results of masks and keypoints keep their boxes.")
    ] = False,
    visibility: Annotated[
        bool, typer.Option("--visibility", help="Write keypoint confidences 0, .5, 1 as COCO's flags 0, 1, 2.")
    ] = False,
    no_scores: Annotated[bool, typer.Option("--no-scores", help="Leave scores out of YOLO lines.")] = False,
    link: Annotated[bool, typer.Option("--link", help="Link image files instead of copying them.")] = False,
    base: Annotated[
        str, typer.Option(metavar="PATH", help="Folder or URL to put before the names of images.")
    ] = "",
    full: Annotated[bool, typer.Option("--full", help="Names are full paths or URLs below SRC.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace what is there.")] = False,
    lightly: Lightly = None,
    index: IndexOption = None,
    output: Format = OutputFormat.TEXT,
    quiet: Quiet = False,
) -> None:
    """Write predictions, or the samples themselves, for another tool; what its format cannot hold is said.

    Everything is written from the index: run `tamis scan` first where files changed.

    Examples:
    - `tamis export coco-results data/ --task cars --out results.json`
    - `tamis export files data/ --selection selection --out to-label --link`
    """
    import msgspec

    from tamis.api.converting.exporting import ExportOptions
    from tamis.api.converting.run import export_to
    from tamis.cli.render_converting import print_export
    from tamis.cli.terminal import stderr

    options = ExportOptions(
        out=out,
        task=task,
        selection=selection,
        replace=replace,
        annotations=None if annotations is None else str(annotations),
        boxes=boxes,
        visibility=visibility,
        scores=not no_scores,
        link=link,
        base=base,
        full=full,
    )
    sources = open_sources_for(src, lightly, index, quiet=quiet)
    report = export_to(snapshot_of(sources, quiet=quiet), sources, kind, options)
    if output is OutputFormat.JSON and out is not None:
        write_json(msgspec.json.format(msgspec.json.encode(report)))
    elif not quiet:
        print_export(stderr() if out is None else stdout(), report)
