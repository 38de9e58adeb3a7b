"""Which sample a file speaks of, and where files may lie."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from strategies_datasource import FIELDS, METADATA, PREDICTIONS, Folder, box, content, png, state_of, video
from tamis.api.check import check
from tamis.api.options import ScanOptions
from tamis.api.scanning.scan import ScanResult, dry_scan, scan
from tamis.api.sources import open_sources
from tamis.errors import DatasourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

not_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "data")
    made.tasks("cars")
    return made


def run(folder: Folder, **options: Any) -> ScanResult:
    """Scan, and hold the next scan to reading nothing."""
    sources = open_sources(folder.root)
    result = scan(sources, ScanOptions(**options))
    assert scan(sources, ScanOptions(**options)).n_read == 0
    return result


def problems(result: ScanResult, *codes: str) -> list[tuple[str, str | None, str]]:
    """Return code, file and message of all problems, or of those codes."""
    stored = result.snapshot.table("problems", ["code", "file", "message"]).to_pylist()
    found = [(row["code"], row["file"], row["message"]) for row in stored]
    found += [(problem.code, problem.file, problem.message) for problem in result.snapshot.manifest.problems]
    return sorted(problem for problem in found if not codes or problem[0] in codes)


def owners(result: ScanResult, task: str = "cars") -> dict[str, str | None]:
    """Return for each prediction file of a task the sample that it belongs to."""
    rows = result.snapshot.table("files", ["task", "file", "sample"]).to_pylist()
    prefix = f"{PREDICTIONS}/{task}/"
    return {row["file"].removeprefix(prefix): row["sample"] for row in rows if row["task"] == task}


def keys(result: ScanResult) -> list[str]:
    found: list[str] = result.snapshot.table("samples", ["key"])["key"].to_pylist()
    return sorted(found)


def test_one_file_for_two_images(folder: Folder) -> None:
    """Two images that share a file both lose it, unless the file names one: then the other is told."""
    for stem in ("a", "b", "c"):
        folder.put(f"{stem}.jpg", png(100, 100))
        folder.put(f"{stem}.png", png(100, 100))
    folder.predict("cars", "a", box())
    folder.predict("cars", "b", box(), file_name="b.png")
    folder.predict("cars", "c", box(), file_name="d.png")
    result = run(folder)
    assert owners(result) == {"a.json": None, "b.json": "b.png", "c.json": None}
    start = f"{PREDICTIONS}/cars/"
    shared = "`a.jpg` and `a.png` share this file; expected a `file_name` that names one of them"
    assert problems(result, "name-collision", "name-taken") == [
        (
            "name-collision",
            f"{start}a.json",
            f"{shared}, got no `file_name`",
        ),
        (
            "name-collision",
            f"{start}c.json",
            f"{shared.replace('a.', 'c.')}, got `d.png`",
        ),
        (
            "name-taken",
            "b.jpg",
            f"its prediction file `{start}b.json` belongs to `b.png`, which has the same name without ending",
        ),
    ]
    assert result.snapshot.table("predictions:cars", ["sample"])["sample"].to_pylist() == ["b.png"]


def test_a_file_that_names_another_sample(folder: Folder) -> None:
    """A `file_name` that is not the sample of the path is an error: the file is there, and nothing of it counts."""
    folder.put("a.png", png(100, 100))
    folder.put("b.png", png(100, 100))
    folder.predict("cars", "a", box(), file_name="b.png")
    result = run(folder)
    (row,) = result.snapshot.table("files", ["sample", "valid", "n_predictions"]).to_pylist()
    assert row == {"sample": "a.png", "valid": False, "n_predictions": 0}
    assert problems(result, "file-name-mismatch", "coverage") == [
        ("coverage", None, "1 of 2 samples have no prediction file (50 %)"),
        ("file-name-mismatch", f"{PREDICTIONS}/cars/a.json", "expected `a.png`, got `b.png`"),
    ]
    assert result.snapshot.table("sample_scores:cars").num_rows == 0


def test_files_without_a_sample(folder: Folder) -> None:
    """A file that no sample claims is an error, and goes away when its image comes."""
    folder.predict("cars", "x/a b", box())
    found = problems(run(folder), "file-without-sample")
    assert found == [
        ("file-without-sample", f"{PREDICTIONS}/cars/x/a b.json", "no image or frame is named `x/a b.*`")
    ]
    folder.put("x/a b.jpg", png(100, 100))
    result = run(folder)
    assert owners(result) == {"x/a b.json": "x/a b.jpg"}
    assert not problems(result, "file-without-sample")


def test_a_sample_named_schema(folder: Folder) -> None:
    """At the root `schema.jpg` collides with the task's schema; elsewhere it is a name like any other."""
    folder.put("schema.jpg", png(100, 100))
    folder.put("a/schema.jpg", png(100, 100))
    folder.predict("cars", "a/schema", box())
    result = run(folder)
    assert owners(result) == {"a/schema.json": "a/schema.jpg"}
    assert [file for _, file, _ in problems(result, "sample-named-schema")] == ["schema.jpg"]


