"""What every export shares: which samples, where to, and what the format cannot hold."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from tamis.api.tags import named_keys
from tamis.errors import DatasourceError, UsageError
from tamis.formats import to_predictions
from tamis.index import SampleColumns
from tamis.model import parse_object_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tamis.api.sources import Sources
    from tamis.api.tags import NamedKeys
    from tamis.index import Snapshot
    from tamis.model import Prediction, Task
    from tamis.model.columns import Ints

SHOWN_EXAMPLES = 5


class ExportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What to export, and how.

    Attributes:
        out: file or folder to write; `None`: the standard output.
        task: whose predictions; `None`: the only task that there is.
        selection: a file of sample keys, the folder of a selection, or the name of a pool; `None`: all samples.
        replace: whether what is at `out` may be replaced.
        annotations: a COCO file whose ids of images and, by their names, of categories to use; `None`: samples are
            counted in the order of their keys.
        boxes: whether COCO results of masks and keypoints have their boxes too.
        visibility: whether keypoint confidences 0, .5 and 1 become COCO's flags 0, 1 and 2.
        scores: whether YOLO lines end in the score.
        link: whether image files are linked instead of copied.
        base: put before the keys of images: a folder or URL that the labelling tool finds them under.
        full: whether names are full paths or URLs below the datasource itself, instead of below `base`.
    """

    out: Path | None = None
    task: str | None = None
    selection: str | None = None
    replace: bool = False
    annotations: str | None = None
    boxes: bool = False
    visibility: bool = False
    scores: bool = True
    link: bool = False
    base: str = ""
    full: bool = False


class NotHeld(msgspec.Struct, kw_only=True):
    """Something that the format cannot say.

    Attributes:
        what: the thing.
        count: how many of it were left out or changed.
        examples: the first samples that it is about.
    """

    what: str
    count: int
    examples: list[str]


class ExportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an export did.

    Attributes:
        out: where it is, `None`: on the standard output.
        samples: how many samples were exported.
        predictions: how many predictions of theirs.
        not_held: what could not be held.
        removed: files of samples that are not exported now, which an earlier export into the same folder had left.
        gone: samples of the tag or pool that are not in the index any more, and were passed over.
    """

    out: str | None
    samples: int
    predictions: int
    not_held: list[NotHeld]
    removed: int = 0
    gone: int = 0


class Losses:
    """Counts what a format cannot hold."""

    def __init__(self) -> None:
        self._found: dict[str, NotHeld] = {}

    def add(self, what: str, sample: str, *, count: int = 1) -> None:
        """Count things of a sample."""
        loss = self._found.setdefault(what, NotHeld(what=what, count=0, examples=[]))
        loss.count += count
        if len(loss.examples) < SHOWN_EXAMPLES and sample not in loss.examples:
            loss.examples.append(sample)

    def all(self) -> list[NotHeld]:
        """Return what was counted, the most frequent first."""
        return sorted(self._found.values(), key=lambda loss: -loss.count)


class ExportSample(NamedTuple):
    """A sample with a valid prediction file.

    Attributes:
        number: its place among all samples of the index, by key, from 0.
        key: of the sample.
        width: in pixels, 0 where unknown.
        height: in pixels, 0 where unknown.
        predictions: in the order of the file.
    """

    number: int
    key: str
    width: int
    height: int
    predictions: list[Prediction]


class ChosenSamples(NamedTuple):
    """The samples to export.

    Attributes:
        samples: all samples of the index.
        at: the numbers of the chosen ones in the order of picking, `None` for all.
        n_gone: how many members of a tag or pool the index has no more.
    """

    samples: SampleColumns
    at: Ints | None
    n_gone: int


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The samples whose predictions to export.

    Attributes:
        samples: all samples of the index.
        task: whose predictions to export.
        at: the numbers of the chosen ones in the order of picking, `None` for all.
    """

    samples: SampleColumns
    task: Task
    at: Ints | None

    def __iter__(self) -> Iterator[ExportSample]:
        widths, heights = (self.samples.numbers("samples", name) for name in ("width", "height"))
        sizes = np.nan_to_num(np.stack([widths, heights], axis=1)).astype(np.int64).tolist()
        for part in self.samples.prediction_parts(self.task.name, at=self.at):
            for number, found in zip(part.samples.tolist(), to_predictions(part.columns), strict=True):
                width, height = sizes[number]
                yield ExportSample(number, self.samples.keys[number], width, height, found)

    def without_file(self) -> list[str]:
        """Return the chosen samples that have no valid prediction file: nothing is known of them."""
        has_file = self.samples.has_file(self.task.name)
        numbers = np.arange(len(self.samples)) if self.at is None else self.at
        return [self.samples.keys[number] for number in numbers[~has_file[numbers]].tolist()]


