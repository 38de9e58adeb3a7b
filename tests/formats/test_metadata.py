from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies_metadata import VALUES, metadata_fields
from tamis.formats.metadata import _decode_damaged, decode_metadata, encode_metadata
from tamis.formats.metadata_fields import MetadataField, MetadataType, Value
from tamis.formats.metadata_schema import decode_metadata_schema, encode_metadata_schema
from tamis.model import CODES, Problem, SampleKind

FILE = ".lightly/metadata/a.json"
SCENE = MetadataField("Scene", "scene", "undefined", MetadataType.CATEGORICAL_STRING)
TEMPERATURE = MetadataField("Temperature", "weather.temperature", 20.0, MetadataType.NUMERIC_FLOAT)
VEHICLE = MetadataField("Vehicle", "vehicles[1].id", 0, MetadataType.CATEGORICAL_INT)
FIELDS = (SCENE, TEMPERATURE, VEHICLE)


def lines(problems: list[Problem]) -> list[tuple[Any, ...]]:
    return [(p.code, p.path, p.line, p.column, p.message) for p in problems]


def read(metadata: object, *fields: MetadataField) -> tuple[tuple[Value, ...], list[tuple[Any, ...]]]:
    data = json.dumps({"file_name": "a.png", "type": "image", "metadata": metadata}).encode()
    values, name, _, problems = decode_metadata(data, fields, file=FILE)
    assert name == "a.png"
    return values, lines(problems)


def one(kind: MetadataType, value: object) -> tuple[Value, list[str]]:
    values, problems = read({"a": value}, MetadataField("A", "a", None, kind))
    return values[0], [problem[4] for problem in problems]


@given(metadata_fields())
def test_schemas_come_back(fields: tuple[MetadataField, ...]) -> None:
    """A schema that is written and read is the same."""
    assert decode_metadata_schema(encode_metadata_schema(fields), file=FILE) == (fields, [])


@given(st.data())
def test_metadata_come_back(data: st.DataObject) -> None:
    """Values that are written and read are the same, unless writing refuses as paths cross."""
    fields = data.draw(metadata_fields())
    values = tuple(data.draw(st.none() | VALUES[field.type]) for field in fields)
    kind = data.draw(st.sampled_from(SampleKind))
    try:
        written = encode_metadata(values, fields, file_name="a/b.png", kind=kind)
    except ValueError as error:
        paths_cross = "another field" in str(error)
        assert paths_cross
        assert len(fields) > 1
        return
    assert decode_metadata(written, fields, file=FILE) == (values, "a/b.png", kind, [])


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    SCALARS | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
PATHS = st.sampled_from(["a", "b", "a.b", "a[0]", "a[1].b", "c.a.b", "b[0][1]"])
ANY_FIELDS = st.lists(
    st.builds(MetadataField, st.just("F"), PATHS, st.none(), st.sampled_from(MetadataType)), max_size=4
)


@given(JSON | st.fixed_dictionaries({"metadata": JSON}), ANY_FIELDS)
def test_fast_and_slow_reading_agree(content: object, fields: list[MetadataField]) -> None:
    """The tolerant reader, made to read what the fast one can, gives the same values and problems."""
    data = json.dumps(content).encode()
    fast = decode_metadata(data, fields, file=FILE)
    slow = _decode_damaged(data, fields, FILE, "", strict=False)
    assert slow[:3] == fast[:3]
    assert [p for p in slow.problems if p.code != "json-syntax"] == fast.problems


@given(st.binary(max_size=60), st.integers(0, 200), st.integers(0, 255))
def test_any_bytes_are_read(tail: bytes, at: int, byte: int) -> None:
    """Broken files raise nothing; where a file cannot be read its values are null and problems say why."""
    good = bytearray(b'{"file_name": "a.png", "type": "image", "metadata": {"scene": "x", "weather": {}}}')
    good[at % len(good)] = byte
    for data in (bytes(good), bytes(good) + tail, tail):
        values, *_, problems = decode_metadata(data, FIELDS, file=FILE)
        assert len(values) == len(FIELDS)
        if any(CODES[problem.code].drops == "file" for problem in problems):
            assert values == (None, None, None)
        fields, problems = decode_metadata_schema(data, file=FILE)
        assert problems or not fields


