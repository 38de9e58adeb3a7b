"""What stands above the prediction files: tasks.json, schemas, metadata schema, relevant filenames."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

import tamis
from tamis.api.scanning.chunk import unreadable
from tamis.errors import DatasourceError
from tamis.formats import (
    MAX_FILE_BYTES,
    METADATA,
    PREDICTIONS,
    TASKS_KEY,
    decode_metadata_schema,
    decode_relevant,
    decode_schema,
    decode_tasks,
    schema_key,
)
from tamis.model import Problem
from tamis.storage import NotFoundError, StoreError, join_key

if TYPE_CHECKING:
    from tamis.api.options import ScanOptions
    from tamis.formats import MetadataField, RelevantFilenames
    from tamis.model import Task
    from tamis.storage import Store

METADATA_SCHEMA_KEY = f"{METADATA}/schema.json"

# Counts up whenever the same files come to mean something else: an index made before is read anew.
_MEANING = 2


@dataclass(frozen=True, slots=True)
class Project:
    """What a datasource declares.

    Attributes:
        tasks: those with a valid schema.
        listed: names of all listed tasks.
        metadata: fields of the metadata schema, empty where there is none.
        relevant: which samples count, `None` for all.
        problems: found on the way.
        settings: fingerprint of all that decides, besides the files themselves, what a scan yields.
    """

    tasks: tuple[Task, ...]
    listed: tuple[str, ...]
    metadata: tuple[MetadataField, ...]
    relevant: RelevantFilenames | None
    problems: tuple[Problem, ...]
    settings: str


def read_project(store: Store, options: ScanOptions) -> Project:
    """Read what the lightly datasource declares.

    Raises:
        DatasourceError: when the relevant-filenames file that the options name cannot be read.
    """
    problems: list[Problem] = []
    listed = _read_tasks(store, problems)
    tasks = tuple(task for name in listed if (task := _read_schema(store, name, problems)) is not None)
    metadata = _read_metadata_schema(store, problems)
    relevant_bytes = _read_relevant(store, options.relevant_filenames)
    relevant = None
    if relevant_bytes is not None:
        relevant, found = decode_relevant(relevant_bytes, file=f".lightly/{options.relevant_filenames}")
        problems += found
    settings = [tamis.__version__, _MEANING, options.strict, listed, tasks, repr(metadata), relevant_bytes]
    return Project(
        tasks, tuple(listed), metadata, relevant, tuple(problems), _fingerprint(msgspec.json.encode(settings))
    )


def _read_tasks(store: Store, problems: list[Problem]) -> list[str]:
    try:
        data = store.read_start(TASKS_KEY, MAX_FILE_BYTES + 1).data
    except NotFoundError:
        problems.append(_tasks_missing(store))
        return []
    except StoreError as error:
        problems.append(unreadable(TASKS_KEY, error))
        return []
    names, found = decode_tasks(data, file=TASKS_KEY)
    problems += found
    return names


def _tasks_missing(store: Store) -> Problem:
    folders = sorted(folder for page in store.list_folder(PREDICTIONS, stamps=False) for folder in page.folders)
    likely = [name for name in folders if _exists(store, schema_key(name))]
    hint = None
    if likely:
        listed = ", ".join(f'"{name}"' for name in likely)
        hint = f"folders with a `schema.json` are there: write `[{listed}]` into it"
    return Problem(
        code="tasks-missing",
        file=TASKS_KEY,
        message=f"expected the list of tasks at `{store.url}/{TASKS_KEY}`, got nothing",
        hint=hint,
    )


def _exists(store: Store, key: str) -> bool:
    try:
        store.read_start(key, 1)
    except StoreError:
        return False
    return True


def _read_schema(store: Store, name: str, problems: list[Problem]) -> Task | None:
    key = schema_key(name)
    try:
        data = store.read_start(key, MAX_FILE_BYTES + 1).data
    except NotFoundError:
        message = f"expected the schema of task `{name}` at `{store.url}/{key}`, got nothing"
        problems.append(Problem(code="schema-missing", task=name, file=key, message=message))
        return None
    except StoreError as error:
        problems.append(unreadable(key, error, task=name))
        return None
    task, found = decode_schema(data, task=name, file=key)
    problems += found
    return task


def _read_metadata_schema(store: Store, problems: list[Problem]) -> tuple[MetadataField, ...]:
    try:
        data = store.read_start(METADATA_SCHEMA_KEY, MAX_FILE_BYTES + 1).data
    except NotFoundError:
        problems += _metadata_unread(store)
        return ()
    except StoreError as error:
        problems.append(unreadable(METADATA_SCHEMA_KEY, error))
        return ()
    fields, found = decode_metadata_schema(data, file=METADATA_SCHEMA_KEY)
    problems += found
    return fields


def _metadata_unread(store: Store) -> list[Problem]:
    """Say that metadata files are there which nobody reads for want of a schema."""
    file = _first_json(store, METADATA)
    if file is None:
        return []
    message = f"expected the fields of `{file}` and its like at `{store.url}/{METADATA_SCHEMA_KEY}`, got nothing"
    return [Problem(code="metadata-schema-missing", file=METADATA_SCHEMA_KEY, message=message)]


def _first_json(store: Store, folder: str) -> str | None:
    """Return a JSON file in a folder or below it, `None` where none is seen."""
    pending = [folder]
    while pending:
        here = pending.pop()
        try:
            for page in store.list_folder(here, stamps=False):
                for name in page.names:
                    if name.endswith(".json"):
                        return join_key(here, name)
                pending += [join_key(here, name) for name in page.folders]
        except StoreError:
            continue  # of what may not be listed nothing can be said
    return None


def _read_relevant(store: Store, name: str | None) -> bytes | None:
    if name is None:
        return None
    try:
        return store.read(f".lightly/{name}").data
    except StoreError as error:
        raise DatasourceError(
            f"The relevant filenames cannot be read: {error.message}",
            hint="give the file's path inside `.lightly`",
        ) from None


def _fingerprint(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
