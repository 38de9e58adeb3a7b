from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.storage import is_free, locked

if TYPE_CHECKING:
    from pathlib import Path


def test_locks(tmp_path: Path) -> None:
    """A lock is free unless held, also when its file or folder is not there."""
    path = tmp_path / "lock"
    assert is_free(path)
    with locked(path):
        assert not is_free(path)
    assert is_free(path)
    assert is_free(tmp_path / "gone" / "lock")
