"""Reading the metadata of the samples of some units: their own, their video's, or the defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.api.scanning.chunk import NO_STAMP, UNREAD, checked, unreadable
from tamis.api.scanning.disputes import orphan
from tamis.api.scanning.metadata_ownership import whose_metadata
from tamis.formats import MAX_FILE_BYTES, decode_metadata, metadata_key
from tamis.index import METADATA, NAMESAKES, namesake_keys, salt
from tamis.model import SampleKind, kind_of_key, stem_of
from tamis.storage import NotFoundError, Stamp, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tamis.api.scanning.chunk import Chunk, Partition, ScanJob
    from tamis.api.scanning.metadata_ownership import Whose
    from tamis.formats import Metadata
    from tamis.storage import Blob

_Values = tuple[object, ...]
_Kinds = dict[str, SampleKind]

_KINDS = {kind.value: kind for kind in SampleKind}


class MetadataReader:
    """Reads the metadata of a partition block by block, a block being a range of its units.

    Args:
        job: what all partitions share; with metadata fields.
        partition: the units.
    """

    def __init__(self, job: ScanJob, partition: Partition) -> None:
        self._job = job
        self._partition = partition
        self._of_videos: dict[int, tuple[Stamp | None, _Values]] = {}
        self._defaults: _Values = tuple(column.default for column in job.metadata)
        self._nulls: _Values = (None,) * len(job.metadata)

    def start(self, described: Sequence[int]) -> Iterator[Blob | StoreError]:
        """Ask for the files of units that have one."""
        return self._job.lightly.read_many(list(map(self._key, described)), n_bytes=MAX_FILE_BYTES + 1)

    def take(
        self,
        chunk: Chunk,
        block: range,
        described: Sequence[int],
        blobs: Iterable[Blob | StoreError],
        *,
        first: int,
    ) -> None:
        """Add a row of metadata for each of the chunk's samples from `first` on, which are those of the block."""
        samples = chunk.samples
        kinds: dict[int, _Kinds] = {unit: {} for unit in described}
        if described:
            for unit, key, kind in zip(
                samples.units[first:], samples.keys[first:], samples.kinds[first:], strict=True
            ):
                if unit in kinds:
                    kinds[unit][key] = _KINDS[kind]
        own: dict[str, _Values] = {}
        for unit, blob in zip(described, blobs, strict=True):
            own |= self._own(chunk, unit, blob, kinds[unit])
        inherited = {unit: self._inherited(chunk, unit) for unit in block if unit not in kinds}
        samples.metadata += [
            own[key] if unit in kinds else inherited[unit]
            for unit, key in zip(samples.units[first:], samples.keys[first:], strict=True)
        ]

    def _key(self, unit: int) -> str:
        return metadata_key(f"{self._partition.stems[unit]}.json")

    def _own(self, chunk: Chunk, unit: int, answer: Blob | StoreError, kinds: _Kinds) -> dict[str, _Values]:
        """Return what the unit's own file says of each of its samples."""
        file = self._key(unit)
        blob = checked(file, answer)
        if isinstance(blob, StoreError):
            chunk.problems.append((unit, unreadable(file, blob)))
            chunk.stamps.add(unit, salt(METADATA), UNREAD)
            return dict.fromkeys(kinds, self._nulls)
        chunk.stamps.add(unit, salt(METADATA), blob.stamp)
        said = decode_metadata(blob.data, self._job.metadata, file=file, strict=self._job.strict)
        if unit not in self._partition.namesakes and _is_plain(said, kinds):
            chunk.problems += [(unit, problem) for problem in said.problems]
            return dict.fromkeys(kinds, said.values)
        namesakes = namesake_keys(self._partition.stems[unit], self._partition.namesakes.get(unit, ""))
        whose = _whose(said, kinds, namesakes, file)
        why = (
            [orphan(self._partition, self._partition.stems[unit], None, file)] if whose is None else whose.problems
        )
        chunk.problems += [(unit, problem) for problem in (*said.problems, *why)]
        return {} if whose is None else {key: self._values_of(key, whose, said.values) for key in kinds}

    def _values_of(self, key: str, whose: Whose, values: _Values) -> _Values:
        if key == whose.owner:
            return values
        return self._nulls if key in whose.unknown else self._defaults

    def _inherited(self, chunk: Chunk, unit: int) -> _Values:
        """Return the metadata of a unit without a file: of its video where it is a frame, else the defaults."""
        video = self._partition.frame_video[unit]
        if video < 0:
            return self._defaults
        if video not in self._of_videos:
            self._of_videos[video] = self._read_of_video(video)
        stamp, values = self._of_videos[video]
        if stamp is not None:
            chunk.stamps.add(unit, salt(METADATA), stamp)
            namesakes = self._partition.video_namesakes.get(video)
            if namesakes is not None:
                chunk.stamps.add(unit, salt(NAMESAKES, namesakes), NO_STAMP)
        return values

    def _read_of_video(self, video: int) -> tuple[Stamp | None, _Values]:
        """Read what a video's file says; its problems are those of the unit that the file itself is."""
        key = self._partition.videos[video].key
        file = metadata_key(key)
        try:
            blob = checked(file, self._job.lightly.read_start(file, MAX_FILE_BYTES + 1))
        except NotFoundError:
            return None, self._defaults
        except StoreError as error:
            blob = error
        if isinstance(blob, StoreError):
            return UNREAD, self._nulls
        said = decode_metadata(blob.data, self._job.metadata, file=file)
        namesakes = namesake_keys(stem_of(key), self._partition.video_namesakes.get(video, "")) or {key: False}
        whose = _whose(said, {}, namesakes, file)
        return blob.stamp, self._nulls if whose is None else self._values_of(key, whose, said.values)


def _whose(said: Metadata, kinds: _Kinds, namesakes: Mapping[str, bool], file: str) -> Whose | None:
    """Return whose a metadata file is, among samples and what shares their stem; `None` where that is nobody."""
    others = {key: kind for key in namesakes if key not in kinds and (kind := kind_of_key(key)) is not None}
    if not kinds and not others:
        return None
    left_out = {key for key in others if namesakes[key]}
    return whose_metadata({**kinds, **others}, said, file=file, left_out=left_out)


def _is_plain(said: Metadata, kinds: _Kinds) -> bool:
    """Whether a file speaks of the one sample that it lies beside, as nearly all do."""
    return (
        len(kinds) == 1
        and (said.file_name is None or said.file_name in kinds)
        and said.kind is not SampleKind.VIDEO
    )
