"""What a datasource holds, by *unit*: everything that shares one stem (path without its last extension).

A unit is the smallest thing that a scan re-reads: an image (or several that share the stem, or a video
frame), the prediction file of each task and the metadata file. All of it is folded into one 64-bit fingerprint
of sizes and times, so that two columns (stem, fingerprint) tell what changed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tamis.index.namesakes import find_namesakes
from tamis.model import stem_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tamis.storage import Stamp

Fingerprints = np.ndarray[Any, np.dtype[np.uint64]]

IMAGE = "image"
FRAME = "frame"
METADATA = "metadata"
NAMESAKES = "namesakes"


def task_slot(task: str) -> str:
    """Return the name of the place that a task's prediction file takes in its unit."""
    return f"task:{task}"


@lru_cache(maxsize=1024)
def salt(slot: str, extension: str = "") -> int:
    """Return the number that tells slots (and image endings) apart in a fingerprint."""
    return int.from_bytes(hashlib.blake2b(f"{slot}.{extension}".encode(), digest_size=8).digest(), "little")


def mix(
    salts: NDArray[np.uint64] | int, sizes_bytes: NDArray[np.int64], mtimes_ns: NDArray[np.int64]
) -> Fingerprints:
    """Return one 64-bit number for each (salt, size, time); a unit's fingerprint is their sum modulo 2^64.

    Multiply-xorshift steps as in splitmix64, so that any change of any bit changes the sum.
    """
    with np.errstate(over="ignore"):
        x = sizes_bytes.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        x ^= mtimes_ns.astype(np.uint64) + np.asarray(salts, np.uint64)
        x ^= x >> np.uint64(30)
        x *= np.uint64(0xBF58476D1CE4E5B9)
        x ^= x >> np.uint64(27)
        x *= np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


@dataclass(frozen=True, slots=True)
class FrameRange:
    """The frames of one video: a unit for each.

    Attributes:
        video: key of the video.
        stems: names of the frames without `.png`, without the folder, in order.
        stamp: the video's; its frames change when it does.
        metadata: stamp of the video's metadata file, which frames without one of their own have; `None` where
            there is none.
    """

    video: str
    stems: list[str]
    stamp: Stamp
    metadata: Stamp | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """The units of a datasource, folder by folder, sorted by stem within each.

    Attributes:
        stems: path without extension, shape (n,), unique.
        fingerprints: 0 where the listing was made without stamps.
        extensions: endings of the unit's images joined by `/`, empty where it has none.
        frame_video: index into `videos`, -1 where the unit is no frame.
        frame_number: 0-based, -1 likewise.
        present: for each slot of METADATA and the tasks, which units have that file.
        videos: keys of videos that have frames here.
        namesakes: of units that share their stem with a video, or with an image or video that is left out: the
            endings of all that has the stem, as `find_namesakes` writes them.
        video_namesakes: likewise of videos, by their index, where they are not alone.
    """

    stems: pa.StringArray
    fingerprints: Fingerprints
    extensions: pa.StringArray
    frame_video: NDArray[np.int32]
    frame_number: NDArray[np.int32]
    present: dict[str, NDArray[np.bool_]]
    videos: list[str]
    namesakes: dict[int, str] = field(default_factory=dict)
    video_namesakes: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.stems)

    @property
    def has_sample(self) -> NDArray[np.bool_]:
        """Which units hold a sample; the others are files that no sample claims."""
        images = np.asarray(pc.not_equal(self.extensions, ""))
        return images | (self.frame_video >= 0)


