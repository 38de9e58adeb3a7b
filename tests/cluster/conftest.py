"""Fixtures of tests that need the extra `ray`; where it is not installed they skip and say so."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from bucket_servers import use_server
from ray_nodes import NOT_INSTALLED, Nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

# Read when Ray is imported.
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # loopback alone
os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"


@pytest.fixture(scope="session")
def _nodes() -> Iterator[Nodes]:
    pytest.importorskip("ray", reason=NOT_INSTALLED)
    with pytest.MonkeyPatch.context() as environment:
        use_server("s3", environment)  # workers have what was set before their nodes started
        found = Nodes()
        yield found
        found.cluster.shutdown()


@pytest.fixture
def nodes(_nodes: Nodes) -> Nodes:
    _nodes.restore()
    return _nodes


@pytest.fixture
def on_ray(nodes: Nodes) -> dict[str, Any]:
    """Options of a call on the cluster."""
    return {"engine": "ray", "ray_address": nodes.address}
