"""The same commands on buckets as on folders: same index, same picks, and no fault of the network in the result."""

from __future__ import annotations

import math
import re
import sys
from typing import TYPE_CHECKING

import pytest

import tamis
from bucket_servers import SERVICES, BucketServer, use_server
from faulty_proxy import Faults, faulty
from index_hashes import table_hashes
from strategies_datasource import Folder, box, content, fill, video
from tamis.api.doctor import Verdict, diagnose
from tamis.api.options import ScanOptions
from tamis.api.scanning.scan import dry_scan, scan
from tamis.api.sources import open_sources
from tamis.cli import main
from tamis.errors import DatasourceError, UsageError
from tamis.storage import StoreError, UnavailableError
from tamis.storage.bucket import BucketStore

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.index import Snapshot

N_IMAGES = 40
CHANGED = ".lightly/predictions/cars/clip-1-mp4.json"


def upload(folder: Folder, url: str) -> None:
    store = BucketStore(url)
    for key in folder.files():
        store.write(key, (folder.root / key).read_bytes())


def said(snapshot: Snapshot) -> dict[str, list[str]]:
    """Return all that an index says but times of change, which no two places share."""
    return {
        name: sorted(re.sub(r"mtime_ns'?[:=] ?\d+", "", row) for row in rows)
        for name, rows in content(snapshot).items()
    }


def truth(folder: Folder) -> dict[str, list[str]]:
    with dry_scan(open_sources(folder.root), ScanOptions(full=True, workers=1)) as result:
        return said(result.snapshot)


