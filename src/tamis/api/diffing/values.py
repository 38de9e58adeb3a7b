"""What differs between two runs, as values. The first run is the old one, the second the new one."""

from __future__ import annotations

import msgspec


class RunSide(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two runs.

    Attributes:
        task: its task.
        source: its datasource.
        task_type: what it predicts.
        samples: samples with a prediction file.
        predictions: predictions in the samples that both have a file of.
    """

    task: str
    source: str
    task_type: str
    samples: int
    predictions: int


class OnlyIn(msgspec.Struct, frozen=True, kw_only=True):
    """Samples that one run alone has a prediction file of: how many, and the first of them."""

    count: int
    examples: tuple[str, ...]


class Rename(msgspec.Struct, frozen=True, kw_only=True):
    """A category with the same id but another name; it counts as the same category."""

    id: int
    first: str
    second: str


class SchemaChange(msgspec.Struct, frozen=True, kw_only=True):
    """How the categories of the schemas differ.

    Attributes:
        added: names that only the second has.
        removed: names that only the first has.
        renamed: names that changed while the id stayed; neither added nor removed.
        renumbered: names whose id changed, which changes nothing here.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    renamed: tuple[Rename, ...]
    renumbered: tuple[str, ...]


class CategoryCount(msgspec.Struct, frozen=True, kw_only=True):
    """How often a category is predicted by each run, in the samples that both have a file of."""

    category: str
    first: int
    second: int


class Flip(msgspec.Struct, frozen=True, kw_only=True):
    """How often the first run said one category and the second another of the same thing; `None`: nothing."""

    first: str | None
    second: str | None
    count: int


class ScoreShift(msgspec.Struct, frozen=True, kw_only=True):
    """How scores are distributed.

    Attributes:
        quantiles: which quantiles are given, in [0, 1].
        first: those of the first run's scores.
        second: those of the second's.
        first_mean: the mean of the first run's scores.
        second_mean: that of the second's.
        distance: the largest distance between the two cumulated distributions (Kolmogorov-Smirnov), in [0, 1].
        matched_mean: mean change of the score of the same thing, second less first; `None` where nothing is.
    """

    quantiles: tuple[float, ...]
    first: tuple[float, ...]
    second: tuple[float, ...]
    first_mean: float
    second_mean: float
    distance: float
    matched_mean: float | None


class ChangedSample(msgspec.Struct, frozen=True, kw_only=True):
    """A sample about which the runs disagree.

    Attributes:
        sample: its key in the first run's datasource.
        disagreement: in [0, 1]; see `docs/diff.md`.
        outcomes: how many of its predictions fared how.
    """

    sample: str
    disagreement: float
    outcomes: dict[str, int]


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between two runs.

    Attributes:
        first: the old run.
        second: the new run.
        compared: `boxes`, `masks`, `keypoints` or `classes`.
        samples: how many samples both have a prediction file of: what is compared.
        samples_changed: of these, those with any difference.
        only_first: samples that only the first has a file of.
        only_second: samples that only the second has a file of.
        schema: how the categories differ.
        outcomes: how many predictions fared how.
        categories: predictions of each category, those that changed the most first.
        flips: what was called otherwise, the most often first.
        scores: how scores are distributed; `None` where a run has none.
        mean_disagreement: of the samples that both have, in [0, 1].
        most_changed: the samples that differ the most.
    """

    first: RunSide
    second: RunSide
    compared: str
    samples: int
    samples_changed: int
    only_first: OnlyIn
    only_second: OnlyIn
    schema: SchemaChange
    outcomes: dict[str, int]
    categories: tuple[CategoryCount, ...]
    flips: tuple[Flip, ...]
    scores: ScoreShift | None
    mean_disagreement: float | None
    most_changed: tuple[ChangedSample, ...]

    @property
    def is_same(self) -> bool:
        """Whether the runs say the same of the same samples, by the same schema."""
        one = self.schema
        schema_changed = bool(one.added or one.removed or one.renamed)
        return not (self.samples_changed or self.only_first.count or self.only_second.count or schema_changed)
