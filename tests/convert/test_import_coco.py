from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convert_helpers import not_taken, put_images, put_json, read_task, run_import
from strategies_datasource import video
from tamis.api.converting.choices import IfThere, ImportFormat
from tamis.api.converting.run import import_from
from tamis.api.converting.spill import Spill
from tamis.api.converting.values import ImportOptions
from tamis.api.options import ignore_progress
from tamis.api.sources import Sources
from tamis.errors import DatasourceError, UsageError
from tamis.formats import to_coco
from tamis.index import Index
from tamis.model import TaskType
from tamis.storage import LocalStore, MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

SIZES = {"a.jpg": (40, 30), "day 1/b.png": (20, 10), "day 1/deep/c.d.png": (9, 7)}
IMAGES = [
    {"id": 5, "file_name": "a.jpg", "width": 40, "height": 30},
    {"id": 70_000_000_000, "file_name": "day 1/b.png", "width": 20, "height": 10},
    {"id": "x", "file_name": "day 1/deep/c.d.png", "width": 9, "height": 7},
]
IDS = [5, 70_000_000_000, "x"]
CATEGORIES = [{"id": 3, "name": "car", "supercategory": "vehicle"}, {"id": 90, "name": "tree"}]


def document(annotations: list[Any] | None = None, **changes: Any) -> dict[str, Any]:
    """An annotation file; members may come in any order."""
    return {
        "info": {"a": [{}]},
        "images": IMAGES,
        "annotations": annotations or [],
        "categories": CATEGORIES,
    } | changes


def box(image_id: Any = 5, **changes: Any) -> dict[str, Any]:
    return {"image_id": image_id, "category_id": 3, "bbox": [1, 2, 3.5, 4], "score": 0.25} | changes


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return put_images(tmp_path / "data", SIZES)


@pytest.fixture
def described(tmp_path: Path) -> str:
    return str(put_json(tmp_path / "ann.json", document()))


@settings(max_examples=30, deadline=None)
@given(records=st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from([3, 90]), st.floats(0, 1)), max_size=12))
def test_results_are_grouped_by_image(
    tmp_path_factory: pytest.TempPathFactory, records: list[tuple[Any, int, float]]
) -> None:
    """In whatever order results come, each image's file has its own, in their order, with values unchanged."""
    base = tmp_path_factory.mktemp("law")
    root = put_images(base / "data", SIZES)
    results = [box(image, category_id=category, score=score) for image, category, score in records]
    annotations = str(put_json(base / "ann.json", document()))
    report = run_import(
        root,
        "coco",
        put_json(base / "r.json", results),
        annotations=annotations,
        task_type=TaskType.OBJECT_DETECTION,
    )
    assert (report.records, report.predictions, report.not_taken) == (len(records), len(records), [])
    _, files = read_task(root)
    expected: dict[str, list[Any]] = {}
    for image, category, score in records:
        expected.setdefault(list(SIZES)[IDS.index(image)], []).append((category, (1, 2, 3.5, 4), score))
    assert {key: [(p.category_id, p.bbox, p.score) for p in found] for key, found in files.items()} == expected


def test_labels_need_a_score_that_the_user_names(tmp_path: Path, root: Path) -> None:
    """Labels have no score and get none unasked; with `score` each gets that one, and its own is kept."""
    labels = [box(), box(category_id=90)]
    for label in labels:
        del label["score"]
    path = put_json(tmp_path / "labels.json", document(labels))
    with pytest.raises(UsageError, match="none are invented"):
        run_import(root, "coco", path)
    assert not (root / ".lightly").exists()
    run_import(root, "coco", put_json(path, document([*labels, box()])), score=1.0)
    assert [p.score for p in read_task(root)[1]["a.jpg"]] == [1.0, 1.0, 0.25]


