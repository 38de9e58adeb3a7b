"""A folder of this machine, read by file descriptors: `io.open` costs twice as much per small file."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tamis.errors import DatasourceError
from tamis.storage.base import NO_NAMES, Blob, NotFoundError, Page, Stamp, StoreError, UnusableKeyError, check_key
from tamis.storage.locks import folder_locked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Opening a named pipe would wait for a writer that may never come.
_READ = os.O_RDONLY | os.O_NONBLOCK
# A folder that may be searched but not listed will do, where the system tells the two apart.
_OPEN_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY
_FILE_TYPE = 0o170000  # the bits of a mode that say what it is, as `stat.S_IFMT` takes them
_BLOCK_BYTES = 1 << 16
_BIG_BLOCK_BYTES = 1 << 22
_PAGE_NAMES = 10_000
_BLAME_KEYS = frozenset({errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST})
_LATEST_NS = (1 << 63) - 1  # of the year 2262: some file systems can say later times, tables cannot


class LocalStore:
    """Files below a folder. Symlinks are followed, except folders that lead back to one of their parents."""

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root).expanduser().absolute()
        self._prefix = f"{self._root}/" if str(self._root) != "/" else "/"

    @classmethod
    def open(cls, root: str | Path) -> LocalStore:
        """Return the store of an existing folder.

        Raises:
            DatasourceError: when the folder is not there, is no folder, or may not be read.
        """
        store = cls(root)
        try:
            mode = os.stat(store._root).st_mode  # noqa: PTH116 (one call tells all the cases apart)
        except FileNotFoundError:
            raise DatasourceError(
                f"Folder `{store._root}` does not exist", hint="check the path for a typo"
            ) from None
        except OSError as error:
            raise DatasourceError(f"Folder `{store._root}` cannot be read: {error.strerror}") from None
        if not stat.S_ISDIR(mode):
            raise DatasourceError(f"`{store._root}` is a file, expected a folder")
        return store

    @property
    def url(self) -> str:
        """The folder's absolute path."""
        return str(self._root)

    @property
    def local_root(self) -> Path:
        """The folder."""
        return self._root

    def path(self, key: str) -> str:
        """Return the path of a key on this machine."""
        return self._prefix + check_key(key)

    def list_folder(self, folder: str, *, stamps: bool = True) -> Iterator[Page]:
        """List one folder ("" is the root)."""
        path = self.path(folder) if folder else str(self._root)
        try:
            # By its descriptor, so that stamps are asked for by name: a long path costs the kernel more.
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                with os.scandir(descriptor) as entries:
                    yield from _pages(entries, path, stamps=stamps)
            finally:
                os.close(descriptor)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise _store_error("listed", folder or ".", error) from None

    def read(self, key: str) -> Blob:
        """Read all bytes at a key."""
        return self._read(key, None)

    def read_start(self, key: str, n_bytes: int) -> Blob:
        """Read at most the first `n_bytes`."""
        return self._read(key, n_bytes)

    def read_range(self, key: str, start: int, n_bytes: int) -> Blob:
        """Read at most `n_bytes` from `start` on."""
        return self._read(key, n_bytes, start)

    def read_many(self, keys: Sequence[str], *, n_bytes: int | None = None) -> Iterator[Blob | StoreError]:
        """Read one after the other, names of one folder from its descriptor: a short path is found sooner."""
        folder, below = None, None
        try:
            for key in keys:
                parent, _, name = key.rpartition("/")
                if parent != folder:
                    if below is not None:
                        os.close(below)
                    folder, below = parent, self._open_folder(parent)
                if below is None or name in NO_NAMES or "\\" in name:
                    yield self._read_or_error(key, n_bytes)
                    continue
                try:
                    descriptor = os.open(name, _READ, dir_fd=below)
                except (OSError, ValueError):
                    yield self._read_or_error(key, n_bytes)  # says what is wrong
                    continue
                try:
                    blob: Blob | StoreError = _read_open(descriptor, key, n_bytes)
                except StoreError as error:
                    blob = error
                yield blob
        finally:
            if below is not None:
                os.close(below)

    def write(self, key: str, data: bytes) -> None:
        """Put bytes at a key: written beside it, then renamed over it."""
        path = self.path(key)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 (10x faster than Path)
            descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".tamis-")  # noqa: PTH120
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                os.chmod(temporary, 0o666 & ~_umask())  # noqa: PTH101
                os.replace(temporary, path)  # noqa: PTH105
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary)  # noqa: PTH108
                raise
        except OSError as error:
            raise _store_error("written", key, error) from None

    def write_if(self, key: str, data: bytes, *, there: Stamp | None) -> bool:
        """Put bytes at a key that holds what had a stamp; others that ask the same meanwhile wait."""
        folder = Path(self.path(key)).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with folder_locked(folder):
                try:
                    blob = self.read(key)
                except NotFoundError:
                    blob = None
                if (None if blob is None else blob.stamp) != there:
                    return blob is not None and blob.data == data
                self.write(key, data)
                return True
        except OSError as error:
            raise _store_error("written", key, error) from None

    def delete(self, key: str) -> None:
        """Remove what is at a key."""
        try:
            os.unlink(self.path(key))  # noqa: PTH108
        except FileNotFoundError:
            return
        except OSError as error:
            raise _store_error("removed", key, error) from None

    def _read(self, key: str, n_bytes: int | None, start: int = 0) -> Blob:
        try:
            descriptor = os.open(self._prefix + check_key(key), _READ)
        except (FileNotFoundError, NotADirectoryError):
            raise NotFoundError(f"`{key}` is not in {self.url}") from None
        except OSError as error:
            raise _store_error("read", key, error) from None
        return _read_open(descriptor, key, n_bytes, start)

    def _read_or_error(self, key: str, n_bytes: int | None) -> Blob | StoreError:
        try:
            return self._read(key, n_bytes)
        except StoreError as error:
            return error

    def _open_folder(self, folder: str) -> int | None:
        """Return a descriptor to open names below, or `None`: then reading by the whole key says why."""
        try:
            return os.open(self._prefix + (check_key(folder) if folder else ""), _OPEN_FOLDER)
        except (OSError, StoreError):
            return None


