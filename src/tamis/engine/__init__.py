"""Map a function over partitions: in this process, or in worker processes."""

from tamis.engine.base import Engine, InlineEngine, WorkerError
from tamis.engine.processes import ProcessEngine
from tamis.engine.progress import Progress, ProgressListener

__all__ = ["Engine", "InlineEngine", "ProcessEngine", "Progress", "ProgressListener", "WorkerError"]
