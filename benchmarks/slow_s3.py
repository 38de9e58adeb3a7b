"""An S3 endpoint on loopback that serves a folder and answers each request only after some time.

    python benchmarks/slow_s3.py FOLDER [--latency-ms 30]

Prints its port. Lists (with and without delimiter) and gets (whole and ranges) from memory; signatures are not
looked at. A byte protocol by hand, as the server shares the machine with what it measures.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import hashlib
from email.utils import formatdate
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

_PAGE_KEYS = 1000
_TIME_SECS = 1_700_000_000
_TIME_LISTED = "2023-11-14T22:13:20.000Z"


class Bucket:
    """The files of a folder, in memory."""

    def __init__(self, root: Path) -> None:
        self.blobs = {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        self.keys = sorted(self.blobs)
        self.tags = {key: hashlib.md5(data, usedforsecurity=False).hexdigest() for key, data in self.blobs.items()}

    def get(self, key: str, byte_range: str | None) -> bytes:
        data = self.blobs.get(key)
        if data is None:
            return _response("404 Not Found", b"<Error><Code>NoSuchKey</Code></Error>")
        headers = f'ETag: "{self.tags[key]}"\r\nLast-Modified: {formatdate(_TIME_SECS, usegmt=True)}\r\n'
        if byte_range is None:
            return _response("200 OK", data, headers)
        first, last = byte_range.removeprefix("bytes=").split("-")
        part = data[int(first) : int(last) + 1]
        if not part:
            return _response("416 Range Not Satisfiable", b"<Error><Code>InvalidRange</Code></Error>")
        headers += f"Content-Range: bytes {first}-{int(first) + len(part) - 1}/{len(data)}\r\n"
        return _response("206 Partial Content", part, headers)

    def list_keys(self, query: dict[str, list[str]]) -> bytes:
        prefix, delimiter = query.get("prefix", [""])[0], query.get("delimiter", [""])[0]
        after = max(query.get("continuation-token", [""])[0], query.get("start-after", [""])[0])
        at = max(bisect.bisect_left(self.keys, prefix), bisect.bisect_right(self.keys, after) if after else 0)
        rows: list[str] = []
        more = ""
        while at < len(self.keys) and self.keys[at].startswith(prefix):
            key = self.keys[at]
            if len(rows) == _PAGE_KEYS:
                more = f"<NextContinuationToken>{escape(after)}</NextContinuationToken>"
                break
            name, slash, _ = key[len(prefix) :].partition(delimiter or "\0")
            if slash:
                rows.append(f"<CommonPrefixes><Prefix>{escape(prefix + name)}/</Prefix></CommonPrefixes>")
                after = f"{prefix}{name}/\U0010ffff"
                at = bisect.bisect_right(self.keys, after)
                continue
            rows.append(
                f"<Contents><Key>{escape(key)}</Key><LastModified>{_TIME_LISTED}</LastModified>"
                f"<ETag>&quot;{self.tags[key]}&quot;</ETag><Size>{len(self.blobs[key])}</Size></Contents>"
            )
            after = key
            at += 1
        truncated = "true" if more else "false"
        body = f"<ListBucketResult><IsTruncated>{truncated}</IsTruncated>{more}{''.join(rows)}</ListBucketResult>"
        return _response("200 OK", body.encode(), "Content-Type: application/xml\r\n")


class Connection(asyncio.Protocol):
    """One kept-alive connection; requests come one after the other."""

    def __init__(self, bucket: Bucket, latency_secs: float) -> None:
        self._bucket = bucket
        self._latency_secs = latency_secs
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (for the type checker)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            answer = self._answer(head.decode("latin-1"))
            asyncio.get_running_loop().call_later(self._latency_secs, self._send, answer)

    def _send(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)

    def _answer(self, head: str) -> bytes:
        request, *lines = head.split("\r\n")
        _, target, _ = request.split(" ")
        url = urlsplit(target)
        _, _, key = url.path.removeprefix("/").partition("/")
        if not key:
            return self._bucket.list_keys(parse_qs(url.query))
        headers = dict(line.lower().split(": ", 1) for line in lines)
        return self._bucket.get(unquote(key), headers.get("range"))


def _response(status: str, body: bytes, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def serve(root: Path, latency_secs: float) -> None:
    bucket = Bucket(root)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(bucket, latency_secs), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--latency-ms", type=float, default=30)
    options = parser.parse_args()
    asyncio.run(serve(options.folder, options.latency_ms / 1000))


if __name__ == "__main__":
    main()
