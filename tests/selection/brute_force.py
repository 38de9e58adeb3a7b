"""The greedy selection as its definition says it, in float64, without a thought for speed.

It shares no code with the engine: strategies are plain dicts, every sum is taken anew at every step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Array = Any
LEAST = 1e-8
TIE = 1e-13
COMPARE: dict[str, Any] = {
    "SMALLER": lambda a, b: a < b,
    "SMALLER_EQUAL": lambda a, b: a <= b,
    "BIGGER": lambda a, b: a > b,
    "BIGGER_EQUAL": lambda a, b: a >= b,
}


def unit(rows: Array) -> Array:
    rows = np.asarray(rows, np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths == 0, 1, lengths)


def distance(a: Array, b: Array) -> float:
    return float(np.sqrt(np.sum((a - b) ** 2)))


class BruteForce:
    """`strategies` are dicts: kind, strength, null, and by kind: values | points, owner | rows, target | ..."""

    def __init__(
        self,
        strategies: list[dict[str, Any]],
        candidate: NDArray[np.bool_],
        pool: list[int],
        limits: tuple[dict[str, Any], ...] = (),
    ) -> None:
        self.limits = limits
        self.n = len(candidate)
        self.pool = pool
        self.strategies = strategies
        self.live = [i for i in range(self.n) if candidate[i] and i not in pool and self._passes(i)]
        self.in_play = sorted({*self.live, *pool})
        for strategy in strategies:
            if strategy["kind"] in ("SIMILARITY", "TYPICALITY"):
                self._weigh_points(strategy)
            if strategy["kind"] == "BALANCE":
                self._resolve_target(strategy)
        self.chosen = list(pool)
        self.ended = False

    def _passes(self, i: int) -> bool:
        for s in self.strategies:
            if self._null(s, i):
                return False
            if s["kind"] == "THRESHOLD" and not COMPARE[s["operation"]](s["values"][i], s["threshold"]):
                return False
        return True

    @staticmethod
    def _null(s: dict[str, Any], i: int) -> bool:
        if s["null"][i]:
            return True
        return "points" in s and any(not s["points"][p].any() for p in BruteForce._points(s, [i]))

    @staticmethod
    def _points(s: dict[str, Any], samples: list[int]) -> list[int]:
        owner = s["owner"] if s["owner"] is not None else list(range(len(s["points"])))
        return [p for i in samples for p in range(len(owner)) if owner[p] == i]

    def _known(self, s: dict[str, Any], samples: list[int]) -> list[int]:
        return [i for i in samples if not self._null(s, i)]

    def _weigh_points(self, s: dict[str, Any]) -> None:
        points = self._points(s, self._known(s, self.in_play))
        u = unit(s["points"])
        if s["kind"] == "SIMILARITY":
            queries = unit(s["queries"])
            near = {p: [min(distance(u[p], q) for q in queries)] for p in points}
        else:
            k = min(s["k"], len(points) - 1)
            near = {p: sorted(distance(u[p], u[o]) for o in points if o != p)[:k] for p in points}
        every = [d for ds in near.values() for d in ds]
        mean = np.mean(every) if every else 0.0
        s["w"] = {
            p: 1.0 if mean == 0 or not ds else float(np.mean([np.exp(-d / mean) for d in ds]))
            for p, ds in near.items()
        }

    def _resolve_target(self, s: dict[str, Any]) -> None:
        rows = np.asarray(s["rows"], np.float64)
        if s["distribution"] == "TARGET":
            named = sorted(s["target"])
            others = [c for c in range(rows.shape[1]) if c not in named]
            target = [s["target"][c] for c in named]
            columns = [rows[:, c] for c in named]
            if others:
                columns.append(rows[:, others].sum(axis=1))
                target.append(max(0.0, 1 - sum(target)))
            rows = np.stack(columns, axis=1)
        elif s["distribution"] == "UNIFORM":
            target = [
                float(any(rows[i, c] > 0 for i in self._known(s, self.in_play))) for c in range(rows.shape[1])
            ]
        else:
            target = [sum(rows[i, c] for i in self.live) for c in range(rows.shape[1])]
        s["t"], s["r"] = np.array(target) / np.sum(target), rows

    def gain(self, s: dict[str, Any], i: int) -> float | None:
        """What a stop looks at: mean squared distance, or own typicality; None: there is nothing to look at."""
        mine = self._points(s, [i])
        u = unit(s["points"])
        if s["kind"] == "TYPICALITY":
            return float(np.mean([s["w"][p] for p in mine])) if mine else None
        chosen = self._points(s, self._known(s, self.chosen))
        if not mine or not chosen:
            return None
        return float(np.mean([min(distance(u[p], u[c]) ** 2 for c in chosen) for p in mine]))

    def objective(self, s: dict[str, Any], i: int) -> float:
        known = self._known(s, self.chosen)
        if s["kind"] == "WEIGHTS":
            return float(sum(s["values"][j] for j in known) + s["values"][i])
        if s["kind"] == "BALANCE":
            total = s["r"][i] + sum(s["r"][j] for j in known)
            p = total / total.sum() if total.sum() > 0 else np.zeros(len(total))
            entropy = -sum(t * np.log2(q + 1e-10) for t, q in zip(s["t"], p, strict=True))
            return float(1 / max(entropy, LEAST))
        mine = self._points(s, [i])
        if not mine:
            return LEAST
        chosen = self._points(s, known)
        if s["kind"] in ("SIMILARITY", "TYPICALITY"):
            own = [s["w"][p] for p in mine]
            return float(sum(s["w"][c] for c in chosen) + (max(own) if s["kind"] == "SIMILARITY" else np.mean(own)))
        if not chosen:
            return 1.0
        u = unit(s["points"])
        among = [min([distance(u[c], u[o]) ** 2 for o in chosen if o != c], default=0.0) for c in chosen]
        return sum(among) + (self.gain(s, i) or 0.0)

    def score(self, i: int) -> float:
        acting = [s for s in self.strategies if s["kind"] != "THRESHOLD" and s["strength"] != 0]
        return float(sum(s["strength"] * np.log(max(self.objective(s, i), LEAST)) for s in acting))

    def _ends_before(self, i: int) -> bool:
        for s in self.strategies:
            if s["kind"] in ("DIVERSITY", "TYPICALITY") and s["stop"] is not None:
                gain = self.gain(s, i)
                limit = s["stop"] ** 2 if s["kind"] == "DIVERSITY" else s["stop"]
                if gain is not None and gain < limit * (1 - TIE):
                    return True
        return False

    def _ends_now(self) -> bool:
        for s in self.strategies:
            if s["kind"] == "WEIGHTS" and s["stop"] is not None:
                total = sum(s["values"][j] for j in self._known(s, self.chosen))
                if total >= s["stop"] * (1 - 1e-12):
                    return True
        return False

    def allowed(self, i: int) -> bool:
        """Whether the selected leave room for a candidate, by every limit."""
        for limit in self.limits:
            group = limit["group"][i]
            others = [j for j in self.chosen if limit["group"][j] == group and group >= 0]
            if "most" in limit and len(others) >= limit["most"]:
                return False
            if "gap" in limit and any(abs(limit["place"][i] - limit["place"][j]) < limit["gap"] for j in others):
                return False
        return True

    def run(self, n: int) -> list[int]:
        picks: list[int] = []
        while len(picks) < n and not self._ends_now():
            free = [i for i in self.live if self.allowed(i)]
            if not free:
                break
            scores = [self.score(i) for i in free]
            best = next(i for i, x in zip(free, scores, strict=True) if x >= max(scores) - TIE)
            if self._ends_before(best):
                break
            self.live.remove(best)
            self.chosen.append(best)
            picks.append(best)
        self.ended = len(picks) < n
        return picks
