"""The formats that can be read and written, by the names of the command line."""

from __future__ import annotations

from enum import StrEnum


class IfThere(StrEnum):
    """What happens where the task has prediction files already."""

    REFUSE = "refuse"
    MERGE = "merge"
    REPLACE = "replace"


class ImportFormat(StrEnum):
    """What predictions can be made of."""

    COCO = "coco"
    YOLO = "yolo"
    VOC = "voc"
    CVAT = "cvat"
    LABELME = "labelme"
    LABELBOX = "labelbox"
    KITTI = "kitti"
    TFRECORD = "tfrecord"
    MASKS = "masks"
    PANOPTIC = "panoptic"
    TABLE = "table"


class ExportFormat(StrEnum):
    """What predictions, or the samples themselves, can be written as."""

    COCO_RESULTS = "coco-results"
    COCO = "coco"
    YOLO = "yolo"
    LABEL_STUDIO = "label-studio"
    CVAT = "cvat"
    MASKS = "masks"
    PANOPTIC = "panoptic"
    CSV = "csv"
    PARQUET = "parquet"
    JSONL = "jsonl"
    NAMES = "names"
    FILES = "files"