@dataclass(slots=True, eq=False)
class _Rows:
    """Names of one slot of the folder at hand."""

    stems: list[pa.Array] = field(default_factory=list)
    extensions: list[str] = field(default_factory=list)
    sizes_bytes: list[int] = field(default_factory=list)
    mtimes_ns: list[int] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class ListingBuilder:
    """Collects names folder by folder: `add` and `add_frames` in any order, then `close_folder`.

    Args:
        slots: METADATA and the tasks' slots, in a fixed order.
        stamped: whether sizes and times come with the names.
    """

    slots: Sequence[str]
    stamped: bool
    _rows: dict[str, _Rows] = field(default_factory=dict)
    _frames: list[FrameRange] = field(default_factory=list)
    _videos: list[str] = field(default_factory=list)
    _folders: list[_FolderUnits] = field(default_factory=list)

    def add(
        self,
        slot: str,
        stems: list[str],
        sizes_bytes: list[int],
        mtimes_ns: list[int],
        *,
        extensions: list[str] | None = None,
    ) -> None:
        """Add files of the folder at hand: stems without the folder, and for images their endings."""
        rows = self._rows.setdefault(slot, _Rows())
        rows.stems.append(pa.array(stems, pa.string()))
        rows.sizes_bytes += sizes_bytes
        rows.mtimes_ns += mtimes_ns
        if extensions is not None:
            rows.extensions += extensions

    def add_frames(self, frames: FrameRange) -> None:
        """Add the frames of a video of the folder at hand."""
        self._frames.append(frames)

    def with_image(self, stems: Sequence[str]) -> set[str]:
        """Return which of these stems have an image in the folder at hand."""
        there = pa.chunked_array(self._rows[IMAGE].stems if IMAGE in self._rows else [], pa.string())
        return set(there.filter(pc.is_in(there, value_set=pa.array(stems, pa.string()))).to_pylist())

    def close_folder(self, folder: str, *, left_out: Mapping[str, str] = MappingProxyType({})) -> None:
        """Turn what was added since the last folder into units of `folder` ("" is the root).

        Args:
            folder: which one.
            left_out: images and videos in it that are no samples: their stems without the folder, and the endings
                that each has, joined by `/`.
        """
        if self._rows or self._frames:
            units = _folder_units(folder, self._rows, self._frames, len(self._videos), self.slots)
            _note_namesakes(units, folder, self._frames, left_out, len(self._videos))
            if not self.stamped:
                units.fingerprints[:] = 0
            self._folders.append(units)
            self._videos += [frames.video for frames in self._frames]
        self._rows, self._frames = {}, []

    def finish(self) -> Listing:
        """Return everything listed."""
        folders = self._folders
        starts = np.cumsum([0, *(len(f.stems) for f in folders)]).tolist()
        listing = Listing(
            stems=_concat([f.stems for f in folders]),
            fingerprints=np.concatenate([np.empty(0, np.uint64), *(f.fingerprints for f in folders)]),
            extensions=_concat([f.extensions for f in folders]),
            frame_video=np.concatenate([np.empty(0, np.int32), *(f.frame_video for f in folders)]),
            frame_number=np.concatenate([np.empty(0, np.int32), *(f.frame_number for f in folders)]),
            present={
                slot: np.concatenate([np.empty(0, np.bool_), *(f.present[slot] for f in folders)])
                for slot in self.slots
            },
            videos=self._videos,
            namesakes={
                start + row: endings
                for start, units in zip(starts, folders, strict=False)
                for row, endings in units.namesakes.items()
            },
            video_namesakes={i: endings for units in folders for i, endings in units.video_namesakes.items()},
        )
        # A scan holds the listing to its end, but no longer what it was put together from.
        self._folders = []
        del folders
        pa.default_memory_pool().release_unused()
        return listing


@dataclass(frozen=True, slots=True, eq=False)
class _FolderUnits:
    stems: pa.StringArray
    fingerprints: Fingerprints
    extensions: pa.StringArray
    frame_video: NDArray[np.int32]
    frame_number: NDArray[np.int32]
    present: dict[str, NDArray[np.bool_]]
    namesakes: dict[int, str] = field(default_factory=dict)
    video_namesakes: dict[int, str] = field(default_factory=dict)


