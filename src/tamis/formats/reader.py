"""Reads prediction files: typed decoding for files that are right, a diagnosis for the others.

This is a hot loop: a scan calls `add` once for each of millions of files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tamis.formats.diagnosis import diagnose
from tamis.formats.json_source import MAX_FILE_BYTES
from tamis.formats.json_tokens import repeats_key
from tamis.formats.packing import ColumnPacker
from tamis.formats.wire import FILE_TYPES, field_names, required_fields
from tamis.model import PredictionColumns, Problem, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.model.columns import Bools, Ints

_BATCH_BYTES = 128 * 2**10  # decoded entries of so much JSON stay in the cache until they are packed


@dataclass(frozen=True, slots=True, eq=False)
class ReadPredictions:
    """What a number of prediction files of one task hold.

    Attributes:
        columns: their predictions, one file index for each file added, in the order of the calls.
        valid: whether each file could be read; those that could not have no predictions; shape (n_files,).
        broken: predictions that were dropped for a fault of type or presence, with what is right of them.
        n_listed: how many predictions each file lists, also those that were dropped; 0 where it could not be read;
            shape (n_files,).
        file_names: `file_name` of each file as written, `None` where absent.
        problems: everything that is wrong with syntax, types and presence, in the order of the files.
    """

    columns: PredictionColumns
    valid: Bools
    broken: PredictionColumns
    n_listed: Ints
    file_names: list[str | None]
    problems: list[Problem]


class PredictionReader:
    """Reads the files of one task, one `add` each; `finish` hands over and begins anew.

    Args:
        task: whose files they are.
        strict: also look for keys that an object has twice (`json-duplicate-key`).
        max_file_bytes: larger files are reported as `file-too-large`, not read.
    """

    def __init__(self, task: Task, *, strict: bool = False, max_file_bytes: int = MAX_FILE_BYTES) -> None:
        self._task = task
        self._strict = strict
        self._max_file_bytes = max_file_bytes
        self._decode: Any = msgspec.json.Decoder(FILE_TYPES[task.task_type]).decode
        self._fields = field_names(task.task_type)
        self._n_required = len(required_fields(task.task_type))
        self._reset()

    def _reset(self) -> None:
        self._packer = ColumnPacker(self._task.task_type)
        self._entries: list[Any] = []
        self._entry_bytes = 0
        self._counts: list[int] = []
        self._invalid: list[int] = []
        self._listed: dict[int, int] = {}
        self._broken: list[tuple[int, int, Any]] = []
        self._positions: dict[int, list[int]] = {}
        self._file_names: list[str | None] = []
        self._problems: list[Problem] = []

    def add(self, file: str, data: bytes) -> None:
        """Read one file.

        Args:
            file: its key in the Lightly datasource, for the problems.
            data: its bytes.
        """
        n_bytes = len(data)
        if n_bytes > self._max_file_bytes:
            message = f"expected at most {self._max_file_bytes} bytes, got more"
            problem = Problem(code="file-too-large", message=message, task=self._task.name, file=file)
            self.add_unreadable(problem)
            return
        try:
            wire = self._decode(data)
            if not data.isascii():
                data.decode()  # what msgspec passes over unread may be no UTF-8
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._diagnose(file, data, str(error))
            return
        if self._strict and _may_repeat(data, wire, self._fields, self._n_required):
            self._diagnose(file, data, None)
            return
        file_name = wire.file_name
        if file_name is None and wire.filename is not None:
            file_name = wire.filename
            self._problems.append(alias_problem(file, self._task.name))
        self._file_names.append(file_name)
        self._entries += wire.predictions
        self._counts.append(len(wire.predictions))
        self._entry_bytes += n_bytes
        if self._entry_bytes >= _BATCH_BYTES:
            self._flush()

    def add_unreadable(self, problem: Problem) -> None:
        """Count a file whose bytes could not be had."""
        self._take_faulty(None, [], None, [problem])

    def finish(self) -> ReadPredictions:
        """Return what was read since the last call, and begin anew."""
        self._flush()
        columns = self._packer.columns(self._counts)
        valid = np.ones(len(self._counts), np.bool_)
        valid[self._invalid] = False
        if self._positions:
            starts = np.searchsorted(columns.file, np.arange(columns.n_files))
            for file, positions in self._positions.items():
                columns.position[starts[file] : starts[file] + len(positions)] = positions
        n_listed = np.array(self._counts, np.int64)
        n_listed[list(self._listed)] = list(self._listed.values())
        read = ReadPredictions(columns, valid, self._broken_columns(), n_listed, self._file_names, self._problems)
        self._reset()
        return read

    def _broken_columns(self) -> PredictionColumns:
        packer = ColumnPacker(self._task.task_type)
        files = [file for file, _, _ in self._broken]
        if files:
            packer.add([entry for _, _, entry in self._broken])
        columns = packer.columns(
            np.bincount(files, minlength=len(self._counts)).tolist() if files else [0] * len(self._counts)
        )
        columns.position[:] = [position for _, position, _ in self._broken]
        return columns

    def _flush(self) -> None:
        if self._entries:
            self._packer.add(self._entries)
        self._entries = []
        self._entry_bytes = 0

    def _diagnose(self, file: str, data: bytes, refusal: str | None) -> None:
        diagnosis = diagnose(self._task, data, file=file, refusal=refusal, strict=self._strict)
        positions = diagnosis.positions if diagnosis.is_valid else None
        self._listed[len(self._counts)] = diagnosis.n_listed
        self._broken += [(len(self._counts), position, entry) for position, entry in diagnosis.broken.items()]
        self._take_faulty(positions, diagnosis.entries, diagnosis.file_name, diagnosis.problems)

    def _take_faulty(
        self,
        positions: list[int] | None,
        entries: Sequence[Any],
        file_name: str | None,
        problems: list[Problem],
    ) -> None:
        """Take what a diagnosis left of a file; positions of `None` drop the file."""
        file = len(self._counts)
        if positions is None:
            self._invalid.append(file)
        else:
            self._entries += entries
            self._positions[file] = positions
        self._counts.append(0 if positions is None else len(positions))
        self._file_names.append(file_name)
        self._problems += problems


def alias_problem(file: str, task: str) -> Problem:
    """Return the warning for a file that spells `file_name` as `filename`."""
    message = "expected the key `file_name`, got `filename`"
    return Problem(code="file-name-alias", message=message, task=task, file=file, path="$.filename")


def _may_repeat(data: bytes, wire: Any, fields: tuple[str, ...], n_required: int) -> bool:  # noqa: ANN401 (as below)
    """Whether an object has a key twice, or so many that they are not compared; of a file that is right."""
    return data.count(b":") != _colons(wire, fields, n_required) and repeats_key(data.decode())


def _colons(wire: Any, fields: tuple[str, ...], n_required: int) -> int:  # noqa: ANN401 (a WireFile of any entry)
    """Count the colons that the file has if it holds each field once and nothing else.

    A file with more (unknown or repeated keys, nulls) only costs a diagnosis.
    """
    entries = wire.predictions
    n = 1 + n_required * len(entries)
    for name in (wire.file_name, wire.filename):
        if name is not None:
            n += 1 + name.count(":")
    for field in fields[n_required:]:
        n += len(entries) - [getattr(entry, field) for entry in entries].count(None)
    return n
