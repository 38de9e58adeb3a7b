"""The worst samples, with what was predicted and what was labelled drawn in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from markupsafe import Markup

from tamis.api.evaluating.objects import OUTCOMES
from tamis.api.options import ignore_progress
from tamis.api.report.scales import number_text
from tamis.api.report.text import shown
from tamis.api.selecting.report_inputs import sample_pictures
from tamis.engine import Progress
from tamis.model import parse_object_key
from tamis.scoring.matching import boxes_of

if TYPE_CHECKING:
    from tamis.api.evaluating.run import EvaluationRun
    from tamis.api.evaluating.values import WorstSample
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener

_SHOWN_WIDTH = 360.0  # of a card in CSS pixels, what labels are sized for
_FONT_PX = 11.5  # as in the style sheet
_CLASS_OF = {
    "correct": "correct",
    "wrong category": "other",
    "misplaced": "wrong",
    "duplicate": "wrong",
    "nothing there": "wrong",
    "missed": "missed",
    "found": "found",
}
Box = tuple[float, float, float, float]


class Card(NamedTuple):
    """A sample of the gallery.

    Attributes:
        sample: what is known of it.
        jpeg: its picture, `None` with the reason in `fault`.
        fault: why there is no picture.
        marks: what is drawn over the picture.
        sentence: what is wrong with it, in words.
    """

    sample: WorstSample
    jpeg: bytes | None
    fault: str | None
    marks: Markup
    sentence: str


def worst_cards(run: EvaluationRun, sources: Sources, *, listen: ProgressListener = ignore_progress) -> list[Card]:
    """Return the worst samples with their pictures."""
    worst = run.report.worst
    picture = sample_pictures(run.pairing.first.samples.snapshot, sources)
    drawn = _drawn(run)
    cards = []
    for number, sample in enumerate(worst, 1):
        found = picture(sample.sample)
        listen(Progress("pictures", number, len(worst), "pictures"))
        if isinstance(found, str):
            cards.append(Card(sample, None, found, Markup(), _sentence(run, sample)))
            continue
        marks = _marks(drawn.get(sample.sample, []), (found.width, found.height))
        cards.append(Card(sample, found.jpeg, None, marks, _sentence(run, sample)))
    return cards


def _sentence(run: EvaluationRun, sample: WorstSample) -> str:
    if run.report.compared == "classes":
        said = "nothing" if sample.predicted is None else f"`{shown(sample.predicted)}`"
        return f"Labelled `{shown(sample.labelled or '')}`, predicted {said}"
    if run.report.compared == "pixels":
        return f"{number_text(sample.false_negatives)} pixels are not as labelled"
    parts = [f"{sample.found} found", f"{sample.false_negatives} missed", f"{sample.false_positives} false"]
    return ", ".join(parts)


def _drawn(run: EvaluationRun) -> dict[str, list[tuple[str, str, Box]]]:
    """Return for each of the worst samples how its objects fared, what they are called, and their boxes."""
    if run.objects is None:
        return {}
    wanted = {sample.sample for sample in run.report.worst}
    boxes = _boxes(run)
    drawn: dict[str, list[tuple[str, str, Box]]] = {}
    fields = ("key", "outcome", "category", "score")
    for key, outcome, category, score in zip(*(run.objects[name] for name in fields), strict=True):
        if key not in boxes or outcome == OUTCOMES[-1]:
            continue
        named = parse_object_key(key)
        if named is None or named.sample not in wanted:
            continue
        text = category if np.isnan(score) else f"{category} {score:.2f}"
        # A label that has another category than what was predicted there is drawn by the prediction.
        drawn.setdefault(named.sample, []).append((outcome, text, boxes[key]))
    return drawn


def _boxes(run: EvaluationRun) -> dict[str, Box]:
    """Return the boxes of all objects of the worst samples by key."""
    samples = run.pairing.first.samples
    at = samples.positions([one.sample for one in run.report.worst])
    widths = samples.integers("samples", "width")
    found: dict[str, Box] = {}
    if not len(at):
        return found
    for side in (run.pairing.first, run.pairing.second):
        for part in samples.prediction_parts(side.task.name, at=at):
            boxes = boxes_of(part.columns, widths[part.samples]).tolist()
            owner = part.samples[part.columns.file].tolist()
            for sample, position, box in zip(owner, part.columns.position.tolist(), boxes, strict=True):
                found[f"{samples.keys[sample]}#{side.task.name}#{position}"] = tuple(box)
    return found


def _marks(objects: list[tuple[str, str, Box]], size: tuple[int, int]) -> Markup:
    width, height = size
    unit = max(width, height * 4 / 3) / _SHOWN_WIDTH
    order = ["found", "correct"]  # what is right is drawn first, below what is not
    objects = sorted(objects, key=lambda one: order.index(one[0]) if one[0] in order else len(order))
    shapes = [_shape(outcome, text, box, unit, width) for outcome, text, box in objects if not np.isnan(box[0])]
    return Markup('<svg class="marks" viewBox="0 0 {} {}" style="--u:{:.3f}px" aria-hidden="true">{}</svg>').format(
        width, height, unit, Markup().join(shapes)
    )


def _shape(outcome: str, text: str, box: Box, unit: float, picture_width: int) -> Markup:
    x, y, width, height = box
    size = _FONT_PX * unit
    label = Markup()
    if outcome not in {"found", "correct"}:
        left = max(0.0, min(x, picture_width - len(text) * size * 0.56))
        label = Markup('<text x="{:.1f}" y="{:.1f}">{}</text>').format(
            left + unit, y - size * 0.3 if y >= size else y + size, shown(text)
        )
    return Markup(
        '<g><title>{}: {}</title><rect class="shade" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}"/>'
        '<rect class="box {}" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}"/>{}</g>'
    ).format(outcome, shown(text), _CLASS_OF[outcome], label, x=x, y=y, w=max(width, 0.0), h=max(height, 0.0))
