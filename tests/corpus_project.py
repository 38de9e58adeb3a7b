"""Cases of tasks, schemas, names, videos, metadata and relevant filenames that are wrong."""

from __future__ import annotations

import json

from corpus_cases import METADATA, PREDICTIONS, TASKS, Case, file_of, image, prediction, schema, video
from tamis.api.options import ScanOptions

_TASKS_KEY = f"{PREDICTIONS}/tasks.json"
_SCHEMA_KEY = f"{PREDICTIONS}/cars/schema.json"
_LISTED = list(TASKS)


def _tasks(name: str, data: str | bytes, *codes: str, touched: tuple[str, ...] = TASKS) -> Case:
    content = data if isinstance(data, bytes) else data.encode()
    return Case(name=name, files={_TASKS_KEY: content}, codes=codes, touched=touched)


def _listed(name: str, extra: object, *codes: str) -> Case:
    return _tasks(name, json.dumps([*_LISTED, extra]), *codes, touched=())


TASK_LISTS = (
    Case(name="no tasks.json", removed=(_TASKS_KEY,), codes=("tasks-missing",), touched=TASKS),
    Case(name="no .lightly", removed=(".lightly",), codes=("tasks-missing",), touched=TASKS),
    Case(name="tasks.json a folder", folders=(_TASKS_KEY,), codes=("file-unreadable",), touched=TASKS),
    Case(name="tasks.json a named pipe", pipes=(_TASKS_KEY,), codes=("file-unreadable",), touched=TASKS),
    Case(
        name="tasks.json a symlink to itself",
        links={_TASKS_KEY: "tasks.json"},
        codes=("file-unreadable",),
        touched=TASKS,
    ),
    _tasks("tasks.json empty", b"", "json-empty"),
    _tasks("tasks.json an empty list", "[]", "tasks-empty"),
    _tasks("tasks.json an object", '{"tasks": ["cars"]}', "tasks-type"),
    _tasks("tasks.json a string", '"cars"', "tasks-type"),
    _tasks("tasks.json null", "null", "tasks-type"),
    _tasks("tasks.json cut", '["cars", "wea', "json-truncated"),
    _tasks("tasks.json with a byte order mark", b'\xef\xbb\xbf["cars"]', "json-bom"),
    _tasks("tasks.json in UTF-16", '["cars"]'.encode("utf-16"), "json-encoding"),
    _tasks("tasks.json with a comma at the end", '["cars",\n]', "json-trailing-comma"),
    _tasks("tasks.json of 10,000 brackets", "[" * 10_000, "json-depth", "tasks-type"),
    _listed("a task that is a number", 7, "tasks-type"),
    _listed("a task that is null", None, "tasks-type"),
    _listed("a task above the folder", "../other", "task-name"),
    _listed("a task at an absolute path", "/etc", "task-name"),
    _listed("a task with a backslash", "cars\\night", "task-name"),
    _listed("a task with a blank", "my cars", "task-name"),
    _listed("a task with an emoji", "cars🚗", "task-name"),
    _listed("a task without a name", "", "task-name"),
    _listed("a task with a NUL", "cars\0", "task-name"),
    _listed("a task that is a dot", ".", "task-name"),
    _listed("a task twice", "cars", "task-duplicate"),
    _listed("a task without a folder", "ships", "schema-missing"),
    Case(
        name="a task within a task",
        files={
            _TASKS_KEY: json.dumps([*_LISTED, "cars/night"]).encode(),
            f"{PREDICTIONS}/cars/night/schema.json": schema("cars").encode(),
            **{
                f"{PREDICTIONS}/cars/night/{key}.json": file_of(
                    prediction("cars"), prediction("cars", category_id="1")
                ).encode()
                for key in "abc"
            },
        },
        codes=("task-name-prefix",),
    ),
)


def _schema(name: str, data: str | bytes, *codes: str) -> Case:
    content = data if isinstance(data, bytes) else data.encode()
    return Case(name=name, files={_SCHEMA_KEY: content}, codes=codes, touched=("cars",))


def _categories(name: str, categories: str, *codes: str, task_type: str = "object-detection") -> Case:
    return _schema(name, f'{{"task_type": "{task_type}",\n "categories": {categories}}}', *codes)


