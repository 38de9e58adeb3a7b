"""Cases of predictions with values that the format does not allow."""

from __future__ import annotations

from corpus_cases import PREDICTIONS, Case, faulty, file_of, image, one, prediction, schema

CATEGORIES = (
    faulty("cars", "category a name", "wrong-type", category_id='"car"'),
    faulty("cars", "category 1.0", "wrong-type", category_id="1.0"),
    faulty("cars", "category true", "wrong-type", category_id="true"),
    faulty("cars", "category null", "wrong-type", category_id="null"),
    faulty("cars", "no category", "missing-field", category_id=None),
    faulty("cars", "category -1", "category-unknown", category_id="-1"),
    faulty("cars", "category 80", "category-unknown", category_id="80"),
    faulty("weather", "category 2 of a classification", "category-unknown", category_id="2"),
)

SCORES = (
    faulty("cars", "score a string", "wrong-type", score='"0.9"'),
    faulty("cars", "score a list", "wrong-type", score="[0.9]"),
    faulty("cars", "score true", "wrong-type", score="true"),
    faulty("cars", "score null", "score-missing", score="null"),
    faulty("cars", "no score", "score-missing", score=None),
    faulty("cars", "score 87.5", "score-range", score="87.5"),
    faulty("cars", "score -0.1", "score-range", score="-0.1"),
    faulty("cars", "score 1.0000001", "score-range", score="1.0000001"),
    faulty("weather", "no score of a classification", score=None),
)

BOXES = (
    faulty("cars", "box a string", "wrong-type", bbox='"1,2,3,4"'),
    faulty("cars", "box an object", "wrong-type", bbox='{"x": 1, "y": 2, "w": 3, "h": 4}'),
    faulty("cars", "box null", "wrong-type", bbox="null"),
    faulty("cars", "no box", "missing-field", bbox=None),
    faulty("cars", "box of 3 numbers", "bbox-length", bbox="[1, 2, 3]"),
    faulty("cars", "box of 5 numbers", "bbox-length", bbox="[1, 2, 3, 4, 0.9]"),
    faulty("cars", "empty box", "bbox-length", bbox="[]"),
    faulty("cars", "box of two corners", "bbox-length", bbox="[[1, 2], [3, 4]]"),
    faulty("cars", "box of strings", "wrong-type", bbox='["1", "2", "3", "4"]'),
    faulty("cars", "box of negative width", "bbox-size", bbox="[5, 5, -2, 3]"),
    faulty("cars", "box without height", "bbox-empty", bbox="[5, 5, 3, 0]"),
    faulty("cars", "box outside of the image", "bbox-outside-image", bbox="[90, 5, 3, 3]"),
    faulty("cars", "box that overhangs", "bbox-overhang", bbox="[30, 5, 20, 3]"),
    faulty("parts", "no box of an instance", "missing-field", bbox=None),
)

PROBABILITIES = (
    faulty("cars", "3 probabilities of 2", "probabilities-length", probabilities="[0.2, 0.3, 0.5]"),
    faulty("cars", "no probabilities in the list", "probabilities-length", probabilities="[]"),
    faulty("cars", "logits", "probability-range", probabilities="[4.2, -1.3]"),
    faulty("cars", "probabilities by name", "wrong-type", probabilities='{"car": 0.9, "bus": 0.1}'),
    faulty("cars", "probabilities of strings", "wrong-type", probabilities='["0.9", "0.1"]'),
    faulty("cars", "sigmoids", "probabilities-sum", probabilities="[0.9, 0.8]"),
    faulty("cars", "another category has more", "probabilities-argmax", probabilities="[0.2, 0.8]"),
    faulty("cars", "probabilities of 1e308", "probability-range", probabilities="[1e308, 1e308]"),
)

MASKS = (
    faulty("ground", "COCO run lengths", "wrong-type", segmentation='{"size": [30, 40], "counts": "abc"}'),
    faulty("ground", "COCO counts", "wrong-type", segmentation='"PPYo0"'),
    faulty("ground", "a polygon", "wrong-type", segmentation="[[1, 1, 5, 1, 5, 5]]"),
    faulty("ground", "runs that are no integers", "wrong-type", segmentation="[600.0, 600.5]"),
    faulty("ground", "a negative run", "mask-run-negative", segmentation="[700, -100, 600]"),
    faulty("ground", "runs of another image", "mask-size", segmentation="[600, 601]"),
    faulty("ground", "no runs", "mask-size", segmentation="[]"),
    faulty("ground", "runs of 2^62", "wrong-type", segmentation=f"[{2**62}, {2**62}, {2**62}, {2**62}]"),
    faulty("ground", "runs of 2^64", "wrong-type", segmentation=f"[{2**64}]"),
    faulty("parts", "runs down the columns", segmentation="[30, 30, 1140]"),
    faulty("ground", "two masks of a category", "mask-duplicate-category", category_id="1"),
    Case(
        name="a mask beside a broken image",
        files={"a.png": image()[:20]},
        codes=("image-size-unknown", "mask-size-unknown"),
        tasks=("cars", "ground"),
    ),
)

