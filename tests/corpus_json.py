"""Cases of prediction files that are no JSON, or JSON of the wrong form."""

from __future__ import annotations

from corpus_cases import PREDICTIONS, Case, faulty, file_of, image, one, prediction

_GOOD = prediction("cars")
_FILE = file_of(_GOOD)
_DEEP = 10_000

ENCODING = (
    one("cars", "empty file", b"", "json-empty"),
    one("cars", "only blanks", b" \r\n\t ", "json-empty"),
    one("cars", "byte order mark", b"\xef\xbb\xbf" + _FILE.encode(), "json-bom"),
    one("cars", "UTF-16", _FILE.encode("utf-16"), "json-encoding"),
    one("cars", "Latin-1", b'{"file_name": "caf\xe9.png", "predictions": []}', "json-encoding"),
    one("cars", "Latin-1 in an unknown key", b'{"note": "caf\xe9", "predictions": []}', "json-encoding"),
    one("cars", "a picture", image(), "json-encoding", "json-syntax", "json-trailing-text"),
    one("cars", "compressed", b"\x1f\x8b\x08" + bytes(9), "json-encoding", "json-syntax", "json-trailing-text"),
    one("cars", "only NUL bytes", bytes(64), "json-syntax"),
)

_CUTS = {
    "after the first brace": "{",
    "in a key": '{"predic',
    "after a key": '{"predictions"',
    "after a colon": '{"predictions":',
    "after the list opens": '{"predictions": [',
    "in the second key": '{"predictions": [{"category_id": 0, "bb',
    "in a box": '{"predictions": [{"category_id": 0, "bbox": [1, 2,',
    "after a prediction": '{"predictions": [{"category_id": 0, "bbox": [1, 2, 3, 4], "score": 0.5}',
    "after a comma": '{"predictions": [{"category_id": 0, "bbox": [1, 2, 3, 4], "score": 0.5},\n',
    "after the list": '{"predictions": []\n',
    "in an escape": '{"file_name": "a\\u00',
}
TRUNCATED = (
    *(one("cars", f"cut {place}", text, "json-truncated") for place, text in _CUTS.items()),
    one("cars", "cut in a number", '{"predictions": [{"score": 0.', "json-number", "json-truncated"),
    one("cars", "cut in a literal", '{"predictions": tru', "json-syntax", "json-truncated"),
)

SYNTAX = (
    one("cars", "Python's quotes", "{'predictions': []}", "json-syntax"),
    one("cars", "Python's None", '{"file_name": None, "predictions": []}', "json-syntax"),
    one("cars", "no quotes around a key", "{predictions: []}", "json-syntax"),
    one("cars", "a comma at the end of the list", f'{{"predictions": [{_GOOD},]}}', "json-trailing-comma"),
    one("cars", "a comma at the end of an object", '{"predictions": [],}', "json-trailing-comma"),
    faulty("cars", "a comma at the end of a box", "json-trailing-comma", bbox="[1, 2, 3, 4,]"),
    one("cars", "a comma too few", f'{{"predictions": [{_GOOD} {_GOOD}]}}', "json-syntax"),
    one("cars", "a comma too many", f'{{"predictions": [{_GOOD},,{_GOOD}]}}', "json-syntax"),
    one("cars", "a colon too few", '{"predictions" []}', "json-syntax"),
    one("cars", "brackets crossed", '{"predictions": [}]', "json-syntax", "json-trailing-text"),
    one("cars", "two documents", '{"predictions": []}\n{"predictions": []}\n', "json-trailing-text"),
    one("cars", "a comment", '// mine\n{"predictions": []}', "json-syntax"),
    one(
        "cars",
        "a Windows path",
        r'{"file_name": "C:\images\a.png", "predictions": []}',
        "json-string",
        "json-string",
    ),
    one("cars", "half a surrogate pair", r'{"file_name": "\ud83d", "predictions": []}', "json-string"),
    one("cars", "a line break in a string", '{"file_name": "a\n.png", "predictions": []}', "json-string"),
    one(
        "cars",
        "two faults",
        "{'predictions': [\n{\"score\": .5}]}",
        "json-number",
        "json-syntax",
        "missing-field",
        "missing-field",
    ),
    one("cars", "10,000 open brackets", "[" * _DEEP, "json-depth", "wrong-type"),
    one("cars", "10,000 nested lists", f'{{"x": {"[" * _DEEP}{"]" * _DEEP}, "predictions": []}}', "json-depth"),
    one("cars", "10,000 nested objects", '{"a":' * _DEEP + "1" + "}" * _DEEP, "json-depth"),
    one("cars", "more than 8 MiB with a fault", b'{"predictions": [' + b" " * (8 << 20), "json-truncated"),
    one(
        "cars",
        "500,000 values and a fault",
        b'{"x": [' + b'"",' * 500_000 + b'""], "predictions": [1]}',
        "file-too-large",
    ),
    one("cars", "a key twice", f'{{"predictions": [], "predictions": [{_GOOD}]}}'),
    one(
        "cars",
        "a key twice, strictly",
        f'{{"predictions": [], "predictions": [{_GOOD}]}}',
        "json-duplicate-key",
        strict=True,
    ),
    one(
        "cars",
        "a key twice behind an escape",
        '{"predictions": [], "predi\\u0063tions": []}',
        "json-duplicate-key",
        strict=True,
    ),
)

