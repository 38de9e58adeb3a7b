"""Which samples have which problems, as memory-mapped columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tamis.index.samples import SampleColumns
    from tamis.model.columns import Bools


class _Kinds(msgspec.Struct, frozen=True):
    kinds: list[tuple[str, str, str | None]]


@dataclass(frozen=True, slots=True, eq=False)
class ProblemRows:
    """The problems of files that speak of samples, one row each.

    Attributes:
        kinds: code, severity and task, `None` where it concerns none.
        kind: which of these, shape (n,).
        sample: number of the sample, shape (n,).
        counts: problems of each sample, shape (N,).
    """

    kinds: list[tuple[str, str, str | None]]
    kind: NDArray[np.int32]
    sample: NDArray[np.uint32]
    counts: NDArray[np.int32]

    def samples_with(self, *, code: str | None, task: str | None, severity: str | None) -> Bools:
        """Return which samples have a problem of a kind, shape (N,)."""
        wanted = [
            (code is None or kind[0] == code)
            and (severity is None or kind[1] == severity)
            and (task is None or kind[2] == task)
            for kind in self.kinds
        ]
        there = np.zeros(len(self.counts), np.bool_)
        there[self.sample[np.array([*wanted, False])[self.kind]]] = True
        return there


def build_problems(samples: SampleColumns, folder: Path) -> None:
    """Write which samples have which problems: a file is that of a sample, or the sample's own."""
    snapshot = samples.snapshot
    table = snapshot.table("problems", ["code", "severity", "task", "file"])
    n = table.num_rows
    codes = pa.table({name: table[name].cast(pa.string()) for name in ("code", "severity", "task")})
    kinds = codes.group_by(codes.column_names).aggregate([]).to_pylist() if n else []
    listed = [(kind["code"], kind["severity"], kind["task"]) for kind in kinds]
    at = {kind: i for i, kind in enumerate(listed)}
    rows = zip(*(codes[name].to_pylist() for name in codes.column_names), strict=True)
    kind = np.fromiter((at[row] for row in rows), np.int32, n)
    files = snapshot.table("files", ["file", "sample"])
    place = pc.index_in(table["file"], value_set=files["file"].combine_chunks())
    named = pc.coalesce(files["sample"].take(place), table["file"]) if n else table["file"]
    number = samples.positions(named.combine_chunks()) if n else np.zeros(0, np.int64)
    known = number >= 0
    (folder / "problems.json").write_bytes(msgspec.json.encode(_Kinds(listed)))
    np.save(folder / "problem_kind.npy", kind[known])
    np.save(folder / "problem_sample.npy", number[known].astype(np.uint32))
    counts = np.bincount(number[known], minlength=len(samples)).astype(np.int32)
    np.save(folder / "problem_counts.npy", counts)


def open_problems(folder: Path) -> ProblemRows:
    """Map the problems."""
    kinds = msgspec.json.decode((folder / "problems.json").read_bytes(), type=_Kinds).kinds
    load = {
        name: np.load(folder / f"problem_{name}.npy", mmap_mode="r", allow_pickle=False)
        for name in ("kind", "sample", "counts")
    }
    return ProblemRows(kinds=kinds, **load)
