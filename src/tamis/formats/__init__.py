"""Bytes to values and back, without a file being opened: predictions, tasks, schemas, metadata, masks."""

from tamis.formats.coco import (
    CocoBoxRecord,
    CocoImage,
    CocoRecord,
    ImageId,
    encode_annotation,
    encode_category,
    encode_result,
    guess_task_type,
    record_type,
    task_of_categories,
    to_object,
    with_flags,
)
from tamis.formats.coco_rle import RowMajorMask, from_coco, to_coco
from tamis.formats.cvat import cvat_names, decode_cvat, encode_cvat_head, encode_cvat_image
from tamis.formats.cvat_tracks import CvatFrame, decode_cvat_tracks
from tamis.formats.encoder import decode_predictions, encode_predictions, from_predictions, to_predictions
from tamis.formats.foreign import (
    CocoRle,
    ForeignError,
    ForeignObject,
    RowMask,
    TakeOptions,
    to_prediction,
)
from tamis.formats.import_codes import IMPORT_CODES, ImportCode
from tamis.formats.index_masks import (
    Painted,
    PanopticImage,
    by_category,
    decode_index_mask,
    decode_panoptic,
    paint,
    segment_colours,
)
from tamis.formats.json_source import MAX_FILE_BYTES, locate
from tamis.formats.json_stream import JsonStream, JsonStreamError, Unreadable
from tamis.formats.kitti import decode_kitti, kitti_names
from tamis.formats.label_studio import encode_label_studio
from tamis.formats.label_xml import decode_voc, parse_xml, voc_names
from tamis.formats.labelbox import decode_labelbox, labelbox_names, parse_labelbox
from tamis.formats.labelme import decode_labelme, labelme_shapes, parse_labelme
from tamis.formats.layout import (
    METADATA,
    METADATA_SCHEMA_KEY,
    PREDICTIONS,
    TASKS_KEY,
    metadata_key,
    prediction_key,
    schema_key,
    task_name_fault,
)
from tamis.formats.metadata import Metadata, decode_metadata, encode_metadata
from tamis.formats.metadata_fields import MetadataField, MetadataType
from tamis.formats.metadata_schema import decode_metadata_schema, encode_metadata_schema
from tamis.formats.parsed import Fault, ParsedImage, known_size, to_pixels
from tamis.formats.reader import PredictionReader, ReadPredictions
from tamis.formats.relevant import RelevantFilenames, decode_relevant
from tamis.formats.rules import check_broken, check_predictions
from tamis.formats.rules_geometry import box_statistics, score_ranges
from tamis.formats.schema import decode_schema, encode_schema
from tamis.formats.table_rows import TABLE_COLUMNS, TableColumns, category_of, decode_row, find_columns, table_type
from tamis.formats.tasks import decode_tasks, encode_tasks
from tamis.formats.tf_record import decode_example, decode_label_map, decode_tf_objects, read_records, tf_names
from tamis.formats.wire import field_names
from tamis.formats.yolo import (
    DETECTION_COLUMNS,
    Columns,
    decode_yolo,
    decode_yolo_classes,
    encode_yolo,
    parse_columns,
)
from tamis.formats.yolo_guess import guess_type, tracks_from

__all__ = [
    "DETECTION_COLUMNS",
    "IMPORT_CODES",
    "MAX_FILE_BYTES",
    "METADATA",
    "METADATA_SCHEMA_KEY",
    "PREDICTIONS",
    "TABLE_COLUMNS",
    "TASKS_KEY",
    "CocoBoxRecord",
    "CocoImage",
    "CocoRecord",
    "CocoRle",
    "Columns",
    "CvatFrame",
    "Fault",
    "ForeignError",
    "ForeignObject",
    "ImageId",
    "ImportCode",
    "JsonStream",
    "JsonStreamError",
    "Metadata",
    "MetadataField",
    "MetadataType",
    "Painted",
    "PanopticImage",
    "ParsedImage",
    "PredictionReader",
    "ReadPredictions",
    "RelevantFilenames",
    "RowMajorMask",
    "RowMask",
    "TableColumns",
    "TakeOptions",
    "Unreadable",
    "box_statistics",
    "by_category",
    "category_of",
    "check_broken",
    "check_predictions",
    "cvat_names",
    "decode_cvat",
    "decode_cvat_tracks",
    "decode_example",
    "decode_index_mask",
    "decode_kitti",
    "decode_label_map",
    "decode_labelbox",
    "decode_labelme",
    "decode_metadata",
    "decode_metadata_schema",
    "decode_panoptic",
    "decode_predictions",
    "decode_relevant",
    "decode_row",
    "decode_schema",
    "decode_tasks",
    "decode_tf_objects",
    "decode_voc",
    "decode_yolo",
    "decode_yolo_classes",
    "encode_annotation",
    "encode_category",
    "encode_cvat_head",
    "encode_cvat_image",
    "encode_label_studio",
    "encode_metadata",
    "encode_metadata_schema",
    "encode_predictions",
    "encode_result",
    "encode_schema",
    "encode_tasks",
    "encode_yolo",
    "field_names",
    "find_columns",
    "from_coco",
    "from_predictions",
    "guess_task_type",
    "guess_type",
    "kitti_names",
    "known_size",
    "labelbox_names",
    "labelme_shapes",
    "locate",
    "metadata_key",
    "paint",
    "parse_columns",
    "parse_labelbox",
    "parse_labelme",
    "parse_xml",
    "prediction_key",
    "read_records",
    "record_type",
    "schema_key",
    "score_ranges",
    "segment_colours",
    "table_type",
    "task_name_fault",
    "task_of_categories",
    "tf_names",
    "to_coco",
    "to_object",
    "to_pixels",
    "to_prediction",
    "to_predictions",
    "tracks_from",
    "voc_names",
    "with_flags",
]