def choose(snapshot: Snapshot, found: ChosenSamples, options: ExportOptions) -> Chosen:
    """Return what an export of predictions was asked for.

    Raises:
        UsageError: when there is no such task.
    """
    return Chosen(found.samples, _task(snapshot, options.task), found.at)


def choose_samples(snapshot: Snapshot, sources: Sources, selection: str | None) -> ChosenSamples:
    """Return the selected samples; members of a tag or pool that are gone from the index are passed over.

    Raises:
        UsageError: when a listed sample, or no member at all, is in the index, or there is no such selection.
        DatasourceError: when the list of samples cannot be read.
    """
    samples = SampleColumns(snapshot)
    if selection is None:
        return ChosenSamples(samples, None, 0)
    named = _named(sources, selection)
    keys = _samples_of(named)
    numbers = samples.positions(keys)
    unknown = [key for key, number in zip(keys, numbers.tolist(), strict=True) if number < 0]
    if unknown and not (named.is_kept and len(unknown) < len(keys)):
        raise UsageError(
            f"{len(unknown):,} of {len(keys):,} selected samples are not in the index: `{unknown[0]}` is the first",
            hint="run `tamis scan`, or correct the list",
        )
    return ChosenSamples(samples, numbers[numbers >= 0], len(unknown))


def selected_keys(sources: Sources, selection: str) -> list[str]:
    """Return the sample keys of a selection: of `selected.txt` or its folder, of a list of keys, a tag or a pool.

    Objects stand for the samples that hold them.

    Raises:
        UsageError: when there is none of that name.
        DatasourceError: when its file cannot be read.
    """
    return _samples_of(_named(sources, selection))


def _named(sources: Sources, selection: str) -> NamedKeys:
    found = named_keys(sources.index.root, selection)
    if found is None:
        raise UsageError(
            f"There is no selection `{selection}`",
            hint="give `selected.txt` or its folder, any file with a sample key a line, or a tag or pool",
        )
    return found


def _samples_of(named: NamedKeys) -> list[str]:
    return list(dict.fromkeys(_sample_of(key) for key in named.keys))


def _sample_of(key: str) -> str:
    named = parse_object_key(key)
    return key if named is None else named.sample


def _task(snapshot: Snapshot, name: str | None) -> Task:
    if name is not None:
        return snapshot.task(name)
    if len(snapshot.tasks) == 1:
        return snapshot.tasks[0]
    known = ", ".join(f"`{task.name}`" for task in snapshot.tasks) or "none"
    raise UsageError("Which task to export is not said", hint=f"give `--task`; tasks of this datasource: {known}")


@contextmanager
def output_file(options: ExportOptions) -> Iterator[IO[bytes]]:
    """Open what is exported to: put in place whole at the end, or not at all.

    Raises:
        UsageError: when something is there that may not be replaced.
        DatasourceError: when it cannot be written.
    """
    if options.out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with temporary_beside(options.out, replace=options.replace) as temporary, temporary.open("wb") as file:
        yield file


@contextmanager
def temporary_beside(out: Path, *, replace: bool) -> Iterator[Path]:
    """Yield the path of a file to write, which takes the place of `out` at the end.

    Raises:
        UsageError: when something is there that may not be replaced.
        DatasourceError: when it cannot be written.
    """
    if out.exists() and not replace:
        raise UsageError(f"`{out}` is there already", hint="give another `--out`, or `--replace`")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=out.parent, prefix=".tamis-", suffix=out.suffix)
        os.close(descriptor)
    except OSError as error:
        raise cannot_write(out, error) from None
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(out)
    except OSError as error:
        raise cannot_write(out, error) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def output_folder(options: ExportOptions) -> Path:
    """Return the folder to export to, which may hold files only where they may be replaced.

    Raises:
        UsageError: when none is named, or it holds something.
        DatasourceError: when a file has its name.
    """
    out = options.out
    if out is None:
        raise UsageError("Where to write is not said", hint="give the folder with `--out`")
    if out.is_file():
        raise DatasourceError(f"`{out}` is a file, expected a folder")
    if out.is_dir() and any(out.iterdir()) and not options.replace:
        raise UsageError(f"`{out}` is not empty", hint="give another `--out`, or `--replace`")
    return out


def cannot_write(out: Path, error: OSError) -> DatasourceError:
    """Say that a path cannot be written."""
    return DatasourceError(f"`{out}` cannot be written: {(error.strerror or str(error)).lower()}")


def write_list(file: IO[bytes], items: Iterator[bytes]) -> None:
    """Write a JSON list, an item a line, as the items come."""
    file.write(b"[")
    for i, item in enumerate(items):
        file.write((b",\n" if i else b"\n") + item)
    file.write(b"\n]\n")


def keys_of(chosen: Sequence[int] | None, samples: SampleColumns) -> list[str]:
    """Return the keys of the chosen samples in their order; all of them by key."""
    return samples.keys if chosen is None else [samples.keys[number] for number in chosen]