def test_listed_images_without_labels_are_empty_files(tmp_path: Path, root: Path, described: str) -> None:
    """An annotation file says of each image what is there; a list of results only where it is told to."""
    report = run_import(root, "coco", put_json(tmp_path / "l.json", document([box()])))
    assert (report.files, report.files_empty) == (3, 2)
    assert {key: len(found) for key, found in read_task(root)[1].items()} == dict.fromkeys(SIZES, 0) | {"a.jpg": 1}
    results = put_json(tmp_path / "r.json", [box()])
    assert run_import(root, "coco", results, annotations=described, task="r").files == 1
    assert run_import(root, "coco", results, annotations=described, task="s", empty=True).files_empty == 2


def test_no_image_is_called_empty_while_records_are_lost(tmp_path: Path, root: Path) -> None:
    """Where a record cannot be read at all, images without records are not said to be empty."""
    text = json.dumps(document([box(), "?"])).replace('"?"', '{"image_id": 7000000000o}')
    path = tmp_path / "l.json"
    path.write_text(text)
    report = run_import(root, "coco", path)
    assert (report.files, report.files_empty) == (1, 0)
    assert [group.code for group in report.notes] == ["empty-unsure"]
    assert not_taken(report) == {"record-unreadable": 1}


def test_categories_keep_their_ids_and_keypoints(tmp_path: Path, root: Path) -> None:
    """Sparse ids stay as they are, and a 1-based skeleton becomes 0-based pairs."""
    person = {"id": 44, "name": "person", "keypoints": ["nose", "ear"], "skeleton": [[1, 2]]}
    keypoints = {"keypoints": [1, 2, 2, 3, 4, 0], "num_keypoints": 1}
    labels = [{"image_id": 5, "category_id": 44, "bbox": [0, 0, 4, 5], **keypoints}]
    path = put_json(tmp_path / "l.json", document(labels, categories=[*CATEGORIES, person]))
    run_import(root, "coco", path, score=1.0)
    task, files = read_task(root)
    assert task.task_type is TaskType.KEYPOINT_DETECTION
    assert task.category_ids == (3, 44, 90)
    assert task.by_id[44].keypoint_names == ("nose", "ear")
    assert task.by_id[44].keypoint_skeleton == ((0, 1),)
    assert [p.keypoints for p in files["a.jpg"]] == [(1, 2, 1, 3, 4, 0)]


def test_flags_of_results_are_not_taken_for_confidences(tmp_path: Path, root: Path, described: str) -> None:
    """A third number above 1 is no confidence: it is refused, or by `visibility` read as a flag."""
    results = put_json(tmp_path / "r.json", [box(keypoints=[1, 2, 2]), box(keypoints=[1, 2, 0.75])])
    report = run_import(root, "coco", results, annotations=described)
    assert not_taken(report) == {"keypoint-flag": 1}
    assert [p.keypoints for p in read_task(root)[1]["a.jpg"]] == [(1, 2, 0.75)]
    report = run_import(root, "coco", results, annotations=described, visibility=True, task="flags")
    assert not_taken(report) == {"keypoint-flag": 1}
    assert [p.keypoints for p in read_task(root, "flags")[1]["a.jpg"]] == [(1, 2, 1)]


def test_all_kinds_of_masks_become_the_same_rows(tmp_path: Path, root: Path) -> None:
    """A polygon and run lengths of either kind give one mask, and a box where there is none."""
    runs = [20 + 1, 3, 17, 3, 200 - 44]
    masks = [
        to_coco(runs, 10, 20, compressed=True),
        to_coco(runs, 10, 20, compressed=False),
        [[1, 1, 4, 1, 4, 3, 1, 3]],
    ]
    results = [{"image_id": IDS[1], "category_id": 3, "score": 0.5, "segmentation": mask} for mask in masks]
    run_import(root, "coco", put_json(tmp_path / "l.json", document(results)))
    task, files = read_task(root)
    assert task.task_type is TaskType.INSTANCE_SEGMENTATION
    assert {(p.segmentation, p.bbox) for p in files["day 1/b.png"]} == {(tuple(runs), (1, 1, 3, 2))}
    semantic = put_json(tmp_path / "s.json", document(results[:1]))
    run_import(root, "coco", semantic, task="s", task_type=TaskType.SEMANTIC_SEGMENTATION)
    assert [p.bbox for p in read_task(root, "s")[1]["day 1/b.png"]] == [None]


