"""The selection config as values: what to spend, and which inputs and strategies decide.

The keys are those of Lightly's selection config. `parse_config` and `encode_config` are inverses.
"""

from __future__ import annotations

import math
from enum import StrEnum
from fractions import Fraction
from typing import Any

import msgspec
import yaml

from tamis.errors import UsageError
from tamis.selection.config_faults import find_faults
from tamis.selection.config_text import ConfigDumper, read_tree


class Distribution(StrEnum):
    """Which class shares BALANCE aims at."""

    TARGET = "TARGET"
    UNIFORM = "UNIFORM"
    INPUT = "INPUT"


class Operation(StrEnum):
    """How THRESHOLD compares a value with its limit: the value stands on the left."""

    SMALLER = "SMALLER"
    SMALLER_EQUAL = "SMALLER_EQUAL"
    BIGGER = "BIGGER"
    BIGGER_EQUAL = "BIGGER_EQUAL"


class PredictionsName(StrEnum):
    """What is taken from the predictions of a task."""

    CLASS_DISTRIBUTION = "CLASS_DISTRIBUTION"
    CATEGORY_COUNT = "CATEGORY_COUNT"


class _Tagged(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """Base of the unions: `type` tells the member."""


class EmbeddingsInput(_Tagged, frozen=True, kw_only=True, tag="EMBEDDINGS"):
    """Embeddings of the images, or of the objects of a task.

    Attributes:
        task: the task whose objects' embeddings decide, `None` for the images' own.
        tag_name: name of the query set, for SIMILARITY only.
    """

    task: str | None = None
    tag_name: str | None = None


class ScoresInput(_Tagged, frozen=True, kw_only=True, tag="SCORES"):
    """A score of a task's predictions.

    Attributes:
        task: name of the task.
        score: name of the score, e.g. `uncertainty_entropy`.
    """

    task: str
    score: str


class MetadataInput(_Tagged, frozen=True, kw_only=True, tag="METADATA"):
    """A column of metadata.

    Attributes:
        key: name of the column.
    """

    key: str


class PredictionsInput(_Tagged, frozen=True, kw_only=True, tag="PREDICTIONS"):
    """What a task's predictions say, summed for each sample.

    Attributes:
        task: name of the task.
        name: the class distribution, or the number of objects.
        categories: names of the categories that are counted, `None` for all.
    """

    task: str
    name: PredictionsName
    categories: tuple[str, ...] | None = None


class RandomInput(_Tagged, frozen=True, kw_only=True, tag="RANDOM"):
    """A pseudo-random number in [0, 1) of each sample, from the seed and the sample's key alone.

    Attributes:
        random_seed: another seed, another number.
    """

    random_seed: int = 0


class FileInput(_Tagged, frozen=True, kw_only=True, tag="FILE"):
    """A column of numbers in a file, such as `tamis evaluate` writes.

    Attributes:
        path: a Parquet or CSV file with the keys of samples or objects in its column `key`.
        column: name of the column with the numbers.
    """

    path: str
    column: str


Input = EmbeddingsInput | ScoresInput | MetadataInput | PredictionsInput | RandomInput | FileInput


class DiversityConfig(_Tagged, frozen=True, kw_only=True, tag="DIVERSITY"):
    """Prefer what is far from everything selected.

    Attributes:
        strength: exponent of the objective; negative turns it around.
        stopping_condition_minimum_distance: the run ends before a pick nearer than this to what is selected.
    """

    strength: float = 1.0
    stopping_condition_minimum_distance: float | None = None


class WeightsConfig(_Tagged, frozen=True, kw_only=True, tag="WEIGHTS"):
    """Prefer large values.

    Attributes:
        strength: exponent of the objective; negative prefers small values.
        stopping_condition_max_sum: the run ends with the pick whose value makes the selected sum reach this.
    """

    strength: float = 1.0
    stopping_condition_max_sum: float | None = None


class ThresholdConfig(_Tagged, frozen=True, kw_only=True, tag="THRESHOLD"):
    """Keep only samples whose value satisfies a comparison.

    Attributes:
        threshold: the limit.
        operation: how the value is compared with it.
        strength: read because Lightly's configs have it; a filter has no strength.
    """

    threshold: float
    operation: Operation
    strength: float = 1.0


class BalanceConfig(_Tagged, frozen=True, kw_only=True, tag="BALANCE"):
    """Bring the selected classes near to a distribution.

    Attributes:
        strength: exponent of the objective.
        distribution: where the shares come from.
        target: class name to share, for `TARGET` only.
    """

    strength: float = 1.0
    distribution: Distribution = Distribution.TARGET
    target: dict[str, float] | None = None


class SimilarityConfig(_Tagged, frozen=True, kw_only=True, tag="SIMILARITY"):
    """Prefer what is near to a query set.

    Attributes:
        strength: exponent of the objective; negative prefers what is far from it.
    """

    strength: float = 1.0


class TypicalityConfig(_Tagged, frozen=True, kw_only=True, tag="TYPICALITY"):
    """Prefer what has near neighbours.

    Attributes:
        strength: exponent of the objective; negative prefers outliers.
        num_nearest_neighbors: how many neighbours are looked at.
        stopping_condition_minimum_typicality: the run ends before a pick less typical than this.
    """

    strength: float = 1.0
    num_nearest_neighbors: int = 20
    stopping_condition_minimum_typicality: float | None = None


StrategyOptions = (
    DiversityConfig | WeightsConfig | ThresholdConfig | BalanceConfig | SimilarityConfig | TypicalityConfig
)


class StrategyConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One input and what is done with it.

    Attributes:
        input: which values of the samples are looked at.
        strategy: how they decide.
    """

    input: Input
    strategy: StrategyOptions


class Level(StrEnum):
    """What is picked: whole images and frames, or predicted objects."""

    IMAGES = "images"
    OBJECTS = "objects"


class SelectConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is picked, and what the picks rule out.

    Attributes:
        level: images and frames, or objects: then each object is a sample of its own.
        task: whose objects, for the level `objects` only.
        at_most: how many are selected of each `video`, and of objects of each `image` and each `category`.
        without_duplicates: whether what repeats another sample is left out: `True`, or the largest distance of
            near-duplicates.
    """

    level: Level = Level.IMAGES
    task: str | None = None
    at_most: dict[str, int] | None = None
    without_duplicates: bool | float = False


class SelectionConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A whole selection; exactly one of `n_samples` and `proportion_samples` is set.

    Attributes:
        n_samples: how many new samples to pick, >= 1.
        proportion_samples: which part of the candidates to pick, in (0, 1].
        select: what is picked; images and frames by default.
        strategies: what decides; the product of their objectives.
        min_gap_frames: how many frames apart selected frames of one video are at least, >= 1; `None`: any.
    """

    n_samples: int | None = None
    proportion_samples: float | None = None
    select: SelectConfig = SelectConfig()
    strategies: tuple[StrategyConfig, ...]
    min_gap_frames: int | None = None

    def budget(self, n_candidates: int) -> int:
        """Return how many new samples to pick.

        Args:
            n_candidates: the candidates before any THRESHOLD, pool and unknown values excluded.

        The proportion counts as the decimal number that was written, so .29 of 100 is 29 in every arithmetic.

        >>> parse_config("{proportion_samples: .29, strategies: [{input: {type: RANDOM}, "
        ...              "strategy: {type: WEIGHTS}}]}", source="example").budget(100)
        29
        """
        if self.proportion_samples is None:
            return min(self.n_samples or 0, n_candidates)
        return math.floor(Fraction(str(self.proportion_samples)) * n_candidates)


def parse_config(text: str, *, source: str) -> SelectionConfig:
    """Read a selection config.

    Args:
        text: YAML or JSON.
        source: what the text is called in errors, e.g. its file name.

    Raises:
        UsageError: naming every fault of the config, each with its place.

    >>> config = parse_config('''
    ... n_samples: 50
    ... strategies:
    ... - input: {type: SCORES, task: cars, score: uncertainty_entropy}
    ...   strategy: {type: WEIGHTS}
    ... ''', source="selection.yaml")
    >>> config.strategies[0].strategy.strength
    1.0
    """
    tree, faults = read_tree(text, source=source)
    faults = (*faults, *find_faults(tree))
    if len(faults) == 1:
        raise UsageError(f"{source}: {faults[0]}")
    if faults:
        listed = "".join(f"\n- {fault}" for fault in faults)
        raise UsageError(f"{source}: {len(faults)} faults{listed}")
    return msgspec.convert(_with_text_classes(tree), SelectionConfig)


def encode_config(config: SelectionConfig) -> str:
    """Write a config as YAML that `parse_config` reads as the same value; defaults are left out.

    >>> print(encode_config(SelectionConfig(n_samples=5, strategies=(
    ...     StrategyConfig(input=RandomInput(), strategy=WeightsConfig(strength=2.0)),))), end="")
    n_samples: 5
    strategies:
    - input:
        type: RANDOM
      strategy:
        type: WEIGHTS
        strength: 2.0
    """
    tree = msgspec.to_builtins(config)
    return yaml.dump(tree, Dumper=ConfigDumper, sort_keys=False, allow_unicode=True)


def _with_text_classes(tree: Any) -> Any:  # noqa: ANN401 - a tree as YAML gives it
    """Copy the tree with the classes of targets as text: YAML reads `1` and `true` as other things."""
    if isinstance(tree, list):
        return [_with_text_classes(item) for item in tree]
    if isinstance(tree, dict):
        return {_class_text(key): _with_text_classes(value) for key, value in tree.items()}
    return tree


def _class_text(key: object) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)
