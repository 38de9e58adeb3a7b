"""What an evaluation found, as values. All rates are in [0, 1]; `None` where there is nothing to tell them by."""

from __future__ import annotations

import msgspec


class CategoryRow(msgspec.Struct, frozen=True, kw_only=True):
    """How well one category is predicted.

    Attributes:
        category: its name.
        labelled: labels of it: objects, samples or pixels.
        predicted: predictions of it that count.
        precision: which part of the predictions is right.
        recall: which part of the labels was found.
        f1: their harmonic mean.
        ap: mean average precision over IoU .50 to .95; of objects only.
        ap50: average precision at IoU .50; of objects only.
        ap75: at .75.
        ar: mean recall with up to 100 predictions (20 of keypoints) a sample; of objects only.
        iou: pixels shared, of all pixels of either; of semantic segmentation only.
    """

    category: str
    labelled: int
    predicted: int
    precision: float | None
    recall: float | None
    f1: float | None
    ap: float | None = None
    ap50: float | None = None
    ap75: float | None = None
    ar: float | None = None
    iou: float | None = None


class ThresholdRow(msgspec.Struct, frozen=True, kw_only=True):
    """What predictions with at least this score are worth, all categories together."""

    min_score: float
    predicted: int
    precision: float | None
    recall: float
    f1: float


class CalibrationBin(msgspec.Struct, frozen=True, kw_only=True):
    """Predictions with a score from `low` to `high`: how sure they are, and which part of them is right."""

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """How far scores are from the share of predictions that are right.

    Attributes:
        ece: expected calibration error: the mean distance over bins of equal width, weighted by their counts.
        mce: the largest distance of a bin.
        bins: from low to high scores.
    """

    ece: float
    mce: float
    bins: tuple[CalibrationBin, ...]


class Confusion(msgspec.Struct, frozen=True, kw_only=True):
    """How often a label of one category was predicted as another; the most often first.

    Attributes:
        labelled: category of the label; `None`: there is no label.
        predicted: category of the prediction; `None`: nothing was predicted.
        count: objects, samples or pixels.
    """

    labelled: str | None
    predicted: str | None
    count: int


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """Precision, mean over the categories, at recalls 0, .01, ..., 1; `None` where no category has a label."""

    label: str
    precision: tuple[float | None, ...]


class WorstSample(msgspec.Struct, frozen=True, kw_only=True):
    """A sample whose predictions are far from its labels.

    Attributes:
        sample: its key.
        error: in [0, 1]; see `docs/evaluate.md`.
        found: labels that were found.
        false_positives: predictions without a label of their category.
        false_negatives: labels without a prediction of their category.
        worst_iou: overlap of the label that was found worst, 0 where one was missed; of objects only.
        labelled: category, of classifications only.
        predicted: category, of classifications only.
    """

    sample: str
    error: float
    found: int
    false_positives: int
    false_negatives: int
    worst_iou: float | None = None
    labelled: str | None = None
    predicted: str | None = None


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """How well the predictions of a task agree with labels.

    Attributes:
        task: whose predictions.
        labels: the task that holds the labels.
        source: the datasource.
        compared: `boxes`, `masks`, `keypoints`, `classes` or `pixels`.
        samples: how many samples were evaluated.
        samples_without_predictions: of these, those without a prediction file: nothing was predicted there.
        samples_without_labels: samples with predictions but no labels; left out.
        samples_ambiguous: samples whose labels name several categories; left out, of classifications only.
        unknown_categories: categories that no label can have, with the number of predictions of each; left out.
        never_predicted: categories of the labels that the predictions cannot have.
        metrics: the headline figures by name.
        min_iou: overlap from which on an object counts as found, of objects only.
        min_score: score from which on predictions count in all but AP, AR and calibration; of objects only.
        outcomes: how many predictions and labels fared how; of objects only.
        categories: category by category, in the order of the labels' schema.
        thresholds: by smallest score; of objects only.
        curves: precision by recall; of objects only.
        calibration: how far scores can be believed; `None` where there are none.
        confusion: what was taken for what.
        worst: the samples with the largest error.
    """

    task: str
    labels: str
    source: str
    compared: str
    samples: int
    samples_without_predictions: int
    samples_without_labels: int
    samples_ambiguous: int = 0
    unknown_categories: dict[str, int]
    never_predicted: tuple[str, ...]
    metrics: dict[str, float | None]
    min_iou: float | None = None
    min_score: float | None = None
    outcomes: dict[str, int] = {}
    categories: tuple[CategoryRow, ...]
    thresholds: tuple[ThresholdRow, ...] = ()
    curves: tuple[Curve, ...] = ()
    calibration: Calibration | None = None
    confusion: tuple[Confusion, ...]
    worst: tuple[WorstSample, ...]