@pytest.mark.parametrize(
    ("more", "n_said"),
    [
        ({"segmentation": [[1, 1, 10, 1, 10, 10]]}, 1),
        ({"segmentation": {"size": [30, 40], "counts": "x"}}, 1),
        ({"keypoints": [4, 5, 2]}, 1),
        ({"segmentation": [], "keypoints": [0, 0, 0]}, 0),
        ({"segmentation": None, "keypoints": []}, 0),
        ({"segmentation": [[]]}, 0),
    ],
)
def test_masks_after_many_boxes_are_named(tmp_path: Path, root: Path, more: dict[str, Any], n_said: int) -> None:
    """The first records decide the type; what later ones have besides is counted, unless the type was said."""
    path = put_json(tmp_path / "l.json", document([*[box()] * 1000, box(**more)]))
    report = run_import(root, "coco", path)
    assert (report.task_type, report.predictions) == (TaskType.OBJECT_DETECTION, 1001)
    assert sum(group.count for group in report.notes if group.code == "more-than-box") == n_said
    said = run_import(root, "coco", path, task="said", task_type=TaskType.OBJECT_DETECTION)
    assert said.notes == []


def test_whole_floats_are_whole_numbers(tmp_path: Path, root: Path) -> None:
    """pandas writes ids and sizes as floats: 5.0 is 5, whoever writes it so; 3.5 is no id."""
    image = {"id": 5.0, "file_name": "a.jpg", "width": 40.0, "height": 31.0}
    categories = [{"id": 3.0, "name": "car"}]
    records = [
        box(5),
        box(5.0, iscrowd=0.0, category_id=3.0),
        box(iscrowd=None),
        box(5.5),
        box(category_id=3.5),
        box(category_id=1e300),
    ]
    path = put_json(tmp_path / "l.json", document(records, images=[image], categories=categories))
    report = run_import(root, "coco", path)
    task, files = read_task(root)
    assert (task.category_ids, [one.category_id for one in files["a.jpg"]]) == ((3,), [3, 3, 3])
    assert not_taken(report) == {"image-unknown": 1, "record-unreadable": 2}
    assert [group.code for group in report.notes] == ["image-size-differs"]


def test_a_record_with_two_faults_is_one_record(tmp_path: Path, root: Path) -> None:
    """It is named under each of its reasons, each once, and counts as one that was not taken."""
    bad = box(category_id=9, bbox=[100, 200, 10, 12])
    report = run_import(root, "coco", put_json(tmp_path / "l.json", document([bad, box()])))
    assert not_taken(report) == {"category-unknown": 1, "bbox-outside-image": 1}
    assert (report.records, report.predictions, report.n_not_taken) == (2, 1, 1)


