"""Parquet shards and a manifest: one immutable snapshot. The only part that knows Arrow and DuckDB."""

from tamis.index.changes import Changes, all_units, find_changes
from tamis.index.embedding_files import Embeddings, read_embeddings
from tamis.index.listing import (
    FRAME,
    IMAGE,
    METADATA,
    FrameRange,
    Listing,
    ListingBuilder,
    mix,
    salt,
    task_slot,
)
from tamis.index.manifest import Manifest, MetadataColumn, ScoreNames, Shard, Video
from tamis.index.parquet_rows import parquet_columns, parquet_rows
from tamis.index.picks import picks_parquet
from tamis.index.pools import Pool
from tamis.index.samples import PredictionPart, SampleColumns
from tamis.index.shards import ShardWriter
from tamis.index.snapshot import Snapshot
from tamis.index.store import Index, IndexConflictError, Staging
from tamis.index.tables import shard_schemas, words

__all__ = [
    "FRAME",
    "IMAGE",
    "METADATA",
    "Changes",
    "Embeddings",
    "FrameRange",
    "Index",
    "IndexConflictError",
    "Listing",
    "ListingBuilder",
    "Manifest",
    "MetadataColumn",
    "Pool",
    "PredictionPart",
    "SampleColumns",
    "ScoreNames",
    "Shard",
    "ShardWriter",
    "Snapshot",
    "Staging",
    "Video",
    "all_units",
    "find_changes",
    "mix",
    "parquet_columns",
    "parquet_rows",
    "picks_parquet",
    "read_embeddings",
    "salt",
    "shard_schemas",
    "task_slot",
    "words",
]
