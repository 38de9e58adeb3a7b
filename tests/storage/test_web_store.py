"""Servers of files that list by WebDAV: read as they are, never written, and refused where they cannot list."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tamis.storage import LocalStore, NotFoundError, StoreError, UnavailableError
from tamis.storage.bucket import BucketStore

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = {"a.jpg": b"0123456789", "empty": b"", "sub/b c.jpg": b"x", "sub/deep/\u00e9": b"yy"}


class WebDav(SimpleHTTPRequestHandler):
    """Files of a folder; `can_list`: also what is in it; `has_ranges`: also parts of them."""

    can_list = True
    has_ranges = True

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        path = Path(self.translate_path(self.path))
        if not (asked and self.has_ranges and path.is_file()):
            super().do_GET()
            return
        data = path.read_bytes()
        first, last = map(int, asked.removeprefix("bytes=").split("-"))
        part = data[first : last + 1]
        self.send_response(206 if part else 416)
        self.send_header("Last-Modified", self.date_time_string(path.stat().st_mtime))
        self.send_header("Content-Range", f"bytes {first}-{first + len(part) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def do_PROPFIND(self) -> None:
        path = Path(self.translate_path(self.path))
        if not self.can_list or not path.exists():
            self.send_error(405 if path.exists() else 404)
            return
        base = self.path.rstrip("/")
        rows = [self._row(f"{base}/", path), *(self._row(f"{base}/{quote(p.name)}", p) for p in path.iterdir())]
        body = f'<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">{"".join(rows)}</D:multistatus>'.encode()
        self.send_response(207)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _row(self, href: str, path: Path) -> str:
        status = path.stat()
        kind = "<D:collection/>" if path.is_dir() else ""
        return (
            f"<D:response><D:href>{href}</D:href><D:propstat><D:prop><D:resourcetype>{kind}</D:resourcetype>"
            f"<D:getcontentlength>{status.st_size}</D:getcontentlength>"
            f"<D:getlastmodified>{self.date_time_string(status.st_mtime)}</D:getlastmodified>"
            "</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
        )

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(root: Path, **changes: bool) -> Iterator[str]:
    handler = type("Handler", (WebDav,), changes)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(root))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for key, data in FILES.items():
        LocalStore(tmp_path).write(f"some folder/{key}", data)
    return tmp_path


@pytest.mark.parametrize("has_ranges", [True, False])
def test_a_server_of_files_is_a_store(has_ranges: bool, root: Path) -> None:  # noqa: FBT001 (pytest gives it)
    """It lists and reads what a folder does, whole and in part, whether or not the server knows ranges."""
    with serving(root, has_ranges=has_ranges) as address:
        store = BucketStore(f"{address}/some folder")
        (page,) = store.list_folder("")
        assert (sorted(page.names), page.folders) == (["a.jpg", "empty"], ["sub"])
        (below,) = store.list_folder("sub")
        assert (below.names, below.folders) == (["b c.jpg"], ["deep"])
        assert {key: store.read(key).data for key in FILES} == FILES
        assert [blob.data for blob in (store.read_start(key, 4) for key in FILES)] == [
            data[:4] for data in FILES.values()
        ]
        assert store.read_range("a.jpg", 7, 9) == (b"789", store.read("a.jpg").stamp)
        times = dict(zip(page.names, page.mtimes_ns, strict=True))
        assert times["a.jpg"] == store.read("a.jpg").stamp.mtime_ns
        assert [page.names for page in store.list_folder("none")] in ([], [[]])
        with pytest.raises(NotFoundError):
            store.read("none")
        with pytest.raises(StoreError, match="is only read"):
            store.write("k", b"")


def test_a_server_that_does_not_list(root: Path) -> None:
    """Where folders cannot be listed, the error says what would be needed, and single files can be read."""
    with serving(root, can_list=False) as address:
        store = BucketStore(f"{address}/some folder")
        with pytest.raises(UnavailableError, match="does not list folders") as refused:
            list(store.list_folder(""))
        assert "WebDAV" in str(refused.value.hint)
        assert store.read("a.jpg").data == FILES["a.jpg"]