def _folder_units(
    folder: str, rows: dict[str, _Rows], frames: list[FrameRange], n_videos: int, slots: Sequence[str]
) -> _FolderUnits:
    names = {slot: _concat(row.stems) for slot, row in rows.items()}
    frame_names = [pa.array(f.stems, pa.string()) for f in frames]
    units, codes = _distinct([*names.values(), *frame_names])
    n = len(units)
    code_of = dict(zip(names, codes, strict=False))
    fingerprints = np.zeros(n, np.uint64)
    for slot, row in rows.items():
        _add_fingerprints(fingerprints, slot, row, code_of[slot])
    present = {slot: np.zeros(n, np.bool_) for slot in slots}
    for slot in slots:
        if slot in code_of:
            present[slot][code_of[slot]] = True
    frame_video, frame_number = np.full(n, -1, np.int32), np.full(n, -1, np.int32)
    for i, (frame, code) in enumerate(zip(frames, codes[len(names) :], strict=True)):
        frame_video[code], frame_number[code] = n_videos + i, np.arange(len(code))
        fingerprints[code] += _mix_stamp(FRAME, frame.stamp)
        if frame.metadata is not None:
            fingerprints[code[~present[METADATA][code]]] += _mix_stamp(METADATA, frame.metadata)
    prefix = pa.scalar(f"{folder}/" if folder else "", pa.string())
    return _FolderUnits(
        stems=pc.binary_join_element_wise(prefix, units, ""),
        fingerprints=fingerprints,
        extensions=_image_extensions(n, rows.get(IMAGE), code_of.get(IMAGE)),
        frame_video=frame_video,
        frame_number=frame_number,
        present=present,
    )


def _note_namesakes(
    units: _FolderUnits, folder: str, frames: list[FrameRange], left_out: Mapping[str, str], n_videos: int
) -> None:
    """Find what shares a stem without being of its unit, and let the fingerprints that hang on it tell."""
    if not frames and not left_out:
        return
    prefix = f"{folder}/" if folder else ""
    videos = [one.video for one in frames]
    away = {prefix + stem: endings for stem, endings in left_out.items()}
    found = find_namesakes(units.stems, units.extensions, units.frame_video >= 0, videos, away)
    rows = pc.index_in(pa.array(list(found), pa.string()), value_set=units.stems).to_pylist()
    for row, endings in zip(rows, found.values(), strict=True):
        if row is not None:
            units.namesakes[row] = endings
            units.fingerprints[row : row + 1] += _mix_names(endings)
    for i, one in enumerate(frames, n_videos):
        endings = found[stem_of(one.video)]
        if "/" in endings:
            units.video_namesakes[i] = endings
            if one.metadata is not None:
                inherits = (units.frame_video == i) & ~units.present[METADATA]
                units.fingerprints[inherits] += _mix_names(endings)


def _mix_names(endings: str) -> Fingerprints:
    return mix(salt(NAMESAKES, endings), np.zeros(1, np.int64), np.zeros(1, np.int64))


def _mix_stamp(slot: str, stamp: Stamp) -> Fingerprints:
    return mix(salt(slot), np.array([stamp.size_bytes], np.int64), np.array([stamp.mtime_ns], np.int64))


def _distinct(columns: list[pa.StringArray]) -> tuple[pa.StringArray, list[NDArray[np.int64]]]:
    """Return the sorted distinct names of all columns, and for each column where its names are in it."""
    encoded = pc.dictionary_encode(_concat(columns))
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    codes = rank[encoded.indices.to_numpy()]
    ends = np.cumsum([len(column) for column in columns])
    return encoded.dictionary.take(pa.array(order)), np.split(codes, ends[:-1])


def _add_fingerprints(fingerprints: Fingerprints, slot: str, row: _Rows, code: NDArray[np.int64]) -> None:
    if not row.sizes_bytes:
        return
    endings = row.extensions or [""] * len(code)
    mixed = mix(
        np.array([salt(slot, ending) for ending in endings], np.uint64),
        np.array(row.sizes_bytes, np.int64),
        np.array(row.mtimes_ns, np.int64),
    )
    np.add.at(fingerprints, code, mixed)


def _image_extensions(n: int, row: _Rows | None, code: NDArray[np.int64] | None) -> pa.StringArray:
    """Return each unit's image endings joined by `/`, sorted."""
    if row is None or code is None:
        return pa.array([""] * n, pa.string())
    endings = np.array(row.extensions, object)
    column = np.full(n, "", object)
    column[code] = endings
    shared = np.flatnonzero(np.bincount(code, minlength=n) > 1)
    if len(shared):
        members = np.isin(code, shared)
        by_unit: dict[int, list[str]] = {}
        for unit, ending in zip(code[members].tolist(), endings[members].tolist(), strict=True):
            by_unit.setdefault(unit, []).append(ending)
        for unit, several in by_unit.items():
            column[unit] = "/".join(sorted(several))
    return pa.array(column, pa.string())


def _concat(arrays: list[pa.Array]) -> pa.StringArray:
    return pa.concat_arrays(arrays) if arrays else pa.array([], pa.string())
