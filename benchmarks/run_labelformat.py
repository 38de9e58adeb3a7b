"""Read all boxes of a Lightly folder with the peer and count them: `run_labelformat.py TASK_FOLDER IMAGES`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from labelformat.formats.lightly import (
    LightlyObjectDetectionInput,
)


def main() -> None:
    folder, images = Path(sys.argv[1]), Path(sys.argv[2])
    labels = LightlyObjectDetectionInput(folder, os.path.relpath(images, folder)).get_labels()
    print(sum(len(label.objects) for label in labels))


if __name__ == "__main__":
    main()
