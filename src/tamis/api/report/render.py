"""The report as one HTML file: no network, readable without a script, everything from the data escaped."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tamis.api.report.category_charts import category_chart
from tamis.api.report.charts import coverage_chart, histogram_chart
from tamis.api.report.drawing import chips, marks_svgs
from tamis.api.report.scales import number_text, percent_text
from tamis.api.report.text import prose, shown

if TYPE_CHECKING:
    from tamis.api.report.values import Report


def render_html(report: Report) -> str:
    """Return `report.html`.

    The page carries its style, its pictures (as data URIs) and a small script for filtering; its content security
    policy forbids it to load anything. Pictures whose bytes `report.blobs` lacks (a report read back from
    `report.json`) are left blank, and say so.
    """
    script = _asset("report.js")
    digest = b64encode(sha256(script.encode()).digest()).decode()

    def data_uri(name: str) -> str | None:
        if name not in report.blobs:
            return None
        kind = "png" if name.endswith(".png") else "jpeg"
        return f"data:image/{kind};base64,{b64encode(report.blobs[name]).decode()}"

    return (
        _environment()
        .get_template("template.html.j2")
        .render(
            report=report,
            data_uri=data_uri,
            task_names=[layer.task for layer in report.picks[0].layers] if report.picks else [],
            style=Markup(_asset("report.css")),  # noqa: S704 (our own file)
            script=Markup(script),  # noqa: S704 (our own file)
            script_hash=digest,
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tamis.api.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number_text, "percent": percent_text, "shown": shown, "prose": prose}
    environment.globals |= {
        "histogram_chart": histogram_chart,
        "category_chart": category_chart,
        "coverage_chart": coverage_chart,
        "marks_svgs": marks_svgs,
        "chips": chips,
    }
    return environment


@cache
def _asset(name: str) -> str:
    return resources.files("tamis.api.report").joinpath(name).read_text("utf-8")
