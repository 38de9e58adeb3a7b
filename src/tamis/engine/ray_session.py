"""A connection to Ray: made when it is needed, used by all of a process, ended by whoever made it.

Ray is an extra: it is imported here, where somebody asked for it.
"""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tamis.engine.base import WorkerError
from tamis.errors import TamisError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # Ray reports to its makers by default
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # the default of the versions to come, which silences a warning
    "RAY_task_oom_retries": "3",  # by default a partition that never fits into memory is tried without an end
}
# Despite its name it decides on every system whether Ray listens to other machines.
_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
_LOCAL = "local"
_AUTO = "auto"
_ANSWER_SECS = 5.0
# What Ray says where a worker lacks a module, or has another version of it.
_NOT_LOADED = ("failed to import", "No module named", "Can't get attribute")


class RaySession:
    """Ray, connected at first use.

    Args:
        address: of a cluster, `HOST:PORT` or `auto`; `None` is that of the environment variable `RAY_ADDRESS`, or
            else a Ray of this machine alone, which lives as long as the session.
        workers: processors that such a Ray has; `None` is all.
    """

    def __init__(self, address: str | None, workers: int | None) -> None:
        self._address = address or os.environ.get("RAY_ADDRESS") or _LOCAL
        if self._address.startswith("ray://"):
            raise UsageError(
                f"`{self._address}` is an address of Ray's client, which tamis does not go through",
                hint="run tamis on a machine of the cluster, with `--ray-address auto`",
            )
        self._workers = workers
        self._ray: Any = None
        self._owned = False

    @property
    def ray(self) -> Any:  # noqa: ANN401 (Ray may not be installed where types are checked)
        """The module, connected.

        Raises:
            UsageError: when Ray is not installed.
            WorkerError: when no cluster answers at the address.
        """
        if self._ray is None:
            self._ray = self._connected()
        return self._ray

    @property
    def n_cpus(self) -> int:
        """Processors of the cluster as it is now, 1 at least."""
        return max(int(self.ray.cluster_resources().get("CPU", 1)), 1)

    def close(self) -> None:
        """Disconnect, unless somebody else connected."""
        if self._ray is not None and self._owned:
            self._ray.shutdown()
        self._ray = None

    def _connected(self) -> Any:  # noqa: ANN401 (likewise)
        for name, value in (_ENVIRONMENT | (_LOOPBACK if self._address == _LOCAL else {})).items():
            os.environ.setdefault(name, value)
        try:
            import ray  # noqa: PLC0415 (an extra, and slow to load)
        except ImportError:
            raise UsageError(
                "The engine `ray` needs Ray, which is not installed", hint="pip install 'tamis[ray]'"
            ) from None
        if not ray.is_initialized():
            self._init(ray)
            self._owned = True
        return ray

    def _init(self, ray: Any) -> None:  # noqa: ANN401 (likewise)
        quiet = {"log_to_driver": False, "logging_level": "ERROR"}
        try:
            if self._address == _LOCAL:
                ray.init(address=_LOCAL, num_cpus=self._workers, include_dashboard=False, **quiet)
            else:
                _require_listener(self._address)
                ray.init(address=self._address, **quiet)
        except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            ray.shutdown()  # of what was begun
            raise _no_cluster(self._address, error) from None


def _require_listener(address: str) -> None:
    """See that somebody listens: Ray itself would try for minutes.

    Raises:
        OSError: when nobody does.
        ValueError: when it is no address.
    """
    if address == _AUTO:
        return
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal():
        raise ValueError("an address is `HOST:PORT`, or `auto`")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_SECS):
        pass


def _no_cluster(address: str, error: Exception) -> WorkerError:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    if lines[0].startswith("Version mismatch"):
        return WorkerError(
            f"The cluster at `{address}` runs other versions: {' '.join(lines)}",
            hint="install the same versions of Ray and Python here and on all its nodes",
        )
    return WorkerError(
        f"No Ray cluster answers at `{address}`: {lines[0]}",
        hint="start one with `ray start --head`, and name the address that it prints with `--ray-address`",
    )


@contextmanager
def plain_errors(ray: Any) -> Iterator[None]:  # noqa: ANN401 (likewise)
    """Raise what Ray wraps: the error of the function itself, or a `WorkerError`."""
    try:
        yield
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        if isinstance(cause, TamisError):
            raise cause from None
        if isinstance(cause, ImportError) or any(sign in str(cause) for sign in _NOT_LOADED):
            raise WorkerError(
                f"A worker of the cluster cannot load what it should do: {str(cause).strip().splitlines()[-1]}",
                hint="install the same version of tamis, with the extras that the work needs, on every node",
            ) from error
        raise cause from error
    except ray.exceptions.RayError as error:
        raise WorkerError(
            f"The cluster lost a worker again and again: {type(error).__name__}",
            hint="often there is not enough memory: look at `ray status` and at the nodes' logs",
        ) from error
