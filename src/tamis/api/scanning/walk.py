"""Listing a datasource: images, videos, prediction and metadata files, folder by folder, into units."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tamis.api.scanning.list_ahead import ListAhead
from tamis.engine import Progress
from tamis.formats import METADATA as METADATA_FOLDER
from tamis.formats import PREDICTIONS, schema_key
from tamis.index import IMAGE, METADATA, FrameRange, Listing, ListingBuilder, task_slot
from tamis.model import (
    Problem,
    SampleKind,
    frame_name,
    kind_of_ending,
    parse_frame_stem,
    split_extension,
    stem_of,
)
from tamis.storage import Stamp, StoreError, join_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tamis.engine import ProgressListener
    from tamis.formats import RelevantFilenames
    from tamis.storage import Page, Store

_JSON = ".json"
_LIGHTLY = ".lightly"
_REPORT_EVERY_FILES = 20_000


@dataclass(frozen=True, slots=True)
class VideoFile:
    """A video as it was listed."""

    key: str
    stamp: Stamp


@dataclass(slots=True, eq=False)
class Walk:
    """One walk over both datasources at once; call `run`, then read `problems`.

    Args:
        input_store: images and videos.
        lightly_store: predictions and metadata.
        tasks: names of the tasks to list: those with a valid schema.
        listed: names of all tasks, as the folder of one without a valid schema is no one else's.
        has_metadata: whether to list metadata files: they say nothing without a schema.
        stamped: whether to ask for sizes and times; a first scan learns them as it reads.
        relevant: which samples count, or `None` for all.
        count_frames: given the videos of a folder, returns the number of frames of each that can be read.
        listen: told how many files were listed.
    """

    input_store: Store
    lightly_store: Store
    tasks: Sequence[str]
    listed: Sequence[str]
    has_metadata: bool
    stamped: bool
    relevant: RelevantFilenames | None
    count_frames: Callable[[list[VideoFile]], dict[str, int]]
    listen: ProgressListener
    problems: list[Problem] = field(default_factory=list)
    _builder: ListingBuilder = field(init=False)
    _lists: ListAhead = field(init=False)
    _n_files: int = 0
    _left_out: dict[str, str] = field(default_factory=dict)
    _metadata_stamps: dict[str, Stamp] = field(default_factory=dict)

    def run(self) -> Listing:
        """List everything.

        Raises:
            StoreError: when the root of the input datasource may not be listed.
        """
        self._builder = ListingBuilder([METADATA, *map(task_slot, self.tasks)], self.stamped)
        self._lists = ListAhead(stamped=self.stamped)
        pending = [""]
        with self._lists:
            while pending:
                self._start(pending)
                folder = pending.pop()
                below = self._folder(folder)
                # Depth first in sorted order: reversed, as the last one is popped first.
                pending += [join_key(folder, name) for name in sorted(below, reverse=True)]
        self.listen(Progress("listing", self._n_files, None, "files"))
        return self._builder.finish()

    def _start(self, pending: list[str]) -> None:
        """Let buckets list the folders whose turn comes next, the first of them always."""
        if self.input_store.local_root is not None and self.lightly_store.local_root is not None:
            return
        for i, folder in enumerate(reversed(pending)):
            if i and not self._lists.has_room:
                return
            self._lists.start(self.input_store, folder)
            for place in self._places(folder):
                self._lists.start(self.lightly_store, place)

    def _places(self, folder: str) -> list[str]:
        """Return the folders of metadata and predictions that stand for a folder of samples."""
        metadata = [METADATA_FOLDER] if self.has_metadata else []
        places = [*metadata, *(f"{PREDICTIONS}/{task}" for task in self.tasks)]
        return [
            join_key(place, folder) if folder else place for place in places if not self._is_of_inner(place, folder)
        ]

    def _folder(self, folder: str) -> set[str]:
        """List one folder in all its places; return the names of its subfolders."""
        below: set[str] = set()
        videos: list[VideoFile] = []
        self._left_out.clear()
        self._metadata_stamps.clear()
        for page in self._pages(self.input_store, folder, is_root=folder == ""):
            self._add_samples(folder, page, videos)
            below.update(page.folders)
        below.discard(_LIGHTLY)
        names = {video.key.rpartition("/")[2] for video in videos}
        if self.has_metadata:
            self._add_json(METADATA_FOLDER, folder, METADATA, below, names)
        for task in self.tasks:
            self._add_json(f"{PREDICTIONS}/{task}", folder, task_slot(task), below, names)
        if videos:
            self._add_frames(videos)
        self._builder.close_folder(folder, left_out=self._left_out)
        return below

    def _pages(self, store: Store, folder: str, *, is_root: bool = False) -> list[Page]:
        """Return the pages of a folder; one that may not be listed is a problem, but the root is an error."""
        pages: list[Page] = []
        try:
            for page in self._lists.pages(store, folder):
                pages.append(page)
                self._count(len(page.names))
                for name, reason in page.skipped:
                    self._skip(join_key(folder, name), reason)
        except StoreError as error:
            if is_root:
                raise
            self._skip(folder, error.message)
        return pages

    def _add_samples(self, folder: str, page: Page, videos: list[VideoFile]) -> None:
        stems: list[str] = []
        extensions: list[str] = []
        keep: list[int] = []
        for i, name in enumerate(page.names):
            stem, extension = split_extension(name)
            kind = kind_of_ending(extension)
            if kind is None:
                continue
            if self.relevant is not None and not self.relevant.matches(join_key(folder, name)):
                before = self._left_out.get(stem)
                self._left_out[stem] = extension if before is None else f"{before}/{extension}"
                continue
            if kind is SampleKind.IMAGE:
                stems.append(stem)
                extensions.append(extension)
                keep.append(i)
                if stem == "schema" and not folder:
                    self._reserved(name)
            else:
                videos.append(self._video(folder, name, page, i))
        self._add(IMAGE, page, stems, keep, extensions)

    def _add_json(self, place: str, folder: str, slot: str, below: set[str], videos: set[str]) -> None:
        if self._is_of_inner(place, folder):
            return  # the images have a folder of that name
        inner = self._inner_tasks(place)
        for page in self._pages(self.lightly_store, join_key(place, folder) if folder else place):
            stems: list[str] = []
            keep: list[int] = []
            for i, name in enumerate(page.names):
                if name.endswith(_JSON) and (folder or name != "schema.json"):
                    stems.append(name[: -len(_JSON)])
                    keep.append(i)
            passed = self._of_left_out(stems, slot, videos) if self._left_out else ()
            if passed:
                keep = [i for i, stem in zip(keep, stems, strict=True) if stem not in passed]
                stems = [stem for stem in stems if stem not in passed]
            self._add(slot, page, stems, keep)
            if slot == METADATA and self.stamped:
                stamps = (Stamp(page.sizes_bytes[i], page.mtimes_ns[i]) for i in keep)
                self._metadata_stamps.update(zip(stems, stamps, strict=True))
            below.update(name for name in page.folders if join_key(folder, name) not in inner)

    def _add(
        self, slot: str, page: Page, stems: list[str], keep: list[int], extensions: list[str] | None = None
    ) -> None:
        if not stems:
            return
        sizes, times = page.sizes_bytes, page.mtimes_ns
        if len(keep) < len(page.names) and sizes:
            sizes, times = [sizes[i] for i in keep], [times[i] for i in keep]
        self._builder.add(slot, stems, sizes, times, extensions=extensions)

    def _of_left_out(self, stems: list[str], slot: str, videos: set[str]) -> set[str]:
        """Return which files speak of samples alone that the relevant filenames leave out: nobody misses those."""
        doubtful = [stem for stem in stems if self._may_be_left_out(stem, slot, videos)]
        if not doubtful:
            return set()
        kept = self._builder.with_image(doubtful)
        if slot == METADATA:
            kept.update(map(stem_of, videos))
        return set(doubtful) - kept

    def _may_be_left_out(self, stem: str, slot: str, videos: set[str]) -> bool:
        frame = parse_frame_stem(stem)
        if frame is not None and frame.video in videos:
            return False
        endings = self._left_out.get(stem, "").split("/")
        is_image = any(kind_of_ending(ending) is SampleKind.IMAGE for ending in endings)
        if is_image or (slot == METADATA and stem in self._left_out):
            return True
        if frame is None:
            return False
        video, ending = split_extension(frame.video)
        return ending in self._left_out.get(video, "").split("/")

    def _is_of_inner(self, place: str, folder: str) -> bool:
        return any(folder == name or folder.startswith(f"{name}/") for name in self._inner_tasks(place))

    def _inner_tasks(self, place: str) -> set[str]:
        """Return the subfolders of a task that belong to another one: task `a/b` lies within task `a`."""
        prefix = f"{place}/"
        return {
            full[len(prefix) :]
            for full in (f"{PREDICTIONS}/{task}" for task in self.listed)
            if full.startswith(prefix)
        }

    def _video(self, folder: str, name: str, page: Page, i: int) -> VideoFile:
        key = join_key(folder, name)
        if page.sizes_bytes:
            return VideoFile(key, Stamp(page.sizes_bytes[i], page.mtimes_ns[i]))
        try:
            return VideoFile(key, self.input_store.read_start(key, 1).stamp)
        except StoreError:
            return VideoFile(key, Stamp(0, 0))  # reading it again to count its frames says why

    def _add_frames(self, videos: list[VideoFile]) -> None:
        counts = self.count_frames(videos)
        for video in sorted(videos, key=lambda v: v.key):
            n_frames = counts.get(video.key, 0)
            name = video.key.rsplit("/", 1)[-1]
            stems = [stem_of(frame_name(name, i, n_frames)) for i in range(n_frames)]
            metadata = self._metadata_stamps.get(stem_of(name))
            self._builder.add_frames(FrameRange(video.key, stems, video.stamp, metadata))

    def _count(self, n: int) -> None:
        before = self._n_files // _REPORT_EVERY_FILES
        self._n_files += n
        if self._n_files // _REPORT_EVERY_FILES > before:
            self.listen(Progress("listing", self._n_files, None, "files"))

    def _skip(self, key: str, reason: str) -> None:
        self.problems.append(Problem(code="path-skipped", file=key, message=f"not read: {reason}"))

    def _reserved(self, name: str) -> None:
        for task in self.listed:
            self.problems.append(
                Problem(
                    code="sample-named-schema",
                    task=task,
                    file=name,
                    message=f"its prediction file would be `{schema_key(task)}`, which is the task's schema",
                    hint=f"rename `{name}`",
                )
            )
