"""`.lightly/metadata/schema.json`: a list of `{"name", "path", "defaultValue", "valueDataType"}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tamis.formats.json_nodes import Kind
from tamis.formats.json_source import Source, parse
from tamis.formats.metadata_fields import EXPECTED, PATH, MetadataField, MetadataType, Value, fits, typed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tamis.formats.json_nodes import Node
    from tamis.model import Problem


def decode_metadata_schema(data: bytes, *, file: str) -> tuple[tuple[MetadataField, ...], list[Problem]]:
    """Read the metadata schema; an entry that cannot be used is left out, with its problem.

    Args:
        data: content of `schema.json`.
        file: its key, for the problems.
    """
    source = parse(data, file=file)
    problems = [*source.problems, *source.duplicates]
    if source.root is None or not source.is_readable:
        return (), problems
    if source.root.kind is not Kind.LIST:
        message = f"expected a list of metadata fields, got {source.root.shown}"
        return (), [*problems, source.problem(source.root, "metadata-schema", message)]
    fields: dict[str, MetadataField] = {}
    for entry in source.root.items:
        field = _read_field(source, entry, problems)
        if field is None:
            continue
        if field.name in fields:
            message = f"expected a name of its own for each field, got {entry.members['name'].shown} again"
            problems.append(source.problem(entry.members["name"], "metadata-duplicate-name", message))
        else:
            fields[field.name] = field
    return tuple(fields.values()), problems


def encode_metadata_schema(fields: Iterable[MetadataField]) -> bytes:
    """Write a metadata schema: the inverse of `decode_metadata_schema`."""
    entries = [
        {
            "name": field.name,
            "path": field.path,
            "defaultValue": field.default,
            "valueDataType": field.type.value,
        }
        for field in fields
    ]
    return msgspec.json.format(msgspec.json.encode(entries), indent=2)


def _read_field(source: Source, entry: Node, problems: list[Problem]) -> MetadataField | None:
    """Return the field of an entry, or `None` where it cannot be used; its problems are added."""
    if entry.kind is not Kind.OBJECT:
        message = f"expected an object with a metadata field, got {entry.shown}"
        problems.append(source.problem(entry, "metadata-schema", message))
        return None
    texts = {key: _text(source, entry, key, problems) for key in ("name", "path", "valueDataType")}
    name, path, type_name = texts.values()
    usable = True
    if path is not None and not PATH.fullmatch(path):
        message = f"expected a path like `weather.temperature` or `objects[0]`, got {_at(entry, 'path').shown}"
        problems.append(source.problem(_at(entry, "path"), "metadata-path", message))
        usable = False
    if type_name is not None and type_name not in list(MetadataType):
        message = f"expected one of {', '.join(MetadataType)}, got {_at(entry, 'valueDataType').shown}"
        problems.append(source.problem(_at(entry, "valueDataType"), "metadata-schema-type", message))
        usable = False
    if name is None or path is None or type_name is None or not usable:
        return None
    kind = MetadataType(type_name)
    return MetadataField(name, path, _default(source, entry, kind, problems), kind)


def _text(source: Source, entry: Node, key: str, problems: list[Problem]) -> str | None:
    node = entry.members.get(key)
    if node is None:
        message = f"expected the key `{key}`, got none"
        problems.append(source.problem(entry, "metadata-schema", message))
    elif node.kind is Kind.STRING and node.value:
        return str(node.value)
    elif node.kind is not Kind.BAD:
        message = f"expected a string that is not empty for `{key}`, got {node.shown}"
        problems.append(source.problem(node, "metadata-schema", message))
    return None


def _default(source: Source, entry: Node, kind: MetadataType, problems: list[Problem]) -> Value:
    node = entry.members.get("defaultValue")
    if node is None:
        message = f"expected the key `defaultValue` with {EXPECTED[kind]} or null, got none"
        problems.append(source.problem(entry, "metadata-default", message))
        return None
    value = node.plain()
    if fits(kind, value):
        return typed(kind, value)
    message = f"expected {EXPECTED[kind]} or null as `defaultValue`, got {node.shown}"
    problems.append(source.problem(node, "metadata-default", message))
    return None


def _at(entry: Node, key: str) -> Node:
    return entry.members[key]
