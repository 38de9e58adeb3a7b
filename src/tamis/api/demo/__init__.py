"""A small datasource to try everything on: painted streets and simulated models that err as real ones do."""

from tamis.api.demo.build import BACKGROUND, DETECTION, TRUTH_KEY, WEATHER, Demo, Truth, build_demo, read_truth
from tamis.api.demo.truth import Errors, TrueObject, TrueSample

__all__ = [
    "BACKGROUND",
    "DETECTION",
    "TRUTH_KEY",
    "WEATHER",
    "Demo",
    "Errors",
    "TrueObject",
    "TrueSample",
    "Truth",
    "build_demo",
    "read_truth",
]
