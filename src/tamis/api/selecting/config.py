"""Configs from files, and from the few options that cover the common case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.errors import DatasourceError, UsageError
from tamis.selection import (
    BalanceConfig,
    Distribution,
    DiversityConfig,
    EmbeddingsInput,
    PredictionsInput,
    PredictionsName,
    ScoresInput,
    SelectionConfig,
    StrategyConfig,
    WeightsConfig,
    parse_config,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


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
    if n_samples is None:
        return config
    return SelectionConfig(n_samples=n_samples, strategies=config.strategies)


def simple_config(
    *, n_samples: int, scores: Sequence[str] = (), balance: Sequence[str] = (), diverse: bool = False
) -> SelectionConfig:
    """Return the config of the common case.

    Args:
        n_samples: how many new samples to pick.
        scores: each `TASK:SCORE`, preferred where large.
        balance: tasks whose classes to bring to equal shares.
        diverse: whether to prefer what is far from everything selected.

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
        strategies.append(StrategyConfig(input=EmbeddingsInput(), strategy=DiversityConfig()))
    if not strategies:
        raise UsageError(
            "There is nothing to select by",
            hint="give `--score TASK:SCORE`, `--balance TASK`, `--diverse`, or a config with `--config FILE`",
        )
    return SelectionConfig(n_samples=n_samples, strategies=tuple(strategies))


def _score(name: str) -> ScoresInput:
    task, colon, score = name.rpartition(":")
    if not colon or not task or not score:
        raise UsageError(f"`{name}` names no score", hint="write it as TASK:SCORE, e.g. `cars:uncertainty_entropy`")
    return ScoresInput(task=task, score=score)
