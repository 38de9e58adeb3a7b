"""A Ray of two nodes on this machine: two raylets, with a processor each."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

NOT_INSTALLED = "the extra `ray` is not installed: `make test-ray` runs these tests by themselves"


class Nodes:
    """The cluster, and the node that can be lost."""

    def __init__(self) -> None:
        here = Path(__file__).parent
        os.environ["PYTHONPATH"] = f"{here}{os.pathsep}{here / 'cluster'}"  # workers find the functions of tests
        from ray.cluster_utils import Cluster  # noqa: PLC0415 (an extra)

        # A node counts as lost after two missed beats, not after the usual half minute.
        config = {
            "health_check_period_ms": 500,
            "health_check_failure_threshold": 2,
            "health_check_timeout_ms": 500,
        }
        arguments = {"num_cpus": 1, "include_dashboard": False, "_system_config": config}
        self.cluster: Any = Cluster(initialize_head=True, head_node_args=arguments)
        self.address: str = self.cluster.address
        self._node: Any = None
        self.restore()

    def restore(self) -> None:
        """See that there are two."""
        if self._node is None:
            self._node = self.cluster.add_node(num_cpus=1)

    def busy(self) -> list[str]:
        """Return what the workers of the second node are doing."""
        (raylet,) = (info.process.pid for info in self._node.all_processes["raylet"])
        names = [name for name in _children(raylet) if name.startswith("ray::")]
        return [name for name in names if "Agent" not in name and "IDLE" not in name]

    def lose(self) -> list[str]:
        """Kill the second node, and return what its workers were doing."""
        node, busy, self._node = self._node, self.busy(), None
        self.cluster.remove_node(node, allow_graceful=False)
        return busy


def _children(parent: int) -> list[str]:
    names = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended
            if int(path.joinpath("stat").read_text().rpartition(")")[2].split()[1]) == parent:
                names.append(path.joinpath("cmdline").read_text().partition("\0")[0])
    return names
