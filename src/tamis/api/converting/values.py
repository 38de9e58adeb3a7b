"""What an import is asked for, and what it says of its work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tamis.api.converting.choices import IfThere
from tamis.errors import UsageError
from tamis.formats import IMPORT_CODES
from tamis.model import CODES, Drops, TaskType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tamis.formats import ForeignError
    from tamis.model import Problem

SHOWN_EXAMPLES = 5


def task_type_named(name: str) -> TaskType:
    """Return a task type by its name.

    Raises:
        UsageError: when there is none of that name; lists those that there are.
    """
    try:
        return TaskType(name)
    except ValueError:
        raise UsageError(f"There is no task type `{name}`", hint=f"types: {', '.join(TaskType)}") from None


class ImportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How files of another tool become predictions.

    Attributes:
        task: name of the task to write.
        task_type: of the task; `None`: what the file holds.
        annotations: a file that describes the images and categories of a list of results.
        classes: a file that names the categories where nothing else does.
        score: of objects without one; `None`: they are not taken, unless their type needs no score.
        if_there: what to do where the task has prediction files: refuse to start; add what is not there yet; or
            replace the files of the samples that are imported.
        dry_run: do everything but write.
        prefix: folder of the datasource in which the named images lie.
        keep_missing: whether to write predictions of images that are not in the datasource.
        empty: whether images that are listed without any result get a file that says so.
        visibility: whether the third numbers of keypoints are COCO's flags 0, 1 and 2: they become 0, .5 and 1.
        columns: of lines with boxes, where they are not YOLO's: `class score x y x2 y2`; `None`: YOLO's.
        pixels: whether those lines count in pixels.
        masks: folder of the PNG files that a panoptic file describes; `None`: named like the file.
    """

    task: str
    task_type: TaskType | None = None
    annotations: str | None = None
    classes: str | None = None
    score: float | None = None
    if_there: IfThere = IfThere.REFUSE
    dry_run: bool = False
    prefix: str = ""
    keep_missing: bool = False
    empty: bool = False
    visibility: bool = False
    columns: str | None = None
    pixels: bool = False
    masks: str | None = None

    def __post_init__(self) -> None:
        """Take names of types and of what to do as texts, too.

        Raises:
            UsageError: when there is no such type, or the score is none.
        """
        if self.score is not None and not 0 <= self.score <= 1:
            raise UsageError(f"Expected a score from 0 to 1, got {self.score:g}")
        if self.task_type is not None:
            msgspec.structs.force_setattr(self, "task_type", task_type_named(self.task_type))
        msgspec.structs.force_setattr(self, "if_there", IfThere(self.if_there))

    @property
    def classes_path(self) -> Path:
        """The file of `classes`, which must be given."""
        return Path(self.classes or "")


class ImportExample(msgspec.Struct, frozen=True, kw_only=True):
    """One of the records of a group.

    Attributes:
        place: where it stands in the input, and the image that it is of.
        message: what is the matter with it.
    """

    place: str
    message: str


class ImportGroup(msgspec.Struct, kw_only=True):
    """Everything that was not taken, or is worth a word, for one reason.

    Attributes:
        code: a key of `IMPORT_CODES`, or of `CODES` where the prediction itself has the problem.
        count: how many records.
        summary: the reason.
        hint: what to do about it.
        examples: the first of them, each place once.
    """

    code: str
    count: int
    summary: str
    hint: str
    examples: list[ImportExample]


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did.

    Attributes:
        task: name of the task.
        task_type: of the task.
        dry_run: whether nothing was written.
        records: objects that the input holds.
        predictions: how many of them are predictions now, those that were there before included.
        files: prediction files that were written.
        files_empty: how many of those say that nothing was seen.
        files_unchanged: files that held all of it before.
        not_taken: what was left out, by reason; a record may have several.
        n_not_taken: how many records were left out.
        notes: what was taken, but is worth a look.
        seconds: how long it took.
    """

    task: str
    task_type: TaskType
    dry_run: bool
    records: int
    predictions: int
    files: int
    files_empty: int
    files_unchanged: int
    not_taken: list[ImportGroup]
    n_not_taken: int
    notes: list[ImportGroup]
    seconds: float


class Tally:
    """Counts what an import leaves out or remarks on, and keeps the first few of each kind.

    Attributes:
        n_not_taken: how many records were left out.
    """

    def __init__(self) -> None:
        self.n_not_taken = 0
        self._groups: dict[str, ImportGroup] = {}
        self._drops: dict[str, bool] = {}

    def add(self, code: str, message: str, place: str, *, count: int = 1) -> None:
        """Count records under a reason of the import's own."""
        known = IMPORT_CODES[code]
        self._count(code, known.summary, known.hint, ImportExample(place=place, message=message), count)
        self._drops[code] = known.drops
        self.n_not_taken += count * known.drops

    def add_error(self, error: ForeignError, place: str, *, count: int = 1) -> None:
        """Count records that could not be made predictions."""
        self.add(error.code, str(error), place, count=count)

    def add_problems(self, problems: Iterable[Problem], place: str) -> None:
        """Count one prediction that has problems, once for each code."""
        codes = {problem.code: problem for problem in reversed([*problems])}
        for code, problem in codes.items():
            example = ImportExample(place=place, message=problem.message)
            self._count(code, CODES[code].summary, problem.advice, example, 1)
            self._drops[code] = CODES[code].drops is not Drops.NOTHING
        self.n_not_taken += any(self._drops[code] for code in codes)

    def groups(self, *, dropped: bool) -> list[ImportGroup]:
        """Return the groups whose records were left out, or those that were taken; the largest first."""
        found = [group for code, group in self._groups.items() if self._drops[code] is dropped]
        return sorted(found, key=lambda group: -group.count)

    def _count(self, code: str, summary: str, hint: str, example: ImportExample, count: int) -> None:
        group = self._groups.get(code)
        if group is None:
            group = ImportGroup(code=code, count=0, summary=summary, hint=hint, examples=[])
            self._groups[code] = group
        group.count += count
        if len(group.examples) < SHOWN_EXAMPLES and all(one.place != example.place for one in group.examples):
            group.examples.append(example)