@given(st.data())
def test_keys_given_twice_are_found_if_asked_for(data: st.DataObject) -> None:
    """Read strictly, each repeated key is one problem more, at its place; the values are the same."""
    keys = st.sampled_from(["scene", "a:b", "c"])
    # Objects as lists of pairs, so that a key can stand there twice.
    pairs = st.recursive(
        st.just(1), lambda inner: st.lists(st.tuples(keys, inner), max_size=4).map(tuple), max_leaves=9
    )
    value = data.draw(st.lists(st.tuples(keys, pairs), max_size=4).map(tuple))

    def text(value: Any) -> str:
        if not isinstance(value, tuple):
            return json.dumps(value)
        return "{" + ", ".join(f"{json.dumps(key)}: {text(inner)}" for key, inner in value) + "}"

    def repeated(value: Any) -> int:
        if not isinstance(value, tuple):
            return 0
        return len(value) - len(dict(value)) + sum(repeated(inner) for _, inner in value)

    for tail in ("", ', "nan": NaN'):
        content = f'{{"metadata": {text(value)}{tail}}}'.encode()
        values, name, _, problems = decode_metadata(content, FIELDS, file=FILE)
        strict_values, strict_name, _, strict_problems = decode_metadata(content, FIELDS, file=FILE, strict=True)
        assert (strict_values, strict_name) == (values, name)
        assert [p for p in strict_problems if p.code != "json-duplicate-key"] == problems
        assert len(strict_problems) - len(problems) == repeated(value)
        assert all(p.line == 1 and p.path for p in strict_problems if p.code == "json-duplicate-key")


def test_a_key_given_twice_in_the_schema_is_found() -> None:
    """The schema is read once, so that this is always looked for; the last one counts."""
    schema = '[{"name": "A", "name": "B", "path": "a", "defaultValue": null, "valueDataType": "NUMERIC_INT"}]'
    fields, problems = decode_metadata_schema(schema.encode(), file="schema.json")
    assert [field.name for field in fields] == ["B"]
    assert [(p.code, p.path, p.column) for p in problems] == [("json-duplicate-key", "$[0].name", 24)]


def test_the_documented_example() -> None:
    """Values are found by their paths, whatever else the file holds."""
    metadata = {"scene": "street", "weather": {"temperature": 23, "sun": True}, "vehicles": [{}, {"id": 321.0}]}
    values, problems = read(metadata, *FIELDS)
    assert (values, problems) == (("street", 23.0, 321), [])
    assert [type(value) for value in values] == [str, float, int]


@pytest.mark.parametrize(
    "metadata",
    [{}, {"weather": {}, "vehicles": []}, {"vehicles": [{"id": 1}]}, {"vehicles": [0, {}]}],
)
def test_absent_is_the_default(metadata: dict[str, Any]) -> None:
    """Nothing at a path, at any step of it, is the default."""
    assert read(metadata, *FIELDS) == (("undefined", 20.0, 0), [])


@pytest.mark.parametrize(
    "metadata",
    [
        {"scene": None, "weather": None, "vehicles": None},
        {"scene": None, "weather": {"temperature": None}, "vehicles": [1, None]},
        {"scene": None, "weather": {"temperature": None}, "vehicles": [1, {"id": None}]},
    ],
)
def test_null_is_unknown(metadata: dict[str, Any]) -> None:
    """A null at a path, or on the way, is null and no fault."""
    assert read(metadata, *FIELDS) == ((None, None, None), [])