def _read_open(descriptor: int, key: str, n_bytes: int | None, start: int = 0) -> Blob:
    """Read an open file and close it."""
    try:
        status = os.fstat(descriptor)
        if status.st_mode & _FILE_TYPE != stat.S_IFREG:
            raise _not_a_file(key, status.st_mode)
        if start:
            os.lseek(descriptor, start, os.SEEK_SET)
        # As many bytes as are asked for would be set aside, however short the file.
        most = _BLOCK_BYTES if n_bytes is None else min(n_bytes, max(_BLOCK_BYTES, status.st_size - start))
        data = os.read(descriptor, most)
        if n_bytes is None and len(data) == _BLOCK_BYTES:
            blocks = [data]
            while block := os.read(descriptor, _BIG_BLOCK_BYTES):
                blocks.append(block)
            data = b"".join(blocks)
        time_ns = status.st_mtime_ns
        return Blob(data, Stamp(status.st_size, min(_LATEST_NS, time_ns)))
    except OSError as error:
        raise _store_error("read", key, error) from None
    finally:
        os.close(descriptor)


def _pages(entries: Iterator[os.DirEntry[str]], folder: str, *, stamps: bool) -> Iterator[Page]:
    """Collect the entries of a folder; it has millions, so the common ones go through no further call."""
    page = Page()
    for entry in entries:
        name = entry.name
        try:
            if (not name.isascii() or "\\" in name) and (reason := _unusable(name)):
                # The escaped form can be printed and stored; the raw bytes cannot.
                page.skipped.append((os.fsencode(name).decode("utf-8", "backslashreplace"), reason))
            elif entry.is_file():
                if stamps:
                    status = entry.stat()
                    page.sizes_bytes.append(status.st_size)
                    page.mtimes_ns.append(min(status.st_mtime_ns, _LATEST_NS))
                page.names.append(name)
            else:
                _add_other(page, entry, folder)
        except OSError as error:
            page.skipped.append((name, (error.strerror or str(error)).lower()))
        if len(page.names) == _PAGE_NAMES:
            yield page
            page = Page()
    yield page


def _add_other(page: Page, entry: os.DirEntry[str], folder: str) -> None:
    path = os.path.join(folder, entry.name)  # noqa: PTH118
    if entry.is_dir():
        if entry.is_symlink() and _leads_back(path, folder):
            page.skipped.append((entry.name, "a symlink to a folder that holds it"))
        else:
            page.folders.append(entry.name)
    elif entry.is_symlink() and not os.path.exists(path):  # noqa: PTH110
        page.skipped.append((entry.name, "a symlink to nothing"))
    else:
        page.skipped.append((entry.name, "neither a file nor a folder"))


def _leads_back(path: str, parent: str) -> bool:
    """Whether a symlinked folder is or holds a folder on the way to it: the walk would never end."""
    target = os.path.realpath(path)
    while True:
        here = os.path.realpath(parent)
        if here == target or here.startswith(target.rstrip("/") + "/"):
            return True
        above = os.path.dirname(parent)  # noqa: PTH120
        if above == parent:
            return False
        parent = above


def _unusable(name: str) -> str | None:
    """Why a name cannot be part of a key, or `None`."""
    if "\\" in name:
        return "its name holds a backslash"
    if not name.isascii():
        try:
            name.encode()
        except UnicodeEncodeError:
            return "its name is not UTF-8"
    return None


def _not_a_file(key: str, mode: int) -> StoreError:
    what = "a folder" if stat.S_ISDIR(mode) else "neither a file nor a folder"
    return StoreError(f"`{key}` cannot be read: it is {what}")


def _store_error(verb: str, key: str, error: OSError) -> StoreError:
    kind = UnusableKeyError if error.errno in _BLAME_KEYS else StoreError
    return kind(f"`{key}` cannot be {verb}: {(error.strerror or str(error)).lower()}")


def _umask() -> int:
    """Return the process's umask, which mkstemp ignores; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
