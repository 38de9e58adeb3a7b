"""Selections that were run: their picks, reports, comparisons and exports."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tamis.api.browsing.caches import Cache
from tamis.api.browsing.pages import NoSampleError, show_cards
from tamis.api.browsing.values_work import (
    ComparedCategory,
    Comparison,
    JobKind,
    JobState,
    PickCard,
    PickPage,
    Reason,
    SelectionInfo,
    SelectionRequest,
)
from tamis.api.converting.choices import ExportFormat
from tamis.api.converting.exporting import ExportOptions
from tamis.api.converting.run import export_to
from tamis.api.report.values import Report, decode_report
from tamis.errors import UsageError
from tamis.index import Pool
from tamis.model import parse_object_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.api.browsing.jobs import Jobs
    from tamis.api.browsing.view import View

_DOCUMENT_BYTES = 64 << 20
_MAX_LISTED = 1_000
_N_BUDGETS = 40
_WRITTEN = {"config": "config.yaml", "json": "selection.json", "report": "report.html"}
_EXPORTED = {
    ExportFormat.NAMES: "txt",
    ExportFormat.COCO: "json",
    ExportFormat.COCO_RESULTS: "json",
    ExportFormat.LABEL_STUDIO: "json",
    ExportFormat.CVAT: "xml",
    ExportFormat.CSV: "csv",
    ExportFormat.JSONL: "jsonl",
    ExportFormat.PARQUET: "parquet",
}


@dataclass(slots=True, eq=False)
class Selections:
    """Reads the results of selection jobs; those of finished ones never change."""

    jobs: Jobs
    _documents: Cache[dict[str, Any]] = field(
        default_factory=lambda: Cache(_DOCUMENT_BYTES, lambda document: 800 * (len(document["picks"]) + 1))
    )

    def all(self) -> list[SelectionInfo]:
        """Return the selections, the newest first."""
        return [self._info(job.id) for job in self.jobs.all(JobKind.SELECTION)]

    def info(self, selection_id: str) -> SelectionInfo:
        """Return a selection.

        Raises:
            NoSampleError: when there is none of that id.
        """
        if self.jobs.request(selection_id).kind is not JobKind.SELECTION:
            raise NoSampleError(f"There is no selection `{selection_id}`")
        return self._info(selection_id)

    def _info(self, selection_id: str) -> SelectionInfo:
        job = self.jobs.job(selection_id)
        asked = self.jobs.request(selection_id).details
        request = msgspec.convert(asked["request"], SelectionRequest)
        if job.state is not JobState.DONE:
            return SelectionInfo(job=job, request=request, snapshot=asked["snapshot"])
        document = self._document(selection_id)
        return SelectionInfo(
            job=job,
            request=request,
            snapshot=document["snapshot"],
            n_requested=document["n_requested"] + len(document["pinned"]),
            n_picked=document["n_picked"] + len(document["pinned"]),
            n_candidates=document["n_candidates"],
            left_out={reason: n for reason, n in document["left_out"].items() if n},
            duplicates_doubt=document.get("duplicates_doubt"),  # selections from before it was known stay readable
            stopped=document["stopped"],
        )

    def keys(self, selection_id: str) -> list[str]:
        """Return the keys of the picked samples, pinned ones first; objects stand for the samples that hold them.

        Raises:
            NoSampleError: when there is no finished selection of that id.
        """
        document = self._document(selection_id)
        return list(dict.fromkeys(map(_sample_of, _picked(document))))

    def picks(self, view: View, selection_id: str, *, offset: int, limit: int) -> PickPage:
        """Return part of the picks with their reasons, and the samples that they are or that hold them.

        Raises:
            NoSampleError: when there is no finished selection of that id.
        """
        document = self._document(selection_id)
        pinned = document["pinned"]
        cards = [
            PickCard(pick=i + 1, key=_sample_of(key), name=key, why="pinned by hand", pinned=True, reasons=[])
            for i, key in enumerate(pinned[offset : offset + limit], start=offset)
        ]
        first = max(offset - len(pinned), 0)
        cards += [_card(pick, len(pinned)) for pick in document["picks"][first : first + limit - len(cards)]]
        total = len(pinned) + len(document["picks"])
        samples = show_cards(view, [card.key for card in cards])
        return PickPage(total=total, offset=offset, picks=cards, samples=samples)

    def report(self, selection_id: str) -> bytes:
        """Return the report of a selection as JSON.

        Raises:
            NoSampleError: when there is no finished selection of that id.
        """
        return self._file(selection_id, "report.json").read_bytes()

    def picked_by(self, key: str) -> list[str]:
        """Return the ids of the selections that picked a sample."""
        done = (job.id for job in self.jobs.all(JobKind.SELECTION) if job.state is JobState.DONE)
        return [selection_id for selection_id in done if key in self._key_set(selection_id)]

    def compare(self, view: View, a: str, b: str) -> Comparison:
        """Set two selections side by side.

        Raises:
            NoSampleError: when one of them is not there, or not finished.
            StillLoadingError: while predictions are being read.
        """
        keys_a, keys_b = self.keys(a), self.keys(b)
        set_a, set_b = set(keys_a), set(keys_b)
        both = [key for key in keys_a if key in set_b]
        only_a = [key for key in keys_a if key not in set_b]
        only_b = [key for key in keys_b if key not in set_a]
        longest = max(len(keys_a), len(keys_b), 1)
        budgets = np.unique(np.linspace(1, longest, min(_N_BUDGETS, longest)).round().astype(int)).tolist()
        return Comparison(
            a=a,
            b=b,
            both=both[:_MAX_LISTED],
            only_a=only_a[:_MAX_LISTED],
            only_b=only_b[:_MAX_LISTED],
            n_both=len(both),
            n_only_a=len(only_a),
            n_only_b=len(only_b),
            jaccard=len(both) / max(len(set_a | set_b), 1),
            rank_correlation=_rank_correlation(both, keys_b),
            budgets=budgets,
            overlap=[len(set(keys_a[:k]) & set(keys_b[:k])) for k in budgets],
            categories=_categories(view, keys_a, keys_b),
            mean_distance=(self._mean_distance(a), self._mean_distance(b)),
        )

    def join_pool(self, selection_id: str, pool: str) -> None:
        """Let the picks of a selection join a pool.

        Raises:
            NoSampleError: when there is no finished selection of that id.
            UsageError: when that cannot be the name of a pool.
            StoreError: when it cannot be written.
        """
        Pool(self.jobs.sources.index.root, pool).join(self.keys(selection_id))
        self.jobs.sources.index.share()

    def export(
        self, view: View, selection_id: str, wanted: str, *, task: str | None, base: str
    ) -> tuple[Path, str]:
        """Write a file of a selection.

        Args:
            view: whose predictions are written.
            selection_id: whose picks.
            wanted: the format.
            task: whose predictions, `None`: the only task.
            base: put before the names of images.

        Returns:
            The file, which is the caller's to remove if it is not in the selection's folder, and its name.

        Raises:
            NoSampleError: when there is no finished selection of that id.
            UsageError: when there is no such format or task.
        """
        if wanted in _WRITTEN:
            return self._file(selection_id, _WRITTEN[wanted]), f"{selection_id}-{_WRITTEN[wanted]}"
        formats = {str(kind): kind for kind in _EXPORTED}
        if wanted not in formats:
            listed = ", ".join(f"`{name}`" for name in (*formats, *_WRITTEN))
            raise UsageError(f"There is no format `{wanted}` for selections", hint=f"formats: {listed}")
        kind = formats[wanted]
        selected = self._file(selection_id, "selected.txt")
        descriptor, name = tempfile.mkstemp(prefix="tamis-export-", suffix=f".{_EXPORTED[kind]}")
        os.close(descriptor)
        try:
            options = ExportOptions(out=Path(name), task=task, selection=str(selected), replace=True, base=base)
            export_to(view.snapshot, self.jobs.sources, kind, options)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return Path(name), f"{selection_id}-{wanted}.{_EXPORTED[kind]}"

    def _file(self, selection_id: str, name: str) -> Path:
        path = self.jobs.folder(selection_id) / "out" / name
        if self.jobs.job(selection_id).state is not JobState.DONE or not path.is_file():
            raise NoSampleError(f"There is no finished selection `{selection_id}`")
        return path

    def _document(self, selection_id: str) -> dict[str, Any]:
        path = self._file(selection_id, "selection.json")

        def read() -> dict[str, Any]:
            document: dict[str, Any] = msgspec.json.decode(path.read_bytes())
            document["key set"] = set(map(_sample_of, _picked(document)))
            return document

        return self._documents.get(selection_id, read)

    def _key_set(self, selection_id: str) -> set[str]:
        keys: set[str] = self._document(selection_id)["key set"]
        return keys

    def _mean_distance(self, selection_id: str) -> float | None:
        report: Report = decode_report(self.report(selection_id))
        return None if report.coverage is None else report.coverage.mean.selected[-1]


def _picked(document: dict[str, Any]) -> list[str]:
    return [*document["pinned"], *(pick["key"] for pick in document["picks"])]


def _sample_of(key: str) -> str:
    named = parse_object_key(key)
    return key if named is None else named.sample


def _card(pick: dict[str, Any], n_pinned: int) -> PickCard:
    objectives = pick["objectives"]
    reasons = [
        Reason(
            strategy=name,
            objective=objectives[name],
            share=reason["share"],
            values={key: value for key, value in reason.items() if key != "share"},
        )
        for name, reason in zip(objectives, pick["reasons"], strict=True)
    ]
    return PickCard(
        pick=pick["pick"] + n_pinned,
        key=_sample_of(pick["key"]),
        name=pick["key"],
        why=pick["why"],
        pinned=False,
        reasons=reasons,
    )


def _rank_correlation(both: Sequence[str], keys_b: Sequence[str]) -> float | None:
    """Return Spearman's correlation of the order of what both picked: `both` is in the order of a."""
    n = len(both)
    if n < 3:  # noqa: PLR2004 (two are always in order, or not)
        return None
    wanted = set(both)
    rank_b = {key: i for i, key in enumerate(key for key in keys_b if key in wanted)}
    squares = sum((i - rank_b[key]) ** 2 for i, key in enumerate(both))
    return 1.0 - 6.0 * squares / (n * (n * n - 1))


def _categories(view: View, keys_a: Sequence[str], keys_b: Sequence[str]) -> list[ComparedCategory]:
    masks = []
    for keys in (keys_a, keys_b):
        mask = np.zeros(len(view.samples), np.bool_)
        mask[view.samples.numbers(keys)] = True
        masks.append(mask)
    compared = []
    for task in view.snapshot.tasks:
        counts = [view.rows(task.name).class_counts(mask)[0].tolist() for mask in masks]
        for i, category in enumerate(task.category_ids):
            name = task.by_id[category].name
            compared.append(
                ComparedCategory(task=task.name, id=category, name=name, a=counts[0][i], b=counts[1][i])
            )
    return compared
