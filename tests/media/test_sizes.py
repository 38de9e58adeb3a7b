from __future__ import annotations

import io
import random
import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from real_data import DATA, needs_data
from tamis.media.headers import HeaderError, MoreBytesError, image_size
from tamis.media.orientation import is_turned
from tamis.media.sizes import FIRST_READ_BYTES, ImageSize, read_image_sizes
from tamis.storage import LocalStore, MemoryStore, Store

if TYPE_CHECKING:
    from pathlib import Path

FORMATS: list[tuple[str, str, dict[str, Any]]] = [
    ("JPEG", "RGB", {}),
    ("JPEG", "L", {"progressive": True}),
    ("JPEG", "CMYK", {"optimize": True}),
    ("PNG", "RGBA", {}),
    ("PNG", "I;16", {}),
    ("GIF", "P", {}),
    ("BMP", "RGB", {}),
    ("BMP", "1", {}),
    ("WEBP", "RGB", {}),
    ("WEBP", "RGB", {"lossless": True}),
    ("WEBP", "RGBA", {"exif": b"Exif\0\0"}),
    ("TIFF", "RGB", {}),
    ("TIFF", "F", {"compression": "tiff_lzw"}),
    ("TIFF", "L", {"big_tiff": True}),
    ("PPM", "RGB", {}),
    ("PPM", "L", {}),
    ("PPM", "1", {}),
]
ids = [f"{name}-{mode}-{'-'.join(options)}" for name, mode, options in FORMATS]


def picture(name: str, mode: str, options: dict[str, Any], size: tuple[int, int] = (5, 3)) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, name, **options)
    return buffer.getvalue()


def size_at(store: Store, key: str) -> ImageSize:
    (size,) = read_image_sizes(store, [key])
    return size


def size_of(data: bytes) -> tuple[int, int] | str:
    size = size_at(MemoryStore({"a": data}), "a")
    if size.fault is None:
        return size.width, size.height
    assert (size.width, size.height) == (0, 0)
    return size.fault


def outcome(start: bytes) -> tuple[int, int] | int | str:
    """Return the size, the number of bytes asked for, or the fault."""
    try:
        return image_size(start)
    except MoreBytesError as more:
        return more.n_bytes
    except HeaderError as error:
        return str(error)


def segment(marker: int, n_bytes: int) -> bytes:
    return bytes([0xFF, marker]) + (n_bytes + 2).to_bytes(2, "big") + bytes(n_bytes)


@pytest.mark.parametrize(("name", "mode", "options"), FORMATS, ids=ids)
@given(size=st.tuples(st.integers(1, 40), st.integers(1, 40)))
def test_sizes_equal_pillows(name: str, mode: str, options: dict[str, Any], size: tuple[int, int]) -> None:
    """The size read from the header is the size that was written, for every format."""
    assert size_of(picture(name, mode, options, size)) == size


@pytest.mark.parametrize(("name", "mode", "options"), FORMATS, ids=ids)
def test_large_sizes(name: str, mode: str, options: dict[str, Any]) -> None:
    """Sides beyond a byte and beyond 12 bits are read whole."""
    assert size_of(picture(name, mode, options, (4099, 2))) == (4099, 2)
    assert size_of(picture(name, mode, options, (1, 9001))) == (1, 9001)


@pytest.mark.parametrize(("name", "mode", "options"), FORMATS, ids=ids)
def test_a_truncated_file_has_its_size_or_a_fault(name: str, mode: str, options: dict[str, Any]) -> None:
    """However a file is cut, its size is right or a fault is told; nothing is raised."""
    data = picture(name, mode, options)
    assert size_of(b"") == "the file is empty"
    for end in range(1, len(data)):
        assert size_of(data[:end]) in {
            (5, 3),
            "the file ends within its header",
            "it is not of a known image format",
        }


