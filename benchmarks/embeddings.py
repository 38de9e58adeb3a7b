"""How good embeddings are on real photos, and how fast a million of them is searched.

`python benchmarks/embeddings.py DATA [--model encoder.onnx] [--rows N]` prints the tables of docs/embeddings.md;
DATA is a folder with `clothing/<class>/*.jpg`, `coco128` (images and YOLO labels) and `voc100/images`.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps

from tamis.api.embedding.duplicates import DEFAULT_LIMIT
from tamis.media.decoding import decode_picture
from tamis.media.onnx_encoder import open_encoder
from tamis.media.visual import VisualEncoder
from tamis.selection import Diversity, select
from tamis.selection.threads import product_threads
from tamis.vectors import find_duplicates, nearest_rows, typical_distance, unit_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tamis.api.embedding.jobs import Encoder

_SEEDS = 20
_KINDS = ("resized", "recompressed", "cropped by 5 %", "flipped")


def encode(encoder: Encoder, pictures: Sequence[bytes]) -> NDArray[np.float32]:
    """Return the unit vectors of pictures."""
    inputs = [encoder.prepare(decode_picture(data, min_side_px=encoder.side_px)) for data in pictures]
    size = encoder.batch_size
    return unit_rows(
        np.concatenate([encoder.encode(np.stack(inputs[i : i + size])) for i in range(0, len(inputs), size)])
    )


def neighbour_accuracy(unit: NDArray[np.float32], labels: NDArray[Any]) -> float:
    """Return how often the nearest other picture is of the same class."""
    dots = unit @ unit.T
    np.fill_diagonal(dots, -np.inf)
    return float((labels[dots.argmax(axis=1)] == labels).mean())


def distinct(paths: Sequence[Path]) -> list[bytes]:
    """Return the contents of files, each once."""
    return list({hashlib.blake2b(data).digest(): data for data in (path.read_bytes() for path in paths)}.values())


def quarter(data: bytes) -> bytes:
    """Return the upper left quarter of a picture: another picture of the same kind."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    return _jpeg(image.crop((0, 0, max(image.width // 2, 1), max(image.height // 2, 1))), 90)


