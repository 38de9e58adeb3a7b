"""The codes of problems with metadata and relevant-filenames files."""

from __future__ import annotations

from tamis.model.problem_codes import Drops, ProblemCode, Severity

_E, _W = Severity.ERROR, Severity.WARNING
_NOTHING, _FILE, _SAMPLE, _VALUE = Drops.NOTHING, Drops.FILE, Drops.SAMPLE, Drops.VALUE

METADATA_CODES: tuple[ProblemCode, ...] = (
    ProblemCode(
        "metadata-schema-missing",
        _W,
        _NOTHING,
        "There are metadata files, but no `metadata/schema.json`: none of them is read",
        'Write `.lightly/metadata/schema.json`, a list of the fields to read: `[{"name": "Scene", "path": "scene", '
        '"defaultValue": null, "valueDataType": "CATEGORICAL_STRING"}]`',
        ".lightly/metadata/a.json without .lightly/metadata/schema.json",
    ),
    ProblemCode(
        "metadata-schema",
        _E,
        _VALUE,
        "The metadata schema, or an entry of it, does not have the form of one",
        "Write a list of `{name, path, defaultValue, valueDataType}`, all keys with text that is not empty",
        '[{"path": "scene", "defaultValue": null, "valueDataType": "CATEGORICAL_STRING"}]',
    ),
    ProblemCode(
        "metadata-schema-type",
        _E,
        _VALUE,
        "A metadata field has a type that is not known",
        "Use `NUMERIC_*` for what can be compared, `CATEGORICAL_*` for what can be counted, else `OTHER_STRING`",
        '[{"name": "Scene", "path": "scene", "defaultValue": null, "valueDataType": "STRING"}]',
    ),
    ProblemCode(
        "metadata-path",
        _E,
        _VALUE,
        "The path of a metadata field cannot be followed",
        "Join keys with dots and put list indices in brackets; start within `metadata`: `weather.description`",
        '[{"name": "Scene", "path": "scene..kind", "defaultValue": "", "valueDataType": "OTHER_STRING"}]',
    ),
    ProblemCode(
        "metadata-duplicate-name",
        _E,
        _VALUE,
        "Two metadata fields have one name; the first is used",
        "Give each field a name of its own, as selections and filters ask for fields by name",
        "two entries with the name `Scene`",
    ),
    ProblemCode(
        "metadata-default",
        _E,
        _VALUE,
        "The default of a metadata field is missing or of another type than the field; null is used",
        "Write a value of the field's type, or null for: unknown where the sample's own file says nothing",
        '[{"name": "Speed", "path": "v", "defaultValue": "0", "valueDataType": "NUMERIC_INT"}]',
    ),
    ProblemCode(
        "metadata-file",
        _E,
        _FILE,
        "A metadata file does not have the form of one; all its values are null",
        "Write an object with `file_name`, `type` and the object `metadata`",
        '{"file_name": "a.jpg", "type": "image", "metadata": [1, 2]}',
    ),
    ProblemCode(
        "metadata-file-name",
        _W,
        _NOTHING,
        "The `file_name` of a metadata file is no text, or names another sample; the file's own path decides",
        "Write the sample's full path from the root of the datasource, and store the file under the same path with "
        "`.json` for the extension",
        'day/a.json with {"file_name": "a.jpg", "type": "image", "metadata": {}}',
    ),
    ProblemCode(
        "metadata-sample-type",
        _W,
        _NOTHING,
        "The `type` of a metadata file is not known, or not that of its sample",
        "Write `image`, `video` or `frame`; the sample that the file lies beside decides",
        '{"file_name": "a.jpg", "type": "picture", "metadata": {}}',
    ),
    ProblemCode(
        "metadata-type",
        _E,
        _VALUE,
        "A value is not of the type that the metadata schema names; null is used",
        "Change the value, or the field's `valueDataType`, or leave the key away to get the default",
        '{"file_name": "a.jpg", "type": "image", "metadata": {"temperature": "warm"}}',
    ),
)

RELEVANT_CODES: tuple[ProblemCode, ...] = (
    ProblemCode(
        "relevant-path",
        _E,
        _SAMPLE,
        "A line of the relevant-filenames file is no path below the input datasource",
        "write one path a line, relative to the root of the input datasource: `folder/image.jpg`",
        "/data/image.jpg",
    ),
    ProblemCode(
        "relevant-pattern",
        _E,
        _SAMPLE,
        "A pattern in the relevant-filenames file cannot be read",
        "after the prefix write patterns as in a `.gitignore`, blanks between them, `!` right before one",
        "folder/* !",
    ),
    ProblemCode(
        "relevant-missing",
        _W,
        _NOTHING,
        "A line of the relevant-filenames file names no sample",
        "check the spelling and the upper and lower case; to name a whole folder write `folder/*`",
        "folder/no_such_image.jpg",
    ),
)