def test_a_task_within_a_task(folder: Folder) -> None:
    """The files of task `a/b` are not those of task `a`, even where an image lies in a folder `b`."""
    folder.tasks("a", "a/b", "a/b/c")
    for key in ("x.png", "b/x.png", "b/c/x.png", "e/b/x.png"):
        folder.put(key, png(100, 100))
    folder.predict("a", "x", box(0))
    folder.predict("a", "e/b/x", box(0))
    folder.predict("a/b", "x", box(3))
    folder.predict("a/b/c", "x", box(3), box(0))
    result = run(folder)
    assert owners(result, "a") == {"x.json": "x.png", "e/b/x.json": "e/b/x.png"}
    assert owners(result, "a/b") == {"x.json": "x.png"}
    assert owners(result, "a/b/c") == {"x.json": "x.png"}
    assert not problems(result, "file-without-sample")


def test_a_task_without_schema_keeps_its_folder(folder: Folder) -> None:
    """The folder of a listed task without a schema belongs to no other task, and is not read at every scan."""
    folder.put(f"{PREDICTIONS}/tasks.json", ["cars", "cars/night"])
    folder.put("night/a.png", png(100, 100))
    folder.predict("cars/night", "a", box())
    result = run(folder)
    assert [task.name for task in result.snapshot.tasks] == ["cars"]
    assert owners(result) == {}
    assert len(problems(result, "schema-missing")) == 1


def test_metadata_without_schema(folder: Folder) -> None:
    """Metadata files without a schema say nothing, which is a warning, and are not read at every scan."""
    folder.put("day/a.png", png(100, 100))
    folder.put(f"{METADATA}/readme.txt", "no metadata")
    assert problems(run(folder), "metadata-schema-missing") == []
    folder.describe("day/a", {"day": 3})
    result = run(folder)
    assert result.snapshot.table("metadata").num_rows == 0
    schema = f"{METADATA}/schema.json"
    message = f"`{METADATA}/day/a.json` and its like at `{folder.root}/{schema}`"
    assert problems(result, "metadata-schema-missing") == [
        ("metadata-schema-missing", schema, f"expected the fields of {message}, got nothing")
    ]
    folder.put(schema, FIELDS)
    assert problems(run(folder), "metadata-schema-missing") == []


def test_frames_are_samples(folder: Folder) -> None:
    """Every frame of a video is a sample with its number and size, and its file has the padded number."""
    folder.put("v/clip.mp4", video(12))
    for name in ("clip-00-mp4", "clip-11-mp4", "clip-3-mp4", "clip-12-mp4", "clip-00-avi"):
        folder.predict("cars", f"v/{name}", box())
    folder.predict("cars", "v/clip-05-mp4", box(), file_name="v/clip-05-mp4.png")
    result = run(folder)
    rows = result.snapshot.table("samples").to_pylist()
    assert [row["key"] for row in rows] == [f"v/clip-{i:02d}-mp4.png" for i in range(12)]
    assert [row["frame"] for row in rows] == list(range(12))
    assert {(row["kind"], row["video"], row["width"], row["height"]) for row in rows} == {
        ("frame", "v/clip.mp4", 32, 16)
    }
    owned = {file for file, owner in owners(result).items() if owner is not None}
    assert owned == {f"v/clip-{i}-mp4.json" for i in ("00", "05", "11")}
    start = f"{PREDICTIONS}/cars/v/"
    assert problems(result, "frame-padding", "frame-number", "file-without-sample") == [
        (
            "file-without-sample",
            f"{start}clip-00-avi.json",
            "no image or frame is named `v/clip-00-avi.*`",
        ),
        ("frame-number", f"{start}clip-12-mp4.json", "expected a frame number from 0 to 11, got 12"),
        (
            "frame-padding",
            f"{start}clip-3-mp4.json",
            "expected the name `clip-03-mp4.json`, as `v/clip.mp4` has 12 frames, got `clip-3-mp4.json`",
        ),
    ]


