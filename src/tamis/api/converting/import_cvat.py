"""CVAT into the layout: labels of images, and tracks of videos."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from tamis.api.converting.label_files import (
    LabelFiles,
    LabelImport,
    categories_of,
    find_files,
    ids_by_name,
    refuse_without_scores,
    task_of,
)
from tamis.errors import UsageError
from tamis.formats import (
    IMPORT_CODES,
    Fault,
    ForeignError,
    ParsedImage,
    cvat_names,
    decode_cvat,
    decode_cvat_tracks,
    parse_xml,
)
from tamis.model import TaskType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tamis.api.converting.names import Found, SampleNames
    from tamis.api.converting.values import ImportOptions, ImportReport
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener
    from tamis.formats import CvatFrame


def import_cvat(sources: Sources, path: Path, options: ImportOptions, *, listen: ProgressListener) -> ImportReport:
    """Import an `annotations.xml` of CVAT: boxes, polygons, masks and tags of images, or tracks of videos.

    Raises:
        UsageError: when the call cannot be carried out, or would overwrite; nothing was written.
        DatasourceError: when the file cannot be read or a file not be written.
    """
    files = find_files(path, (".xml",))
    categories = categories_of(files, options, lambda data: cvat_names(parse_xml(data)))
    texts = [_readable(files, key) for key in files.keys]
    task = task_of(options, options.task_type or _cvat_type(texts), categories, str(path))
    ids, roots = ids_by_name(task), [parse_xml(text) for text in texts]
    images = [image for root in roots for image in decode_cvat(root, ids)]
    frames = [frame for root in roots for frame in decode_cvat_tracks(root, ids)]
    refuse_without_scores([*images, *(frame.found for frame in frames)], options, task.task_type, path)
    work = LabelImport(sources, options, task, "track" if frames and not images else "shape")
    parts = chain(((str(image.name), image) for image in images), _named(frames, work))
    return work.run(parts, len(images) + len(frames), listen)


def _named(frames: Sequence[CvatFrame], work: LabelImport) -> Iterator[tuple[str, ParsedImage]]:
    """Yield frames under the names that they have in the datasource; of one that has none, what is lost."""
    elsewhere: set[str] = set()
    for frame in frames:
        try:
            found = _find(frame, work.names)
        except ForeignError as error:
            said = [fault for fault in frame.found.faults if IMPORT_CODES[fault.code].drops]
            lost = said + [Fault(one.number, error.code, str(error)) for one in frame.found.objects]
            if lost:
                yield f"frame {frame.number} of {frame.video}", ParsedImage(None, None, [], lost)
            continue
        if not found.is_exact and frame.video not in elsewhere:
            elsewhere.add(str(frame.video))
            work.tally.add("image-elsewhere", f"found as `{found.key}` and others", str(frame.video))
        yield found.key, frame.found._replace(name=found.key)


def _find(frame: CvatFrame, names: SampleNames) -> Found:
    if frame.video is None:
        raise ForeignError("frame-missing", "expected the name of the video, got none that is sure")
    if frame.number is None:
        raise ForeignError("record-unreadable", "expected the number of a frame, got none")
    return names.find_frame(frame.video, frame.number)


def _readable(files: LabelFiles, key: str) -> bytes:
    try:
        data = files.read(key)
        parse_xml(data)
    except ForeignError as error:
        raise UsageError(f"`{key}` is no CVAT file: {error}") from None
    return data


def _cvat_type(texts: Sequence[bytes]) -> TaskType:
    """Return the type of shapes that occur: any polygon or mask means masks, tags alone are classifications."""
    if any(b"<polygon" in text or b"<mask" in text for text in texts):
        return TaskType.INSTANCE_SEGMENTATION
    has_tags = any(b"<tag" in text for text in texts) and not any(b"<box" in text for text in texts)
    return TaskType.CLASSIFICATION if has_tags else TaskType.OBJECT_DETECTION
