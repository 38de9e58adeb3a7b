"""A real Chromium on a real server: what the browser tests share."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page, ViewportSize

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE: ViewportSize = {"width": 1280, "height": 800}
NARROW: ViewportSize = {"width": 390, "height": 780}
_PATIENCE_MS = 20_000


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the Chromium of this machine; skip where there is none."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed: `pip install playwright`"
    )
    if CHROMIUM is None:
        pytest.skip("there is no Chromium: install Debian's package `chromium`")
    # Chromium refuses to run as root with its sandbox.
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    playwright.expect.set_options(timeout=_PATIENCE_MS)  # machines are slow and shared
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=[*_QUIET, *root])
        yield browser
        browser.close()


@contextmanager
def serving(root: Path, *options: str) -> Iterator[str]:
    """Serve a datasource as a user would, and yield the address of the page."""
    command = [sys.executable, "-m", "tamis", "serve", str(root), "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            yield _address(server)
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()


def _address(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    said = ""
    for line in server.stdout:
        said += line
        if found := re.search(r"http://[^\s/]+/", line):
            return found[0].rstrip("/")
    raise AssertionError(f"the server ended without an address: {said}")


@contextmanager
def opened(
    browser: Browser, address: str, *, viewport: ViewportSize | None = None, dark: bool = False, ratio: float = 1
) -> Iterator[Page]:
    """Open a window; anything that the page throws or asks of another machine fails the test."""
    context = browser.new_context(
        base_url=address,
        viewport=viewport or WIDE,
        color_scheme="dark" if dark else "light",
        device_scale_factor=ratio,
        accept_downloads=True,
    )
    context.set_default_timeout(_PATIENCE_MS)
    page = context.new_page()
    thrown: list[str] = []
    foreign: list[str] = []
    page.on("pageerror", lambda error: thrown.append(str(error)))
    page.on("console", lambda said: thrown.append(said.text) if "Content Security Policy" in said.text else None)
    page.on(
        "request", lambda asked: None if asked.url.startswith((address, "blob:")) else foreign.append(asked.url)
    )
    yield page
    context.close()
    assert thrown == []
    assert foreign == []


def at(path: str, **params: object) -> str:
    """Write an address of the page; lists and dicts are JSON."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in params.items()}
    return f"{path}?{urlencode(texts)}" if texts else path
