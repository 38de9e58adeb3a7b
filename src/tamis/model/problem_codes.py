"""What a code of problem is made of, and the codes of single files."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How bad a problem is: an error drops something, a warning asks for a look, an info is only said."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Drops(StrEnum):
    """What is left out of the index because of a problem."""

    NOTHING = "nothing"
    PREDICTION = "prediction"
    FILE = "file"
    TASK = "task"
    SAMPLE = "sample"
    VALUE = "value"


class ProblemCode(NamedTuple):
    """What is true of every problem of one code.

    Attributes:
        code: kebab-case, stable.
        severity: how bad it is.
        drops: what is left out because of it.
        summary: what is wrong, one line without a final period.
        hint: what to do about it.
        example: the smallest input that has it.
    """

    code: str
    severity: Severity
    drops: Drops
    summary: str
    hint: str
    example: str


_E, _W, _I = Severity.ERROR, Severity.WARNING, Severity.INFO
_NOTHING, _PREDICTION, _FILE = Drops.NOTHING, Drops.PREDICTION, Drops.FILE

JSON_CODES: tuple[ProblemCode, ...] = (
    ProblemCode(
        "file-unreadable",
        _E,
        _FILE,
        "The file is listed but its bytes cannot be read",
        "Check its permissions, and whether something removed it while the scan ran",
        "a file without read permission",
    ),
    ProblemCode(
        "file-too-large",
        _E,
        _FILE,
        "The file has over 64 MiB, or a fault and over 500,000 values, of which a list of numbers is one: "
        "no image needs as many",
        "Write one file an image; cut predictions by score before writing them",
        "a file of 70 MiB",
    ),
    ProblemCode(
        "json-encoding",
        _E,
        _FILE,
        "The file is not UTF-8 text",
        'Write it as UTF-8: in Python `open(path, "w", encoding="utf-8")`, in PowerShell `-Encoding utf8`',
        '{"file_name": "caf\\xe9.jpg", ...} in Latin-1',
    ),
    ProblemCode(
        "json-bom",
        _E,
        _FILE,
        "The file begins with a byte order mark, which JSON forbids",
        'Write it as `utf-8`, not `utf-8-sig` ("UTF-8 with BOM" in Windows editors)',
        'EF BB BF {"predictions": []}',
    ),
    ProblemCode(
        "json-empty",
        _E,
        _FILE,
        "The file holds nothing",
        'Write `{"predictions": []}` where the model found nothing; a full disk or a killed writer leaves empty '
        "files too",
        "a file of 0 bytes",
    ),
    ProblemCode(
        "json-truncated",
        _E,
        _FILE,
        "The file ends in the middle",
        "Write it again: a full disk, a killed writer or a broken upload cuts files short. Writing to a "
        "temporary name and renaming it prevents this",
        '{"predictions": [{"category_id": 0, "bb',
    ),
    ProblemCode(
        "json-syntax",
        _E,
        _FILE,
        "The text breaks the grammar of JSON",
        "Let a JSON library write the file (`json.dump`) rather than string formatting",
        "{'predictions': []}",
    ),
    ProblemCode(
        "json-trailing-comma",
        _E,
        _FILE,
        "A comma stands before a closing bracket",
        "Remove the comma; a JSON library never writes it",
        '{"predictions": [{"category_id": 0},]}',
    ),
    ProblemCode(
        "json-trailing-text",
        _E,
        _FILE,
        "Something follows the JSON value",
        "One file holds one JSON object: was it written twice without truncating, or as JSON lines?",
        '{"predictions": []}{"predictions": []}',
    ),
    ProblemCode(
        "json-string",
        _E,
        _FILE,
        "A string holds what JSON strings must not",
        "Let a JSON library write the file: it escapes quotes, backslashes and control characters",
        '{"file_name": "C:\\images\\a.jpg"}',
    ),
    ProblemCode(
        "json-number",
        _E,
        _FILE,
        "A number is written in a way that JSON does not know",
        "Write numbers as `0.5`, `10` or `1e-3`: no `+` in front, no leading zeros, digits on both sides of the "
        "point",
        '{"score": .5}',
    ),
    ProblemCode(
        "json-depth",
        _E,
        _FILE,
        "Lists and objects are nested deeper than any file of the format",
        "Look at what wrote this file: the format itself nests 4 levels",
        "[[[[[[[[...",
    ),
    ProblemCode(
        "json-duplicate-key",
        _E,
        _NOTHING,
        "An object has a key twice: the last one counts, the others are lost",
        "Write each key once; two writers may have been merged as text. In files of single samples only "
        "`--strict` looks for this",
        '{"score": 0.9, "score": 0.1}',
    ),
    ProblemCode(
        "number-not-finite",
        _E,
        _PREDICTION,
        "A number is NaN, infinite, or too large for a 64-bit float",
        "Look for a division by zero or a diverged model; leave the prediction out, or the field where it is "
        "optional. Never write 0 for it",
        '{"category_id": 0, "bbox": [NaN, 0, 1, 1], "score": 0.5}',
    ),
)

PREDICTION_CODES: tuple[ProblemCode, ...] = (
    ProblemCode(
        "wrong-type",
        _E,
        _PREDICTION,
        "A value has another type than the format asks for; a wrong `predictions` or `file_name` drops the file",
        "Convert before writing: `int(...)`, `float(...)`, `.tolist()`; a number in quotes is a string",
        '{"category_id": "0", ...}',
    ),
    ProblemCode(
        "missing-field",
        _E,
        _PREDICTION,
        "A field that the task type requires is absent; without `predictions` the file is dropped",
        "Every prediction has `category_id`; boxes add `bbox` and `score`, semantic masks `segmentation` and "
        "`score`, instance masks both, keypoints `keypoints` and `score`",
        '{"bbox": [0, 0, 5, 5], "score": 0.5}',
    ),
    ProblemCode(
        "category-unknown",
        _E,
        _PREDICTION,
        "The category id is not in the task's schema",
        "Add the category to the schema, or map the model's class index to the schema's id before writing",
        '{"category_id": 80, ...} with ids 0 to 79',
    ),
    ProblemCode(
        "score-missing",
        _E,
        _PREDICTION,
        "The score is absent or null, and the task type requires one",
        "Write the model's confidence. For labels without confidence choose a value yourself (often 1): none is "
        "invented here",
        '{"category_id": 0, "bbox": [0, 0, 5, 5]}',
    ),
    ProblemCode(
        "score-range",
        _E,
        _PREDICTION,
        "The score is outside 0 to 1",
        "Scale scores before writing: percent / 100, logits through a sigmoid; or clip with `min(score, 1.0)` what "
        "rounding, or a pose model, puts slightly above 1",
        '{"score": 87.5, ...}',
    ),
    ProblemCode(
        "probabilities-length",
        _E,
        _PREDICTION,
        "`probabilities` has not one value for each category of the schema",
        "Write one value a category in ascending order of category id, or leave `probabilities` out. A model's "
        "background class does not belong in the list unless the schema has it",
        '{"probabilities": [0.2, 0.8], ...} with 3 categories',
    ),
    ProblemCode(
        "probability-range",
        _E,
        _PREDICTION,
        "A class probability is outside 0 to 1",
        "Write probabilities, not logits: apply softmax or sigmoid first",
        '{"probabilities": [-1.3, 4.2], ...}',
    ),
    ProblemCode(
        "probabilities-sum",
        _W,
        _NOTHING,
        "The class probabilities do not sum to 1 within 0.001 (one warning a file, with the worst sum)",
        "Sigmoid detectors do this: nothing breaks, entropy divides by the sum. If your model ends in a softmax, "
        "look for a class that was left out",
        '{"probabilities": [0.9, 0.8], ...}',
    ),
    ProblemCode(
        "probabilities-argmax",
        _I,
        _NOTHING,
        "The most probable class is not the predicted one (one info a file)",
        "Fine where the category is not chosen by the highest probability; else check that `probabilities` is in "
        "ascending order of category id",
        '{"category_id": 0, "probabilities": [0.2, 0.8], ...}',
    ),
    ProblemCode(
        "bbox-length",
        _E,
        _PREDICTION,
        "A bbox has not 4 numbers",
        "Write `[x, y, width, height]`",
        '{"bbox": [10, 20, 30], ...}',
    ),
    ProblemCode(
        "bbox-size",
        _E,
        _PREDICTION,
        "A bbox has a negative width or height",
        "Write `[x, y, width, height]` from the top-left corner; swap corners that are in the wrong order",
        '{"bbox": [50, 50, -10, 20], ...}',
    ),
    ProblemCode(
        "bbox-empty",
        _W,
        _NOTHING,
        "A bbox has a width or height of 0; it is kept",
        "Drop such boxes in the model's post-processing, or do not round coordinates to integers",
        '{"bbox": [50, 50, 0, 20], ...}',
    ),
    ProblemCode(
        "bbox-outside-image",
        _E,
        _PREDICTION,
        "No part of the bbox is inside its image",
        "Scale boxes back from the model's input size to the image, undo letterbox padding, and check that the "
        "boxes belong to this image. Pixels count in stored orientation: EXIF rotation is not applied",
        '{"bbox": [900, 10, 50, 50], ...} in an image 640 pixels wide',
    ),
    ProblemCode(
        "bbox-overhang",
        _I,
        _NOTHING,
        "A bbox reaches more than 2 pixels beyond its image (one info a file, with the worst)",
        "Many detectors do this at borders; clip boxes to the image if later steps need it",
        '{"bbox": [600, 10, 80, 50], ...} in an image 640 pixels wide',
    ),
    ProblemCode(
        "mask-run-negative",
        _E,
        _PREDICTION,
        "A run length of a mask is negative",
        "Run lengths are counts of pixels; `tamis.masks.encode` makes them from an array",
        '{"segmentation": [4, -2, 10], ...}',
    ),
    ProblemCode(
        "mask-size",
        _E,
        _PREDICTION,
        "The run lengths of a mask do not sum to height x width of the image",
        "Resize the mask to the image before encoding it, and encode all rows. Pixels count in stored "
        "orientation: EXIF rotation is not applied",
        '{"segmentation": [4, 2, 10], ...} in an image of 5 x 5 pixels',
    ),
    ProblemCode(
        "mask-size-unknown",
        _W,
        _NOTHING,
        "The masks could not be checked, for the image's size is not known (one warning a file); they are kept",
        "Make the image readable: run lengths carry no size of their own",
        "a mask beside a broken image",
    ),
    ProblemCode(
        "mask-duplicate-category",
        _W,
        _NOTHING,
        "Two semantic masks of one file have the same category",
        "Semantic segmentation has one mask a category: merge them, or make the task instance-segmentation",
        '[{"category_id": 1, ...}, {"category_id": 1, ...}]',
    ),
    ProblemCode(
        "keypoints-length",
        _E,
        _PREDICTION,
        "`keypoints` is no list of triplets, or has not one triplet for each keypoint of the category",
        "Write `[x1, y1, s1, x2, y2, s2, ...]`, with s = 0 for keypoints that were not found",
        '{"keypoints": [10, 20, 0.9, 30], ...}',
    ),
    ProblemCode(
        "keypoint-score-range",
        _E,
        _PREDICTION,
        "The confidence of a keypoint is outside 0 to 1",
        "Every third number is a confidence, not COCO's visibility flag 0/1/2; clip heat-map peaks above 1",
        '{"keypoints": [10, 20, 2], ...}',
    ),
)