def test_every_bad_record_is_counted_and_the_rest_goes_in(tmp_path: Path, root: Path, described: str) -> None:
    """Each kind of broken record is named with its reason; good ones between them are all taken."""
    good = to_coco([0, 200], 10, 20, compressed=True)
    bad: list[tuple[dict[str, Any], str]] = [
        ({"image_id": 404}, "image-unknown"),
        ({"category_id": 4}, "category-unknown"),
        ({"category_id": "car"}, "record-unreadable"),
        ({"segmentation": [[1, 2, 3]]}, "mask-broken"),
        ({"segmentation": [1, 2, 3, 4, 5, 6]}, "record-unreadable"),
        ({"segmentation": {"size": [20, 10], "counts": good["counts"]}}, "mask-size"),
        ({"segmentation": {"size": [10, 20], "counts": [3, 4]}}, "mask-broken"),
        ({"segmentation": {"size": [10, 20], "counts": "!!"}}, "mask-broken"),
        ({"segmentation": []}, "mask-missing"),
        ({"score": None}, "score-missing"),
        ({"score": 1.5}, "score-range"),
        ({"score": "high"}, "record-unreadable"),
        ({"bbox": [1, 2, 3]}, "record-unreadable"),
        ({"bbox": [1, 2, -3, 4]}, "bbox-size"),
        ({"bbox": [100, 2, 3, 4]}, "bbox-outside-image"),
        ({"probabilities": [0.5]}, "probabilities-length"),
        ({"segmentation": [[20, 1, 120, 1, 120, 9], [1, -9, 5, -9, 5, 0]]}, "mask-outside-image"),
    ]
    records = []
    for changes, _ in bad:
        whole = box(IDS[1], segmentation=good)
        records += [whole | changes, whole]
    text = json.dumps(records)[:-1] + ', {"image_id": NaN}, 7]'
    path = tmp_path / "r.json"
    path.write_text(text)
    report = run_import(root, "coco", path, annotations=described)
    expected: dict[str, int] = {"record-unreadable": 2}
    for _, code in bad:
        expected[code] = expected.get(code, 0) + 1
    assert not_taken(report) == expected
    assert report.predictions == len(bad)
    assert report.records == len(records) + 2
    places = [e.place for group in report.not_taken if group.code == "mask-size" for e in group.examples]
    assert places == ["record 10 (day 1/b.png)"]


def test_a_file_that_breaks_off_gives_what_is_whole(tmp_path: Path, root: Path, described: str) -> None:
    """What a truncated file still holds is taken, and that it breaks off is said."""
    path = tmp_path / "r.json"
    path.write_text(json.dumps([box(), box(), box()])[:-20])
    report = run_import(root, "coco", path, annotations=described)
    assert report.predictions == 2
    assert [(group.code, group.count) for group in report.not_taken] == [("record-unreadable", 1)]


def test_names_are_found_where_the_images_are(tmp_path: Path) -> None:
    """A path, a name in a subfolder, another machine's path, a frame: each finds its sample, or says why not."""
    sizes = {f"{name}": (4, 4) for name in ("x/a.jpg", "x/b.jpg", "y/b.jpg", "y/c.png", "y/c.jpg", "z/k.JPG")}
    root = put_images(tmp_path / "data", sizes)
    (root / "clip.mp4").write_bytes(video(12))
    names = [
        "x/a.jpg",
        "./x/b.jpg",
        "c.png",
        "D:\\pictures\\z\\k.JPG",
        "clip-07-mp4.jpg",
        "b.jpg",
        "k.jpg",
        "no.png",
    ]
    images = [{"id": i, "file_name": name} for i, name in enumerate(names)]
    path = put_json(tmp_path / "l.json", document([box(i, bbox=[0, 0, 2, 2]) for i in range(8)], images=images))
    report = run_import(root, "coco", path)
    assert set(read_task(root)[1]) == {"x/a.jpg", "x/b.jpg", "y/c.png", "z/k.JPG", "clip-07-mp4.png"}
    assert not_taken(report) == {"image-ambiguous": 1, "image-missing": 2}
    assert [(g.code, g.count) for g in report.notes] == [("image-elsewhere", 2)]
    report = run_import(root, "coco", path, prefix="y", task="p", keep_missing=True)
    assert {"y/b.jpg", "y/c.png", "y/no.png"} <= set(read_task(root, "p")[1])