def hashes(folder: Folder) -> dict[str, str]:
    with dry_scan(open_sources(folder.root), ScanOptions(full=True, workers=1)) as result:
        return table_hashes(result.snapshot)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep indexes of buckets, which lie in the user's cache folder, apart from the user's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "data")
    fill(made, N_IMAGES)
    made.put("clip.mp4", video(3))
    made.predict("cars", "clip-1-mp4", box())
    far = b"II*\0" + (3_000_000).to_bytes(4, "little") + bytes(2_999_992)
    directory = b"\2\0" + b"\0\1\4\0\1\0\0\0\x40\1\0\0" + b"\1\1\4\0\1\0\0\0\xf0\0\0\0" + bytes(4)
    made.put("far.tif", far + directory)
    made.put("empty.png", b"")
    return made


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> BucketServer:
    return use_server("s3", monkeypatch)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command line in this process and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["tamis", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("service", SERVICES)
def test_a_bucket_says_what_a_folder_says(
    service: str, folder: Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Index, row for row, and picks of a bucket are those of a folder of its files; a second scan reads nothing."""
    url = f"{use_server(service, monkeypatch).new_bucket()}/some/folder"
    upload(folder, url)
    expected = truth(folder)
    assert "far.tif" in str(expected["samples"])
    assert "320" in next(row for row in expected["samples"] if "far.tif" in row)
    sources = open_sources(url)
    assert said(scan(sources).snapshot) == expected
    again = scan(sources)
    assert (again.n_read, said(again.snapshot)) == (0, expected)
    assert table_hashes(again.snapshot) == hashes(folder)
    scan(open_sources(folder.root))
    for place, out in ((url, "far"), (str(folder.root), "near")):
        command = ["select", place, "--n", "7", "--score", "cars:uncertainty_margin", "--diverse", "--out"]
        assert run(monkeypatch, *command, str(tmp_path / out), "--quiet") == 0
    picks = [(tmp_path / out / "selected.txt").read_text() for out in ("far", "near")]
    assert picks[0] == picks[1]
    assert len(picks[0].splitlines()) == 7


def test_hashes_tell_indexes_apart(folder: Folder) -> None:
    """Another last digit of a score changes the hashes of the tables that hold it, and no other; times do not."""
    before = hashes(folder)
    folder.predict("cars", "clip-1-mp4", box(score=0.5))
    assert hashes(folder) == before
    folder.predict("cars", "clip-1-mp4", box(score=math.nextafter(0.5, 1)))
    after = hashes(folder)
    changed = {name for name in before if after[name] != before[name]}
    assert changed == {"files", "predictions:cars", "sample_scores:cars"}


def test_two_places(folder: Folder, s3: BucketServer, tmp_path: Path) -> None:
    """Images and predictions in two buckets, or one of them in a folder, are as good as in one place."""
    images, predictions = s3.new_bucket(), f"{s3.new_bucket()}/p"
    upload(folder, images)
    upload(folder, predictions)
    expected = truth(folder)
    for source, lightly in ((images, predictions), (images, str(folder.root)), (str(folder.root), predictions)):
        sources = open_sources(source, lightly=lightly, index=tmp_path / "index")
        with dry_scan(sources, ScanOptions(full=True, workers=1)) as result:
            assert said(result.snapshot) == expected


def test_workers_read_buckets(folder: Folder, s3: BucketServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes open the bucket by themselves and find the same."""
    monkeypatch.setattr("tamis.api.scanning.scan._INLINE_UNITS", 0)
    url = s3.new_bucket()
    upload(folder, url)
    assert said(scan(open_sources(url), ScanOptions(workers=2)).snapshot) == truth(folder)


def test_a_change_of_bytes_alone_is_seen(folder: Folder, s3: BucketServer) -> None:
    """An object that is replaced by another of the same size within the same second is read again."""
    url = s3.new_bucket()
    upload(folder, url)
    sources, store = open_sources(url), BucketStore(url)
    scan(sources)
    for i in range(3):
        folder.predict("cars", "clip-1-mp4", box(score=0.1 + i / 10))
        store.write(CHANGED, (folder.root / CHANGED).read_bytes())
        result = scan(sources)
        assert (result.n_read, said(result.snapshot)) == (1, truth(folder))


@pytest.mark.parametrize("seed", range(4))
def test_broken_answers_change_nothing(
    seed: int, folder: Folder, s3: BucketServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a quarter of all answers busy, reset or cut short, the index is that of the files."""
    url = s3.new_bucket()
    upload(folder, url)
    faults = Faults(share=0.25, seed=seed)
    with faulty(s3.address, faults) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        snapshot = scan(open_sources(url)).snapshot
    assert said(snapshot) == truth(folder)
    assert faults.n_broken > 10


@pytest.mark.parametrize("then", ["busy", "reset", "cut short", "expired"])
@pytest.mark.parametrize("after", [0, 6, 60])
def test_an_outage_stops_and_the_next_run_completes(
    after: int,
    then: str,
    folder: Folder,
    s3: BucketServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """When a server stays away, `scan` ends with 3 and one message, the old index stands, and a rerun is right."""
    assert BucketStore.__init__.__kwdefaults__ is not None
    monkeypatch.setitem(BucketStore.__init__.__kwdefaults__, "retry_secs", 0.2)
    url = s3.new_bucket()
    upload(folder, url)
    before = scan(open_sources(url)).snapshot
    old = said(before)
    folder.predict("cars", "clip-1-mp4", box(score=0.75))
    BucketStore(url).write(CHANGED, (folder.root / CHANGED).read_bytes())
    with faulty(s3.address, Faults(until=lambda n, _: n > after, then=then)) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        assert run(monkeypatch, "scan", url, "--full", "--quiet") == 3
    told = capsys.readouterr()
    assert not told.out
    assert told.err.startswith("error: `")
    assert "cannot be" in told.err
    assert "AKIA" not in told.err
    assert len(told.err.splitlines()) <= 8
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.address)
    left = open_sources(url).index.latest()
    assert left is not None
    assert said(left) == old
    assert said(scan(open_sources(url)).snapshot) == truth(folder)


def test_what_may_not_be_read_is_named(folder: Folder, s3: BucketServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where reading is denied half way, each file that was not read is a problem, and a later scan reads it."""
    url = s3.new_bucket()
    upload(folder, url)

    def is_prediction_of_day(_: int, path: str) -> bool:
        return "cars/day" in path and path.endswith(".json")

    with faulty(s3.address, Faults(until=is_prediction_of_day, then="denied")) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        snapshot = scan(open_sources(url)).snapshot
    rows = [row for row in snapshot.table("problems").to_pylist() if "permission denied" in str(row["message"])]
    files = {row["file"]: row for row in snapshot.table("files").to_pylist()}
    named = {row["file"] for row in rows}
    assert named
    assert {(files[file]["size_bytes"], files[file]["valid"]) for file in named & files.keys()} == {(None, False)}
    # A file that is there is a file, whatever hinders reading it.
    lacking = [problem.count for problem in snapshot.manifest.problems if problem.code == "coverage"]
    assert sum(lacking) == snapshot.table("samples").num_rows - sum(
        row["sample"] is not None for row in files.values()
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.address)
    assert said(scan(open_sources(url)).snapshot) == truth(folder)


def test_places_that_are_not_there(s3: BucketServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket or folder that is not there, a server that is not, and a scheme that nobody speaks are errors."""
    assert BucketStore.__init__.__kwdefaults__ is not None
    monkeypatch.setitem(BucketStore.__init__.__kwdefaults__, "retry_secs", 0.1)
    bucket = s3.new_bucket()
    with pytest.raises(UnavailableError, match="there is no bucket `nothing-here`"):
        open_sources("s3://nothing-here/x")
    with pytest.raises(DatasourceError, match=f"`{bucket}/typo` holds nothing"):
        open_sources(f"{bucket}/typo")
    with pytest.raises(UsageError, match="`ftp://` is not supported"):
        open_sources("ftp://host/x")
    with pytest.raises(UsageError, match="index cannot be kept in `s3://"):
        open_sources(bucket, index=f"{bucket}/index")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(UnavailableError, match="cannot be listed: HTTP error: error sending request"):
        open_sources(bucket)


def test_the_index_of_a_bucket(folder: Folder, s3: BucketServer, tmp_path: Path) -> None:
    """It is in the bucket and mirrored in the user's cache folder, or where `--index` says."""
    url = s3.new_bucket()
    upload(folder, url)
    other = tamis.open(url, index=tmp_path / "mine")
    other.scan()
    assert (tmp_path / "mine" / "latest").exists()
    assert _folders(url) == {"predictions", "metadata"}
    opened = tamis.open(url)
    opened.scan()
    assert opened.sources.index.root.is_relative_to(tmp_path / "cache")
    assert opened.sources.index.note() is None
    assert _folders(url) == {"predictions", "metadata", "tamis"}


def _folders(url: str) -> set[str]:
    return {name for page in BucketStore(url).list_folder(".lightly") for name in page.folders}


def test_the_doctor_says_what_works(folder: Folder, s3: BucketServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listing, reading and writing are each a finding, which names the permission that is missing."""
    url = s3.new_bucket()
    upload(folder, url)
    found = {finding.name: finding for finding in diagnose(url).findings}
    assert {found[name].verdict for name in ("samples", "read", "write")} == {Verdict.GOOD}
    assert not any(page.names for page in BucketStore(url).list_folder(".lightly"))
    cases = {
        "samples": ("list-type", "s3:ListBucket"),
        "read": (".png", "s3:GetObject"),
        "write": (".tamis-doctor", "s3:PutObject"),
    }
    for name, (part, permission) in cases.items():
        with faulty(s3.address, Faults(only=part, then="denied")) as address:
            monkeypatch.setenv("AWS_ENDPOINT_URL", address)
            findings = {finding.name: finding for finding in diagnose(url).findings}
        found_bad = findings.pop("datasource" if name == "samples" else name)
        assert found_bad.verdict is (Verdict.NOTE if name == "write" else Verdict.BAD)
        assert permission in str(found_bad.hint)
        assert {findings[other].verdict for other in ("read", "write") if other in findings} == {Verdict.GOOD}


def test_secrets_are_not_told(monkeypatch: pytest.MonkeyPatch, s3: BucketServer) -> None:
    """Neither errors nor texts of a store hold a key, a signature or a password, wherever they were given."""
    for url in ("s3://user:pass@b/x", "https://h/x?sig=pass", "az://c?sv=1&sig=pass", "az://c/x?sv=1&sig=pass"):
        with pytest.raises(UsageError) as refused:
            open_sources(url)
        assert "pass" not in str(refused.value).replace("password", "")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "hush-hush-token")
    store = BucketStore(s3.new_bucket())
    texts = [repr(store), str(store.__reduce__()), store.url]
    with faulty(s3.address, Faults(until=lambda *_: True, then="expired")) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        with pytest.raises(UnavailableError) as caught:
            BucketStore(store.url).read("x")
    texts.append(str(caught.value))
    assert "the credentials are not accepted: ExpiredToken" in texts[-1]
    assert not any("hush" in text or "AKIA" in text for text in texts)


def test_public_buckets_are_only_read(s3: BucketServer) -> None:
    """What an `https://` URL names is not written, whoever serves it."""
    del s3
    for url in (
        "https://b.s3.eu-west-1.amazonaws.com/x",
        "https://storage.googleapis.com/b/x",
        "https://h.example/x",
    ):
        with pytest.raises(StoreError, match="is only read"):
            BucketStore(url).write("k", b"")
        with pytest.raises(StoreError, match="is only read"):
            BucketStore(url).delete("k")
