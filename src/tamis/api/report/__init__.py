"""The report of a selection: arrays -> numbers (`Report`) -> `report.html` and `report.json`."""

from tamis.api.report.build import build_report
from tamis.api.report.inputs import (
    LabelInput,
    NumberInput,
    PictureLike,
    ReportInputs,
    ReportOptions,
    StrategyInput,
    TaskInput,
)
from tamis.api.report.render import render_html
from tamis.api.report.values import LeftOut, ProblemCount, Reason, Report, decode_report, encode_report

__all__ = [
    "LabelInput",
    "LeftOut",
    "NumberInput",
    "PictureLike",
    "ProblemCount",
    "Reason",
    "Report",
    "ReportInputs",
    "ReportOptions",
    "StrategyInput",
    "TaskInput",
    "build_report",
    "decode_report",
    "encode_report",
    "render_html",
]
