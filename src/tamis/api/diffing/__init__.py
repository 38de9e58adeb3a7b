"""Two runs of a model side by side: what is new, gone, moved, surer, or called otherwise."""

from tamis.api.diffing.options import DiffOptions
from tamis.api.diffing.run import DiffRun, diff
from tamis.api.diffing.values import Diff

__all__ = ["Diff", "DiffOptions", "DiffRun", "diff"]
