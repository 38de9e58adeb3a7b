"""Map a function over partitions: in this process, in worker processes, or on a cluster.

`RayEngine` is in `tamis.engine.ray_engine`; Ray itself is an extra that is loaded when it is used.
"""

from tamis.engine.base import Engine, EngineName, InlineEngine, WorkerError
from tamis.engine.processes import ProcessEngine
from tamis.engine.progress import Progress, ProgressListener, telling

__all__ = [
    "Engine",
    "EngineName",
    "InlineEngine",
    "ProcessEngine",
    "Progress",
    "ProgressListener",
    "WorkerError",
    "telling",
]
