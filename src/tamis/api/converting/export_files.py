"""The chosen samples themselves: their names, or the image files."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from tamis.api.converting.exporting import (
    ExportReport,
    Losses,
    cannot_write,
    keys_of,
    output_file,
    output_folder,
)
from tamis.api.key_files import line_of
from tamis.errors import UsageError
from tamis.model import SampleKind
from tamis.storage import LocalStore, NotFoundError, StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.api.converting.exporting import ChosenSamples, ExportOptions
    from tamis.api.sources import Sources
    from tamis.index import SampleColumns


def export_names(chosen: ChosenSamples, sources: Sources, options: ExportOptions) -> ExportReport:
    """Write the key of each sample on a line, in the order of picking; as a path or URL with `base` or `full`.

    Raises:
        UsageError: when there is no such selection, or what is there may not be replaced.
        DatasourceError: when the file cannot be written.
    """
    if options.full and options.base:
        raise UsageError("`--full` and `--base` exclude each other", hint="give one of them")
    base = str(sources.input.local_root or sources.input.url) if options.full else options.base
    keys = keys_of(None if chosen.at is None else chosen.at.tolist(), chosen.samples)
    with output_file(options) as file:
        for key in keys:
            file.write(line_of(located(key, base)).encode() + b"\n")
    out = None if options.out is None else str(options.out)
    return ExportReport(out=out, samples=len(keys), predictions=0, not_held=[])


def export_files(chosen: ChosenSamples, sources: Sources, options: ExportOptions) -> ExportReport:
    """Copy or link the images into a folder, below the same subfolders.

    Raises:
        UsageError: when no folder is named, it holds something, or links are asked for where there are no files.
        DatasourceError: when the folder cannot be written.
    """
    samples = chosen.samples
    at = list(range(len(samples))) if chosen.at is None else chosen.at.tolist()
    folder, losses, n_done = output_folder(options), Losses(), 0
    for key in _others(samples, at, folder):
        losses.add("images of other samples, which were in the folder before and stay", key)
    kinds = samples.labels("samples", "kind")
    for number in at:
        key = samples.keys[number]
        if kinds[number] == SampleKind.FRAME and not _is_file(sources, key):
            losses.add("frames of videos, which are no files; `tamis frames` extracts them", key)
            continue
        try:
            _put(sources, key, folder, link=options.link)
        except NotFoundError:
            losses.add("images that are gone since the scan", key)
        else:
            n_done += 1
    return ExportReport(out=str(folder), samples=n_done, predictions=0, not_held=losses.all())


def _others(samples: SampleColumns, at: list[int], folder: Path) -> list[str]:
    """Return which samples that are not exported have a file in the folder; pictures are never removed."""
    if not folder.is_dir():
        return []
    exported = set(at)
    return [key for number, key in enumerate(samples.keys) if number not in exported and (folder / key).exists()]


def located(key: str, base: str) -> str:
    """Return where a key is found: below a folder, or a URL, in which it is percent-encoded.

    >>> located("day 1/a.jpg", ""), located("day 1/a.jpg", "/data"), located("day 1/a.jpg", "https://x.org/d/")
    ('day 1/a.jpg', '/data/day 1/a.jpg', 'https://x.org/d/day%201/a.jpg')
    """
    if not base:
        return key
    name = quote(key) if "://" in base or "?" in base else key
    return base + name if base.endswith(("/", "=")) else f"{base}/{name}"


def _is_file(sources: Sources, key: str) -> bool:
    try:
        sources.input.read_start(key, 1)
    except StoreError:
        return False
    return True


def _put(sources: Sources, key: str, folder: Path, *, link: bool) -> None:
    if not link:
        LocalStore(folder).write(key, sources.input.read(key).data)
        return
    root = sources.input.local_root
    if root is None:
        raise UsageError(
            "Images that are no files of this machine cannot be linked", hint="copy them: leave `--link`"
        )
    if not (root / key).exists():
        raise NotFoundError(f"`{key}` is not in {root}")
    path = folder / key
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to((root / key).resolve())
    except OSError as error:
        raise cannot_write(path, error) from None
