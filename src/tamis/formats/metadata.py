"""Metadata of samples: one file a sample, `{"file_name", "type": "image" | "video" | "frame", "metadata": {}}`.

What the schema's fields say about a sample:

- Nothing at the path, or no file at all: the default.
- `null` there, or on the way: null, which is "unknown".
- A value of another type than the schema's, or a file that cannot be read: a problem, and null. It is not the
  default, as something was said about that sample.
- An integer may be written `3.0`, and a number `3`. Integers have at most 64 bits. A datetime is text as ISO
  8601 has it, a timestamp the integer seconds since 1970.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tamis.formats.json_nodes import spell_path
from tamis.formats.json_source import MAX_FILE_BYTES, Source, parse
from tamis.formats.metadata_fields import EXPECTED, MetadataField, Step, Value, fits, steps_of, typed
from tamis.model import SampleKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tamis.model import Problem

_MAX_WRITTEN_ITEMS = 10_000
_KINDS = {kind.value: kind for kind in SampleKind}
_CONTAINERS: dict[type, str] = {dict: "an object", list: "a list"}


class Metadata(NamedTuple):
    """What a metadata file says.

    Attributes:
        values: in the order of the schema's fields.
        file_name: key of the sample as written, `None` where absent or no text.
        kind: its `type`, `None` where absent or not known.
        problems: all that is wrong with the file.
    """

    values: tuple[Value, ...]
    file_name: str | None
    kind: SampleKind | None
    problems: list[Problem]


class _Finding(NamedTuple):
    """A fault of a file that parses: the code, where, and what was expected there."""

    code: str
    steps: tuple[Step, ...]
    expected: str


def decode_metadata(data: bytes, fields: Sequence[MetadataField], *, file: str, strict: bool = False) -> Metadata:
    """Read the metadata of one sample.

    Args:
        data: content of the file.
        fields: of the schema.
        file: its key, for the problems.
        strict: also look for keys that an object has twice, of which the last one counts.

    >>> from tamis.formats.metadata_fields import MetadataType
    >>> field = MetadataField("Temperature", "weather.temperature", 20.0, MetadataType.NUMERIC_FLOAT)
    >>> data = b'{"file_name": "a.png", "type": "image", "metadata": {"weather": {"temperature": 5}}}'
    >>> decode_metadata(data, [field], file="a.json")
    Metadata(values=(5.0,), file_name='a.png', kind=<SampleKind.IMAGE: 'image'>, problems=[])
    """
    if len(data) > MAX_FILE_BYTES:
        return _decode_damaged(data, fields, file, "it is too large", strict=strict)
    try:
        root = msgspec.json.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return _decode_damaged(data, fields, file, str(error), strict=strict)
    said, findings = _extract(root, fields)
    may_repeat = strict and data.count(b":") != _count_keys(root)
    if not findings and not may_repeat:
        return said
    source = parse(data, file=file)
    duplicates = source.duplicates if strict else []
    return said._replace(problems=[*source.problems, *duplicates, *_located(source, findings)])


def encode_metadata(
    values: Sequence[Value], fields: Sequence[MetadataField], *, file_name: str, kind: SampleKind
) -> bytes:
    """Write the metadata of one sample: the inverse of `decode_metadata`.

    Args:
        values: one a field; `None` is written as null.
        fields: of the schema.
        file_name: key of the sample.
        kind: what the sample is.

    Raises:
        ValueError: when a value is not of its field's type, or one field's path leads through another's.
    """
    metadata: dict[str, Any] = {}
    for value, field in zip(values, fields, strict=True):
        if not fits(field.type, value):
            raise ValueError(f"expected {EXPECTED[field.type]} for `{field.name}`, got {value!r}")
        _put(metadata, field, value)
    return msgspec.json.encode({"file_name": file_name, "type": kind.value, "metadata": metadata})


def _decode_damaged(
    data: bytes, fields: Sequence[MetadataField], file: str, refusal: str, *, strict: bool
) -> Metadata:
    """Read a file that the fast reader refuses: NaN among its values costs only those."""
    source = parse(data, file=file)
    duplicates = source.duplicates if strict else []
    if source.root is None or not source.is_readable:
        return Metadata((None,) * len(fields), None, None, [*source.problems, *duplicates])
    said, findings = _extract(source.root.plain(), fields)
    problems = [*source.problems, *duplicates, *_located(source, findings)]
    if not source.problems:  # the two readers differ: the file is read, and what the fast one said is kept
        problems.append(source.problem(source.root, "json-syntax", f"expected JSON, got: {refusal}"))
    return said._replace(problems=problems)


def _count_keys(value: object) -> int:
    """Count the keys of all objects in a JSON value."""
    if isinstance(value, dict):
        return len(value) + sum(map(_count_keys, value.values()))
    return sum(map(_count_keys, value)) if isinstance(value, list) else 0


def _located(source: Source, findings: Iterable[_Finding]) -> Iterable[Problem]:
    for code, steps, expected in findings:
        path = spell_path(steps)
        node = source.find(path)
        yield source.problem(path, code, f"expected {expected}, got {'none' if node is None else node.shown}")


def _extract(root: object, fields: Sequence[MetadataField]) -> tuple[Metadata, list[_Finding]]:
    """Return what a file says, still without problems, and what is wrong."""
    nulls = (None,) * len(fields)
    if not isinstance(root, dict):
        return Metadata(nulls, None, None, []), [_Finding("metadata-file", (), "an object with `metadata`")]
    findings = []
    name, kind, metadata = root.get("file_name"), root.get("type"), root.get("metadata")
    if name is not None and not isinstance(name, str):
        findings.append(_Finding("metadata-file-name", ("file_name",), "a string"))
        name = None
    known = _KINDS.get(kind) if isinstance(kind, str) else None
    if kind is not None and known is None:
        expected = "`image`, `video` or `frame` as `type`"
        findings.append(_Finding("metadata-sample-type", ("type",), expected))
    if not isinstance(metadata, dict):
        findings.append(_Finding("metadata-file", ("metadata",), "an object as `metadata`"))
        return Metadata(nulls, name, known, []), findings
    values = tuple(_look_up(metadata, field, findings) for field in fields)
    return Metadata(values, name, known, []), findings


def _look_up(metadata: dict[str, Any], field: MetadataField, findings: list[_Finding]) -> Value:
    """Return the value of a field: typed, the default or null."""
    value: Any = metadata
    steps = steps_of(field.path)
    for i, step in enumerate(steps):
        if value is None:
            return None
        container: Any = dict if isinstance(step, str) else list
        if not isinstance(value, container):
            expected = f"{_CONTAINERS[container]} on the way to `{field.name}`"
            findings.append(_Finding("metadata-type", ("metadata", *steps[:i]), expected))
            return None
        if step not in (value if isinstance(step, str) else range(len(value))):
            return field.default
        value = value[step]
    if fits(field.type, value):
        return typed(field.type, value)
    expected = f"{EXPECTED[field.type]} for `{field.name}`"
    findings.append(_Finding("metadata-type", ("metadata", *steps), expected))
    return None


def _put(metadata: dict[str, Any], field: MetadataField, value: Value) -> None:
    """Set the value at a field's path, with the objects and lists on the way to it."""
    steps = steps_of(field.path)
    leaf = msgspec.Raw(msgspec.json.encode(value))  # so that `None` means: nothing written there yet
    here: Any = metadata
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        container: Any = dict if isinstance(step, str) else list
        if not isinstance(here, container):
            raise ValueError(f"the path `{field.path}` leads through another field's value")  # noqa: TRY004 (as documented)
        there = _at(here, step)
        if following is not None:
            if there is None:
                there = here[step] = {} if isinstance(following, str) else []
            here = there
        elif there is not None and (isinstance(there, dict | list) or bytes(there) != bytes(leaf)):
            raise ValueError(f"the path `{field.path}` leads to another field's value")
        else:
            here[step] = leaf


def _at(container: Any, step: Step) -> Any:  # noqa: ANN401 (JSON values)
    """Return what is at a step, null where there is nothing yet; a list grows to hold it."""
    if isinstance(step, str):
        return container.get(step)
    if step >= _MAX_WRITTEN_ITEMS:
        raise ValueError(f"the path asks for a list of {step + 1} items, {_MAX_WRITTEN_ITEMS} are written")
    container.extend([None] * (step + 1 - len(container)))
    return container[step]