def test_wrong_types_are_problems_with_places() -> None:
    """Values that do not fit are null, each with the place and the type that was expected."""
    metadata = {"scene": 5, "weather": [1], "vehicles": [0, {"id": "x"}]}
    values, problems = read(metadata, *FIELDS)
    assert values == (None, None, None)
    weather = "expected an object on the way to `Temperature`, got a list of 1"
    vehicle = 'expected a 64-bit integer for `Vehicle`, got the string `"x"`'
    assert problems == [
        ("metadata-type", "$.metadata.scene", 1, 63, "expected a string for `Scene`, got `5`"),
        ("metadata-type", "$.metadata.weather", 1, 77, weather),
        ("metadata-type", "$.metadata.vehicles[1].id", 1, 105, vehicle),
    ]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (MetadataType.NUMERIC_INT, 2**63 - 1, 2**63 - 1),
        (MetadataType.NUMERIC_INT, -3.0, -3),
        (MetadataType.NUMERIC_FLOAT, 7, 7.0),
        (MetadataType.NUMERIC_FLOAT, 1e308, 1e308),
        (MetadataType.CATEGORICAL_BOOLEAN, False, False),
        (MetadataType.CATEGORICAL_DATETIME, "2026-11-23T10:00:00.000Z", "2026-11-23T10:00:00.000Z"),
        (MetadataType.CATEGORICAL_DATETIME, "2026-11-23", "2026-11-23"),
        (MetadataType.CATEGORICAL_TIMESTAMP, 1_700_000_000, 1_700_000_000),
        (MetadataType.OTHER_STRING, "", ""),
    ],
)
def test_values_that_fit(kind: MetadataType, value: object, expected: object) -> None:
    """What each type takes, and as what."""
    result, problems = one(kind, value)
    assert (result, type(result), problems) == (expected, type(expected), [])


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (MetadataType.NUMERIC_INT, True, "expected a 64-bit integer for `A`, got `true`"),
        (MetadataType.NUMERIC_INT, 2.5, "expected a 64-bit integer for `A`, got `2.5`"),
        (MetadataType.NUMERIC_INT, 2**63, "expected a 64-bit integer for `A`, got `9223372036854775808`"),
        (MetadataType.NUMERIC_INT, 1e300, "expected a 64-bit integer for `A`, got `1e+300`"),
        (MetadataType.NUMERIC_FLOAT, "5", 'expected a number for `A`, got the string `"5"`'),
        (MetadataType.NUMERIC_FLOAT, False, "expected a number for `A`, got `false`"),
        (MetadataType.CATEGORICAL_STRING, ["a"], "expected a string for `A`, got a list of 1"),
        (MetadataType.CATEGORICAL_BOOLEAN, 1, "expected `true` or `false` for `A`, got `1`"),
        (
            MetadataType.CATEGORICAL_DATETIME,
            "yesterday",
            'expected a date and time like `2026-11-23T09:30:00Z` for `A`, got the string `"yesterday"`',
        ),
        (MetadataType.CATEGORICAL_TIMESTAMP, 1.5, "expected integer seconds since 1970 for `A`, got `1.5`"),
        (MetadataType.OTHER_STRING, {}, "expected a string for `A`, got an object"),
    ],
)
def test_values_that_do_not_fit(kind: MetadataType, value: object, message: str) -> None:
    """What each type refuses, and how it says so."""
    assert one(kind, value) == (None, [message])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[1]", ("metadata-file", "$", 1, 1, "expected an object with `metadata`, got a list of 1")),
        ("{}", ("metadata-file", "$.metadata", None, None, "expected an object as `metadata`, got none")),
        (
            '{\n "metadata": 5}',
            ("metadata-file", "$.metadata", 2, 14, "expected an object as `metadata`, got `5`"),
        ),
    ],
)
def test_files_without_metadata(content: str, problem: tuple[Any, ...]) -> None:
    """A file without the object `metadata` says nothing that could be used: null, not the default."""
    values, *_, problems = decode_metadata(content.encode(), FIELDS, file=FILE)
    assert values == (None, None, None)
    assert lines(problems) == [problem]
    assert problems[0].file == FILE


def test_names_and_types_that_are_none() -> None:
    """A `file_name` or `type` that makes no sense is a warning; the values hold."""
    data = b'{"file_name": 7, "type": "picture", "metadata": {"scene": "x"}}'
    values, name, _, problems = decode_metadata(data, [SCENE], file=FILE)
    assert (values, name) == (("x",), None)
    assert lines(problems) == [
        ("metadata-file-name", "$.file_name", 1, 15, "expected a string, got `7`"),
        (
            "metadata-sample-type",
            "$.type",
            1,
            26,
            'expected `image`, `video` or `frame` as `type`, got the string `"picture"`',
        ),
    ]


def test_numbers_that_are_not_finite_cost_themselves_only() -> None:
    """NaN among the values makes that value null, and is reported once, by the reader of JSON."""
    data = b'{"metadata": {"scene": "x", "weather": {"temperature": NaN}}}'
    values, *_, problems = decode_metadata(data, FIELDS, file=FILE)
    assert values == ("x", None, 0)
    assert [(p.code, p.path) for p in problems] == [("number-not-finite", "$.metadata.weather.temperature")]


def test_broken_files_are_unknown() -> None:
    """A file that is no JSON is null everywhere, with the reader's own problem."""
    values, name, _, problems = decode_metadata(b'{"metadata": {"scene": "x"', FIELDS, file=FILE)
    assert (values, name) == ((None, None, None), None)
    assert [p.code for p in problems] == ["json-truncated"]


SCHEMA = [
    {"name": "A", "path": "a", "defaultValue": 1, "valueDataType": "NUMERIC_INT"},
    5,
    {"name": "", "path": "b", "defaultValue": 1},
    {"name": "C", "path": "c..d", "defaultValue": 1, "valueDataType": "STRING"},
    {"name": "A", "path": "e", "defaultValue": 1, "valueDataType": "NUMERIC_INT"},
    {"name": "F", "path": "f", "defaultValue": "x", "valueDataType": "NUMERIC_INT"},
    {"name": "G", "path": "g[0][1].h", "valueDataType": "CATEGORICAL_STRING"},
]


