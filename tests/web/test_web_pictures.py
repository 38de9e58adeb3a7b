"""Pictures, crops and masks: the right pixels, in stored orientation, whatever the file is."""

from __future__ import annotations

import os
import shutil
import struct
import zlib
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import tamis
from tamis.api.browsing.disk_cache import DiskCache
from tamis.api.report.overlays import CATEGORY_COLOURS
from web_data import HEIGHT, WIDTH, Asker, build, served

if TYPE_CHECKING:
    from pathlib import Path


def _pixels(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.asarray(Image.open(BytesIO(data)).convert("RGBA")).astype(np.int64)


def test_a_whole_picture_is_the_file(page: Asker) -> None:
    """What browsers show as it is stored is sent as it is."""
    answer = page.get("picture", key="a/003.png")
    assert answer.content == (page.folder / "a/003.png").read_bytes()
    assert answer.headers["content-type"] == "image/png"


@pytest.mark.parametrize("side", [16, 32, 4096])
def test_a_thumbnail_is_as_long_as_asked_and_no_longer_than_the_picture(page: Asker, side: int) -> None:
    """Its longer side is the one asked for, and small pictures are not enlarged."""
    answer = page.get("picture", key="a/003.png", side=side)
    width, height = Image.open(BytesIO(answer.content)).size
    assert (width, height) == (min(side, WIDTH), round(min(side, WIDTH) * HEIGHT / WIDTH))


def test_unchanged_pictures_have_the_same_tag(page: Asker, datasource: Path) -> None:
    """The tag of a picture changes with its file and its size, and with nothing else."""
    first, again = (page.get("picture", key="a/006.png", side=32).headers["etag"] for _ in range(2))
    assert first == again
    assert page.get("picture", key="a/006.png", side=33).headers["etag"] != first
    status = (datasource / "a/006.png").stat()
    os.utime(datasource / "a/006.png", ns=(status.st_atime_ns, status.st_mtime_ns + 10**9))
    assert page.get("picture", key="a/006.png", side=32).headers["etag"] != first


def test_masks_lie_where_their_pixels_are(page: Asker) -> None:
    """The overlay shows the colour of the category within the mask, and nothing elsewhere."""
    key = page.listed(filter=[{"type": "file", "task": "areas"}])[0]
    pixels = _pixels(page.get("masks", key=key, task="areas").content)
    assert pixels.shape == (HEIGHT, WIDTH, 4)
    inside = np.zeros((HEIGHT, WIDTH), np.bool_)
    inside[10:30, 20:50] = True
    assert (pixels[..., 3] > 0).tolist() == inside.tolist()
    assert pixels[20, 30, :3].tolist() == list(bytes.fromhex(CATEGORY_COLOURS[1][1:]))
    assert page.get("masks", key=key, task="boxes").status_code == 404


def test_a_crop_shows_the_box(page: Asker) -> None:
    """Without padding and without shrinking, a crop is the part of the picture below the box."""
    card = page.read("objects", task="boxes", filter=[{"type": "path", "text": ".png"}])["objects"]
    found = next(o for o in card if not o["key"].startswith("clip"))
    x, y, w, h = found["box"]
    answer = page.get("crop", key=found["key"], task="boxes", position=found["position"], padding=0, side=4096)
    crop = Image.open(BytesIO(answer.content))
    left, top, right, bottom = int(x), int(y), int(np.ceil(x + w)), int(np.ceil(y + h))
    assert crop.size == (right - left, bottom - top)
    expected = np.asarray(Image.open(page.folder / found["key"]))[top:bottom, left:right].astype(np.int64)
    assert np.abs(_pixels(answer.content)[..., :3] - expected).mean() < 25  # other places differ by 85
    assert page.get("crop", key=found["key"], task="boxes", position=99).status_code == 404


def test_frames_are_those_of_the_video(page: Asker) -> None:
    """Frame i of the video is filled with the grey of its number."""
    for number in (7, 0, 11, 3):
        pixels = _pixels(page.get("picture", key=f"clip-{number:02d}-mp4.png", side=32).content)
        assert abs(pixels[..., :3].mean() - number * 9) < 4


def _bomb(width: int, height: int) -> bytes:
    """Return a small PNG that claims to have many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_files_that_cannot_be_shown_say_why(tmp_path: Path) -> None:
    """Bombs, broken, empty, cut, vanished and turned files are answered with what they are."""
    folder = build(tmp_path, n_images=9)
    whole = (folder / "a/003.png").read_bytes()
    (folder / "bomb.png").write_bytes(_bomb(60_000, 60_000))
    (folder / "huge.png").write_bytes(_bomb(10_000, 10_000))
    (folder / "text.png").write_bytes(b"<svg onload=alert(1)>")
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "gone.png").write_bytes(whole)
    picture = Image.open(BytesIO(whole)).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6  # a viewer would turn it
    picture.save(folder / "turned.jpg", "JPEG", exif=exif)
    (folder / "folder.png").mkdir()
    tamis.open(folder).scan(tamis.ScanOptions(workers=1))
    with served(folder) as page:
        (folder / "gone.png").unlink()
        for query in ({}, {"side": 64}):
            for key, status in {"bomb.png": 422, "huge.png": 422, "text.png": 422, "gone.png": 404}.items():
                answer = page.get("picture", key=key, **query)
                assert answer.status_code == status, key
                assert answer.headers["content-type"] == "application/json"
                assert answer.json()["message"]
            turned = Image.open(BytesIO(page.get("picture", key="turned.jpg", **query).content))
            assert turned.size == (WIDTH, HEIGHT)
            assert turned.getexif().get(0x0112) in {None, 1}
        assert page.get("picture", key="cut.png", side=64).status_code == 422
        assert "10000 x 10000 pixels" in page.get("picture", key="huge.png", side=64).json()["message"]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 400)), max_size=40))
def test_the_disk_cache_stays_below_its_size_and_gives_what_was_put(
    tmp_path_factory: pytest.TempPathFactory, puts: list[tuple[str, int]]
) -> None:
    """Law: what is found is what was put last, and all files together never take more than allowed."""
    folder = tmp_path_factory.mktemp("cache")
    cache = DiskCache(folder / "pictures", 1_000)
    last: dict[str, bytes] = {}
    for number, (name, size) in enumerate(puts):
        last[name] = bytes([number]) * size
        cache.put(name, last[name])
        assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= 1_000
    assert all(cache.get(name) in {None, data} for name, data in last.items())
    if puts and puts[-1][1] <= 1_000:
        assert cache.get(puts[-1][0]) in {None, last[puts[-1][0]]}
    shutil.rmtree(folder)


def test_a_cache_that_cannot_be_written_only_makes_it_slower(page: Asker, tmp_path: Path) -> None:
    """A file where the folder of the cache should be: nothing is kept, and nothing fails."""
    (tmp_path / "file").write_text("")
    cache = DiskCache(tmp_path / "file" / "pictures", 1_000)
    cache.put("a", b"1")
    assert cache.get("a") is None
    assert page.get("picture", key="a/009.png", side=48).status_code == 200