_BOTH = '[{"id": 0, "name": "car"}, {"id": 1, "name": "bus"}]'
SCHEMAS = (
    Case(name="no schema", removed=(_SCHEMA_KEY,), codes=("schema-missing",), touched=("cars",)),
    Case(name="schema a folder", folders=(_SCHEMA_KEY,), codes=("file-unreadable",), touched=("cars",)),
    Case(name="schema a named pipe", pipes=(_SCHEMA_KEY,), codes=("file-unreadable",), touched=("cars",)),
    _schema("schema empty", b"", "json-empty"),
    _schema("schema cut", schema("cars")[:40], "json-truncated"),
    _schema("schema with a byte order mark", b"\xef\xbb\xbf" + schema("cars").encode(), "json-bom"),
    _schema("schema a list", _BOTH, "schema-field"),
    _schema("schema an empty object", "{}", "schema-field", "task-type-unknown"),
    _schema(
        "schema of a day in 2022", schema("cars").replace("task_type", "task_description"), "task-type-unknown"
    ),
    _categories("task type detection", _BOTH, "task-type-unknown", task_type="detection"),
    _categories("task type OBJECT_DETECTION", _BOTH, "task-type-unknown", task_type="OBJECT_DETECTION"),
    _schema("task type a number", f'{{"task_type": 1, "categories": {_BOTH}}}', "task-type-unknown"),
    _schema("no categories", '{"task_type": "object-detection"}', "schema-field"),
    _categories("categories an object", '{"0": "car", "1": "bus"}', "schema-field"),
    _categories("categories of names", '["car", "bus"]', "schema-field", "schema-field"),
    _categories("categories empty", "[]", "task-empty-categories"),
    _categories("an id twice", _BOTH.replace("1", "0"), "category-duplicate-id"),
    _categories("an id below 0", _BOTH.replace("1", "-1"), "category-id-negative"),
    _categories("an id that is a string", _BOTH.replace("1", '"1"'), "schema-field"),
    _categories("an id that is true", _BOTH.replace("1", "true"), "schema-field"),
    _categories("an id of 1.5", _BOTH.replace("1", "1.5"), "schema-field"),
    _categories("an id that is NaN", _BOTH.replace("1", "NaN"), "number-not-finite"),
    _categories("an id of 5,000 digits", _BOTH.replace("1", "1" * 5_000), "schema-field"),
    _categories("no id", '[{"name": "car"}]', "schema-field"),
    _categories("no name", '[{"id": 0}]', "schema-field"),
    _categories("an empty name", _BOTH.replace("bus", ""), "category-name-empty"),
    _categories("a name that is a number", _BOTH.replace('"bus"', "7"), "schema-field"),
    _categories("a name twice", _BOTH.replace("bus", "car"), "category-duplicate-name"),
    Case(
        name="a skeleton outside of its keypoints",
        files={
            f"{PREDICTIONS}/poses/schema.json": schema("poses")
            .replace('"car"', '"car", "keypoint_skeleton": [[-1, 2]]')
            .encode()
        },
        tasks=("poses",),
        codes=("keypoint-skeleton",),
    ),
)

_ORPHANS = {
    "nested": "day/night/x",
    "with a blank": "my cat",
    "with quotes": "qu\"o'te",
    "with a line break": "new\nline",
    "with an escape sequence": "red\x1b[31m",
    "in Czech": "kočka",
    "with an emoji": "cat 🐈",
    "that is a pattern": "*[?]",
    "that is an option": "--help",
}


def _orphan(what: str, stem: str) -> Case:
    """Return the case of a file that no sample has."""
    data = file_of(prediction("cars")).encode()
    return Case(
        name=f"a file without a sample {what}",
        files={f"{PREDICTIONS}/cars/{stem}.json": data},
        codes=("file-without-sample",),
    )


def _frames(name: str, stem: str, *codes: str, n_bytes: int | None = None, n_frames: int = 12) -> Case:
    """Return the case of a video (cut after `n_bytes`) and one prediction file of a frame."""
    files = {"day/clip.avi": video(n_frames)[:n_bytes]}
    if stem:
        files[f"{PREDICTIONS}/cars/day/{stem}.json"] = file_of(prediction("cars")).encode()
    return Case(name=name, files=files, codes=codes)