def test_an_image_of_a_frame_is_that_frame(folder: Folder) -> None:
    """An image whose key is a frame's name is one sample with it, and its own size counts."""
    folder.put("clip.mp4", video(2))
    folder.put("clip-1-mp4.png", png(64, 48))
    result = run(folder)
    rows = {row["key"]: row for row in result.snapshot.table("samples").to_pylist()}
    assert rows.keys() == {"clip-0-mp4.png", "clip-1-mp4.png"}
    one = rows["clip-1-mp4.png"]
    assert (one["kind"], one["video"], one["frame"], one["width"]) == ("frame", "clip.mp4", 1, 64)


def describe(folder: Folder, stem: str, name: str | None, kind: str | None, day: int = 5) -> None:
    said = {key: value for key, value in (("file_name", name), ("type", kind)) if value is not None}
    folder.put(f"{METADATA}/{stem}.json", {**said, "metadata": {"day": day}})


def days(result: ScanResult) -> dict[str, Any]:
    return {row["sample"]: row["Day"] for row in result.snapshot.table("metadata").to_pylist()}


DEFAULT = 1  # of `Day`
A, B, FRAME = "v.jpg", "v.png", "v-0-mp4.png"


@pytest.mark.parametrize(
    ("samples", "name", "kind", "expected", "codes"),
    [
        (("v.jpg", "v.mp4"), "v.jpg", "image", {A: 5, FRAME: DEFAULT}, ["name-taken"]),
        (("v.jpg", "v.mp4"), "v.mp4", "video", {A: DEFAULT, FRAME: 5}, ["name-taken"]),
        (("v.jpg", "v.mp4"), None, "image", {A: 5, FRAME: DEFAULT}, ["name-taken"]),
        (("v.jpg", "v.mp4"), None, "video", {A: DEFAULT, FRAME: 5}, ["name-taken"]),
        (("v.jpg", "v.mp4"), "w.png", "video", {A: DEFAULT, FRAME: 5}, ["metadata-file-name", "name-taken"]),
        (("v.jpg", "v.mp4"), "v.jpg", "video", {A: 5, FRAME: DEFAULT}, ["metadata-sample-type", "name-taken"]),
        (("v.jpg", "v.mp4"), None, None, {A: None, FRAME: None}, ["name-collision"]),
        (("v.jpg", "v.png"), "v.jpg", "image", {A: 5, B: DEFAULT}, ["name-taken"]),
        (("v.jpg", "v.png"), "v.gif", "image", {A: None, B: None}, ["name-collision"]),
        (("v.jpg", "v.png"), None, None, {A: None, B: None}, ["name-collision"]),
        (("v.jpg",), "w/v.jpg", "image", {A: 5}, ["metadata-file-name"]),
        (("v.jpg",), "v.jpg", "video", {A: 5}, ["metadata-sample-type"]),
        (("v.jpg",), "v.jpg", "frame", {A: 5}, []),
        (("v.jpg",), None, None, {A: 5}, []),
        (("v.mp4",), "v.mov", "video", {FRAME: 5}, ["metadata-file-name"]),
        (("v.mp4",), None, "frame", {FRAME: 5}, ["metadata-sample-type"]),
        ((), "v.jpg", "image", {}, ["file-without-sample"]),
    ],
)
def test_whose_metadata(
    folder: Folder,
    samples: tuple[str, ...],
    name: str | None,
    kind: str | None,
    expected: dict[str, int | None],
    codes: list[str],
) -> None:
    """Metadata are of what they name, else of what has their type; those that cannot be told apart are unknown."""
    folder.put(f"{METADATA}/schema.json", FIELDS)
    for key in samples:
        folder.put(key, video(1) if key.endswith("mp4") else png(100, 100))
    describe(folder, "v", name, kind)
    result = run(folder)
    assert days(result) == expected
    stored = result.snapshot.table("problems", ["code"])["code"].to_pylist()
    assert sorted(stored) == codes