def planted(data: bytes, kind: str, random: np.random.Generator) -> bytes:
    """Return a near-duplicate of a picture."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    width, height = image.size
    if kind == "resized":
        scale = float(random.uniform(0.3, 0.8))
        return _jpeg(image.resize((max(int(width * scale), 1), max(int(height * scale), 1))), 90)
    if kind == "recompressed":
        return _jpeg(image, int(random.integers(20, 60)))
    if kind == "flipped":
        return _jpeg(ImageOps.mirror(image), 90)
    wide, high = int(width * 0.95), int(height * 0.95)
    left, top = int(random.integers(0, width - wide + 1)), int(random.integers(0, height - high + 1))
    return _jpeg(image.crop((left, top, left + wide, top + high)), 90)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def duplicates_table(pictures: list[bytes], seed: int) -> list[tuple[str, int, int]]:
    """Plant 100 near-duplicates among 900 pictures; return for each kind how many were found, and what else was."""
    random = np.random.default_rng(seed)
    base = [*pictures, *map(quarter, pictures)][:900]
    sources = random.choice(len(base), 100, replace=False)
    copies = [planted(base[at], _KINDS[i % 4], random) for i, at in enumerate(sources.tolist())]
    unit = encode(VisualEncoder(), [*base, *copies])
    found = find_duplicates(unit, np.ones(len(unit), np.bool_), limit=DEFAULT_LIMIT)
    hits = found.of[900:] == sources
    rows = [(kind, int(hits[i::4].sum()), 25) for i, kind in enumerate(_KINDS)]
    wrong = int(np.count_nonzero(found.of[:900] >= 0) + np.count_nonzero((found.of[900:] >= 0) & ~hits))
    return [*rows, ("wrongly reported", wrong, 1_000)]


def other_pictures(folder: Path) -> None:
    """Print how duplicates are found among pictures of another kind: of 900 at most, 100 with a copy."""
    random = np.random.default_rng(0)
    base = []
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"})
    for data in distinct([paths[i] for i in random.permutation(len(paths))]):
        image = decode_picture(data)
        if min(image.size) >= 64:
            image.thumbnail((1024, 1024))
            base.append(_jpeg(image, 92))
        if len(base) == 900:
            break
    sources = random.choice(len(base), min(100, len(base) // 2), replace=False)
    copies = [planted(base[at], _KINDS[i % 4], random) for i, at in enumerate(sources.tolist())]
    unit = encode(VisualEncoder(), [*base, *copies])
    own, copied = unit[: len(base)], unit[len(base) :]
    known = np.ones(len(own), np.bool_)
    apart = np.linalg.norm(copied - own[sources], axis=1)
    print(f"\n{folder}: {len(base)} pictures, half of all pairs nearer than {typical_distance(own, known):.2f}")
    for limit in (0.15, 0.2, 0.25, 0.3, DEFAULT_LIMIT):
        repeated = find_duplicates(own, known, limit=limit).repeated.sum()
        found = (apart < limit).sum()
        print(f"| {limit:g} | {found} of {len(sources)} copies | {repeated} of {len(base)} others |")


def coverage(
    unit: NDArray[np.float32], classes: list[set[str]], n: int
) -> dict[str, list[tuple[int, float, float]]]:
    """Return classes covered, mean and largest distance to a pick, for diversity and random choices."""

    def measured(picks: NDArray[np.int64]) -> tuple[int, float, float]:
        nearest = np.sqrt(np.maximum(2.0 - 2.0 * (unit @ unit[picks].T).max(axis=1), 0.0))
        n_classes = len(set().union(*(classes[i] for i in picks.tolist())))
        return n_classes, float(nearest.mean()), float(nearest.max())

    random, diverse = [], []
    for seed in range(_SEEDS):
        order = np.random.default_rng(seed).permutation(len(unit))
        random.append(measured(order[:n]))
        # Farthest-first starts with the first sample: another order, another start.
        strategy = Diversity(name="d", embeddings=unit[order])
        picks = select([strategy], n_samples=n, candidate=np.ones(len(unit), np.bool_)).picks
        diverse.append(measured(order[picks]))
    return {"random": random, "diversity": diverse}


def million(real: NDArray[np.float32], n: int) -> None:
    """Search n vectors between real ones, one in a hundred of them nearly repeated."""
    random = np.random.default_rng(0)
    unit = np.empty((n, real.shape[1]), np.float32)
    for start in range(0, n, 100_000):
        rows = slice(start, min(start + 100_000, n))
        k = rows.stop - rows.start
        one, other, third = (real[random.integers(0, len(real), k)] for _ in range(3))
        # As photos differ from each other, so do these: along the same directions.
        unit[rows] = unit_rows(one + 0.7 * (other - third))
    copies = n // 100
    unit[-copies:] = unit_rows(unit[:copies] + random.normal(0, 0.008, (copies, real.shape[1])).astype(np.float32))
    times = []
    for row in random.integers(0, n, 100).tolist():
        begin = time.perf_counter()
        nearest_rows(unit, unit[row], 10)
        times.append(time.perf_counter() - begin)
    print(
        f"similar among {n:,} x {real.shape[1]}: p50 {np.median(times) * 1e3:.0f} ms, "
        f"p95 {np.quantile(times, 0.95) * 1e3:.0f} ms"
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.perf_counter()
    with product_threads() as threads:
        found = find_duplicates(unit, np.ones(n, np.bool_), limit=DEFAULT_LIMIT, threads=threads)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"near-duplicates among {n:,}: {seconds:.1f} s, {int(found.repeated.sum()):,} found of {copies:,} planted, "
        f"peak {peak / 1024:,.0f} MB ({unit.nbytes / 2**20:,.0f} MB of vectors, {before / 1024:,.0f} MB before)"
    )


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--duplicates-only", action="store_true", help="of any pictures below DATA")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    arguments = parser.parse_args()
    if arguments.duplicates_only:
        other_pictures(arguments.data)
        return
    clothing = sorted(arguments.data.glob("clothing/*/*.jp*g"))
    coco = sorted(arguments.data.glob("coco128/images/*/*.jpg"))
    encoders: list[Encoder] = [VisualEncoder()]
    if arguments.model:
        encoders.append(open_encoder(arguments.model))
    _accuracy(encoders, clothing)
    pictures = distinct([*clothing, *coco, *sorted(arguments.data.glob("voc100/images/*.jpg"))])
    print(
        f"\nnear-duplicates at {DEFAULT_LIMIT:g}, {len(pictures)} photos and quarters of them, 100 planted of 1,000"
    )
    for kind, n, of in duplicates_table(pictures, 0):
        print(f"| {kind} | {n} of {of} |")
    _coverage(encoders, clothing, coco)
    if arguments.rows:
        million(encode(VisualEncoder(), pictures), arguments.rows)


def _accuracy(encoders: Sequence[Encoder], clothing: Sequence[Path]) -> None:
    labels = np.array([path.parent.name for path in clothing])
    majority = max(np.mean(labels == label) for label in set(labels.tolist()))
    print(f"leave-one-out nearest neighbour, {len(clothing)} photos of clothing, majority class {majority:.1%}")
    for encoder in encoders:
        begin = time.perf_counter()
        unit = encode(encoder, [path.read_bytes() for path in clothing])
        each = (time.perf_counter() - begin) / len(clothing) * 1e3
        print(
            f"| {encoder.name} | {encoder.n_dims} | {neighbour_accuracy(unit, labels):.1%} | {each:.1f} ms each |"
        )


def _coverage(encoders: Sequence[Encoder], clothing: Sequence[Path], coco: Sequence[Path]) -> None:
    of_coco = [_yolo_classes(path) for path in coco]
    sets: list[tuple[str, Sequence[Path], list[set[str]], int]] = [
        ("clothing", clothing, [{path.parent.name} for path in clothing], 20),
        ("coco128", coco, of_coco, 30),
    ]
    print(f"\ndiversity against random, {_SEEDS} seeds: classes covered, mean and largest distance to a pick")
    for name, paths, classes, n in sets:
        for encoder in encoders:
            unit = encode(encoder, [path.read_bytes() for path in paths])
            for how, results in coverage(unit, classes, n).items():
                covered, distance, largest = np.array(results).T
                print(
                    f"| {name}, {n} of {len(paths)} | {encoder.name} | {how} | {covered.mean():.1f} "
                    f"({covered.min():.0f}-{covered.max():.0f}) of {len(set().union(*classes))} | "
                    f"{distance.mean():.3f} ({distance.min():.3f}-{distance.max():.3f}) | "
                    f"{largest.mean():.3f} ({largest.min():.3f}-{largest.max():.3f}) |"
                )


def _yolo_classes(image: Path) -> set[str]:
    labels = next((image.parents[2] / "object_detection").rglob(f"{image.stem}.txt"), None)
    return set() if labels is None else {line.split()[0] for line in labels.read_text("utf-8").splitlines() if line}


if __name__ == "__main__":
    main()
