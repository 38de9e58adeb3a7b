"""The files of a selection: names, picks with reasons, and the report."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from tamis.api.key_files import encode_keys
from tamis.api.options import ignore_progress
from tamis.api.report.render import render_html
from tamis.api.report.values import encode_report
from tamis.api.selecting.report_inputs import left_out, report_of
from tamis.errors import DatasourceError
from tamis.index import picks_parquet
from tamis.selection import encode_config
from tamis.storage import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.api.selecting.run import SelectionRun
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener

_IMAGES = "images.txt"


def selection_document(run: SelectionRun) -> dict[str, Any]:
    """Return a selection as plain values: what `selection.json` holds."""
    selection = run.selection
    return {
        "source": run.samples.snapshot.manifest.source,
        "snapshot": run.samples.snapshot.id,
        "scanned": run.samples.snapshot.manifest.created,
        "config": msgspec.to_builtins(run.config),
        "embeddings": run.embeddings,
        "n_requested": run.n_requested,
        "n_picked": len(selection.picks),
        "n_candidates": int(selection.field.candidate.sum()),
        "n_pool": len(run.pool),
        "n_pool_gone": run.n_pool_gone,
        "n_pool_others": run.n_pool_others,
        "n_labelled": len(run.labelled) - len(run.pinned),
        "pinned": run.pinned,
        "labelled_unknown": run.labelled_unknown,
        "left_out": left_out(run),
        "duplicates_doubt": run.duplicates_doubt,
        "duplicates_not_compared": run.n_not_compared,
        "ruled_out": dict(selection.ruled_out),
        "stopped": selection.stopped,
        "images": None if run.rows.target is None else run.images,
        "picks": [_pick(run, number) for number in range(len(selection.picks))],
    }


def write_selection(
    run: SelectionRun, sources: Sources, out: Path, *, listen: ProgressListener = ignore_progress
) -> None:
    """Write `selected.txt`, `selection.json`, `selection.parquet`, `report.html` and `report.json` into a folder.

    Where objects were selected, `images.txt` lists the images that hold them. Each file is put in place whole;
    `selected.txt` is the last.

    Raises:
        DatasourceError: when a file has the folder's name.
        StoreError: when the folder cannot be written.
    """
    store = results_folder(out)
    document = selection_document(run)
    write_report(run, sources, out, listen=listen)
    store.write("selection.json", msgspec.json.format(msgspec.json.encode(document)))
    store.write("selection.parquet", picks_parquet(document["picks"]))
    store.write("config.yaml", encode_config(run.config).encode())
    if run.rows.target is None:
        store.delete(_IMAGES)  # of an earlier selection of objects
    else:
        store.write(_IMAGES, encode_keys(run.images))
    store.write("selected.txt", encode_keys(run.chosen_keys))


def write_report(
    run: SelectionRun, sources: Sources, out: Path, *, listen: ProgressListener = ignore_progress
) -> None:
    """Write `report.html` and `report.json` into a folder.

    Raises:
        DatasourceError: when a file has the folder's name.
        StoreError: when the folder cannot be written.
    """
    store = results_folder(out)
    report = report_of(run, sources, created=datetime.now(UTC), listen=listen)
    store.write("report.html", render_html(report).encode())
    store.write("report.json", encode_report(report))


def results_folder(out: Path) -> LocalStore:
    """Return a folder for results, which a first file makes.

    Raises:
        DatasourceError: when a file has its name.
    """
    if out.is_file():
        raise DatasourceError(f"`{out}` is a file, expected a folder for the results")
    return LocalStore(out)


def _pick(run: SelectionRun, number: int) -> dict[str, Any]:
    reasons = []
    for column, reason in enumerate(run.reasons[number]):
        values = {name: value for name, value in _fields(reason).items() if value is not None}
        if reason.nearest is not None:
            values["nearest"] = run.rows.keys[reason.nearest]
        reasons.append({**values, "share": float(run.shares[number, column])})
    return {
        "pick": number + 1,
        "key": run.keys[number],
        **_object(run, number),
        "why": run.sentence(number),
        "objectives": _objectives(run, number),
        "reasons": reasons,
    }


def _object(run: SelectionRun, number: int) -> dict[str, Any]:
    """Return where a picked object is; nothing where samples were picked."""
    target, row = run.rows.target, int(run.selection.picks[number])
    if target is None or target.task is None or target.boxes is None:
        return {}
    return {
        "sample": run.samples.keys[target.owner[row]],
        "position": int(target.positions[row]),
        "category": target.task.by_id[int(run.rows.category_ids[row])].name,
        "bbox": [_finite(value) for value in target.boxes[row].tolist()],
    }


def _objectives(run: SelectionRun, number: int) -> dict[str, float | None]:
    return dict(zip(run.names, map(_finite, run.selection.objectives[number].tolist()), strict=True))


def _fields(reason: Any) -> dict[str, Any]:  # noqa: ANN401 (any flat dataclass)
    return {
        name: _finite(value) if isinstance(value, float) else value
        for name in reason.__dataclass_fields__
        for value in [getattr(reason, name)]
    }


def _finite(value: float) -> float | None:
    """Return a number, or `None` for the infinite distance of a first pick: JSON has no infinity."""
    return float(value) if math.isfinite(value) else None