@pytest.mark.parametrize("relevant", [None, "relevant.txt"])
def test_whose_metadata_after_changes(folder: Folder, relevant: str | None) -> None:
    """Whatever comes or goes beside a metadata file, a scan says what one from scratch would."""
    folder.put(f"{METADATA}/schema.json", FIELDS)
    folder.put("day/v.mp4", video(2))
    folder.put(".lightly/relevant.txt", "day/v.jpg\nday/v.mp4\nday/v.avi\n")
    edits: list[Callable[[], None]] = [
        lambda: describe(folder, "day/v", None, None),
        lambda: folder.put("day/v.jpg", png(100, 100)),
        lambda: describe(folder, "day/v", "day/v.jpg", "image"),
        lambda: folder.remove("day/v.jpg"),
        lambda: describe(folder, "day/v", "day/v.png", None),
        lambda: folder.put("day/v.png", png(100, 100)),
        lambda: folder.rename("day/v.mp4", "day/v.avi"),
        lambda: folder.put("day/v.mp4", video(1)),
        lambda: describe(folder, "day/v", None, "video"),
        lambda: folder.remove("day/v.avi"),
        lambda: folder.remove("day/v.mp4"),
        lambda: folder.remove("day/v.png"),
    ]
    for make in edits:
        make()
        result = run(folder, relevant_filenames=relevant)
        options = ScanOptions(full=True, relevant_filenames=relevant)
        with dry_scan(open_sources(folder.root), options) as scratch:
            assert content(result.snapshot) == content(scratch.snapshot)


def test_metadata_of_what_is_left_out(folder: Folder) -> None:
    """The metadata of videos and images that the relevant filenames leave out are neither missed nor another's."""
    folder.put(f"{METADATA}/schema.json", FIELDS)
    for key in ("a.mp4", "b.mp4", "b.jpg", "c.png"):
        folder.put(key, video(1) if key.endswith("mp4") else png(100, 100))
    describe(folder, "a", "a.mp4", "video")
    describe(folder, "b", "b.mp4", "video")
    describe(folder, "c", "c.png", "image")
    folder.put(".lightly/relevant.txt", "b.jpg\n")
    result = run(folder, relevant_filenames="relevant.txt")
    assert days(result) == {"b.jpg": DEFAULT}
    assert [(code, file) for code, file, _ in problems(result, "name-taken", "file-without-sample")] == [
        ("name-taken", "b.jpg")
    ]


def test_frames_have_the_metadata_of_their_video(folder: Folder) -> None:
    """A video's metadata holds for its frames unless they have their own, after a change too; faults count once."""
    folder.put(f"{METADATA}/schema.json", FIELDS)
    folder.put("clip.mp4", video(3))
    folder.describe("clip", {"day": 7, "place": {"kind": 5}}, "video")
    folder.describe("clip-1-mp4", {"day": 8}, "frame")

    def checked() -> dict[str, Any]:
        result = run(folder)
        assert len(problems(result, "metadata-type")) <= 1
        return days(result)

    assert checked() == {"clip-0-mp4.png": 7, "clip-1-mp4.png": 8, "clip-2-mp4.png": 7}
    folder.describe("clip", {"day": 9, "place": {"kind": 5}}, "video")
    assert checked() == {"clip-0-mp4.png": 9, "clip-1-mp4.png": 8, "clip-2-mp4.png": 9}
    folder.remove(f"{METADATA}/clip-1-mp4.json")
    assert checked() == {"clip-0-mp4.png": 9, "clip-1-mp4.png": 9, "clip-2-mp4.png": 9}
    folder.remove(f"{METADATA}/clip.json")
    assert checked() == {"clip-0-mp4.png": 1, "clip-1-mp4.png": 1, "clip-2-mp4.png": 1}


