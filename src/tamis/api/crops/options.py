"""Which objects are cut out, and how; what was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from tamis.engine import EngineName
from tamis.media.frames import PictureFormat

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class CropOptions:
    """Which objects of a task to cut out, and how.

    Attributes:
        keys: only these samples and objects (`a/1.jpg#cars#3`); `None` for all.
        pass_over: whether keys of objects of other tasks, and such as the index has no more, are counted instead of
            refused; as members of a tag they are no mistake.
        categories: only objects of these, by name; `None` for all.
        min_score: only objects with at least this score.
        min_size_px: only objects whose box has at least this width and height.
        padding: by which part of its width and height a box is widened, split evenly and cut at the border.
        square: whether the shorter side is widened to the longer.
        masked: whether what is not in the object's mask is left out: transparent in PNG, white in JPEG.
        picture: how crops are stored.
        jpeg_quality: from 1 to 95; `None` for the usual.
        full: whether crops that are there are written again, whatever options made them.
        workers: processes; `None` is one for each processor that this process may use, or that the cluster has.
        engine: `local`, or `ray`: on a cluster.
        ray_address: of the cluster, see `RaySession`.
    """

    keys: Sequence[str] | None = None
    pass_over: bool = False
    categories: Sequence[str] | None = None
    min_score: float | None = None
    min_size_px: float = 1.0
    padding: float = 0.0
    square: bool = False
    masked: bool = False
    picture: PictureFormat = PictureFormat.JPEG
    jpeg_quality: int | None = None
    full: bool = False
    workers: int | None = None
    engine: str = EngineName.LOCAL
    ray_address: str | None = None


class CropFault(msgspec.Struct, frozen=True, kw_only=True):
    """An object that could not be cut out, and why."""

    key: str
    message: str


class CropsReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was done with the objects of a task.

    Attributes:
        out: folder of the crops.
        task: whose objects, and name of the classification task of the crops.
        chosen: how many objects were asked for.
        of_other_tasks: how many keys of objects of other tasks were passed over.
        gone: how many keys that the index does not have were passed over.
        written: crops written now.
        kept: crops that were there from before, and are still right.
        removed: crops from before whose objects are not asked for any more.
        failed: objects that could not be cut out.
        faults: each of those, with the reason.
    """

    out: str
    task: str
    chosen: int
    of_other_tasks: int
    gone: int
    written: int
    kept: int
    removed: int
    failed: int
    faults: list[CropFault]