_NO_FILES = ("coverage",) * 2
NAMES = (
    *(_orphan(what, stem) for what, stem in _ORPHANS.items()),
    Case(
        name="a file name with a backslash",
        files={f"{PREDICTIONS}/cars/day\\x.json": b"{}"},
        codes=("path-skipped",),
    ),
    Case(
        name="a sample of any name",
        files={"new\nline 'č\" 🐈.png": image()},
        codes=_NO_FILES,
    ),
    Case(
        name="two samples with one file",
        files={"a.jpg": image()},
        codes=(*_NO_FILES, *("name-collision",) * 2),
        touched=tuple(f"{task}/a.png" for task in TASKS),
    ),
    Case(
        name="two samples with one file that says which",
        files={
            "a.jpg": image(),
            **{
                f"{PREDICTIONS}/{task}/a.json": file_of(prediction(task), prediction(task, category_id="1"))
                .replace("{", '{"file_name": "a.png", ', 1)
                .encode()
                for task in TASKS
            },
        },
        codes=(*_NO_FILES, *("name-taken",) * 2),
        touched=tuple(f"{task}/a.png" for task in TASKS),
    ),
    Case(
        name="a sample named schema",
        files={"schema.jpg": image()},
        codes=(*_NO_FILES, *("sample-named-schema",) * 2),
    ),
    Case(name="a sample that is no image", files={"b.png": b"text"}, codes=("image-size-unknown",)),
    Case(name="a sample that is empty", files={"b.png": b""}, codes=("image-size-unknown",)),
    Case(name="a sample that is a named pipe", pipes=("d.png",), codes=("path-skipped",)),
    Case(name="a sample that is a symlink to nothing", links={"d.png": "nowhere"}, codes=("path-skipped",)),
    Case(name="a folder that holds itself", links={"loop": "."}, codes=("path-skipped",)),
    Case(name="a folder named as an image", folders=("d.png",), codes=()),
    Case(
        name="no sample at all",
        removed=("a.png", "b.png", "c.png"),
        codes=(*("file-without-sample",) * 6, *("task-no-valid-file",) * 2),
        touched=TASKS,
    ),
    Case(
        name="no prediction at all",
        removed=tuple(f"{PREDICTIONS}/{task}/{key}.json" for task in TASKS for key in "abc"),
        codes=(*_NO_FILES, *("task-no-valid-file",) * 2),
        touched=TASKS,
    ),
    _frames("a frame with too few digits", "clip-3-avi", *_NO_FILES, "frame-padding"),
    _frames("a frame past the end", "clip-12-avi", *_NO_FILES, "frame-number"),
    _frames("a frame of no video", "film-03-avi", *_NO_FILES, "file-without-sample"),
    _frames("a video cut short", "clip-03-avi", *_NO_FILES, "video-truncated", n_bytes=8_100),
    _frames("a video that is none", "", "video-unreadable", n_bytes=40),
    _frames("a video that is empty", "", "video-unreadable", n_bytes=0),
)


def _metadata(name: str, *codes: str, fields: object = None, file: object = None, strict: bool = False) -> Case:
    """Return the case of a metadata schema, and of a file for `a.png`."""
    entry = {"name": "Speed", "path": "v", "defaultValue": 0, "valueDataType": "NUMERIC_INT"}
    values = {"file_name": "a.png", "type": "image", "metadata": {"v": 3}}
    return Case(
        name=f"metadata: {name}",
        files={
            f"{METADATA}/schema.json": _encoded([entry] if fields is None else fields),
            f"{METADATA}/a.json": _encoded(values if file is None else file),
        },
        codes=codes,
        options=ScanOptions(workers=1, strict=strict),
    )


def _encoded(value: object) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


