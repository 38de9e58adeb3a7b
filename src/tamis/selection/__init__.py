"""Which samples to label next, and why: arrays in, arrays out."""

from tamis.selection.config import (
    BalanceConfig,
    Distribution,
    DiversityConfig,
    EmbeddingsInput,
    FileInput,
    Level,
    MetadataInput,
    Operation,
    PredictionsInput,
    PredictionsName,
    RandomInput,
    ScoresInput,
    SelectConfig,
    SelectionConfig,
    SimilarityConfig,
    StrategyConfig,
    ThresholdConfig,
    TypicalityConfig,
    WeightsConfig,
    encode_config,
    parse_config,
)
from tamis.selection.config_faults import TABLE as STRATEGIES_OF_INPUTS
from tamis.selection.field import Field, survey
from tamis.selection.greedy import Selection, select
from tamis.selection.limits import AtMost, Limit, MinGap
from tamis.selection.random_weights import random_weights
from tamis.selection.reasons import Reason, describe, explain
from tamis.selection.shard import open_shard
from tamis.selection.sharded_run import Sharding
from tamis.selection.strategies import (
    Balance,
    Diversity,
    SampleValueError,
    Similarity,
    Strategy,
    Threshold,
    Typicality,
    Weights,
)

__all__ = [
    "STRATEGIES_OF_INPUTS",
    "AtMost",
    "Balance",
    "BalanceConfig",
    "Distribution",
    "Diversity",
    "DiversityConfig",
    "EmbeddingsInput",
    "Field",
    "FileInput",
    "Level",
    "Limit",
    "MetadataInput",
    "MinGap",
    "Operation",
    "PredictionsInput",
    "PredictionsName",
    "RandomInput",
    "Reason",
    "SampleValueError",
    "ScoresInput",
    "SelectConfig",
    "Selection",
    "SelectionConfig",
    "Sharding",
    "Similarity",
    "SimilarityConfig",
    "Strategy",
    "StrategyConfig",
    "Threshold",
    "ThresholdConfig",
    "Typicality",
    "TypicalityConfig",
    "Weights",
    "WeightsConfig",
    "describe",
    "encode_config",
    "explain",
    "open_shard",
    "parse_config",
    "random_weights",
    "select",
    "survey",
]
