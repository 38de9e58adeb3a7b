"""Servers and windows for the browser tests, started once each."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

import real_sources
from browsing import chromium, opened, serving
from real_data import DATA, answer
from tamis.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The Chromium of this machine."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001 - skips without a browser
    """The generated datasource, scanned and selected from."""
    root = tmp_path_factory.mktemp("page") / "demo"
    assert CliRunner().invoke(app, ["demo", str(root), "--quiet"]).exit_code == 0
    return root


@pytest.fixture(scope="session")
def demo_address(demo: Path) -> Iterator[str]:
    """Address of a server of the demo."""
    with serving(demo) as address:
        yield address


@pytest.fixture
def page(browser: Browser, demo_address: str) -> Iterator[Page]:
    """A window on the demo."""
    with opened(browser, demo_address) as window:
        yield window


@pytest.fixture(scope="module")
def own(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo, for a module of its own."""
    root = tmp_path_factory.mktemp("own") / "demo"
    shutil.copytree(demo, root, ignore=shutil.ignore_patterns("selection", "jobs"))
    answer("scan", root)
    return root


@pytest.fixture
def own_page(browser: Browser, own: Path) -> Iterator[Page]:
    """A window on the datasource that a module has for itself: its fixture `own`."""
    with serving(own) as address, opened(browser, address) as window:
        yield window


def _real(name: str, folder: Path) -> Path:
    if not DATA.is_dir():
        pytest.skip(f"there is no real data at {DATA}: set TAMIS_REAL_DATA to its folder")
    getattr(real_sources, f"write_{name}")(folder)
    answer("scan", folder)
    return folder


@pytest.fixture(scope="session")
def coco(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001 - skips without a browser
    """128 images with NanoDet, CenterNet, MoveNet and DeepLab."""
    return _real("coco", tmp_path_factory.mktemp("coco"))


@pytest.fixture(scope="session")
def coco_address(coco: Path) -> Iterator[str]:
    """Address of a server of them."""
    with serving(coco) as address:
        yield address


@pytest.fixture
def coco_page(browser: Browser, coco_address: str) -> Iterator[Page]:
    """A window on them."""
    with opened(browser, coco_address) as window:
        yield window


@pytest.fixture(scope="session")
def car_address(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: ARG001 - likewise
    """Address of a server of a video."""
    with serving(_real("car", tmp_path_factory.mktemp("car"))) as address:
        yield address


@pytest.fixture(scope="session")
def clothing_address(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: ARG001 - likewise
    """Address of a server of 341 photos with two classifiers."""
    with serving(_real("clothing", tmp_path_factory.mktemp("clothing"))) as address:
        yield address
