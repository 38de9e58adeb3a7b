"""Compare tamis' picks with those of lightly-mundig 0.1.16 on random selections.

    python benchmarks/peers/mundig_agreement.py --peer /path/to/python-with-lightly-mundig --runs 300

The peer computes in float32, so a run is compared up to the first step at which it picks otherwise; there, its
pick's logarithm of the product must be within 3e-5 of the best, by the brute force of the tests. One difference is
known: where several strategies on objects disagree about which images have any, the peer's floor for an image
without objects is not the same number in each of them (DIVERSITY's was twice TYPICALITY's and SIMILARITY's once).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "selection"))

from brute_force import BruteForce

from strategies_selection import engine_strategy
from tamis.selection.greedy import select

NEAR_TIE = 3e-5
NEAR_LIMIT = 1e-4
WITHOUT_OBJECTS = "an image without objects, floored otherwise by the peer"
KINDS = ["WEIGHTS", "DIVERSITY", "BALANCE", "SIMILARITY", "TYPICALITY"]


def random_problem(seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(10, 50))
    kinds = [str(kind) for kind in rng.choice(KINDS, rng.integers(1, 4))]
    pool = rng.permutation(n)[: rng.integers(0, 4)].tolist()
    strategies = [random_strategy(rng, kind, n) for kind in kinds]
    return {"n": n, "pool": pool, "n_samples": int(rng.integers(1, n - len(pool))), "strategies": strategies}


def random_strategy(rng: np.random.Generator, kind: str, n: int) -> dict[str, Any]:
    strength = float(rng.choice([1.0, 1.0, 2.0, 0.5, -1.0, 0.0]))
    base = {"kind": kind, "strength": strength, "null": np.zeros(n, bool), "stop": None}
    if kind == "WEIGHTS":
        return {**base, "values": rng.random(n, np.float32)}
    if kind == "BALANCE":
        classes = int(rng.integers(2, 6))
        share = rng.dirichlet(np.ones(classes))
        rows = rng.random((n, classes), np.float32) * (rng.random((n, 1)) < 0.9)
        target = dict(enumerate(share.tolist()))
        return {**base, "rows": rows, "distribution": "TARGET", "target": target}
    of_objects, width = bool(rng.random() < 0.4), int(rng.integers(2, 16))
    owner = np.sort(rng.integers(0, n, 3 * n)) if of_objects else None
    points = rng.standard_normal((n if owner is None else len(owner), width))
    points = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    strategy = {**base, "points": points, "owner": owner}
    if kind == "SIMILARITY":
        queries = rng.standard_normal((3, width))
        strategy["queries"] = (queries / np.linalg.norm(queries, axis=1, keepdims=True)).astype(np.float32)
    elif rng.random() < 0.3:
        strategy["stop"] = float(rng.choice([0.5, 0.8]) if kind == "DIVERSITY" else rng.choice([0.3, 0.4]))
    return {**strategy, "k": int(rng.integers(1, 20))}


def for_peer(problem: dict[str, Any]) -> str:
    strategies = []
    for s in problem["strategies"]:
        made = {key: s[key].tolist() for key in ("values", "rows", "points", "queries") if key in s}
        made |= {"kind": s["kind"], "strength": s["strength"], "stop": s["stop"], "k": s.get("k")}
        if "points" in s:
            made["width"] = s["points"].shape[1]
            samples = range(problem["n"])
            made["objects"] = s["owner"] is not None and [np.flatnonzero(s["owner"] == i).tolist() for i in samples]
            made["objects"] = made["objects"] or None
        if s["kind"] == "BALANCE":
            made["target"] = list(s["target"].values())
        strategies.append(made)
    return json.dumps({**problem, "strategies": strategies})


def compare(problem: dict[str, Any], theirs: list[int]) -> str:
    """Return `same`, an explained difference, or one that starts with `UNEXPLAINED`."""
    n, pool = problem["n"], problem["pool"]
    strategies = [engine_strategy(s, f"{s['kind']} {i}") for i, s in enumerate(problem["strategies"])]
    run = select(strategies, n_samples=problem["n_samples"], candidate=np.ones(n, bool), pool=pool)
    ours = run.picks.tolist()
    if ours == theirs:
        return "same"
    step = next((i for i, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), None)
    brute = BruteForce(problem["strategies"], np.ones(n, bool), pool)
    brute.chosen += ours[:step] if step is not None else ours[: min(len(ours), len(theirs))]
    if step is None:
        if set(brute.chosen) & without_objects(problem):
            return WITHOUT_OBJECTS
        return explain_end(brute, (ours if len(ours) > len(theirs) else theirs)[min(len(ours), len(theirs))])
    if {ours[step], theirs[step]} & without_objects(problem):
        return WITHOUT_OBJECTS
    margin = brute.score(ours[step]) - brute.score(theirs[step])
    if abs(margin) < NEAR_TIE:
        return f"near tie (log margin < {NEAR_TIE:g})"
    return f"UNEXPLAINED at step {step}: {ours[step]} not {theirs[step]}, log margin {margin:.3g}"


def without_objects(problem: dict[str, Any]) -> set[int]:
    """Return the images that have no objects for one of several strategies on objects."""
    owners = [set(s["owner"].tolist()) for s in problem["strategies"] if s.get("owner") is not None]
    return {i for i in range(problem["n"]) if len(owners) > 1 and not all(i in owner for owner in owners)}


def explain_end(brute: BruteForce, sample: int) -> str:
    for s in brute.strategies:
        if s["stop"] is not None and (gain := brute.gain(s, sample)) is not None:
            limit = s["stop"] ** 2 if s["kind"] == "DIVERSITY" else s["stop"]
            if abs(gain - limit) < NEAR_LIMIT:
                return "ended at a value near the limit"
    return f"UNEXPLAINED end after {len(brute.chosen)} samples"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--peer", default=os.environ.get("TAMIS_MUNDIG_PYTHON"), help="Python with lightly-mundig")
    parser.add_argument("--runs", type=int, default=300)
    options = parser.parse_args()
    if options.peer is None:
        parser.error("name a Python that has lightly-mundig==0.1.16, by --peer or TAMIS_MUNDIG_PYTHON")
    problems = [random_problem(seed) for seed in range(options.runs)]
    runner = [options.peer, str(Path(__file__).with_name("mundig_runner.py"))]
    text = "\n".join(map(for_peer, problems)) + "\n"
    answer = subprocess.run(runner, input=text, capture_output=True, text=True, check=True)
    verdicts = [compare(p, json.loads(line)) for p, line in zip(problems, answer.stdout.splitlines(), strict=True)]
    for verdict, count in Counter(v for v in verdicts if not v.startswith("UNEXPLAINED")).most_common():
        print(f"{count:6}  {verdict}")
    unexplained = [(seed, verdict) for seed, verdict in enumerate(verdicts) if verdict.startswith("UNEXPLAINED")]
    for seed, verdict in unexplained:
        kinds = [
            (s["kind"], s["strength"], s["stop"], s.get("owner") is not None) for s in problems[seed]["strategies"]
        ]
        print(f"  seed {seed}: {verdict}: {kinds}, pool {problems[seed]['pool']}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
