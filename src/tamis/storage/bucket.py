"""A folder in a bucket: S3, GCS, Azure, or a server of files; many reads at once, as each of them waits."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotSupportedError, PreconditionError

from tamis.errors import DatasourceError
from tamis.storage.base import Blob, NotFoundError, Page, Stamp, StoreError, UnavailableError, check_key, join_key
from tamis.storage.bucket_client import connect
from tamis.storage.bucket_errors import FAULTS, Retries, bucket_error, may_be_beyond_end
from tamis.storage.bucket_listing import list_pages, stamp_of
from tamis.storage.bucket_url import parse_bucket_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from obstore import GetOptions, ObjectMeta, PutMode, UpdateVersion

    from tamis.storage.bucket_client import Objects

T = TypeVar("T")

_IN_FLIGHT = 64
_RETRY_SECS = 60.0
# Nearly all that so much is asked of are shorter, and asking for the whole spares empty ones a refused range.
_MOSTLY_WHOLE_BYTES = 1 << 20


class BucketStore:
    """Bytes below a folder of a bucket, through obstore.

    A pickled store holds its URL and options only: each process takes the credentials from its own environment.
    Neither keys with control characters nor ones that are no keys of ours can be listed: obstore refuses them.

    Args:
        url: of the bucket and the folder in it, e.g. `s3://bucket/folder`.
        in_flight: how many reads `read_many` does at once; twice as many wait to be taken, in memory.
        retry_secs: how long to go on trying where the server fails or does not answer.

    Raises:
        UsageError: when the URL names no bucket, or holds credentials.
        DatasourceError: when what the environment says of the service is wrong.
    """

    def __init__(self, url: str, *, in_flight: int = _IN_FLIGHT, retry_secs: float = _RETRY_SECS) -> None:
        self._place = parse_bucket_url(url)
        self._in_flight = in_flight
        self._retry_secs = retry_secs
        self._threads: ThreadPoolExecutor | None = None
        try:
            self._objects: Objects = connect(self._place, retry_secs=retry_secs)
        except FAULTS as error:
            raise DatasourceError(
                f"`{self._place.url}` cannot be opened: the settings in the environment are wrong or incomplete",
                hint=_first_line(error),
            ) from None

    def __repr__(self) -> str:
        return f"BucketStore({self.url!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return _open, (self.url, self._in_flight, self._retry_secs)

    @property
    def url(self) -> str:
        """The URL, without a slash at the end."""
        return self._place.url

    @property
    def local_root(self) -> Path | None:
        """There is none."""
        return None

    def list_folder(self, folder: str, *, stamps: bool = True) -> Iterator[Page]:
        """List one folder ("" is the root), some requests a page."""
        path = self._path(folder, "listed") if folder else self._place.prefix
        try:
            yield from list_pages(self._objects, self._place, path, stamps=stamps, retry_secs=self._retry_secs)
        except FileNotFoundError as error:
            fault = bucket_error(self._place, "listed", folder, error)
            if isinstance(fault, UnavailableError):
                raise fault from None
        except FAULTS as error:
            raise bucket_error(self._place, "listed", folder, error) from None

    def read(self, key: str) -> Blob:
        """Read all bytes at a key."""
        return self._read(key, None, 0)

    def read_start(self, key: str, n_bytes: int) -> Blob:
        """Read at most the first `n_bytes`."""
        return self._read(key, n_bytes, 0)

    def read_range(self, key: str, start: int, n_bytes: int) -> Blob:
        """Read at most `n_bytes` from `start` on."""
        return self._read(key, n_bytes, start)

    def read_many(self, keys: Sequence[str], *, n_bytes: int | None = None) -> Iterator[Blob | StoreError]:
        """Read many at once; the first requests are sent by this call, not when the first result is asked for.

        In threads, as obstore's asynchronous calls are a third slower from Python (`benchmarks/bench_bucket.py`).
        """
        results = self._take(keys, n_bytes)
        next(results)
        return results

    def _take(self, keys: Sequence[str], n_bytes: int | None) -> Iterator[Blob | StoreError]:
        """Start reads and yield an empty one; then yield their results, and start one more for each that is taken.

        Thrown away at any time after the first, it cancels what nobody will take.
        """
        waiting = iter(keys)
        reads = deque(self._start(key, n_bytes) for key in islice(waiting, 2 * self._in_flight))
        try:
            yield Blob(b"", Stamp(0, 0))
            while reads:
                result = reads.popleft().result()
                reads.extend(self._start(key, n_bytes) for key in islice(waiting, 1))
                yield result
        finally:
            for read in reads:
                read.cancel()

    def _start(self, key: str, n_bytes: int | None) -> Future[Blob | StoreError]:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._in_flight, thread_name_prefix="tamis-bucket")
        return self._threads.submit(self._read_or_error, key, n_bytes)

    def write(self, key: str, data: bytes) -> None:
        """Put bytes at a key: the services show the old object until they have the new one whole."""
        path = self._path(key, "written")
        self._refuse_public("written", key)
        self._try("written", key, lambda: obstore.put(self._objects, path, data))

    def write_if(self, key: str, data: bytes, *, there: Stamp | None) -> bool:
        """Put bytes at a key that holds what had a stamp; the service compares, by etag or generation."""
        path = self._path(key, "written")
        self._refuse_public("written", key)
        mode: PutMode = "create"
        if there is not None:
            try:
                meta = self._try("read", key, lambda: obstore.head(self._objects, path))
            except NotFoundError:
                return False
            if stamp_of(meta) != there:
                return self._holds(key, data)
            mode = _version_of(meta)
        try:
            self._try("written", key, lambda: obstore.put(self._objects, path, data, mode=mode))
        except _ChangedError:
            return self._holds(key, data)
        return True

    def _holds(self, key: str, data: bytes) -> bool:
        try:
            return self.read(key).data == data
        except NotFoundError:
            return False

    def delete(self, key: str) -> None:
        """Remove what is at a key."""
        path = self._path(key, "removed")
        self._refuse_public("removed", key)
        with suppress(NotFoundError):
            self._try("removed", key, lambda: obstore.delete(self._objects, path))

    def _path(self, key: str, verb: str) -> str:
        """Return the key in the bucket."""
        check_key(key)
        if any(ord(c) < ord(" ") or c == "\x7f" for c in key):
            raise StoreError(f"`{key!r}` cannot be {verb}: a bucket's keys may hold no control characters")
        return join_key(self._place.prefix, key)

    def _refuse_public(self, verb: str, key: str) -> None:
        if self._place.public:
            raise StoreError(
                f"`{key}` in `{self.url}` cannot be {verb}: what an `https://` URL names is only read",
                hint="name the bucket by `s3://`, `gs://` or `az://`",
            )

    def _read(self, key: str, n_bytes: int | None, start: int) -> Blob:
        path = self._path(key, "read")
        if n_bytes == 0:
            return Blob(b"", stamp_of(self._try("read", key, lambda: obstore.head(self._objects, path))))
        try:
            blob = self._try("read", key, lambda: self._get(path, n_bytes, start))
        except _BeyondEndError as error:
            empty = self._read(key, 0, 0)
            if empty.stamp.size_bytes > start:
                raise bucket_error(self._place, "read", key, error) from None
            return empty
        size = blob.stamp.size_bytes
        expected = size if n_bytes is None else max(0, min(n_bytes, size - start))
        if len(blob.data) != expected:
            came = f"{len(blob.data):,} of {expected:,} bytes came"
            raise UnavailableError(f"`{key}` in `{self.url}` cannot be read: {came}", hint="try again")
        return blob

    def _get(self, path: str, n_bytes: int | None, start: int) -> Blob:
        if n_bytes is not None and start == 0 and n_bytes >= _MOSTLY_WHOLE_BYTES:
            result = obstore.get(self._objects, path)
            if result.meta["size"] <= n_bytes:
                return Blob(bytes(result.bytes()), stamp_of(result.meta))
            del result  # its body is not read
        options: GetOptions = {} if n_bytes is None else {"range": (start, start + n_bytes)}
        try:
            result = obstore.get(self._objects, path, options=options)
            return Blob(bytes(result.bytes()), stamp_of(result.meta))
        except NotSupportedError:
            if n_bytes is None:
                raise
            whole = self._get(path, None, 0)  # a plain web server that knows no ranges
            return Blob(whole.data[start : start + n_bytes], whole.stamp)
        except BaseError as error:
            if n_bytes is not None and may_be_beyond_end(error):
                raise _BeyondEndError(str(error)) from None
            raise

    def _try(self, verb: str, key: str, call: Callable[[], T]) -> T:
        """Return what a call returns; try again where an answer breaks off, and say what is wrong where it is."""
        retries = Retries(self._retry_secs)
        while True:
            try:
                return call()
            except (AlreadyExistsError, PreconditionError) as error:
                raise _ChangedError(str(error)) from None
            except FAULTS as error:
                if not retries.wait_after(error):
                    raise bucket_error(self._place, verb, key, error) from None

    def _read_or_error(self, key: str, n_bytes: int | None) -> Blob | StoreError:
        try:
            return self._read(key, n_bytes, 0)
        except StoreError as error:
            return error


class _BeyondEndError(Exception):
    """A range was refused, most likely as it begins after the object's end."""


class _ChangedError(Exception):
    """A condition of a write does not hold."""


def _version_of(meta: ObjectMeta) -> UpdateVersion:
    """Return what a service tells versions of an object apart by; obstore takes no `None`."""
    version: UpdateVersion = {}
    if meta["e_tag"] is not None:
        version["e_tag"] = meta["e_tag"]
    if meta["version"] is not None:
        version["version"] = meta["version"]
    return version


def _open(url: str, in_flight: int, retry_secs: float) -> BucketStore:
    return BucketStore(url, in_flight=in_flight, retry_secs=retry_secs)


def _first_line(error: Exception) -> str:
    """Return what obstore says of a setting; it names settings, not their values."""
    return str(error).partition("\n")[0].removesuffix(".")