KEYPOINTS = (
    faulty("poses", "4 numbers of keypoints", "keypoints-length", keypoints="[1, 2, 0.5, 3]"),
    faulty("poses", "a keypoint too many", "keypoints-length", keypoints="[1, 2, 0.5, 1, 2, 0.5, 1, 2, 0.5]"),
    faulty("poses", "COCO visibility", "keypoint-score-range", keypoints="[1, 2, 2, 3, 4, 0]"),
    faulty("poses", "keypoints in pairs", "wrong-type", keypoints="[[1, 2], [3, 4]]"),
    faulty("poses", "no keypoints", "missing-field", keypoints=None),
    faulty("poses", "keypoints with NaN", "number-not-finite", keypoints="[NaN, 2, 0.5, 3, 4, 0.5]"),
)


def _many(name: str, *codes: str, files: dict[str, str]) -> Case:
    """Return the case of other files for cars, some of samples that are new."""
    return Case(
        name=name,
        files={
            **{f"{key}.png": image() for key in files},
            **{f"{PREDICTIONS}/cars/{key}.json": text.encode() for key, text in files.items()},
        },
        codes=codes,
        touched=("cars",),
    )


_KEYS = "abcdefghijkl"
_OTHER_TASK = "coverage"


def _varied(key: str, **fields: str) -> str:
    """Return a file whose number of predictions differs from its neighbour's."""
    more = [prediction("cars", score=f"0.{i + 1}", **fields) for i in range(_KEYS.index(key) % 3)]
    return file_of(prediction("cars", category_id="1", **fields), *more)


DATASET = (
    _many(
        "boxes as corners",
        *("bbox-corners", *("bbox-overhang",) * 5, _OTHER_TASK),
        files={key: _varied(key, bbox="[25, 20, 39, 29]") for key in _KEYS},
    ),
    _many(
        "boxes from 0 to 1",
        *("bbox-normalized", _OTHER_TASK),
        files={key: _varied(key, bbox="[0.1, 0.2, 0.3, 0.4]") for key in _KEYS},
    ),
    _many(
        "categories from 1",
        *("category-off-by-one", *("category-unknown",) * 3),
        files={
            key: file_of(prediction("cars", category_id="1"), prediction("cars", category_id="2")) for key in "abc"
        },
    ),
    _many(
        "one score everywhere",
        *("score-constant", _OTHER_TASK),
        files={
            key: file_of(*(prediction("cars", category_id=str(i % 2)) for i in range(_KEYS.index(key) % 3 + 1)))
            for key in _KEYS
        },
    ),
    _many(
        "as many boxes in each image",
        *("count-constant", _OTHER_TASK),
        files={key: file_of(prediction("cars", score="0.1"), prediction("cars", category_id="1")) for key in _KEYS},
    ),
    _many(
        "one score everywhere but for one that is no score",
        *("score-constant", "score-range", _OTHER_TASK),
        files={
            key: file_of(
                *(prediction("cars", category_id=str(i % 2)) for i in range(_KEYS.index(key) % 3 + 1)),
                *([prediction("cars", score="2")] if key == "b" else ()),
            )
            for key in _KEYS
        },
    ),
    _many(
        "as many boxes in each image, two of them bad",
        *("count-constant", "score-missing", "score-range", _OTHER_TASK),
        files={
            key: file_of(
                prediction("cars", score={"b": "2", "c": "null"}.get(key, "0.1")),
                prediction("cars", category_id="1"),
            )
            for key in _KEYS
        },
    ),
    _many(
        "a category that is never seen",
        "category-unused",
        files={key: file_of(prediction("cars")) for key in "abc"},
    ),
    Case(
        name="a category id of 41 bits",
        files={
            f"{PREDICTIONS}/cars/schema.json": schema("cars").replace('"id": 1', f'"id": {2**40}').encode(),
            f"{PREDICTIONS}/cars/a.json": file_of(prediction("cars", category_id=str(2**40))).encode(),
        },
        codes=("category-unknown", "category-unknown"),
        touched=("cars",),
    ),
    Case(
        name="samples without a file",
        removed=(f"{PREDICTIONS}/cars/a.json", f"{PREDICTIONS}/cars/b.json"),
        codes=("coverage",),
        touched=("cars/a.png", "cars/b.png"),
    ),
    Case(
        name="a task without a valid file",
        files={f"{PREDICTIONS}/cars/{key}.json": b"{" for key in "abc"},
        codes=("json-truncated", "json-truncated", "json-truncated", "task-no-valid-file"),
        touched=("cars",),
    ),
    one(
        "cars",
        "three faults in one prediction",
        file_of(prediction("cars", score='"x"', bbox="[1]", category_id="9")),
        "bbox-length",
        "category-unknown",
        "wrong-type",
    ),
    one(
        "cars",
        "six faults in one prediction",
        file_of(prediction("cars", score=None, bbox="[1, 1, -5, -5]", category_id="9", probabilities="[2, -3]")),
        "bbox-size",
        "bbox-size",
        "category-unknown",
        "probability-range",
        "score-missing",
    ),
)
CASES = (*CATEGORIES, *SCORES, *BOXES, *PROBABILITIES, *MASKS, *KEYPOINTS, *DATASET)