@pytest.mark.parametrize(("name", "mode", "options"), FORMATS, ids=ids)
def test_a_start_says_how_many_bytes_more(name: str, mode: str, options: dict[str, Any]) -> None:
    """A start that is too short asks for more bytes than it has, and following that always ends."""
    data = picture(name, mode, options)
    n_bytes = 12
    while isinstance(result := outcome(data[:n_bytes]), int):
        assert n_bytes < result <= len(data)
        n_bytes = result
    assert result == (5, 3)


@given(st.data())
def test_damage_is_never_raised(data: st.DataObject) -> None:
    """Bytes changed at random give a size of positive sides or a fault."""
    name, mode, options = data.draw(st.sampled_from(FORMATS))
    content = bytearray(picture(name, mode, options))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, min(len(content), 120) - 1))] = data.draw(st.integers(0, 255))
    size = size_at(MemoryStore({"a": bytes(content)}), "a")
    assert (size.fault is None) == (size.width > 0) == (size.height > 0)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_size_or_a_fault(content: bytes) -> None:
    """No bytes at all make the header reader raise anything but its two errors."""
    for start in (b"", b"\xff\xd8\xff", b"II*\0", b"MM\0+", b"BM", b"P6", b"RIFF\0\0\0\0WEBP"):
        result = outcome(start + content)
        if isinstance(result, int):
            assert result > len(start + content)
        else:
            assert isinstance(result, str) or min(result) > 0


@pytest.mark.parametrize("extra_bytes", [0, FIRST_READ_BYTES - 40, FIRST_READ_BYTES - 1, 70_000, 3_000_000])
def test_jpegs_with_long_headers(extra_bytes: int, tmp_path: Path) -> None:
    """A size behind EXIF and colour profiles of any length is found, on every store."""
    jpeg = picture("JPEG", "RGB", {})
    n_full, rest = divmod(extra_bytes, 65_533)
    padded = jpeg[:2] + segment(0xE2, 65_533) * n_full + segment(0xE2, rest) + jpeg[2:]
    (tmp_path / "a.jpg").write_bytes(padded)
    for store in (LocalStore(tmp_path), MemoryStore({"a.jpg": padded})):
        size = size_at(store, "a.jpg")
        assert (size.width, size.height, size.fault) == (5, 3, None)
        assert size.stamp == store.read("a.jpg").stamp


def test_jpeg_padding_and_junk_between_segments() -> None:
    """Fill bytes, junk and markers without length before the frame header are passed over, as decoders do."""
    jpeg = picture("JPEG", "RGB", {})
    for junk in (b"\xff\xff\xff", b"\0\0\0", b"\xff\x00", b"\xff\xd0\xff\x01", b"\xff" * 5_000_000):
        assert size_of(jpeg[:2] + b"\xff\xe0\x00\x02" + junk + jpeg[2:]) == (5, 3)