def test_schema_entries_that_cannot_be_used() -> None:
    """Each entry of a schema stands alone: bad ones are left out, or lose their default, and all are told."""
    fields, problems = decode_metadata_schema(json.dumps(SCHEMA, indent=1).encode(), file=FILE)
    assert fields == (
        MetadataField("A", "a", 1, MetadataType.NUMERIC_INT),
        MetadataField("F", "f", None, MetadataType.NUMERIC_INT),
        MetadataField("G", "g[0][1].h", None, MetadataType.CATEGORICAL_STRING),
    )
    types = ", ".join(MetadataType)
    assert [(code, path, message) for code, path, _, _, message in lines(problems)] == [
        ("metadata-schema", "$[1]", "expected an object with a metadata field, got `5`"),
        ("metadata-schema", "$[2].name", 'expected a string that is not empty for `name`, got the string `""`'),
        ("metadata-schema", "$[2]", "expected the key `valueDataType`, got none"),
        (
            "metadata-path",
            "$[3].path",
            'expected a path like `weather.temperature` or `objects[0]`, got the string `"c..d"`',
        ),
        ("metadata-schema-type", "$[3].valueDataType", f'expected one of {types}, got the string `"STRING"`'),
        (
            "metadata-duplicate-name",
            "$[4].name",
            'expected a name of its own for each field, got the string `"A"` again',
        ),
        (
            "metadata-default",
            "$[5].defaultValue",
            'expected a 64-bit integer or null as `defaultValue`, got the string `"x"`',
        ),
        ("metadata-default", "$[6]", "expected the key `defaultValue` with a string or null, got none"),
    ]
    assert all(problem.line is not None and problem.column is not None for problem in problems)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{}", ("metadata-schema", "$", 1, 1, "expected a list of metadata fields, got an object")),
        ('[{"name": NaN, "path": "a", "defaultValue": 1, "valueDataType": "NUMERIC_INT"}]', None),
    ],
)
def test_schemas_that_are_none(content: str, problem: tuple[Any, ...] | None) -> None:
    """A schema that is no list has no fields; a number that is none is told once."""
    fields, problems = decode_metadata_schema(content.encode(), file=FILE)
    assert fields == ()
    assert len(problems) == 1
    assert problem is None or lines(problems) == [problem]


@pytest.mark.parametrize("path", ["", ".", "a.", "[0]", "a[x]", "a[0", "a]", "a[-1]", "a[0]b", ".a", "a..b"])
def test_paths_that_cannot_be_followed(path: str) -> None:
    """What is no path of keys and indices is refused."""
    entry = {"name": "A", "path": path, "defaultValue": None, "valueDataType": "OTHER_STRING"}
    fields, problems = decode_metadata_schema(json.dumps([entry]).encode(), file=FILE)
    assert fields == ()
    assert [problem.code for problem in problems] == ["metadata-path" if path else "metadata-schema"]


@pytest.mark.parametrize(
    ("paths", "values"),
    [
        (["a", "a.b"], [1, 2]),
        (["a.b", "a"], [1, 2]),
        (["a", "a.b"], [None, 2]),
        (["a", "a"], [1, 2]),
        (["a", "a"], [None, 2]),
        (["a[0]", "a.b"], [1, 2]),
        (["a[99999]", "b"], [1, 2]),
        (["a", "b"], [1, "x"]),
        (["a", "b"], [1, True]),
    ],
)
def test_what_cannot_be_written(paths: list[str], values: list[Value]) -> None:
    """Writing refuses what would not come back, instead of writing something else."""
    fields = [
        MetadataField(name, path, None, MetadataType.NUMERIC_INT) for name, path in zip("XY", paths, strict=True)
    ]
    with pytest.raises(ValueError, match=r"path|expected a 64-bit integer for `Y`"):
        encode_metadata(values, fields, file_name="a.png", kind=SampleKind.IMAGE)


def test_codes_are_documented() -> None:
    """Every code that is used here is in the table of codes."""
    assert CODES.keys() >= {
        "metadata-schema",
        "metadata-schema-type",
        "metadata-path",
        "metadata-duplicate-name",
        "metadata-default",
        "metadata-file",
        "metadata-file-name",
        "metadata-sample-type",
        "metadata-type",
    }
