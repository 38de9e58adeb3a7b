"""The evaluation as one HTML file: no network, no script, everything from the data escaped."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tamis.api.evaluating.charts import confusion_chart, precision_chart, reliability_chart, threshold_chart
from tamis.api.evaluating.gallery import worst_cards
from tamis.api.options import ignore_progress
from tamis.api.report.scales import number_text, percent_text
from tamis.api.report.text import shown

if TYPE_CHECKING:
    from tamis.api.evaluating.run import EvaluationRun
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener


def render_page(run: EvaluationRun, sources: Sources, *, listen: ProgressListener = ignore_progress) -> str:
    """Return `evaluation.html`: figures, curves, calibration, confusions, and the worst samples drawn.

    The page carries its style and pictures; its content security policy forbids it to load or run anything.

    Args:
        run: what to show.
        sources: where pictures are read from.
        listen: told how many pictures were read.
    """
    cards = worst_cards(run, sources, listen=listen)
    style = resources.files("tamis.api.report").joinpath("report.css").read_text("utf-8")
    own = resources.files("tamis.api.evaluating").joinpath("evaluation.css").read_text("utf-8")
    return (
        _environment()
        .get_template("template.html.j2")
        .render(report=run.report, cards=cards, style=Markup(style + own))  # noqa: S704 (our own files)
    )


def _data_uri(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{b64encode(jpeg).decode()}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tamis.api.evaluating", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number_text, "percent": percent_text, "shown": shown, "data_uri": _data_uri}
    environment.globals |= {
        "precision_chart": precision_chart,
        "threshold_chart": threshold_chart,
        "reliability_chart": reliability_chart,
        "confusion_chart": confusion_chart,
    }
    return environment