def test_exif_orientation_is_not_applied() -> None:
    """A picture that viewers turn keeps its stored size, as boxes and masks refer to it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("JPEG", "PNG", "WEBP"):
        assert size_of(picture(name, "RGB", {"exif": exif})) == (5, 3)
    assert size_of(picture("TIFF", "RGB", {"tiffinfo": {274: 6}})) == (5, 3)


@pytest.mark.parametrize("name", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", [None, *range(10)])
def test_pictures_that_viewers_turn_are_known(name: str, orientation: int | None) -> None:
    """All orientations but the first turn or mirror; numbers that mean nothing do not."""
    exif = Image.Exif()
    exif[0x010F] = "maker"
    if orientation is not None:
        exif[0x0112] = orientation
    data = picture(name, "RGB", {"exif": exif})
    assert size_at(MemoryStore({"a": data}), "a").is_turned == (orientation in range(2, 9))
    for end in range(len(data)):  # however it is cut
        assert is_turned(data[:end]) in {False, orientation in range(2, 9)}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("is_big", [False, True])
@pytest.mark.parametrize("kind", [3, 4])
@pytest.mark.parametrize("gap_bytes", [0, 5000, 2_000_000])
def test_tiff_directories_anywhere(order: str, *, is_big: bool, kind: int, gap_bytes: int, tmp_path: Path) -> None:
    """A TIFF's directory is found wherever it lies, in both byte orders, classic and big."""
    magic = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "H", 43 if is_big else 42)
    start = 16 if is_big else 8
    head = struct.pack(order + "HHQ", 8, 0, start + gap_bytes) if is_big else b""
    head = head or struct.pack(order + "I", start + gap_bytes)
    entries = [(257, 3), (254, 0), (256, 5)]  # out of order, which writers do
    body = struct.pack(order + ("Q" if is_big else "H"), len(entries))
    for tag, value in entries:
        packed = struct.pack(order + {3: "H", 4: "I"}[kind], value).ljust(8 if is_big else 4, b"\0")
        body += struct.pack(order + ("HHQ" if is_big else "HHI"), tag, kind, 1) + packed
    data = magic + head + bytes(gap_bytes) + body
    (tmp_path / "a.tif").write_bytes(data)
    for store in (LocalStore(tmp_path), MemoryStore({"a.tif": data})):
        assert size_at(store, "a.tif")[:2] == (5, 3)
        store.write("b.tif", data[:-7])
        assert "TIFF" in (fault := str(size_at(store, "b.tif").fault)) or "ends within" in fault


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"hello world, this is a text", "it is not of a known image format"),
        (b"GIF89a" + bytes(10), "its header says 0 x 0 pixels"),
        (b"\xff\xd8\xff\xd9" + bytes(20), "its JPEG header names no size"),
        (b"\x89PNG\r\n\x1a\n" + bytes(30), "its PNG data does not start with a header"),
        (b"RIFF____WAVE" + bytes(30), "it is not of a known image format"),
        (b"RIFF____WEBPVP8 " + bytes(30), "its WebP header is damaged"),
        (b"BM" + bytes(40), "its BMP header is of no known length"),
        (b"P6 5 x", "the file ends within its header"),
        (b"P6" + b" " * 100_000, "its PPM header names no size"),
        (b"II*\0\x08\0\0\0" + bytes(20), "its TIFF directory names no size"),
        (b"II+\0\x08\0\0\0\x10" + bytes(7) + b"\xff" * 20, "its TIFF header is damaged"),
        (b"II*\0\x00\xff\xff\xff" + bytes(20), "the file ends within its header"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(9), "it is not of a known image format"),
    ],
)
def test_faults_say_what_is_wrong(data: bytes, fault: str) -> None:
    """Each kind of damage has a text of its own."""
    assert size_of(data) == fault


def test_bmp_rows_from_top_to_bottom() -> None:
    """A negative height says how rows run, not how many there are."""
    data = bytearray(picture("BMP", "RGB", {}))
    data[22:26] = struct.pack("<i", -3)
    assert size_of(bytes(data)) == (5, 3)


def test_rare_formats_are_left_to_pillow() -> None:
    """AVIF and JPEG 2000 under an image's name have a size, too, where Pillow can read them."""
    Image.init()
    for name in {"AVIF", "JPEG2000"} & set(Image.SAVE):
        assert size_of(picture(name, "RGB", {}, (20, 10))) == (20, 10)


def test_sizes_come_in_the_order_of_the_keys() -> None:
    """Each image has its own size or fault, whatever became of those before it."""
    store = MemoryStore({f"{n}.png": picture("PNG", "RGB", {}, (n, 1)) for n in (1, 2)} | {"bad.png": b"x"})
    sizes = list(read_image_sizes(store, ["2.png", "gone.png", "bad.png", "1.png"]))
    assert [size[:2] for size in sizes] == [(2, 1), (0, 0), (0, 0), (1, 1)]
    assert sizes[1].fault == "`gone.png` is not in memory://"
    assert sizes[1].stamp == (0, 0)


@needs_data
def test_real_images() -> None:
    """On real images the sizes equal Pillow's."""
    paths = sorted(p for p in DATA.rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png", ".gif"})
    store = LocalStore(DATA)
    for path in random.Random(0).sample(paths, min(200, len(paths))):  # noqa: S311 (no secret)
        with Image.open(path) as image:
            assert size_at(store, path.relative_to(DATA).as_posix())[:2] == image.size
