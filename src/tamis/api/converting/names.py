"""Which sample a foreign file means: its names are those of another machine, another folder, another tool."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from tamis.api.converting.paths import Paths, plain_path, without_label_folders
from tamis.api.writer_values import check_sample_key
from tamis.formats import ForeignError
from tamis.model import SampleKind, kind_of_key, parse_frame_stem, split_extension
from tamis.storage import join_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.api.converting.videos import Videos
    from tamis.storage import Store

MISSING_CODES = frozenset({"image-missing", "frame-missing"})
"""Why a name has no sample: those that are imported anyway where that is asked for."""

_FRAME_ENDING = "png"


class Found(NamedTuple):
    """A sample that was found.

    Attributes:
        key: of the sample.
        is_exact: whether the name says where it lies; otherwise only the end of the path agrees.
    """

    key: str
    is_exact: bool


class SampleNames:
    """The images and videos of a datasource, to be found by what other tools call them.

    A name is looked for as a path below `prefix`, then as the name of a frame, then by the end of its path, where
    only one sample has it and their folders do not contradict.

    Args:
        store: the input datasource; it is listed once, names only.
        videos: what is known of its videos.
        prefix: folder in which the named images lie.
    """

    def __init__(self, store: Store, videos: Videos, prefix: str = "") -> None:
        self._frames = videos
        self._prefix = plain_path(prefix).strip("/") if prefix.strip("./\\") else ""
        self._roots = [plain_path(store.url)]
        if store.local_root is not None:
            self._roots.append(posixpath.realpath(store.local_root))
        self._images = Paths(self._prefix)
        self._videos = Paths(self._prefix)
        self._list(store)

    def find(self, name: str) -> Found:
        """Return the sample that a file name means.

        Raises:
            ForeignError: when there is none, or several could be meant.
        """
        key = self.spelled(name)
        if self._images.has(key):
            return Found(key, is_exact=True)
        exact = self._frame(split_extension(key)[0], name)
        return exact or self._find_elsewhere(name, *split_extension(self._relative(name)))

    def find_beside(self, name: str, folder: str) -> Found:
        """Return the sample that a file of labels means: a path from its own folder, or from elsewhere.

        Args:
            name: as the file says it.
            folder: in which the file lies, "" for none.

        Raises:
            ForeignError: when there is none, or several could be meant.
        """
        beside = self.spelled(join_key(folder, name))
        if self._images.has(beside):
            return Found(beside, is_exact=True)
        if "/" in plain_path(name):
            return self.find(name)
        # a bare name says less than the folder that it stands in
        return self.find(without_label_folders(join_key(folder, name)))

    def find_stem(self, stem: str) -> Found:
        """Return the sample that a name without extension means, that of a file of labels.

        Raises:
            ForeignError: when there is none, or several could be meant.
        """
        plain = without_label_folders(plain_path(stem))
        for key in dict.fromkeys((self.spelled(stem), self.spelled(plain))):
            there = self._images.of_stem(key)
            if there:
                return Found(_only(there, stem), is_exact=True)
            frame = self._frame(key, stem)
            if frame is not None:
                return frame
        return self._find_elsewhere(stem, self._relative(plain), "")

    def find_frame(self, video: str, number: int) -> Found:
        """Return the frame that a video and a number mean.

        Args:
            video: as another tool names it.
            number: of the frame, from 0.

        Raises:
            ForeignError: when there is no such video or frame, or several could be meant.
        """
        key = self.spelled(video)
        is_exact = self._videos.has(key)
        if not is_exact:
            alike = self._videos.alike(*split_extension(self._relative(video)))
            if not alike:
                raise ForeignError("frame-missing", f"expected the video `{video}` in the datasource, got none")
            key = _only(alike, video)
        return Found(self._frames.frame(key, number, f"number {number:,}"), is_exact)

    def spelled(self, name: str) -> str:
        """Return a name as a key below the prefix, whether or not there is such a sample."""
        path = plain_path(name)
        here = self._below_root(path)
        if here is not None:
            return here
        return join_key(self._prefix, path) if self._prefix else path

    def missing_key(self, name: str) -> str:
        """Return the key that a sample which is not there would have.

        Raises:
            ForeignError: when no sample can have that name.
        """
        key = self.spelled(name)
        if kind_of_key(key) is None and not split_extension(key)[1]:
            raise ForeignError("image-missing", "expected an image of the datasource or a name with its ending")
        faults = check_sample_key(key)
        if faults:
            raise ForeignError("image-name", faults[0])
        return key

    def has(self, key: str) -> bool:
        """Whether an image of that key is in the datasource."""
        return self._images.has(key)

    def frame_size(self, key: str) -> tuple[int, int] | None:
        """Return width and height in pixels of a frame by its video, `None` where it is not known."""
        frame = parse_frame_stem(split_extension(key)[0])
        return None if frame is None or not self._videos.has(frame.video) else self._frames.size(frame.video)

    def _frame(self, stem: str, name: str) -> Found | None:
        """Return the frame that has exactly this name, without its ending.

        Raises:
            ForeignError: when its video is there, but has no such frame.
        """
        frame = parse_frame_stem(stem)
        if frame is None or not self._videos.has(frame.video):
            return None
        self._frames.check_frame(frame, name)
        return Found(f"{stem}.{_FRAME_ENDING}", is_exact=True)

    def _find_elsewhere(self, name: str, stem: str, ending: str) -> Found:
        """Return what agrees in the end of its path.

        Args:
            name: as it was given, for messages.
            stem: what to look for.
            ending: of what is looked for, "" for any.
        """
        alike = self._images.alike(stem, ending) or self._alike_frames(stem, name)
        if alike:
            key = _only(alike, name)
            return Found(key, is_exact=key == plain_path(name))
        there = self._images.of_name(stem)
        got = "nothing by that name" if there is None else f"only `{there}`"
        raise ForeignError("image-missing", f"expected `{name}` in the datasource, got {got}")

    def _alike_frames(self, stem: str, name: str) -> list[str]:
        """Return the frames of videos that are found by the end of the path.

        Raises:
            ForeignError: when the only such video has no such frame.
        """
        frame = parse_frame_stem(stem)
        videos = [] if frame is None else self._videos.alike(*split_extension(frame.video))
        if frame is not None and len(videos) == 1:
            self._frames.check_frame(frame._replace(video=videos[0]), name)
        parts = map(split_extension, videos)
        return [f"{video}-{frame.digits}-{ending}.{_FRAME_ENDING}" for video, ending in parts if frame is not None]

    def _relative(self, name: str) -> str:
        """Return a name as a path to look for below the prefix."""
        path = plain_path(name)
        here = self._below_root(path)
        return path if here is None else here.removeprefix(f"{self._prefix}/" if self._prefix else "")

    def _below_root(self, path: str) -> str | None:
        """Return the key of a path that lies in this datasource by its full name, else `None`."""
        inside = (path[len(root) + 1 :] for root in self._roots if path.startswith(f"{root}/"))
        return next(inside, None)

    def _list(self, store: Store) -> None:
        pending = [""]
        while pending:
            folder = pending.pop()
            for page in store.list_folder(folder, stamps=False):
                pending += [join_key(folder, name) for name in page.folders if folder or name != ".lightly"]
                for name in page.names:
                    kind, key = kind_of_key(name), join_key(folder, name)
                    if kind is SampleKind.VIDEO:
                        self._videos.add(key)
                    # a root image named `schema` can have no predictions
                    elif kind is not None and not check_sample_key(key):
                        self._images.add(key)


def _only(keys: Sequence[str], name: str) -> str:
    """Return the only key that a name can mean.

    Raises:
        ForeignError: when there are several.
    """
    if len(keys) > 1:
        shown = " and ".join(f"`{key}`" for key in keys)
        raise ForeignError("image-ambiguous", f"expected one image named `{name}`, got {shown}")
    return keys[0]