NUMBERS = (
    *(
        faulty("cars", f"number {text}", "json-number", score=text)
        for text in (".5", "5.", "+1", "01", "0x10", "1_000", "1e", "-")
    ),
    *(
        faulty("cars", f"score {text}", "number-not-finite", score=text)
        for text in ("NaN", "Infinity", "-Infinity")
    ),
    faulty("cars", "NaN in a box", "number-not-finite", bbox="[NaN, 0, 1, 1]"),
    faulty("weather", "NaN in probabilities", "number-not-finite", "number-not-finite", probabilities="[NaN, NaN]"),
    faulty("cars", "score 1e400", "number-not-finite", score="1e400"),
    faulty("cars", "box of 1e400", "number-not-finite", bbox="[0, 0, 1e400, 1]"),
    faulty("cars", "box of 1e308", "bbox-outside-image", bbox="[1e308, 1e308, 1e308, 1e308]"),
    faulty("cars", "box of -1e308", "bbox-outside-image", bbox="[-1e308, -1e308, 1e308, 1e308]"),
    faulty("cars", "box of 1e-320", "bbox-overhang", bbox="[1e-320, 0, 1e300, 1e300]"),
    faulty("cars", "score of 5,000 digits", "number-not-finite", score="1" * 5_000),
    faulty("cars", "category of 5,000 digits", "wrong-type", category_id="1" * 5_000),
    faulty("cars", "category of 65 bits", "wrong-type", category_id=str(2**64)),
    faulty("cars", "category of 63 bits", "category-unknown", category_id=str(2**63 - 1)),
    faulty("cars", "category 2^32", "category-unknown", category_id=str(2**32)),
)

_SHAPES: dict[str, tuple[str, tuple[str, ...]]] = {
    "null": ("null", ("wrong-type",)),
    "a number": ("7", ("wrong-type",)),
    "a string": ('"predictions"', ("wrong-type",)),
    "a list": (f"[{_GOOD}]", ("wrong-type",)),
    "an empty object": ("{}", ("missing-field",)),
    "predictions null": ('{"predictions": null}', ("wrong-type",)),
    "predictions an object": (f'{{"predictions": {_GOOD}}}', ("wrong-type",)),
    "predictions a string": ('{"predictions": "[]"}', ("wrong-type",)),
    "predictions spelled otherwise": (f'{{"prediction": [{_GOOD}]}}', ("missing-field",)),
    "file_name a number": ('{"file_name": 7, "predictions": []}', ("wrong-type",)),
    "filename": ('{"filename": "a.png", "predictions": []}', ("file-name-alias",)),
    "another filename": ('{"filename": "b.png", "predictions": []}', ("file-name-alias", "file-name-mismatch")),
    "another file_name": ('{"file_name": "b.png", "predictions": []}', ("file-name-mismatch",)),
    "an absolute file_name": (
        '{"file_name": "/data/a.png", "predictions": []}',
        ("file-name-mismatch",),
    ),
    "entries of all kinds": (
        f'{{"predictions": [null, 1, "x", [], {{}}, {_GOOD}, true]}}',
        ("missing-field", "missing-field", "score-missing", *("wrong-type",) * 5),
    ),
}
SHAPES = tuple(one("cars", name, text, *codes) for name, (text, codes) in _SHAPES.items())

FILES = (
    Case(
        name="a folder with the name of a file",
        folders=(f"{PREDICTIONS}/cars/a.json",),
        codes=("coverage",),
        touched=("cars/a.png",),
    ),
    Case(
        name="a symlink to nothing",
        links={f"{PREDICTIONS}/cars/a.json": "nowhere.json"},
        codes=("coverage", "path-skipped"),
        touched=("cars/a.png",),
    ),
    Case(
        name="a symlink to itself",
        links={f"{PREDICTIONS}/cars/a.json": "a.json"},
        codes=("coverage", "path-skipped"),
        touched=("cars/a.png",),
    ),
    Case(
        name="a named pipe",
        pipes=(f"{PREDICTIONS}/cars/a.json",),
        codes=("coverage", "path-skipped"),
        touched=("cars/a.png",),
    ),
)
CASES = (*ENCODING, *TRUNCATED, *SYNTAX, *NUMBERS, *SHAPES, *FILES)
