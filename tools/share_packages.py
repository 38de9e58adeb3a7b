"""Let this environment import what another one has installed: `python tools/share_packages.py OTHER_PYTHON`."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

QUESTION = "import sysconfig; print(sysconfig.get_path('purelib'))"


def main() -> None:
    """Write a `.pth` file that names the other environment's folder of packages, and its `.pth` files with it."""
    answer = subprocess.run([sys.argv[1], "-c", QUESTION], check=True, capture_output=True, text=True)
    line = f"import site; site.addsitedir({answer.stdout.strip()!r})\n"
    Path(sysconfig.get_path("purelib"), "shared.pth").write_text(line, encoding="utf-8")


if __name__ == "__main__":
    main()
