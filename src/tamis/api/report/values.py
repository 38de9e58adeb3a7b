"""The numbers of a report: one value from which `report.html` and `report.json` are both written.

Counts are integers, means are floats, what is unknown is `None`. Three groups of samples recur: *input* (what
could have been picked), *selected*, and *random* (draws of as many samples as were picked).
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

FORMAT_VERSION = 1


class LeftOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Samples that were no candidates for one reason.

    Attributes:
        reason: why.
        count: how many.
        note: what speaks against that, `None` where nothing does.
    """

    reason: str
    count: int
    note: str | None = None


class ProblemCount(msgspec.Struct, frozen=True, kw_only=True):
    """How often a scan found one problem.

    Attributes:
        code: the problem's code.
        task: where it is; `None` where it concerns none.
        severity: `error`, `warning` or `info`.
        count: how many there are.
        message: one of them, or what the code means.
    """

    code: str
    task: str | None = None
    severity: str
    count: int
    message: str


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked, of what, and what came of it.

    Attributes:
        source: the datasource, as the user named it.
        created: when the selection ran.
        config: the selection config as text.
        n_requested: how many picks were asked for.
        n_picked: how many were made.
        n_candidates: how many samples could have been picked.
        n_pool: how many had been picked before.
        n_samples: samples in play: candidates, pool and those that were left out.
        embeddings: what the distances of this report are measured on, or `None`.
        stopped: why the run ended early, or `None`.
        left_out: samples that were no candidates, by reason.
        ruled_out: candidates that picks ruled out, by limit.
        of: what was picked: `samples` or `objects`.
    """

    source: str
    created: datetime
    config: str
    n_requested: int
    n_picked: int
    n_candidates: int
    n_pool: int
    n_samples: int
    embeddings: str | None = None
    stopped: str | None = None
    left_out: tuple[LeftOut, ...] = ()
    ruled_out: tuple[LeftOut, ...] = ()
    of: Literal["samples", "objects"] = "samples"


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """The mean of one value over each group, `None` where no sample of the group has it."""

    input: float | None = None
    selected: float | None = None
    random: float | None = None


class StrategySummary(msgspec.Struct, frozen=True, kw_only=True):
    """What one strategy did.

    Attributes:
        label: what reasons name it by.
        description: what it does in words.
        strength: its exponent in the product, `None` for filters.
        mean_share: mean of its share over the picks, in [0, 1].
        n_led: picks to which no strategy contributed more.
        means: mean of the value it works on.
    """

    label: str
    description: str
    strength: float | None = None
    mean_share: float | None = None
    n_led: int = 0
    means: Means | None = None


class Reason(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a sample was picked, as far as one strategy goes.

    Attributes:
        strategy: the strategy's label.
        sentence: the reason in words.
        share: how much of the decision it made, in [0, 1]; `None` for filters.
    """

    strategy: str
    sentence: str
    share: float | None = None


class Mark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One prediction, as it is drawn.

    Attributes:
        category_id: id in the task's schema.
        category: its name.
        score: in [0, 1], or `None`.
        probability: of its category, or `None`.
        bbox: x, y, width, height in pixels of the original picture.
        keypoints: x1, y1, s1, x2, ...: pixels of the original picture and confidences.
        skeleton: pairs of indices into the keypoints that a line connects.
        has_mask: whether it has a mask; masks are drawn together, as the overlay of the task.
    """

    category_id: int
    category: str
    score: float | None = None
    probability: float | None = None
    bbox: tuple[float, float, float, float] | None = None
    keypoints: tuple[float, ...] | None = None
    skeleton: tuple[tuple[int, int], ...] = ()
    has_mask: bool = False


class Layer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The predictions of one task on one picture, the surest first.

    Attributes:
        task: the task's name.
        has_file: whether there is a prediction file: without one it is unknown what is on the picture.
        marks: what is drawn.
        n_hidden: further predictions that are not drawn, because a picture takes only so many.
        masks: name of the masks' overlay (PNG) in `Report.blobs`, or `None`.
        mask_fault: why some masks are missing from the overlay, or `None`.
    """

    task: str
    has_file: bool = True
    marks: tuple[Mark, ...] = ()
    n_hidden: int = 0
    masks: str | None = None
    mask_fault: str | None = None


class PictureRef(msgspec.Struct, frozen=True, kw_only=True):
    """A picture: its original size, and its name (JPEG) in `Report.blobs`."""

    width_px: int
    height_px: int
    blob: str