_FIELD = {"name": "Speed", "path": "v", "defaultValue": 0, "valueDataType": "NUMERIC_INT"}
_TWICE = b'{"file_name": "a.png", "type": "image",\n "metadata": {"v": 3, "v": 4}}'
METADATA_CASES = (
    Case(
        name="metadata: no schema",
        files={f"{METADATA}/a.json": _encoded({"file_name": "a.png", "type": "image", "metadata": {"v": 3}})},
        codes=("metadata-schema-missing",),
    ),
    Case(
        name="metadata: no sample",
        files={
            f"{METADATA}/schema.json": _encoded([_FIELD]),
            f"{METADATA}/x.json": _encoded({"file_name": "x.png", "type": "image", "metadata": {"v": 3}}),
        },
        codes=("file-without-sample",),
    ),
    _metadata("nothing wrong"),
    _metadata("schema an object", "metadata-schema", fields=_FIELD),
    _metadata("schema cut", "json-truncated", fields=b'[{"name": "Speed'),
    _metadata("a field without a name", "metadata-schema", fields=[{**_FIELD, "name": ""}]),
    _metadata("a field of no type", "metadata-schema-type", fields=[{**_FIELD, "valueDataType": "INT"}]),
    _metadata("a field without a path", "metadata-path", fields=[{**_FIELD, "path": "a..b"}]),
    _metadata("a name twice", "metadata-duplicate-name", fields=[_FIELD, _FIELD]),
    _metadata("a default of another type", "metadata-default", fields=[{**_FIELD, "defaultValue": "0"}]),
    _metadata(
        "a default of 5,000 digits",
        "metadata-default",
        fields=b'[{"name": "S", "path": "v", "defaultValue": %s, "valueDataType": "NUMERIC_INT"}]' % (b"1" * 5_000),
    ),
    _metadata("a default of 2^70", "metadata-default", fields=[{**_FIELD, "defaultValue": 2**70}]),
    _metadata("file a list", "metadata-file", file=[]),
    _metadata("file empty", "json-empty", file=b""),
    _metadata("values a list", "metadata-file", file={"file_name": "a.png", "type": "image", "metadata": [1]}),
    _metadata(
        "file_name a number", "metadata-file-name", file={"file_name": 7, "type": "image", "metadata": {"v": 1}}
    ),
    _metadata(
        "type picture", "metadata-sample-type", file={"file_name": "a.png", "type": "picture", "metadata": {"v": 1}}
    ),
    _metadata(
        "a value of another type",
        "metadata-type",
        file={"file_name": "a.png", "type": "image", "metadata": {"v": "fast"}},
    ),
    _metadata(
        "a value of 2^70", "metadata-type", file={"file_name": "a.png", "type": "image", "metadata": {"v": 2**70}}
    ),
    _metadata(
        "a value that is NaN",
        "number-not-finite",
        file=b'{"file_name": "a.png", "type": "image", "metadata": {"v": NaN}}',
    ),
    _metadata(
        "a key of the schema twice",
        "json-duplicate-key",
        fields=b'[{"name": "S", "name": "T", "path": "v", "defaultValue": 0, "valueDataType": "NUMERIC_INT"}]',
    ),
    _metadata("a key twice", file=_TWICE),
    _metadata("a key twice, strictly", "json-duplicate-key", file=_TWICE, strict=True),
)


def _relevant(name: str, lines: bytes, *codes: str, touched: tuple[str, ...]) -> Case:
    return Case(
        name=f"relevant filenames: {name}",
        files={".lightly/relevant.txt": lines},
        codes=codes,
        touched=touched,
        options=ScanOptions(workers=1, relevant_filenames="relevant.txt"),
    )


_C = tuple(f"{task}/c.png" for task in TASKS)
RELEVANT = (
    _relevant("nothing wrong", b"a.png\nb.png\n", touched=_C),
    _relevant("an absolute path", b"a.png\nb.png\n/data/c.png\n", "relevant-path", touched=_C),
    _relevant("a path above", b"a.png\nb.png\n../c.png\n", "relevant-path", touched=_C),
    _relevant("a pattern of nothing", b"a.png\nb.png\nc* !\n", "relevant-pattern", touched=_C),
    _relevant("a typo", b"a.png\nb.png\nC.png\n", "relevant-missing", touched=_C),
    _relevant("Latin-1", b"a.png\nb.png\ncaf\xe9.png\n", "relevant-path", touched=_C),
    _relevant("empty", b"", *("task-no-valid-file",) * 2, touched=TASKS),
)
CASES = (*TASK_LISTS, *SCHEMAS, *NAMES, *METADATA_CASES, *RELEVANT)
