"""The page itself: `index.html` for every address outside `/api` and `/static`, and the static files."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from tamis.errors import DatasourceError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Scope

STATIC = Path(__file__).with_name("static")

_INLINE = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)


def read_page() -> bytes:
    """Return `index.html`.

    Raises:
        DatasourceError: when it is missing from the installation.
    """
    try:
        return (STATIC / "index.html").read_bytes()
    except OSError as error:
        raise DatasourceError(f"The page is missing from this installation: {error}") from None


def script_hashes(page: bytes) -> list[str]:
    """Return the CSP source of each inline script (the import map): nothing else that is inline may run.

    >>> script_hashes(b'<script type="importmap">{}</script><script src="/a.js"></script>')
    ['sha256-RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=']
    """
    digests = (hashlib.sha256(script).digest() for script in _INLINE.findall(page))
    return [f"sha256-{base64.b64encode(digest).decode()}" for digest in digests]


class Page:
    """Answers with `index.html`."""

    def __init__(self, page: bytes) -> None:
        self._page = page
        self._tag = f'"{hashlib.sha256(page).hexdigest()[:32]}"'

    def answer(self, request: Request) -> Response:
        """Answer, or say that nothing changed."""
        headers = {"etag": self._tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == self._tag:
            return Response(status_code=304, headers=headers)
        return Response(self._page, media_type="text/html; charset=utf-8", headers=headers)


class Files(StaticFiles):
    """The static files: browsers ask each time whether they changed, so that an update shows at once."""

    def file_response(self, *args: object, **options: object) -> Response:
        """Return a file with its ETag."""
        response = super().file_response(*args, **options)  # type: ignore[arg-type]
        response.headers["cache-control"] = "no-cache"
        return response

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file; hidden ones are not there."""
        if any(part.startswith(".") for part in path.split("/") if part not in {".", ""}):
            return Response(status_code=404)
        return await super().get_response(path, scope)
