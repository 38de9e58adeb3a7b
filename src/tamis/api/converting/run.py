"""The importer and the exporter of each format."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tamis.api.converting.choices import ExportFormat, ImportFormat
from tamis.api.converting.export_coco import export_coco, export_coco_results
from tamis.api.converting.export_files import export_files, export_names
from tamis.api.converting.export_labelling import export_cvat, export_label_studio
from tamis.api.converting.export_pictures import export_masks, export_panoptic
from tamis.api.converting.export_tables import export_csv, export_jsonl, export_parquet
from tamis.api.converting.export_yolo import export_yolo
from tamis.api.converting.exporting import choose, choose_samples
from tamis.api.converting.import_coco import import_coco
from tamis.api.converting.import_cvat import import_cvat
from tamis.api.converting.import_labels import import_kitti, import_labelme, import_voc
from tamis.api.converting.import_masks import import_masks, import_panoptic
from tamis.api.converting.import_records import import_labelbox, import_tfrecord
from tamis.api.converting.import_table import import_table
from tamis.api.converting.import_yolo import import_yolo
from tamis.errors import UsageError
from tamis.formats import task_name_fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tamis.api.converting.exporting import Chosen, ChosenSamples, ExportOptions, ExportReport
    from tamis.api.converting.values import ImportOptions, ImportReport
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener
    from tamis.index import Snapshot

_IMPORTERS: dict[ImportFormat, Callable[..., ImportReport]] = {
    ImportFormat.COCO: import_coco,
    ImportFormat.YOLO: import_yolo,
    ImportFormat.VOC: import_voc,
    ImportFormat.CVAT: import_cvat,
    ImportFormat.LABELME: import_labelme,
    ImportFormat.LABELBOX: import_labelbox,
    ImportFormat.KITTI: import_kitti,
    ImportFormat.TFRECORD: import_tfrecord,
    ImportFormat.MASKS: import_masks,
    ImportFormat.PANOPTIC: import_panoptic,
    ImportFormat.TABLE: import_table,
}
_EXPORTERS: dict[ExportFormat, Callable[[Chosen, ExportOptions], ExportReport]] = {
    ExportFormat.COCO_RESULTS: export_coco_results,
    ExportFormat.COCO: export_coco,
    ExportFormat.YOLO: export_yolo,
    ExportFormat.LABEL_STUDIO: export_label_studio,
    ExportFormat.CVAT: export_cvat,
    ExportFormat.MASKS: export_masks,
    ExportFormat.PANOPTIC: export_panoptic,
    ExportFormat.CSV: export_csv,
    ExportFormat.PARQUET: export_parquet,
    ExportFormat.JSONL: export_jsonl,
}
_SAMPLE_EXPORTERS: dict[ExportFormat, Callable[[ChosenSamples, Sources, ExportOptions], ExportReport]] = {
    ExportFormat.NAMES: export_names,
    ExportFormat.FILES: export_files,
}


def import_from(
    sources: Sources, kind: ImportFormat, path: Path, options: ImportOptions, *, listen: ProgressListener
) -> ImportReport:
    """Turn a file or folder of another tool into predictions.

    Args:
        sources: where the images and `.lightly` are.
        kind: what the path is.
        path: the file or folder.
        options: how.
        listen: told how far it is.

    Raises:
        UsageError: when the call cannot be carried out, or would overwrite; nothing was written.
        DatasourceError: when something cannot be read or written.
    """
    fault = task_name_fault(options.task)
    if fault is not None:
        raise UsageError(f"`{options.task}` cannot be the name of a task: {fault}", hint="give another `--task`")
    return _IMPORTERS[kind](sources, path, options, listen=listen)


def export_to(snapshot: Snapshot, sources: Sources, kind: ExportFormat, options: ExportOptions) -> ExportReport:
    """Write the predictions of an index, or its samples, for another tool.

    Args:
        snapshot: the index.
        sources: where the images are.
        kind: what to write.
        options: of what, and where to.

    Raises:
        UsageError: when the call cannot be carried out, or would overwrite; nothing was written.
        DatasourceError: when something cannot be read or written.
    """
    chosen = choose_samples(snapshot, sources, options.selection)
    if kind in _SAMPLE_EXPORTERS:
        report = _SAMPLE_EXPORTERS[kind](chosen, sources, options)
    else:
        report = _EXPORTERS[kind](choose(snapshot, chosen, options), options)
    return msgspec.structs.replace(report, gone=chosen.n_gone)
