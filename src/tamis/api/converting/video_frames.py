"""Frames that other tools say by video and number, under the names that they have in the datasource."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tamis.formats import ForeignError
from tamis.model import SampleKind, frame_name, kind_of_key
from tamis.storage import StoreError, join_key

if TYPE_CHECKING:
    from tamis.api.converting.values import Tally
    from tamis.storage import Store

Size = tuple[int, int]


@dataclass(slots=True, eq=False)
class VideoFrames:
    """The videos below a folder of the datasource; each that is asked for is decoded once, to count its frames.

    Args:
        store: the input datasource.
        prefix: the folder.
        tally: told of videos that lie elsewhere than they are said to.
    """

    store: Store
    prefix: str
    tally: Tally
    _listed: list[str] | None = None
    _found: dict[str, tuple[str, int, Size]] = field(default_factory=dict)
    _refused: dict[str, ForeignError] = field(default_factory=dict)

    def find(self, video: str | None, number: int | None) -> tuple[str, Size]:
        """Return the name of a frame below the folder, and its width and height in pixels.

        Args:
            video: as a file says it, `None` where it does not.
            number: of the frame, from 0.

        Raises:
            ForeignError: when there is no such frame, or it cannot be told.
        """
        if video is None:
            raise ForeignError("frame-unknown", "expected the name of the video, got none that is sure")
        if number is None:
            raise ForeignError("record-unreadable", "expected the number of a frame, got none")
        if video in self._refused:
            raise self._refused[video]
        if video not in self._found:
            try:
                self._found[video] = self._count(video)
            except ForeignError as error:
                self._refused[video] = error
                raise
        name, n_frames, size = self._found[video]
        if number >= n_frames:
            raise ForeignError(
                "frame-unknown", f"expected one of the {n_frames:,} frames of `{name}`, got number {number:,}"
            )
        return frame_name(name, number, n_frames), size

    def _count(self, video: str) -> tuple[str, int, Size]:
        from tamis.media.videos import VideoError, count_frames, video_source  # noqa: PLC0415 (FFmpeg, for videos only)

        name = self._name_of(video)
        try:
            count = count_frames(video_source(self.store, join_key(self.prefix.strip("/"), name)))
        except VideoError as error:
            raise ForeignError("frame-unknown", f"expected to read the video `{name}`, but {error}") from None
        except StoreError as error:
            raise ForeignError("frame-unknown", error.message) from None
        return name, count.decoded, (count.width, count.height)

    def _name_of(self, video: str) -> str:
        """Return where a video lies: where it is said to, else where the only one of that name does."""
        if self._listed is None:
            self._listed = list(self._list(""))
        said = video.replace("\\", "/").removeprefix("./")
        if said in self._listed:
            return said
        last = said.rpartition("/")[2]
        alike = [name for name in self._listed if name.rpartition("/")[2] == last]
        if len(alike) != 1:
            got = "several of that name" if alike else "nothing by that name"
            raise ForeignError("frame-unknown", f"expected the video `{video}` in the datasource, got {got}")
        self.tally.add("image-elsewhere", f"found as `{alike[0]}`", video)
        return alike[0]

    def _list(self, folder: str) -> list[str]:
        found, root = [], self.prefix.strip("/")
        for page in self.store.list_folder(join_key(root, folder) if root else folder, stamps=False):
            found += [join_key(folder, name) for name in page.names if kind_of_key(name) is SampleKind.VIDEO]
            for name in page.folders:
                if name != ".lightly":
                    found += self._list(join_key(folder, name))
        return found
