"""Parquet shards and a manifest: one immutable snapshot. The only part that knows Arrow and DuckDB."""

from tamis.index.browse import (
    ProblemRows,
    QueryError,
    QueryRows,
    RaggedRows,
    SampleTable,
    Sandbox,
    TaskRows,
    build_tables,
    forget_tables,
    open_tables,
)
from tamis.index.changes import Changes, all_units, find_changes
from tamis.index.conditions import keys_where
from tamis.index.embedding_files import EMBEDDING_ENDINGS, Embeddings, read_embeddings
from tamis.index.embedding_sets import (
    IMAGE_POSITION,
    EmbeddingRows,
    EmbeddingSet,
    embedding_sets,
    find_set,
    make_set,
)
from tamis.index.embedding_specs import SetSpec, encoder_of_file
from tamis.index.journal import journal_names
from tamis.index.listing import (
    FRAME,
    IMAGE,
    METADATA,
    NAMESAKES,
    FrameRange,
    Listing,
    ListingBuilder,
    mix,
    salt,
    task_slot,
)
from tamis.index.manifest import Manifest, MetadataColumn, ScoreNames, Shard, Video
from tamis.index.namesakes import namesake_keys
from tamis.index.parquet_rows import parquet_columns, parquet_rows
from tamis.index.picks import picks_parquet
from tamis.index.pools import Pool
from tamis.index.samples import PredictionPart, SampleColumns
from tamis.index.score_files import SCORE_FILE_ENDINGS, object_keys, read_scores, score_table
from tamis.index.shards import ShardWriter
from tamis.index.shared import SharedIndex
from tamis.index.snapshot import Snapshot
from tamis.index.store import Index, IndexConflictError, Staging
from tamis.index.tables import shard_schemas, words
from tamis.index.tags import Tag, TagChange, tag_names
from tamis.index.unread_rows import UnreadRows, read_unread, unread_stamp, write_unread

__all__ = [
    "EMBEDDING_ENDINGS",
    "FRAME",
    "IMAGE",
    "IMAGE_POSITION",
    "METADATA",
    "NAMESAKES",
    "SCORE_FILE_ENDINGS",
    "Changes",
    "EmbeddingRows",
    "EmbeddingSet",
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
    "ProblemRows",
    "QueryError",
    "QueryRows",
    "RaggedRows",
    "SampleColumns",
    "SampleTable",
    "Sandbox",
    "ScoreNames",
    "SetSpec",
    "Shard",
    "ShardWriter",
    "SharedIndex",
    "Snapshot",
    "Staging",
    "Tag",
    "TagChange",
    "TaskRows",
    "UnreadRows",
    "Video",
    "all_units",
    "build_tables",
    "embedding_sets",
    "encoder_of_file",
    "find_changes",
    "find_set",
    "forget_tables",
    "journal_names",
    "keys_where",
    "make_set",
    "mix",
    "namesake_keys",
    "object_keys",
    "open_tables",
    "parquet_columns",
    "parquet_rows",
    "picks_parquet",
    "read_embeddings",
    "read_scores",
    "read_unread",
    "salt",
    "score_table",
    "shard_schemas",
    "tag_names",
    "task_slot",
    "unread_stamp",
    "words",
    "write_unread",
]
