"""Predictions held against labels: how good, where wrong, and how that feeds the next selection."""

from tamis.api.evaluating.options import EvaluateOptions
from tamis.api.evaluating.run import EvaluationRun, evaluate
from tamis.api.evaluating.values import Evaluation

__all__ = ["EvaluateOptions", "Evaluation", "EvaluationRun", "evaluate"]
