"""Decide from a model's predictions what to label next.

```python
import tamis

ds = tamis.open("data/")
ds.scan()
run = ds.select(n=50, scores=["cars:uncertainty_entropy"], diverse=True)
run.keys                                  # what to label, best first
ds.predictions("cars").to_arrow()         # every prediction as a table
```
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tamis.api.converting.exporting import ExportOptions
    from tamis.api.converting.values import ImportOptions
    from tamis.api.crops import CropOptions
    from tamis.api.datasource import Datasource
    from tamis.api.datasource import open_datasource as open  # noqa: A004 (`tamis.open` reads as what it does)
    from tamis.api.diffing import DiffOptions
    from tamis.api.embedding.options import EmbedOptions
    from tamis.api.evaluating import EvaluateOptions
    from tamis.api.frames import FrameOptions, iterate_frames
    from tamis.api.options import ScanOptions
    from tamis.api.writer import PredictionWriter
    from tamis.errors import DatasourceError, IndexMissingError, TamisError, UsageError
    from tamis.model import Category, Prediction, Problem, Task, TaskType

__version__ = "0.1.0"

__all__ = [
    "Category",
    "CropOptions",
    "Datasource",
    "DatasourceError",
    "DiffOptions",
    "EmbedOptions",
    "EvaluateOptions",
    "ExportOptions",
    "FrameOptions",
    "ImportOptions",
    "IndexMissingError",
    "Prediction",
    "PredictionWriter",
    "Problem",
    "ScanOptions",
    "TamisError",
    "Task",
    "TaskType",
    "UsageError",
    "__version__",
    "iterate_frames",
    "open",
]

# Loaded when first asked for: `import tamis` and `tamis --help` need none of it.
_HOMES = {
    "Category": "tamis.model",
    "CropOptions": "tamis.api.crops",
    "Datasource": "tamis.api.datasource",
    "DatasourceError": "tamis.errors",
    "DiffOptions": "tamis.api.diffing",
    "ExportOptions": "tamis.api.converting.exporting",
    "FrameOptions": "tamis.api.frames",
    "ImportOptions": "tamis.api.converting.values",
    "EmbedOptions": "tamis.api.embedding.embed",
    "EvaluateOptions": "tamis.api.evaluating",
    "IndexMissingError": "tamis.errors",
    "Prediction": "tamis.model",
    "PredictionWriter": "tamis.api.writer",
    "Problem": "tamis.model",
    "ScanOptions": "tamis.api.options",
    "TamisError": "tamis.errors",
    "Task": "tamis.model",
    "TaskType": "tamis.model",
    "UsageError": "tamis.errors",
    "iterate_frames": "tamis.api.frames",
    "open": "tamis.api.datasource",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 (whatever the name stands for)
    if name not in _HOMES:
        raise AttributeError(f"module `tamis` has no attribute `{name}`")
    return getattr(import_module(_HOMES[name]), "open_datasource" if name == "open" else name)


def __dir__() -> list[str]:
    return __all__
