"""Configs from files, and from the few options that cover the common case."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tamis.errors import DatasourceError, UsageError
from tamis.index import SCORE_FILE_ENDINGS
from tamis.selection import (
    BalanceConfig,
    Distribution,
    DiversityConfig,
    EmbeddingsInput,
    FileInput,
    Level,
    PredictionsInput,
    PredictionsName,
    ScoresInput,
    SelectConfig,
    SelectionConfig,
    StrategyConfig,
    WeightsConfig,
    parse_config,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


def choose_config(  # noqa: PLR0913 (the options of the command line)
    *,
    n: int | None,
    config: SelectionConfig | str | Path | None,
    scores: Sequence[str],
    balance: Sequence[str],
    diverse: bool,
    min_gap_frames: int | None = None,
    select: SelectConfig | None = None,
) -> SelectionConfig:
    """Return the config that a call means: its own, that of a file, or the one that the other options make.

    The number of samples and the gap between frames replace those of a config.

    Raises:
        DatasourceError: when the file cannot be read.
        UsageError: when the options contradict each other, or say too little; naming every fault of a config.
    """
    chosen = _choose(n=n, config=config, scores=scores, balance=balance, diverse=diverse, select=select)
    if min_gap_frames is None:
        return chosen
    if min_gap_frames < 1:
        raise UsageError(f"Expected at least 1 frame between frames, got {min_gap_frames}")
    return msgspec.structs.replace(chosen, min_gap_frames=min_gap_frames)


def _choose(
    *,
    n: int | None,
    config: SelectionConfig | str | Path | None,
    scores: Sequence[str],
    balance: Sequence[str],
    diverse: bool,
    select: SelectConfig | None,
) -> SelectionConfig:
    if config is not None:
        if scores or balance or diverse or select is not None:
            raise UsageError(
                "A config says what decides: scores, balance, diverse and what is selected cannot be added to it"
            )
        if isinstance(config, SelectionConfig):
            return config if n is None else with_budget(config, n)
        return read_config(Path(config), n_samples=n)
    if n is None:
        raise UsageError(
            "How many samples to pick is not said", hint="give `--n N`, or a config with `--config FILE`"
        )
    return simple_config(n_samples=n, scores=scores, balance=balance, diverse=diverse, select=select)


def choose_level(
    *, objects: str | None, per_image: int | None, per_video: int | None, no_duplicates: bool
) -> SelectConfig | None:
    """Return what a call selects; `None` where it says nothing of that.

    Args:
        objects: task whose objects are selected.
        per_image: how many objects of each image at most.
        per_video: how many of each video at most.
        no_duplicates: whether images that repeat others are left out.

    Raises:
        UsageError: when an option is for objects only.
    """
    if per_image is not None and objects is None:
        raise UsageError("A limit for each image is for objects", hint="give `--objects TASK`, or leave it out")
    caps = {name: most for name, most in (("image", per_image), ("video", per_video)) if most is not None}
    chosen = SelectConfig(
        level=Level.IMAGES if objects is None else Level.OBJECTS,
        task=objects,
        at_most=caps or None,
        without_duplicates=no_duplicates,
    )
    return None if chosen == SelectConfig() else chosen


def read_config(path: Path, *, n_samples: int | None = None) -> SelectionConfig:
    """Read a config file; `n_samples` replaces the number that it asks for.

    Raises:
        DatasourceError: when the file cannot be read.
        UsageError: naming every fault of the config.
    """
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"`{path}` is no text: expected YAML or JSON in UTF-8") from None
    except OSError as error:
        raise DatasourceError(f"The config `{path}` cannot be read: {error.strerror}") from None
    config = parse_config(text, source=str(path))
    return config if n_samples is None else with_budget(config, n_samples)


def with_budget(config: SelectionConfig, n_samples: int) -> SelectionConfig:
    """Return the same config for another number of new samples."""
    if n_samples < 1:
        raise UsageError(f"Expected at least 1 sample to pick, got {n_samples}")
    return msgspec.structs.replace(config, n_samples=n_samples, proportion_samples=None)


def simple_config(
    *,
    n_samples: int,
    scores: Sequence[str] = (),
    balance: Sequence[str] = (),
    diverse: bool = False,
    select: SelectConfig | None = None,
) -> SelectionConfig:
    """Return the config of the common case.

    Args:
        n_samples: how many new samples to pick.
        scores: each `TASK:SCORE` or `FILE:COLUMN`, preferred where large.
        balance: tasks whose classes to bring to equal shares.
        diverse: whether to prefer what is far from everything selected.
        select: what is selected; images and frames by default.

    Raises:
        UsageError: when there is nothing to decide by.
    """
    strategies = [StrategyConfig(input=_score(name), strategy=WeightsConfig()) for name in scores]
    strategies += [
        StrategyConfig(
            input=PredictionsInput(task=task, name=PredictionsName.CLASS_DISTRIBUTION),
            strategy=BalanceConfig(distribution=Distribution.UNIFORM),
        )
        for task in balance
    ]
    if diverse:
        # Of objects the crops decide, of images the whole picture.
        of = EmbeddingsInput(task=None if select is None else select.task)
        strategies.append(StrategyConfig(input=of, strategy=DiversityConfig()))
    if n_samples < 1:
        raise UsageError(f"Expected at least 1 sample to pick, got {n_samples}")
    if not strategies:
        raise UsageError(
            "There is nothing to select by",
            hint="give `--score TASK:SCORE`, `--balance TASK`, `--diverse`, or a config with `--config FILE`",
        )
    return SelectionConfig(n_samples=n_samples, select=select or SelectConfig(), strategies=tuple(strategies))


def _score(name: str) -> ScoresInput | FileInput:
    task, colon, score = name.rpartition(":")
    if colon and score and task.lower().endswith(SCORE_FILE_ENDINGS):
        return FileInput(path=task, column=score)
    if not colon or not task or not score:
        raise UsageError(f"`{name}` names no score", hint="write it as TASK:SCORE, e.g. `cars:uncertainty_entropy`")
    return ScoresInput(task=task, score=score)
