"""`tamis embed`, `tamis crops`, `tamis similar` and `tamis tag`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer

from tamis.cli.options import (
    EngineOption,
    Format,
    IndexOption,
    Lightly,
    Quiet,
    RayAddress,
    Source,
    Workers,
    open_sources_for,
    snapshot_of,
)
from tamis.cli.terminal import OutputFormat, print_note, progress_bar, stdout, write_json

if TYPE_CHECKING:
    from tamis.api.tags import NamedKeys

Task = Annotated[str | None, typer.Option(metavar="TASK", help="The objects of a task instead of the images.")]
Named = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Which stored embeddings.  [default: those added to last]"),
]
Selection = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Only these: a tag, a pool, `selected.txt` or its folder, or a file of keys."
    ),
]


def embed_command(
    src: Source,
    task: Task = None,
    model: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="An image encoder in an ONNX file.  [default: the built-in descriptor]"),
    ] = None,
    preprocessing: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="JSON that says how pictures become its input.  [default: MODEL.json]"),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Take over embeddings of your own: `.npy`, `.npz`, Parquet or CSV."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What they are called.  [default: visual, or the file's name]"),
    ] = None,
    padding: Annotated[
        float | None, typer.Option(metavar="PART", help="Widen boxes by this part of them.  [default: 0.1]")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Encode everything again, also what another model made by that name.")
    ] = False,
    lightly: Lightly = None,
    index: IndexOption = None,
    workers: Workers = None,
    engine: EngineOption = "local",
    ray_address: RayAddress = None,
    output: Format = OutputFormat.TEXT,
    quiet: Quiet = False,
) -> None:
    """Make embeddings of images and frames, or of objects, and keep them with the index.

    Only what is new or changed is encoded; stopped at any moment, the next run goes on. `select`, `report` and
    `similar` use them. Exits with 1 when anything has no embedding in the end; that is counted by reason, and
    `--format json` names each.

    Examples:
    - `tamis embed data/`
    - `tamis embed data/ --task cars`
    - `tamis embed data/ --model encoder.onnx`
    - `tamis embed data/ --file clip.npz --name clip`
    """
    import msgspec

    from tamis.api.embedding.embed import embed
    from tamis.api.embedding.options import EmbedOptions
    from tamis.cli.render_objects import print_embed
    from tamis.cli.selecting_notes import note_if_pictures_changed, note_if_stale

    options = EmbedOptions(
        task=task,
        model=model,
        preprocessing=preprocessing,
        file=file,
        name=name,
        padding=padding,
        full=full,
        workers=workers,
        engine=engine,
        ray_address=ray_address,
    )
    sources = open_sources_for(src, lightly, index, quiet=quiet)
    snapshot = snapshot_of(sources, quiet=quiet)
    note_if_stale(snapshot, sources, quiet=quiet)
    note_if_pictures_changed(snapshot, sources, quiet=quiet)
    with progress_bar(quiet=quiet) as listen:
        report = embed(sources, snapshot, options, listen=listen)
    if output is OutputFormat.JSON:
        write_json(msgspec.json.format(msgspec.json.encode(report)))
    else:
        print_embed(stdout(), report)
    raise typer.Exit(1 if report.without else 0)


def crops_command(
    src: Source,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the crops go: new, or of an earlier run.")],
    task: Annotated[
        str | None,
        typer.Option(metavar="TASK", help="Whose objects.  [default: the selection's, or the only]"),
    ] = None,
    selection: Selection = None,
    category: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only objects of this category. Repeatable.")
    ] = None,
    min_score: Annotated[float | None, typer.Option(metavar="S", help="Only objects with this score.")] = None,
    min_size: Annotated[
        float, typer.Option(metavar="PX", help="Only objects whose box is that wide and high.")
    ] = 1.0,
    padding: Annotated[
        float, typer.Option(metavar="PART", help="Widen boxes by this part, split evenly, cut at the border.")
    ] = 0.0,
    square: Annotated[bool, typer.Option("--square", help="Widen the shorter side to the longer.")] = False,
    masked: Annotated[
        bool, typer.Option("--masked", help="Leave out what is not in the object's mask: transparent, or white.")
    ] = False,
    picture: Annotated[str, typer.Option("--picture", metavar="png|jpeg", help="How crops are stored.")] = "jpeg",
    quality: Annotated[
        int | None, typer.Option(min=1, max=95, help="Of JPEG.  [default: 90]", show_default=False)
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Write all crops again, with whatever options.")] = False,
    lightly: Lightly = None,
    index: IndexOption = None,
    workers: Workers = None,
    engine: EngineOption = "local",
    ray_address: RayAddress = None,
    output: Format = OutputFormat.TEXT,
    quiet: Quiet = False,
) -> None:
    """Cut predicted objects out of their images and frames.

    The crops are a datasource of their own: images `SAMPLE#TASK#POSITION.jpg`, their predicted classes as a
    classification of the same task, and metadata that lead back to their boxes. Crops that are there and still
    right are kept. Exits with 1 when objects cannot be cut out; they are counted by reason, and
    `--format json` names each.

    Examples:
    - `tamis crops data/ --task cars --out crops --padding 0.1`
    - `tamis crops data/ --out crops --selection round-1 --min-size 16`
    """
    import msgspec

    from tamis.api.crops import CropOptions, task_of_objects, write_crops
    from tamis.api.frames import picture_format
    from tamis.cli.render_objects import print_crops

    sources = open_sources_for(src, lightly, index, quiet=quiet)
    named = None if selection is None else _named(sources.index.root, selection)
    options = CropOptions(
        keys=None if named is None else named.keys,
        pass_over=named is not None and named.is_kept,
        categories=category or None,
        min_score=min_score,
        min_size_px=min_size,
        padding=padding,
        square=square,
        masked=masked,
        picture=picture_format(picture),
        jpeg_quality=quality,
        full=full,
        workers=workers,
        engine=engine,
        ray_address=ray_address,
    )
    snapshot = snapshot_of(sources, quiet=quiet)
    whose = task_of_objects(snapshot, options.keys) if task is None else task
    with progress_bar(quiet=quiet) as listen:
        report = write_crops(sources, snapshot, whose, out, options, listen=listen)
    if output is OutputFormat.JSON:
        write_json(msgspec.json.format(msgspec.json.encode(report)))
    else:
        print_crops(stdout(), report)
    raise typer.Exit(1 if report.failed else 0)


def similar_command(
    src: Source,
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help="Key of a sample or an object, or the path of an image.")
    ],
    n: Annotated[int, typer.Option("--n", metavar="N", min=1, help="How many to list.")] = 10,
    task: Task = None,
    embeddings: Named = None,
    lightly: Lightly = None,
    index: IndexOption = None,
    output: Format = OutputFormat.TEXT,
    quiet: Quiet = False,
) -> None:
    """List what looks most like a sample, an object, or a picture of any place.

    Compares stored embeddings, all of them: the answer is exact. Distances go from 0 (same) to 2.

    Examples:
    - `tamis similar data/ a/1.jpg`
    - `tamis similar data/ 'a/1.jpg#cars#3'`
    - `tamis similar data/ ~/Downloads/odd.jpg --n 50`
    """
    import msgspec

    from tamis.api.embedding.similar import similar
    from tamis.cli.render_objects import print_similar

    sources = open_sources_for(src, lightly, index, quiet=quiet)
    snapshot = snapshot_of(sources, quiet=quiet)
    report = similar(snapshot, sources, query, n=n, embeddings=embeddings, task=task)
    if output is OutputFormat.JSON:
        write_json(msgspec.json.format(msgspec.json.encode(report)))
    else:
        print_similar(stdout(), report)


def tag_command(
    src: Source,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The tag; without it all tags are listed.")
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(metavar="WHAT", help="Add a key, or all of a file, selection, tag or pool. Repeatable."),
    ] = None,
    remove: Annotated[list[str] | None, typer.Option(metavar="WHAT", help="Remove the same. Repeatable.")] = None,
    where: Annotated[
        str | None,
        typer.Option(metavar="SQL", help="Add the samples that satisfy a condition on their columns and metadata."),
    ] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Remove all members; the history stays.")] = False,
    lightly: Lightly = None,
    index: IndexOption = None,
    output: Format = OutputFormat.TEXT,
    quiet: Quiet = False,
) -> None:
    """Name a set of samples or objects, change it, or write its members to stdout.

    Tags serve wherever a selection is asked for, and as the query set of SIMILARITY. All changes are kept.

    Examples:
    - `tamis tag data/`
    - `tamis tag data/ night --where "width > 1000 AND weather = 'night'"`
    - `tamis tag data/ round-1 --add selection/ --remove a/1.jpg`
    - `tamis tag data/ round-1 > keys.txt`
    """
    import msgspec

    from tamis.api.tags import TagEdit, edit_tag, summarise_tag, tags_of
    from tamis.cli.render_objects import print_members, print_tag, print_tags

    sources = open_sources_for(src, lightly, index, quiet=quiet)
    snapshot = snapshot_of(sources, quiet=quiet)
    if name is None:
        tags = tags_of(snapshot)
        if output is OutputFormat.JSON:
            write_json(msgspec.json.format(msgspec.json.encode(tags)))
        else:
            print_tags(stdout(), tags)
        return
    edit = TagEdit(add=add or (), remove=remove or (), where=where, delete=delete)
    if edit.is_change:
        summary = edit_tag(snapshot, name, edit)
        sources.index.share()
    else:
        summary = summarise_tag(snapshot, name)
    if output is OutputFormat.JSON:
        write_json(msgspec.json.format(msgspec.json.encode(summary)))
    elif edit.is_change:
        print_tag(stdout(), summary)
    else:
        print_members(snapshot.root, name)
        print_note(f"{summary.samples:,} samples, {summary.objects:,} objects", quiet=quiet)


def _named(root: Path, selection: str) -> NamedKeys:
    from tamis.api.tags import named_keys
    from tamis.errors import UsageError

    found = named_keys(root, selection)
    if found is None:
        raise UsageError(
            f"There is no selection `{selection}`",
            hint="give a tag, a pool, `selected.txt` or its folder, or a file with a key a line",
        )
    return found
