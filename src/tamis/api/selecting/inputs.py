"""From the inputs of a config to the arrays that the strategies decide by."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.api.embedding.targets import target_of
from tamis.api.options import ignore_progress
from tamis.api.selecting.queries import query_vectors
from tamis.api.selecting.rows import BOX_SIZES, SCORE, Rows, known_rows
from tamis.api.selecting.vectors import image_vectors, is_embeddings_file, object_vectors
from tamis.errors import UsageError
from tamis.index import read_scores
from tamis.scoring import OBJECT_FREQUENCY, category_counts, check_score, class_rows, map_object_frequency
from tamis.selection import (
    Balance,
    BalanceConfig,
    Distribution,
    Diversity,
    DiversityConfig,
    EmbeddingsInput,
    FileInput,
    MetadataInput,
    PredictionsInput,
    PredictionsName,
    RandomInput,
    ScoresInput,
    Similarity,
    SimilarityConfig,
    StrategyConfig,
    Threshold,
    ThresholdConfig,
    Typicality,
    TypicalityConfig,
    Weights,
    WeightsConfig,
    random_weights,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tamis.api.selecting.vectors import ObjectVectors, SampleVectors
    from tamis.engine import ProgressListener
    from tamis.index import MetadataColumn, SampleColumns, Snapshot
    from tamis.model import Task
    from tamis.model.columns import Bools, Floats, Ints
    from tamis.selection import Strategy


@dataclass(slots=True, eq=False)
class Inputs:
    """Resolves the inputs of a config against a snapshot; what several strategies share is read once.

    Args:
        rows: what is selected from; N of them.
        embeddings: which vectors are used, see `image_vectors`.
        listen: told how many vectors were made.
    """

    rows: Rows
    embeddings: str | Path | None
    listen: ProgressListener = ignore_progress
    _vectors: SampleVectors | None = None
    _objects: dict[str, ObjectVectors] = field(default_factory=dict)
    _without: dict[str, str] = field(default_factory=dict)  # of each task, how many of its objects do not count

    @property
    def samples(self) -> SampleColumns:
        """All samples of the index."""
        return self.rows.samples

    @property
    def origins(self) -> list[str]:
        """Where the vectors that were used so far are from."""
        images = [] if self._vectors is None else [self._vectors.origin]
        return images + [f"{one.origin}{self._without.get(task, '')}" for task, one in self._objects.items()]

    def vectors(self) -> SampleVectors:
        """Return the vectors of the samples.

        Raises:
            UsageError: when there are no such embeddings, or nothing to make vectors from.
        """
        if self._vectors is None:
            self._vectors = image_vectors(self.samples, self.embeddings, listen=self.listen)
        return self._vectors

    def check_file(self) -> None:
        """See that a file of embeddings is of use: where images are selected, the report measures coverage by it.

        Raises:
            UsageError: when objects are selected, and only objects compared, and the file names none of them.
        """
        of_file = [objects.is_of_file for objects in self._objects.values()]
        if self.rows.target is None or self._vectors is not None or not is_embeddings_file(self.embeddings):
            return
        if of_file and not any(of_file):
            names = ", ".join(f"`{task}`" for task in self._objects)
            raise UsageError(
                f"`{self.embeddings}` names no object of {names}",
                hint="objects are named `IMAGE#TASK#POSITION`, as in `selected.txt` of a selection of objects",
            )

    def strategy(self, config: StrategyConfig, name: str) -> Strategy:
        """Return the strategy that a config asks for.

        Args:
            config: input and strategy.
            name: what errors and reasons call it.

        Raises:
            UsageError: when the datasource does not have what the input names.
        """
        given, how = config.input, config.strategy
        if isinstance(given, EmbeddingsInput):
            return self._embedded(given, config, name)
        if isinstance(how, BalanceConfig):
            rows, classes, null = self._rows(given, how)
            return Balance(
                name=name,
                rows=rows,
                classes=classes,
                distribution=how.distribution,
                target=how.target,
                strength=how.strength,
                null=null,
            )
        values = self.values(given)
        null = np.isnan(values)
        if isinstance(how, ThresholdConfig):
            return Threshold(name=name, values=values, threshold=how.threshold, operation=how.operation, null=null)
        if not isinstance(how, WeightsConfig):
            raise TypeError(how)  # the config lets no other through
        return Weights(
            name=name, values=values, strength=how.strength, stop_max_sum=how.stopping_condition_max_sum, null=null
        )

    def values(self, given: Any) -> Floats:  # noqa: ANN401 (the inputs that have one number a sample)
        """Return the number that an input gives each sample, NaN where it is not known; shape (N,).

        Raises:
            UsageError: when the datasource does not have what the input names.
        """
        if isinstance(given, ScoresInput):
            return self._score(given)
        if isinstance(given, MetadataInput):
            return self._metadata_numbers(given.key)
        if isinstance(given, FileInput):
            return self._file_numbers(given)
        if isinstance(given, RandomInput):
            return random_weights(given.random_seed, self.rows.keys)
        return self._category_count(given)

    def _embedded(self, given: EmbeddingsInput, config: StrategyConfig, name: str) -> Strategy:
        how = config.strategy
        vectors, owner, null = self._embeddings(given.task)
        if isinstance(how, DiversityConfig):
            return Diversity(
                name=name,
                embeddings=vectors,
                owner=owner,
                strength=how.strength,
                stop_min_distance=how.stopping_condition_minimum_distance,
                null=null,
            )
        if isinstance(how, SimilarityConfig):
            queries = self._queries(given)
            return Similarity(
                name=name, embeddings=vectors, queries=queries, owner=owner, strength=how.strength, null=null
            )
        if not isinstance(how, TypicalityConfig):
            raise TypeError(how)  # the config lets no other through
        return Typicality(
            name=name,
            embeddings=vectors,
            n_neighbours=how.num_nearest_neighbors,
            owner=owner,
            strength=how.strength,
            stop_min_typicality=how.stopping_condition_minimum_typicality,
            null=null,
        )

    def _embeddings(self, task: str | None) -> tuple[NDArray[Any], Ints | None, Bools]:
        """Return vectors, the row that each is of (`None`: one each), and which rows are not known."""
        if task is None:
            images = self.vectors()
            return self.rows.spread(images.vectors), None, np.asarray(self.rows.spread(images.null), np.bool_)
        objects = self.objects(task)
        if self._is_own(task):
            return objects.vectors, None, objects.null
        if self.rows.target is not None:
            raise UsageError(
                f"Objects cannot be compared by those of another task, `{task}`",
                hint="leave `task` out of that input to use the embeddings of their images",
            )
        known = ~objects.null & objects.vectors.any(axis=1)
        null = ~known_rows(self.rows, task)
        has_object, is_known = np.zeros(len(null), np.bool_), np.zeros(len(null), np.bool_)
        has_object[objects.owner] = is_known[objects.owner[known]] = True
        n_without = int(np.count_nonzero(is_known[objects.owner] & ~known))
        if n_without:
            self._without[task] = f"; {n_without:,} of {len(known):,} objects have none and do not count"
        # An image none of whose objects is known is not as if it had no objects.
        return objects.vectors[known], objects.owner[known], null | (has_object & ~is_known)

    def _is_own(self, task: str) -> bool:
        """Whether objects of this task are what is selected from."""
        return self.rows.task is not None and self.rows.task.name == task

    def objects(self, name: str) -> ObjectVectors:
        """Return the vectors of the objects of a task.

        Raises:
            UsageError: when there is no such task or set, or its predictions are no objects.
        """
        if name not in self._objects:
            target = self.rows.target
            if target is None or not self._is_own(name):
                target = target_of(self.samples, self.samples.snapshot.task(name))
            self._objects[name] = object_vectors(target, self.embeddings, listen=self.listen)
        return self._objects[name]

    def _queries(self, given: EmbeddingsInput) -> Floats:
        """Return the vectors of the query set."""
        if given.tag_name is None:
            raise UsageError("SIMILARITY needs a query set", hint="name a tag or a pool as `tag_name`")
        if given.task is None:
            images = self.vectors()
            return query_vectors(self.samples, given.tag_name, images.vectors, images.spec)
        objects = self.objects(given.task)
        task = self.samples.snapshot.task(given.task)
        return query_vectors(self.samples, given.tag_name, objects.vectors, objects.spec, task=task)

    def _score(self, given: ScoresInput) -> Floats:
        task = self.samples.snapshot.task(given.task)
        has_probabilities, has_confidences = what_is_known(self.samples.snapshot, task)
        is_own = self._is_own(task.name)
        more = (SCORE, *BOX_SIZES) if is_own else ()
        check_score(
            task, given.score, has_probabilities=has_probabilities, has_confidences=has_confidences, more=more
        )
        own = self.rows.own_scores([given.score]) if is_own else {}
        if own:
            return own[given.score]
        values = self.samples.numbers(f"sample_scores:{task.name}", given.score)
        return self._spread(map_object_frequency(values) if given.score == OBJECT_FREQUENCY else values)

    def _spread(self, values: Floats) -> Floats:
        return np.asarray(self.rows.spread(values), np.float64)

    def _metadata_numbers(self, key: str) -> Floats:
        column = self._metadata_column(key)
        if column.type not in {"int", "float"}:
            raise UsageError(
                f"Metadata `{key}` is not numeric: its type is {column.type}",
                hint="WEIGHTS and THRESHOLD need numbers; BALANCE takes categories",
            )
        return self._spread(self.samples.numbers("metadata", column.column))

    def _file_numbers(self, given: FileInput) -> Floats:
        """Return the number of each row's own key, or else that of its sample."""
        keys, numbers = read_scores(Path(given.path), given.column)
        values = np.full(len(self.samples), np.nan)
        at = self.samples.positions(keys)
        values[at[at >= 0]] = numbers[at >= 0]
        spread = self._spread(values)
        if self.rows.target is not None:
            others = np.flatnonzero(at < 0)
            rows = self.rows.target.named(keys.take(others).to_pylist())
            spread[rows[rows >= 0]] = numbers[others[rows >= 0]]
        if len(spread) and np.isnan(spread).all():
            raise UsageError(
                f"`{given.path}` has no number in `{given.column}` for anything to select from",
                hint=f"its column `key` has to hold keys such as `{self.rows.keys[0]}`; those of objects are for "
                "selecting objects (`--objects TASK`)",
            )
        return spread

    def _metadata_column(self, key: str) -> MetadataColumn:
        columns = {column.name: column for column in self.samples.snapshot.manifest.metadata}
        if key not in columns:
            listed = ", ".join(f"`{name}`" for name in columns) or "none"
            raise UsageError(f"There is no metadata `{key}`", hint=f"metadata of this datasource: {listed}")
        return columns[key]

    def _category_count(self, given: PredictionsInput) -> Floats:
        if given.name is not PredictionsName.CATEGORY_COUNT:
            raise UsageError(f"{given.name} gives no single number", hint="use it with BALANCE")
        task = self.samples.snapshot.task(given.task)
        if self._is_own(task.name):
            return self.rows.own_counts(given.categories)
        counts = np.full(len(self.samples), np.nan)
        for part in self.samples.prediction_parts(task.name):
            counts[part.samples] = category_counts(task, part.columns, given.categories)
        return self._spread(counts)

    def _rows(self, given: Any, how: BalanceConfig) -> tuple[Floats, list[str], Bools]:  # noqa: ANN401
        """Return how much of each class a sample holds, the names of the classes, and which are not known."""
        if isinstance(given, MetadataInput):
            rows, classes, null = self._one_hot(given.key)
            rows, null = self._spread(rows), np.asarray(self.rows.spread(null), np.bool_)
        else:
            task = self.samples.snapshot.task(given.task)
            rows = self.rows.own_classes() if self._is_own(task.name) else self._spread(self._classes(task))
            classes, null = list(task.category_names), np.isnan(rows[:, 0])
        if how.distribution is Distribution.TARGET:
            _check_target(how, classes)
        return rows, classes, null

    def _classes(self, task: Task) -> Floats:
        rows = np.full((len(self.samples), len(task.categories)), np.nan)
        for part in self.samples.prediction_parts(task.name):
            rows[part.samples] = class_rows(task, part.columns)
        return rows

    def _one_hot(self, key: str) -> tuple[Floats, list[str], Bools]:
        column = self._metadata_column(key)
        if column.type == "float":
            raise UsageError(
                f"Metadata `{key}` has no classes: its type is float",
                hint="BALANCE takes text, integers and booleans; WEIGHTS and THRESHOLD take numbers",
            )
        labels = self.samples.labels("metadata", column.column)
        texts = [None if label is None else _class_text(label) for label in labels]
        classes = sorted({text for text in texts if text is not None})
        at = {text: i for i, text in enumerate(classes)}
        rows = np.zeros((len(texts), max(len(classes), 1)))
        for i, text in enumerate(texts):
            if text is not None:
                rows[i, at[text]] = 1.0
        return rows, classes or [""], np.array([text is None for text in texts])


def what_is_known(snapshot: Snapshot, task: Task) -> tuple[bool, bool]:
    """Say whether any prediction of a task has probabilities, and whether any has a score."""
    predictions = f"predictions:{task.name}"
    return snapshot.has_any(predictions, "probabilities"), snapshot.has_any(predictions, "score")


def _class_text(label: object) -> str:
    """Return a metadata value as the `target` of a config spells it."""
    return str(label).lower() if isinstance(label, bool) else str(label)


def _check_target(how: BalanceConfig, classes: list[str]) -> None:
    unknown = [name for name in how.target or {} if name not in classes]
    if unknown:
        listed = ", ".join(f"`{name}`" for name in unknown)
        known = ", ".join(f"`{name}`" for name in classes[:20]) + (", ..." if len(classes) > 20 else "")  # noqa: PLR2004
        raise UsageError(f"The target of BALANCE names no known class: {listed}", hint=f"classes: {known}")