def test_two_images_of_one_file_are_not_mixed(tmp_path: Path) -> None:
    """Of two images that differ in their ending only, one has the file; the other's predictions are counted."""
    root = put_images(tmp_path / "data", {"a.jpg": (9, 9), "a.png": (9, 9)})
    images = [{"id": 0, "file_name": "a.jpg"}, {"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "./a.jpg"}]
    records = [box(0), box(1), box(1), box(2, score=0.5)]
    report = run_import(root, "coco", put_json(tmp_path / "l.json", document(records, images=images)))
    assert not_taken(report) == {"image-twice": 2}
    assert [p.score for p in read_task(root)[1]["a.jpg"]] == [0.25, 0.5]


def test_what_is_there_is_never_overwritten_unasked(tmp_path: Path, root: Path, described: str) -> None:
    """An import refuses files that are there; merging twice adds once; replacing touches only its own samples."""
    first = put_json(tmp_path / "1.json", [box(), box(IDS[1])])
    second = put_json(tmp_path / "2.json", [box(), box(score=0.75)])
    run_import(root, "coco", first, annotations=described)
    before = {path: path.read_bytes() for path in root.rglob("*.json")}
    with pytest.raises(UsageError, match=r"has prediction files already: `a\.json`, `day 1/b\.json`"):
        run_import(root, "coco", second, annotations=described)
    assert run_import(root, "coco", second, annotations=described, if_there="merge", dry_run=True).files == 1
    assert before == {path: path.read_bytes() for path in root.rglob("*.json")}
    assert run_import(root, "coco", second, annotations=described, if_there="merge").files == 1
    again = run_import(root, "coco", second, annotations=described, if_there="merge")
    assert (again.files, again.files_unchanged) == (0, 1)
    assert [p.score for p in read_task(root)[1]["a.jpg"]] == [0.25, 0.75]
    run_import(root, "coco", put_json(second, [box(score=0.5)]), annotations=described, if_there="replace")
    files = read_task(root)[1]
    assert [p.score for p in files["a.jpg"]] == [0.5]
    assert len(files["day 1/b.png"]) == 1


def test_a_broken_file_that_is_there_is_left(tmp_path: Path, root: Path, described: str) -> None:
    """Merging never touches a file with errors, and says so."""
    results = put_json(tmp_path / "1.json", [box()])
    run_import(root, "coco", results, annotations=described)
    file = root / ".lightly/predictions/t/a.json"
    file.write_text('{"predictions": [{}]}')
    report = run_import(root, "coco", results, annotations=described, if_there="merge")
    assert not_taken(report) == {"file-there-broken": 1}
    assert file.read_text() == '{"predictions": [{}]}'


def test_a_dry_run_writes_nothing(tmp_path: Path, root: Path, described: str) -> None:
    """A dry run reports what a real one does and leaves no file."""
    results = put_json(tmp_path / "r.json", [box(), box(score=3)])
    dry = run_import(root, "coco", results, annotations=described, dry_run=True)
    assert not (root / ".lightly").exists()
    real = run_import(root, "coco", results, annotations=described)
    assert (dry.predictions, dry.files, not_taken(dry)) == (real.predictions, real.files, not_taken(real))


def test_another_schema_is_refused(tmp_path: Path, root: Path, described: str) -> None:
    """A task that is there with other categories is never mixed with new predictions."""
    run_import(root, "coco", put_json(tmp_path / "r.json", [box()]), annotations=described)
    other = put_json(tmp_path / "o.json", document([box()], categories=[{"id": 3, "name": "cat"}]))
    with pytest.raises(UsageError, match="already there with another schema"):
        run_import(root, "coco", other, if_there="merge")


@pytest.mark.parametrize("own", ["images", "categories"])
def test_a_file_that_describes_itself_is_not_described_by_another(
    tmp_path: Path, root: Path, described: str, own: str
) -> None:
    """Images and categories of the file itself are never replaced by those of `annotations`: it is refused."""
    members = document([box()])
    of_own = {"annotations": members["annotations"], "info": {}, own: members[own]}
    path = put_json(tmp_path / "own.json", of_own)
    with pytest.raises(UsageError, match=f"has `{own}` of its own, and those of"):
        run_import(root, "coco", path, annotations=described)
    assert not (root / ".lightly").exists()
    put_json(path, of_own | {own: []})
    assert run_import(root, "coco", path, annotations=described).predictions == 1
    path.write_text(path.read_text()[:-20])
    assert run_import(root, "coco", path, annotations=described, task="broken").predictions == 1
    whole = put_json(tmp_path / "whole.json", members)
    assert run_import(root, "coco", whole, annotations=str(whole), task="same").predictions == 1


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("[]", {}, "does not say what its images and categories are"),
        ("[]", {"annotations": "{path}"}, "is a list of results, expected an annotation file"),
        ('{"images": []}', {}, "has no `categories`"),
        ('{"images": [], "categories": [{"id": 0}]}', {"task_type": "object-detection"}, "expected the key `name`"),
        ("hello", {"score": 1.0}, "is no COCO file: expected `{`, got `h` at byte 0"),
        ('[{"image_id": 1, "caption": "x"}]', {"annotations": "{described}"}, "no boxes, masks or"),
    ],
)
def test_what_cannot_be_imported_says_why(
    tmp_path: Path, root: Path, content: str, options: dict[str, Any], said: str
) -> None:
    """A call that cannot work is refused in one sentence before anything is written."""
    path = tmp_path / "given.json"
    path.write_text(content)
    described = put_json(tmp_path / "ann.json", document())
    filled = {k: v.format(path=path, described=described) if k == "annotations" else v for k, v in options.items()}
    with pytest.raises((UsageError, DatasourceError), match=said):
        run_import(root, "coco", path, **filled)
    assert not (root / ".lightly").exists()


