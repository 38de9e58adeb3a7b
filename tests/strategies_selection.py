"""Random small selections: as plain dicts for the brute force, and as values for the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tamis.selection.config import Distribution, Operation
from tamis.selection.strategies import (
    Balance,
    Diversity,
    Similarity,
    Strategy,
    Threshold,
    Typicality,
    Weights,
)

Array = Any
Run = TypeVar("Run", bound=Any)
STRENGTHS = [1.0, 1.0, 1.0, 0.5, 2.0, 0.0, -1.0, -0.7]


@dataclass(frozen=True)
class Problem:
    strategies: list[dict[str, Any]]
    candidate: Array
    pool: list[int]
    n: int


def random_problem(seed: int) -> Problem:
    """Mixed strategies with ties, duplicates, zero rows, nulls, pools, stops and thresholds."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 15))
    kinds = rng.choice(["WEIGHTS", "DIVERSITY", "BALANCE", "SIMILARITY", "TYPICALITY"], rng.integers(1, 4))
    strategies = [_random_strategy(rng, str(kind), n) for kind in kinds]
    if rng.random() < 0.3:
        strategies.append(
            _base(rng, "THRESHOLD", n, values=_values(rng, n), threshold=float(rng.choice([0.25, 0.5])))
        )
        strategies[-1]["operation"] = str(rng.choice(list(Operation)))
    candidate = rng.random(n) < rng.choice([1.0, 0.8])
    pool = [int(i) for i in rng.permutation(n)[: rng.integers(0, 4)]] if rng.random() < 0.4 else []
    return Problem(strategies, candidate, pool, int(rng.integers(1, n + 3)))


def bounded_problem(seed: int) -> Problem:
    """A random problem all of whose strategies have bounds."""
    problem = random_problem(seed)
    for strategy in problem.strategies:
        if strategy["kind"] in ("DIVERSITY", "BALANCE"):
            strategy["strength"] = abs(strategy["strength"])
    return problem


def finish(run: Run, k: int) -> Run:
    """Let a run pick until there are k, or it ends."""
    while len(run.picks) < k and run.stopped is None:
        run.step()
    return run


def _base(rng: Any, kind: str, n: int, **more: Any) -> dict[str, Any]:
    null = rng.random(n) < rng.choice([0.0, 0.0, 0.15])
    return {"kind": kind, "strength": float(rng.choice(STRENGTHS)), "null": null, "stop": None, **more}


def _values(rng: Any, n: int) -> Array:
    return rng.random(n) if rng.random() < 0.5 else rng.integers(0, 4, n) / 4.0


def _random_strategy(rng: Any, kind: str, n: int) -> dict[str, Any]:
    if kind == "WEIGHTS":
        stop = float(rng.choice([0.5, 2.0])) if rng.random() < 0.3 else None
        return {**_base(rng, kind, n, values=_values(rng, n)), "stop": stop}
    if kind == "BALANCE":
        return _random_balance(rng, n)
    strategy = _base(rng, kind, n, **_random_points(rng, n))
    if kind == "SIMILARITY":
        strategy["queries"] = rng.standard_normal((int(rng.integers(1, 4)), strategy["points"].shape[1]))
    if kind == "TYPICALITY":
        strategy["k"] = int(rng.integers(1, 8))
    if kind != "SIMILARITY" and rng.random() < 0.3:
        strategy["stop"] = float(rng.choice([0.3, 0.5, 1.0]))
    return strategy


def _random_points(rng: Any, n: int) -> dict[str, Any]:
    owner = np.sort(rng.integers(0, n, int(rng.integers(0, 3 * n)))) if rng.random() < 0.4 else None
    count, width = n if owner is None else len(owner), int(rng.integers(1, 5))
    points = rng.standard_normal((count, width))
    if rng.random() < 0.5:  # a grid: ties, duplicates, zero rows
        points = np.round(points)
    elif count and rng.random() < 0.5:
        points = points[rng.integers(0, max(1, count // 2), count)]
    if rng.random() < 0.5:
        points = points.astype(np.float32)
    return {"points": points, "owner": owner}


def _random_balance(rng: Any, n: int) -> dict[str, Any]:
    classes = int(rng.integers(1, 5))
    rows = rng.random((n, classes)) if rng.random() < 0.5 else np.eye(classes)[rng.integers(0, classes, n)]
    rows = rows * (rng.random((n, 1)) < 0.9)
    if rng.random() < 0.2:
        rows = rows.astype(np.float32)
    strategy = _base(rng, "BALANCE", n, rows=rows, distribution=str(rng.choice(list(Distribution))))
    named = [int(c) for c in rng.permutation(classes)[: rng.integers(1, classes + 1)]]
    strategy["target"] = {c: float(rng.choice([0.1, 0.25, 0.4])) for c in named}
    return strategy


def engine_strategy(s: dict[str, Any], name: str) -> Strategy:
    """The same strategy as the engine takes it."""
    common = {"name": name, "null": s["null"]}
    if s["kind"] == "THRESHOLD":
        operation = Operation(s["operation"])
        return Threshold(**common, values=s["values"], threshold=s["threshold"], operation=operation)
    common["strength"] = s["strength"]
    if s["kind"] == "WEIGHTS":
        return Weights(**common, values=s["values"], stop_max_sum=s["stop"])
    if s["kind"] == "BALANCE":
        return _engine_balance(s, common)
    common |= {"embeddings": s["points"], "owner": s["owner"]}
    if s["kind"] == "DIVERSITY":
        return Diversity(**common, stop_min_distance=s["stop"])
    if s["kind"] == "SIMILARITY":
        return Similarity(**common, queries=s["queries"])
    return Typicality(**common, n_neighbours=s["k"], stop_min_typicality=s["stop"])


def _engine_balance(s: dict[str, Any], common: dict[str, Any]) -> Balance:
    distribution = Distribution(s["distribution"])
    names = [f"c{c}" for c in range(s["rows"].shape[1])]
    target = {names[c]: share for c, share in s["target"].items()}
    wanted = target if distribution is Distribution.TARGET else None
    return Balance(**common, rows=s["rows"], classes=names, distribution=distribution, target=wanted)


def engine_strategies(problem: Problem) -> list[Strategy]:
    return [engine_strategy(s, f"{s['kind']} {i}") for i, s in enumerate(problem.strategies)]