class Pick(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One picked sample.

    Attributes:
        number: 1 is the first pick.
        key: the sample key.
        picture: the picture, or `None` with the reason in `fault`.
        fault: why there is no picture.
        reasons: in the order of the strategies.
        layers: predictions, task by task.
    """

    number: int
    key: str
    picture: PictureRef | None = None
    fault: str | None = None
    reasons: tuple[Reason, ...] = ()
    layers: tuple[Layer, ...] = ()


class CategoryRow(msgspec.Struct, frozen=True, kw_only=True):
    """How often one category occurs in each group.

    Attributes:
        name: of the category.
        input: occurrences in the input.
        selected: occurrences in the selected samples.
        random: mean occurrences over the draws.
        random_share_low: the smallest share that it has of a draw's occurrences, in [0, 1].
        random_share_high: the largest.
    """

    name: str
    input: int
    selected: int
    random: float
    random_share_low: float
    random_share_high: float


class CategoryDistribution(msgspec.Struct, frozen=True, kw_only=True):
    """How often each category occurs, in the order of the schema.

    Attributes:
        label: what is counted.
        unit: `objects`, `masks`, `predictions` or `samples`.
        rows: one a category.
        n_unknown: samples without a value: input and selected.
    """

    label: str
    unit: str
    rows: tuple[CategoryRow, ...]
    n_unknown: tuple[int, int] = (0, 0)


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """A number's histogram in each group.

    Attributes:
        label: what is measured.
        edges: of the bins, ascending, one more than bins; a value on an edge is in the bin above, the
            last edge in the last bin.
        selected: counts.
        random: mean counts over the draws.
        random_low: lowest counts over the draws.
        random_high: highest counts over the draws.
        input: counts, or `None` where it was not measured for the input.
        means: of the values themselves, not of the bins.
        n_unknown: samples without a value: input and selected.
        note: what a reader must know, or `None`.
    """

    label: str
    edges: tuple[float, ...]
    selected: tuple[int, ...]
    random: tuple[float, ...]
    random_low: tuple[int, ...]
    random_high: tuple[int, ...]
    input: tuple[int, ...] | None = None
    means: Means = Means()
    n_unknown: tuple[int, int] = (0, 0)
    note: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether any group has a value to draw."""
        return any(map(sum, (self.input or (), self.selected, self.random)))


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """A distance for each budget, `None` while nothing is selected; `random` is the mean over the draws."""

    selected: tuple[float | None, ...]
    random: tuple[float | None, ...]
    random_low: tuple[float | None, ...]
    random_high: tuple[float | None, ...]


class BudgetRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a budget buys.

    Attributes:
        picks: the budget.
        mean: mean distance of all samples to the nearest selected one.
        farthest: the largest of these distances.
        random_mean: the mean distance that as many random picks reach.
        random_picks: how many random picks reach `mean`, `None` when more than were measured.
    """

    picks: int
    mean: float
    farthest: float
    random_mean: float
    random_picks: int | None = None


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How far the samples are from the nearest selected one, as a function of the number of picks.

    Attributes:
        budgets: numbers of picks, ascending.
        mean: mean distance.
        farthest: largest distance.
        elbow: the budget after which further picks pay less than the average pick, `None` without a bend.
        table: some budgets.
        n_evaluated: samples whose distance was measured.
        n_samples: samples with an embedding.
        n_draws: random selections behind the band.
        seed: of the draws, and of the choice of the evaluated samples.
    """

    budgets: tuple[int, ...]
    mean: Curve
    farthest: Curve
    elbow: int | None = None
    table: tuple[BudgetRow, ...] = ()
    n_evaluated: int
    n_samples: int
    n_draws: int
    seed: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `report.html` shows.

    Attributes:
        format_version: of this structure.
        summary: what was asked and what came of it.
        strategies: one a strategy, in the order of the config.
        picks: the first picks, at most as many as the options allow.
        categories: distributions of categories.
        histograms: of scores, counts and numeric metadata.
        distances: of each selected sample to its nearest neighbour among the selected, or `None`.
        coverage: distances to the selection by budget, or `None`.
        problems: what the scan found.
        n_draws: random draws behind every `random`.
        seed: of these draws.
        blobs: JPEG and PNG bytes by name; `report.json` leaves them out.
    """

    format_version: int = FORMAT_VERSION
    summary: Summary
    strategies: tuple[StrategySummary, ...] = ()
    picks: tuple[Pick, ...] = ()
    categories: tuple[CategoryDistribution, ...] = ()
    histograms: tuple[Histogram, ...] = ()
    distances: Histogram | None = None
    coverage: Coverage | None = None
    problems: tuple[ProblemCount, ...] = ()
    n_draws: int = 0
    seed: int = 0
    blobs: dict[str, bytes] = {}


def encode_report(report: Report) -> bytes:
    """Return `report.json`: every number of the report, without the bytes of the pictures.

    The pictures' names and sizes stay; their bytes are in `report.html` only, so that the JSON stays small.
    """
    return msgspec.json.format(msgspec.json.encode(msgspec.structs.replace(report, blobs={})), indent=1)


def decode_report(data: bytes) -> Report:
    """Read `report.json`; `decode_report(encode_report(r))` is `r` without its pictures.

    Raises:
        msgspec.DecodeError: when it is not a report.
    """
    return msgspec.json.decode(data, type=Report)