def test_results_may_name_their_images(tmp_path: Path, root: Path) -> None:
    """Results whose `image_id` is a file name or its stem need no annotation file, only the categories."""
    classes = tmp_path / "data.yaml"
    classes.write_text("names:\n  3: car\n  90: tree\n")
    results = put_json(tmp_path / "r.json", [box("a.jpg"), box("b"), box("nobody"), box(7)])
    report = run_import(root, "coco", results, classes=str(classes))
    assert set(read_task(root)[1]) == {"a.jpg", "day 1/b.png"}
    assert not_taken(report) == {"image-missing": 1, "image-unknown": 1}


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(-(1 << 60), 1 << 60)), max_size=40), st.integers(1, 60 << 20)
)
def test_a_spill_groups_like_a_dict(pairs: list[tuple[int, int]], n_bytes: int) -> None:
    """A spill gives each group its values in the order in which they came, whatever the number of files."""
    expected: dict[int, list[int]] = {}
    with Spill(int, n_bytes) as spill:
        for group, value in pairs:
            spill.add(group, value)
            expected.setdefault(group, []).append(value)
        found = list(spill.groups())
    assert dict(found) == expected
    assert len(found) == len(expected)


def test_a_spill_larger_than_what_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values that were written out in between come back in order too."""
    monkeypatch.setattr("tamis.api.converting.spill._HELD_VALUES", 7)
    rng = random.Random(1)  # noqa: S311 (no secret)
    pairs = [(rng.randrange(50), i) for i in range(1000)]
    with Spill(int, 100 << 20) as spill:
        for group, value in pairs:
            spill.add(group, value)
        found = dict(spill.groups())
    assert found == {g: [v for group, v in pairs if group == g] for g in {group for group, _ in pairs}}


def test_a_store_without_a_folder_gets_the_same_files(tmp_path: Path, root: Path, described: str) -> None:
    """Where many writes go at once, the files are those of a folder; merging reads them back."""
    results = put_json(tmp_path / "r.json", [box(IDS[i % 3], bbox=[1, 1, 2, 2], score=i / 20) for i in range(20)])
    run_import(root, "coco", results, annotations=described)
    store = MemoryStore()
    sources = Sources(LocalStore(root), store, Index(tmp_path / "index"))
    for if_there in IfThere:
        options = ImportOptions(task="t", annotations=described, if_there=if_there)
        report = import_from(sources, ImportFormat.COCO, results, options, listen=ignore_progress)
        assert (report.files, report.files_unchanged) == ((0, 3) if if_there is IfThere.MERGE else (3, 0))
        for path in (root / ".lightly/predictions").rglob("*.json"):
            assert store.read(str(path.relative_to(root))).data == path.read_bytes()
