"""`select`: config + index -> picks with their reasons."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tamis.api.engines import on_ray, open_ray
from tamis.api.options import ignore_progress
from tamis.api.selecting.duplicates import repeated_rows
from tamis.api.selecting.inputs import Inputs
from tamis.api.selecting.limits import limits_of
from tamis.api.selecting.rows import Rows, rows_of
from tamis.engine import EngineName, Progress
from tamis.errors import UsageError
from tamis.index import Pool, SampleColumns
from tamis.selection import (
    Balance,
    Reason,
    SampleValueError,
    Selection,
    SelectionConfig,
    Sharding,
    StrategyConfig,
    Threshold,
    describe,
    explain,
    open_shard,
    select,
    survey,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener
    from tamis.index import Snapshot
    from tamis.model.columns import Bools, Floats
    from tamis.selection import Strategy

_PROGRESS_EVERY_PICKS = 50
_SMALLEST_SHARD_ROWS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectOptions:
    """What a selection uses besides its config.

    Attributes:
        embeddings: which vectors are used, see `image_vectors`.
        pool: name of the pool whose members count as selected, or `None`.
        labelled: keys of more samples that count as selected.
        add_to_pool: whether those and the picks join the pool.
        pinned: keys that are picked whatever the config says: the first of the picks that are asked for.
        rejected: keys that are not to be picked.
        among: which samples may be picked, shape (N,); `None`: all.
        engine: `local`, or `ray`: the machines of a cluster hold the samples and look for the best.
        ray_address: of the cluster, see `RaySession`.
    """

    embeddings: str | Path | None = None
    pool: str | None = None
    labelled: Sequence[str] = ()
    add_to_pool: bool = False
    pinned: Sequence[str] = ()
    rejected: Sequence[str] = ()
    among: Bools | None = None
    engine: str = EngineName.LOCAL
    ray_address: str | None = None


@dataclass(frozen=True, eq=False)
class SelectionRun:
    """A selection and what it was made from.

    Attributes:
        config: as it was run.
        inputs: where its values are from.
        strategies: the values it decided by.
        names: of the strategies, unique.
        embeddings: where the vectors that strategies decided by are from, in words.
        selection: picks and objectives.
        reasons: of each pick, one a strategy.
        shares: how much of the product's growth at each pick each strategy paid, in [0, 1];
            shape (k, n_strategies).
        candidate: which samples were offered, shape (N,).
        pool: indices of what was selected before: the pool's members in the order in which they joined, then
            the labelled samples.
        n_pool_gone: members of the pool that are no samples any more.
        n_pool_others: members of the pool that are objects, where images are selected, or objects of another task.
        labelled: keys of the labelled samples that are not in the pool.
        labelled_unknown: keys that were given as labelled and are no samples.
        n_requested: how many new picks were asked for.
        n_eligible: samples that could have been picked before any THRESHOLD.
        n_duplicates: how many were left out because they repeat another one.
        duplicates_doubt: why those may be no duplicates, `None` where nothing speaks for that.
        n_not_compared: how many candidates may repeat another one, as they have no embedding to compare.
        pinned: keys that were picked by hand, before all others; they are among `labelled`, too.
    """

    config: SelectionConfig
    inputs: Inputs
    strategies: tuple[Strategy, ...]
    names: tuple[str, ...]
    embeddings: tuple[str, ...]
    selection: Selection
    reasons: list[tuple[Reason, ...]]
    shares: Floats
    candidate: Bools
    pool: tuple[int, ...]
    n_pool_gone: int
    n_pool_others: int
    labelled: tuple[str, ...]
    labelled_unknown: tuple[str, ...]
    n_requested: int
    n_eligible: int
    n_duplicates: int = 0
    n_not_compared: int = 0
    duplicates_doubt: str | None = None
    pinned: tuple[str, ...] = ()

    @property
    def rows(self) -> Rows:
        """What was selected from, in the order that indices count: samples, or the objects of a task."""
        return self.inputs.rows

    @property
    def samples(self) -> SampleColumns:
        """All samples of the index."""
        return self.inputs.samples

    @property
    def keys(self) -> list[str]:
        """Keys of the picks, of samples or of objects, in pick order."""
        keys = self.rows.keys
        return [keys[i] for i in self.selection.picks.tolist()]

    @property
    def images(self) -> list[str]:
        """Keys of the samples that the picks are, or that hold them, each once in pick order."""
        keys, owner = self.samples.keys, self.rows.owner
        return list(dict.fromkeys(keys[i] for i in owner[self.selection.picks].tolist()))

    @property
    def chosen_keys(self) -> list[str]:
        """Keys that were pinned, then those of the picks."""
        return [*self.pinned, *self.keys]

    def sentence(self, pick: int) -> str:
        """Say why a pick was made."""
        return describe(self.reasons[pick], keys=self.rows.keys, of=self.rows.of_what)


def run_selection(
    snapshot: Snapshot,
    config: SelectionConfig,
    options: SelectOptions | None = None,
    *,
    listen: ProgressListener = ignore_progress,
) -> SelectionRun:
    """Select samples; `join_pool` then adds them to the pool, once they are where the user wants them.

    Args:
        snapshot: of the index.
        config: what decides.
        options: embeddings, and what was selected before.
        listen: told how far the comparisons of pictures and the picks are.

    Raises:
        UsageError: when the config asks for what the datasource does not have, a value cannot be used, or none of
            the labelled keys is a sample.
        DatasourceError: when the embeddings cannot be read.
    """
    options = options or SelectOptions()
    if options.add_to_pool and options.pool is None:
        raise UsageError("The picks can join a pool only if there is one", hint="give `--pool NAME`")
    on_ray(options)
    rows = rows_of(snapshot, config.select)
    limits = limits_of(config, rows)
    inputs = Inputs(rows, options.embeddings, listen)
    names = _names(config.strategies)
    strategies = tuple(
        inputs.strategy(strategy, name) for strategy, name in zip(config.strategies, names, strict=True)
    )
    inputs.check_file()
    before = _selected_before(rows, options)
    pool = before.indices
    candidate = _offered(rows, pool, options)
    duplicates = repeated_rows(rows, config.select.without_duplicates, pool, listen)
    repeated = candidate & duplicates.rows
    candidate &= ~repeated

    def progress(done: int, total: int) -> None:
        if done % _PROGRESS_EVERY_PICKS == 0 or done == total:
            listen(Progress("selecting", done, total, "picks"))

    try:
        n_eligible = int(np.count_nonzero(survey(strategies, candidate=candidate, pool=pool).eligible))
        n_requested = max((config.n_samples or config.budget(n_eligible)) - len(before.pinned), 0)
        with _sharding(options, len(rows)) as sharding:
            selection = select(
                strategies,
                n_samples=n_requested,
                candidate=candidate,
                pool=pool,
                limits=limits,
                sharding=sharding,
                progress=progress,
            )
    except SampleValueError as error:
        message = str(error).replace(f"sample {error.sample}:", f"sample `{rows.keys[error.sample]}`:", 1)
        raise UsageError(message, hint="mend that value, or take the strategy out of the config") from None
    return SelectionRun(
        config=config,
        inputs=inputs,
        strategies=strategies,
        names=names,
        embeddings=tuple(inputs.origins),
        selection=selection,
        reasons=explain(strategies, selection, pool=pool),
        shares=_shares(strategies, selection),
        candidate=candidate,
        pool=pool,
        n_pool_gone=before.n_gone,
        n_pool_others=before.n_others,
        labelled=before.labelled,
        labelled_unknown=before.unknown,
        n_requested=n_requested,
        n_eligible=n_eligible,
        n_duplicates=int(np.count_nonzero(repeated)),
        n_not_compared=int(np.count_nonzero(candidate & duplicates.unknown)),
        duplicates_doubt=duplicates.doubt if repeated.any() else None,
        pinned=before.pinned,
    )


def _offered(rows: Rows, pool: Sequence[int], options: SelectOptions) -> Bools:
    """Return which rows may be picked, shape (N,): not selected before, rejected, or left out by a filter."""
    candidate: Bools = np.ones(len(rows), np.bool_)
    candidate[list(pool)] = False
    if options.among is not None:
        candidate &= rows.spread(options.among)
    candidate[rows.of(options.rejected)[0]] = False
    return candidate


@contextmanager
def _sharding(options: SelectOptions, n_rows: int) -> Iterator[Sharding | None]:
    """Say who holds the rows: this process, or those of a cluster, one a processor."""
    if not on_ray(options):
        yield None
        return
    with open_ray(options) as engine:
        n_shards = min(engine.workers, -(-n_rows // _SMALLEST_SHARD_ROWS))
        yield Sharding(open=partial(engine.hold, open_shard), n_shards=n_shards)


@dataclass(frozen=True, slots=True)
class _SelectedBefore:
    """What a selection starts from; the fields are those of `SelectionRun`."""

    indices: tuple[int, ...]
    n_gone: int
    n_others: int
    labelled: tuple[str, ...]
    unknown: tuple[str, ...]
    pinned: tuple[str, ...]


def _selected_before(rows: Rows, options: SelectOptions) -> _SelectedBefore:
    members = Pool(rows.samples.snapshot.root, options.pool).members() if options.pool is not None else []
    new = list(dict.fromkeys([*options.labelled, *options.pinned]))
    (of_pool, gone), (of_labelled, unknown) = rows.of(members), rows.of(new)
    n_others = rows.n_other_objects(gone)
    if new and len(unknown) == len(new):
        raise UsageError(
            f"None of the {len(new):,} labelled names is a sample, e.g. `{new[0]}`",
            hint="names are paths relative to the datasource" + (f", e.g. `{rows.keys[0]}`" if len(rows) else ""),
        )
    left_out = {*members, *unknown}
    labelled = tuple(key for key in new if key not in left_out)
    by_hand = set(labelled) - set(options.labelled)
    return _SelectedBefore(
        indices=tuple(dict.fromkeys([*of_pool, *of_labelled])),
        n_gone=len(gone) - n_others,
        n_others=n_others,
        labelled=labelled,
        unknown=tuple(unknown),
        pinned=tuple(key for key in dict.fromkeys(options.pinned) if key in by_hand),
    )


def join_pool(run: SelectionRun, sources: Sources, options: SelectOptions) -> None:
    """Add the labelled samples and the picks to the pool, where the options ask for it.

    Raises:
        StoreError: when the pool cannot be written; it stays as it was.
    """
    if options.add_to_pool and options.pool is not None:
        Pool(sources.index.root, options.pool).join([*run.labelled, *run.keys])
        sources.index.share()


def _names(strategies: Sequence[StrategyConfig]) -> tuple[str, ...]:
    """Name each strategy by its input; those of one name are numbered."""
    names = [_name(strategy) for strategy in strategies]
    counts = Counter(names)
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name] += 1
        unique.append(f"{name} ({seen[name]})" if counts[name] > 1 else name)
    return tuple(unique)


def _name(config: StrategyConfig) -> str:
    given = config.input
    kind = type(config.strategy).__struct_config__.tag
    parts = [getattr(given, field, None) for field in ("task", "score", "key", "name", "path", "column")]
    said = ": ".join(str(part) for part in parts if part is not None)
    what = said or str(type(given).__struct_config__.tag).lower()
    return f"{what} ({str(kind).lower()})"


def _shares(strategies: Sequence[Strategy], selection: Selection) -> Floats:
    """Return how much of the growth of the product at each pick each strategy paid.

    A strategy's growth is strength * log(objective with the pick / without it); what shrinks pays nothing.
    """
    least = 1e-8
    growth = np.zeros_like(selection.objectives)
    for column, strategy in enumerate(strategies):
        if isinstance(strategy, Threshold):
            continue
        now = selection.objectives[:, column]
        if isinstance(strategy, Balance):
            before = np.concatenate([now[:1], now[:-1]])
        else:
            gain = selection.gains[:, column]
            before = np.where(np.isfinite(gain), now - np.where(np.isfinite(gain), gain, 0.0), now)
        ratio = np.log(np.maximum(now, least)) - np.log(np.maximum(before, least))
        growth[:, column] = np.maximum(strategy.strength * ratio, 0.0)
    total = growth.sum(axis=1, keepdims=True)
    shares: Floats = np.divide(growth, total, out=np.zeros_like(growth), where=total > 0)
    return shares
