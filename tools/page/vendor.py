"""Copy the page's libraries, pinned in `package.json`, and their licences into the package: `make vendor`.

With `--check`, say whether the copies are what npm gives for the pinned versions, and change nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
VENDOR = HERE.parents[1] / "src" / "tamis" / "web" / "static" / "vendor"
FILES = {
    "preact.js": "preact/dist/preact.mjs",
    "preact-hooks.js": "preact/hooks/dist/hooks.mjs",
    "signals.js": "@preact/signals/dist/signals.module.js",
    "signals-core.js": "@preact/signals-core/dist/signals-core.module.js",
    "htm.js": "htm/dist/htm.module.js",
    "preact.LICENSE": "preact/LICENSE",
    "signals.LICENSE": "@preact/signals/LICENSE",
    "htm.LICENSE": "htm/LICENSE",
}


def main() -> int:
    """Install what `package-lock.json` pins, then copy or compare."""
    subprocess.run(["npm", "ci", "--silent", "--no-fund", "--no-audit", "--ignore-scripts"], cwd=HERE, check=True)
    wanted = {name: _content(path) for name, path in FILES.items()}
    wanted["versions.json"] = _versions()
    if "--check" in sys.argv[1:]:
        wrong = sorted(name for name, text in wanted.items() if _present(name) != text)
        for name in wrong:
            print(f"{VENDOR / name} is not what package-lock.json pins: run `make vendor`", file=sys.stderr)
        return 1 if wrong else 0
    VENDOR.mkdir(parents=True, exist_ok=True)
    for name, text in wanted.items():
        (VENDOR / name).write_text(text, "utf-8")
    return 0


def _content(path: str) -> str:
    """Read a library's file, without the pointer to a source map, which is not copied."""
    lines = (MODULES / path).read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("//# sourceMappingURL=")).rstrip() + "\n"


def _versions() -> str:
    names = sorted({"/".join(path.split("/")[: 2 if path[0] == "@" else 1]) for path in FILES.values()})
    found = {name: json.loads((MODULES / name / "package.json").read_text("utf-8"))["version"] for name in names}
    return json.dumps(found, indent=2) + "\n"


def _present(name: str) -> str | None:
    path = VENDOR / name
    return path.read_text("utf-8") if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main())