def test_videos_come_change_and_go(folder: Folder) -> None:
    """After a video grows, moves or breaks, the index is what a new one would be."""
    data = video(12)
    edits: list[Callable[[], None]] = [
        lambda: folder.put("a.mp4", video(3)),
        lambda: folder.put("a.mp4", data),
        lambda: folder.put("a.mp4", data[: len(data) // 2]),
        lambda: folder.put("a.mp4", b"no video"),
        lambda: folder.rename("a.mp4", "b/a.mp4"),
        lambda: folder.remove("b/a.mp4"),
    ]
    folder.predict("cars", "a-1-mp4", box())
    folder.predict("cars", "b/a-2-mp4", box())
    for make in edits:
        make()
        result = run(folder)
        with dry_scan(open_sources(folder.root), ScanOptions(full=True)) as scratch:
            assert content(result.snapshot) == content(scratch.snapshot)


def test_frames_are_counted_once(folder: Folder) -> None:
    """A video that did not change is not decoded again, also where a schema did."""
    folder.put("a.mp4", video(3))
    first = run(folder)
    folder.tasks("cars", "more")
    # Were it decoded again, no frame would be found.
    stamp = (folder.root / "a.mp4").stat()
    (folder.root / "a.mp4").write_bytes(bytes(stamp.st_size))
    os.utime(folder.root / "a.mp4", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    again = run(folder)
    assert again.snapshot.manifest.videos == first.snapshot.manifest.videos
    assert keys(again) == keys(first)


def test_relevant_filenames_narrow_the_samples(folder: Folder) -> None:
    """Only what the file names is a sample; the files of what it leaves out are not missed, real orphans are."""
    for key in ("a/1.png", "a/2.png", "b/1.png", "b/2.jpg"):
        folder.put(key, png(100, 100))
        folder.predict("cars", key[:-4], box())
    folder.put("b/clip.mp4", video(2))
    folder.put("c/clip.mp4", video(2))
    folder.predict("cars", "b/clip-0-mp4", box())
    folder.predict("cars", "c/clip-0-mp4", box())
    folder.predict("cars", "a/3", box())
    folder.predict("cars", "ghost/1", box())
    folder.put(".lightly/relevant.txt", "a/*\nb/2.jpg\nc/clip.mp4\ngone.png\nghost/*\n")
    result = run(folder, relevant_filenames="relevant.txt")
    assert keys(result) == ["a/1.png", "a/2.png", "b/2.jpg", "c/clip-0-mp4.png", "c/clip-1-mp4.png"]
    assert [file for _, file, _ in problems(result, "file-without-sample")] == [
        f"{PREDICTIONS}/cars/a/3.json",
        f"{PREDICTIONS}/cars/ghost/1.json",
    ]
    missing = [message for _, _, message in problems(result, "relevant-missing")]
    assert len(missing) == 2
    assert "ghost/*" in missing[0]
    assert "gone.png" in missing[1]
    assert len(keys(run(folder))) == 8
    folder.put(".lightly/relevant.txt", "b/*\n")
    assert len(keys(run(folder, relevant_filenames="relevant.txt"))) == 4


def test_a_file_of_a_sample_that_is_left_out_is_no_error(folder: Folder) -> None:
    """Narrowing the samples makes no error of a file that names a sample which is left out."""
    folder.put("a.jpg", png(100, 100))
    folder.put("a.png", png(100, 100))
    folder.predict("cars", "a", box(), box(score=7), file_name="a.png")
    folder.put(".lightly/relevant.txt", "a.jpg\n")
    result = run(folder, relevant_filenames="relevant.txt")
    assert keys(result) == ["a.jpg"]
    file = f"{PREDICTIONS}/cars/a.json"
    message = f"its prediction file `{file}` belongs to `a.png`, which has the same name without ending"
    assert problems(result) == [
        ("coverage", None, "1 of 1 samples have no prediction file (100 %)"),
        ("name-taken", "a.jpg", message),
    ]
    assert result.snapshot.table("predictions:cars").num_rows == 0
    # What it names matters as long as it is there.
    folder.remove("a.png")
    assert problems(run(folder, relevant_filenames="relevant.txt"), "file-name-mismatch") == [
        ("file-name-mismatch", file, "expected `a.jpg`, got `a.png`")
    ]


def test_a_file_without_a_name_is_that_of_the_relevant_sample(folder: Folder) -> None:
    """Where images share a stem with what is left out (masks beside pictures), a file that names none is theirs."""
    for ending in ("jpg", "png"):
        folder.put(f"a.{ending}", png(100, 100))
    folder.predict("cars", "a", box())
    folder.put(".lightly/relevant.txt", "a.jpg\n")
    assert owners(run(folder, relevant_filenames="relevant.txt")) == {"a.json": "a.jpg"}


def test_images_of_frames_may_be_left_out_or_kept_apart_from_their_video(folder: Folder) -> None:
    """A frame's files count whether the relevant filenames name its video or its image."""
    folder.put("clip.mp4", video(2))
    folder.put("clip-0-mp4.png", png(32, 16))
    for i in range(2):
        folder.predict("cars", f"clip-{i}-mp4", box())
    for name, expected in (("clip.mp4", {0, 1}), ("clip-0-mp4.png", {0})):
        folder.put(".lightly/relevant.txt", f"{name}\n")
        result = run(folder, relevant_filenames="relevant.txt")
        assert owners(result) == {f"clip-{i}-mp4.json": f"clip-{i}-mp4.png" for i in expected}


def test_relevant_filenames_that_are_not_there(folder: Folder) -> None:
    """A file that was asked for and is not there is an error: scanning everything instead would be a guess."""
    with pytest.raises(DatasourceError, match="The relevant filenames cannot be read") as caught:
        run(folder, relevant_filenames="gone.txt")
    assert caught.value.hint == "give the file's path inside `.lightly`"


def test_predictions_elsewhere(tmp_path: Path) -> None:
    """With `lightly` elsewhere, images are read here and predictions there, and the index lies there."""
    images, lightly = Folder(tmp_path / "images"), Folder(tmp_path / "lightly")
    images.put("a.png", png(100, 100))
    images.predict("cars", "a", box(), box())  # not here
    lightly.tasks("cars")
    lightly.predict("cars", "a", box())
    lightly.put("b.png", png(1, 1))  # not there
    before = state_of(images.root)
    result = scan(open_sources(images.root, lightly=lightly.root))
    assert state_of(images.root) == before
    assert keys(result) == ["a.png"]
    assert owners(result) == {"a.json": "a.png"}
    assert result.snapshot.table("predictions:cars").num_rows == 1
    assert result.snapshot.root == lightly.root / ".lightly" / "tamis"


def test_an_index_elsewhere(folder: Folder, tmp_path: Path) -> None:
    """With `index` elsewhere nothing is written to the datasource."""
    folder.put("a.png", png(100, 100))
    before = state_of(folder.root)
    sources = open_sources(folder.root, index=tmp_path / "x y" / "index")
    assert keys(scan(sources)) == ["a.png"]
    assert state_of(folder.root) == before
    assert scan(sources).n_read == 0


def test_an_index_that_cannot_be_beside(folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the datasource cannot be written, each has an index of its own in the user's cache, which is said."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    other = Folder(tmp_path / "other")
    for one in (folder, other):
        one.put("a.png", png(100, 100))
        one.put(".lightly/tamis", b"a file where the folder would be")
    sources = open_sources(folder.root)
    assert sources.index.root.is_relative_to(tmp_path / "cache" / "tamis")
    assert sources.index_note is not None
    assert str(sources.index.root) in sources.index_note
    scan(sources)
    assert scan(open_sources(folder.root)).n_read == 0
    assert open_sources(other.root).index.root != sources.index.root
    assert open_sources(other.root).index.latest() is None


@not_root
def test_a_datasource_that_may_only_be_read(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without permission to write, likewise."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (folder.root / ".lightly").chmod(0o500)
    sources = open_sources(folder.root)
    scan(sources)
    assert sources.index.root.is_relative_to(tmp_path / "cache")


def test_what_cannot_be_opened_is_said(tmp_path: Path) -> None:
    """A folder that is not there, a file and a URL are errors that say so."""
    with pytest.raises(DatasourceError, match="does not exist"):
        open_sources(tmp_path / "gone")
    with pytest.raises(DatasourceError, match="does not exist"):
        open_sources(tmp_path, lightly=tmp_path / "gone")
    with pytest.raises(UsageError, match="`ftp://` is not supported"):
        open_sources("ftp://bucket/x")


def test_odd_names_are_names(folder: Folder) -> None:
    """Line breaks, quotes, blanks and letters of any script are kept; what cannot be a key is named."""
    odd = ["a\nb", "it's", 'say "x"', " lead", "trail ", "日本", "e\u0301", "a.b.c", "%41", "[1]*?", "-rf", "...x"]
    for name in odd:
        folder.put(f"d {name}/{name}.png", png(100, 100))
        folder.predict("cars", f"d {name}/{name}", box(), file_name=f"d {name}/{name}.png")
    (folder.root / os.fsdecode(b"caf\xe9.png")).write_bytes(png(1, 1))
    (folder.root / "back\\slash.png").write_bytes(png(1, 1))
    os.mkfifo(folder.root / "pipe.png")
    (folder.root / "loop").symlink_to(".")
    (folder.root / "nothing.png").symlink_to("gone.png")
    result = run(folder)
    assert keys(result) == sorted(f"d {name}/{name}.png" for name in odd)
    assert set(owners(result).values()) == set(keys(result))
    assert [file for _, file, _ in problems(result, "path-skipped")] == [
        "back\\slash.png",
        "caf\\xe9.png",
        "loop",
        "nothing.png",
        "pipe.png",
    ]
    assert check(open_sources(folder.root)).samples == len(odd)


def test_endings_in_any_case(folder: Folder) -> None:
    """Endings are known whatever their case, and keep it; other files are no samples."""
    for key in ("a.JPG", "b.Png", "c.tiff", "d.webp", "notes.txt", "e.jpg.txt", "Makefile", ".hidden.png"):
        folder.put(key, png(100, 100))
    assert keys(run(folder)) == [".hidden.png", "a.JPG", "b.Png", "c.tiff", "d.webp"]


BROKEN: dict[str, tuple[str, Any]] = {
    "an image of 4 billion pixels a side": ("a.png", png(2**32 - 1, 2**32 - 1)),
    "a picture as wide as a number can say": ("a.ppm", b"P6 999999999999999999 999999999999999999 255\n"),
    "an empty image": ("a.png", b""),
    "half a surrogate in a name": (f"{PREDICTIONS}/cars/x.json", '{"file_name": "\\ud800", "predictions": []}'),
    "half a surrogate in a key": (f"{PREDICTIONS}/cars/x.json", '{"predictions": [{"\\ud800": 1}]}'),
    "NUL in a name": (f"{PREDICTIONS}/cars/x.json", '{"file_name": "x\\u0000", "predictions": []}'),
    "an id beyond 64 bits": (f"{PREDICTIONS}/cars/x.json", {"predictions": [box(10**30)]}),
    "a number beyond floats": (f"{PREDICTIONS}/cars/x.json", {"predictions": [box(score=10**400)]}),
    "a box beyond floats": (f"{PREDICTIONS}/cars/x.json", '{"predictions": [{"bbox": [1, 2, 3, 1e999]}]}'),
    "nesting without end": (f"{PREDICTIONS}/cars/x.json", "[" * 100_000),
    "metadata beyond 64 bits": (f"{METADATA}/x.json", {"type": "image", "metadata": {"day": 2**63}}),
    "metadata in halves": (f"{METADATA}/x.json", '{"type": "image", "metadata": {"place": {"kind": "\\udfff"}}}'),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_no_file_stops_a_scan(kind: str, folder: Folder) -> None:
    """Whatever one file holds, the scan ends, names it, and says of all others what it would have said."""
    folder.put(f"{METADATA}/schema.json", FIELDS)
    for stem in ("x", "y"):
        folder.put(f"{stem}.jpg", png(100, 100))
    folder.predict("cars", "y", box())
    key, data = BROKEN[kind]
    folder.put(key, data)
    result = run(folder)
    assert key in {file for _, file, _ in problems(result)}
    assert {"x.jpg", "y.jpg"} <= set(keys(result))
    assert result.snapshot.table("predictions:cars", ["sample"])["sample"].to_pylist() == ["y.jpg"]


@pytest.mark.parametrize("category_id", [2**31 - 1, 2**31, 2**53 + 1, 2**63 - 1])
def test_large_category_ids(category_id: int, folder: Folder) -> None:
    """Ids are kept whole up to 64 bits."""
    folder.tasks("cars", categories=[{"id": category_id, "name": "car"}])
    folder.put("a.png", png(100, 100))
    folder.predict("cars", "a", box(category_id))
    result = run(folder)
    assert result.snapshot.table("predictions:cars")["category_id"].to_pylist() == [category_id]
    files = result.snapshot.table("files", ["category_min", "category_max"]).to_pylist()
    assert files == [{"category_min": category_id, "category_max": category_id}]


def test_times_of_any_century(folder: Folder) -> None:
    """Files from before 1970 and after 2262 are read, and not again."""
    for i, time_ns in enumerate((-(10**18), -1, 0, 2**62, 2**63, 2**64)):
        folder.put(f"{i}.png", png(100, 100))
        os.utime(folder.root / f"{i}.png", ns=(0, time_ns))
    assert len(keys(run(folder))) == 6
