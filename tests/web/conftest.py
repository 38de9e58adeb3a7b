"""The page of a small datasource, built once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from web_data import Asker, build, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def datasource(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that the page shows; tests that change files build their own."""
    return build(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="session")
def page(datasource: Path) -> Iterator[Asker]:
    """Its page."""
    with served(datasource) as asker:
        yield asker
