"""Listings against a dictionary of what was added."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.index import FRAME, IMAGE, METADATA, FrameRange, Listing, ListingBuilder, mix, salt, task_slot
from tamis.storage import Stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

SLOTS = [METADATA, task_slot("a"), task_slot("b")]


@dataclass(frozen=True)
class File:
    folder: str
    slot: str
    stem: str
    ending: str
    size_bytes: int
    mtime_ns: int

    @property
    def identity(self) -> tuple[str, str, str, str]:
        return self.folder, self.slot, self.stem, self.ending

    @property
    def full_stem(self) -> str:
        return f"{self.folder}/{self.stem}" if self.folder else self.stem


def build(files: Sequence[File], *, stamped: bool = True, seed: int | None = None) -> Listing:
    """List the files folder by folder, in pages of a few, in an order that the seed decides."""
    rng = random.Random(seed)  # noqa: S311 (no secret)
    builder = ListingBuilder(SLOTS, stamped)
    for folder in sorted({file.folder for file in files}):
        mine = [file for file in files if file.folder == folder]
        if seed is not None:
            rng.shuffle(mine)
        for file in mine:
            builder.add(
                file.slot,
                [file.stem],
                [file.size_bytes] if stamped else [],
                [file.mtime_ns] if stamped else [],
                extensions=[file.ending] if file.slot == IMAGE else None,
            )
        builder.close_folder(folder)
    return builder.finish()


few = settings(max_examples=40)


@st.composite
def datasources(draw: st.DrawFn) -> list[File]:
    def file() -> st.SearchStrategy[File]:
        slot = st.sampled_from([IMAGE, *SLOTS])
        return slot.flatmap(
            lambda s: st.builds(
                File,
                folder=st.sampled_from(["", "d", "d/e"]),
                slot=st.just(s),
                stem=st.sampled_from(["0", "1", "x y", "é", "x.y"]),
                ending=st.sampled_from(["jpg", "png", "PNG"]) if s == IMAGE else st.just(""),
                size_bytes=st.integers(0, 2**40),
                mtime_ns=st.integers(-(2**62), 2**63 - 1),
            )
        )

    return draw(st.lists(file(), max_size=25, unique_by=lambda f: f.identity))


def test_nothing_is_nothing() -> None:
    """A listing of nothing has no units and every column."""
    listing = build([])
    assert len(listing) == 0
    assert set(listing.present) == set(SLOTS)
    assert listing.has_sample.tolist() == []


@few
@given(datasources())
def test_units_are_the_distinct_stems(files: list[File]) -> None:
    """There is one unit for each stem, with its image endings and its files, as a loop finds them."""
    listing = build(files)
    assert sorted(listing.stems.to_pylist()) == sorted({file.full_stem for file in files})
    for i, stem in enumerate(listing.stems.to_pylist()):
        mine = [file for file in files if file.full_stem == stem]
        assert listing.extensions[i].as_py() == "/".join(sorted(f.ending for f in mine if f.slot == IMAGE))
        assert listing.has_sample[i] == any(f.slot == IMAGE for f in mine)
        for slot in SLOTS:
            assert listing.present[slot][i] == any(f.slot == slot for f in mine)
    for folder in ("", "d", "d/e"):
        inside = [s for s in listing.stems.to_pylist() if s.rpartition("/")[0] == folder]
        assert all(first < second for first, second in pairwise(inside))


@few
@given(datasources(), st.integers(0, 1000))
def test_the_order_of_adding_does_not_matter(files: list[File], seed: int) -> None:
    """Whatever order a folder's names come in, the listing is the same."""
    one, other = build(files), build(files, seed=seed)
    assert one.stems.equals(other.stems)
    assert one.extensions.equals(other.extensions)
    assert (one.fingerprints == other.fingerprints).all()
    assert all((one.present[slot] == other.present[slot]).all() for slot in SLOTS)


def prints(listing: Listing) -> dict[str, int]:
    return dict(zip(listing.stems.to_pylist(), listing.fingerprints.tolist(), strict=True))


@few
@given(datasources().filter(bool), st.data())
def test_a_fingerprint_changes_exactly_with_its_unit(files: list[File], data: st.DataObject) -> None:
    """Changing a size, a time, an ending or a slot, or taking a file away, changes its unit and no other."""
    victim = data.draw(st.sampled_from(files))
    others = [file for file in files if file is not victim]
    new = File(
        victim.folder,
        data.draw(st.sampled_from([IMAGE, *SLOTS])),
        victim.stem,
        data.draw(st.sampled_from(["jpg", "png"])),
        data.draw(st.sampled_from([victim.size_bytes, victim.size_bytes + 1, 0])),
        data.draw(st.sampled_from([victim.mtime_ns, victim.mtime_ns - 1, 0])),
    )
    if new.slot != IMAGE:
        new = File(new.folder, new.slot, new.stem, "", new.size_bytes, new.mtime_ns)
    if any(new.identity == other.identity for other in others):
        return
    for changed in ([*others, new], others):
        before, after = prints(build(files)), prints(build(changed))
        stem = victim.full_stem
        assert (before[stem] != after.get(stem)) == (new != victim if len(changed) == len(files) else True)
        assert {k: v for k, v in before.items() if k != stem} == {k: v for k, v in after.items() if k != stem}


@few
@given(datasources())
def test_without_stamps_there_are_no_fingerprints(files: list[File]) -> None:
    """A listing without stamps has the same units, and fingerprints of 0."""
    plain, stamped = build(files, stamped=False), build(files)
    assert plain.stems.equals(stamped.stems)
    assert plain.extensions.equals(stamped.extensions)
    assert not plain.fingerprints.any()


def test_fingerprints_rarely_collide() -> None:
    """Of 200,000 close sizes, times and slots no two have one fingerprint, nor do sums that swap values."""
    sizes, times = np.meshgrid(np.arange(400), np.arange(1_700_000_000_000_000_000, 1_700_000_000_000_000_250))
    one = mix(salt(IMAGE, "jpg"), sizes.ravel(), times.ravel())
    other = mix(salt(IMAGE, "png"), sizes.ravel(), times.ravel())
    assert len(np.unique(np.concatenate([one, other]))) == 2 * one.size
    with np.errstate(over="ignore"):
        assert not (one[:-1] + other[1:] == one[1:] + other[:-1]).any()


def frames_listing(
    *,
    video: Stamp | None = None,
    metadata: Stamp | None = None,
    own: Stamp | None = None,
    image: Stamp | None = None,
) -> Listing:
    builder = ListingBuilder(SLOTS, stamped=True)
    builder.add(IMAGE, ["z"], [1], [1], extensions=["jpg"])
    builder.close_folder("a")
    builder.add_frames(FrameRange("v/c.mp4", ["c-0-mp4", "c-1-mp4", "c-2-mp4"], video or Stamp(10, 20), metadata))
    builder.add_frames(FrameRange("v/d.mp4", ["d-0-mp4"], Stamp(5, 5)))
    if own is not None:
        builder.add(METADATA, ["c-1-mp4"], [own.size_bytes], [own.mtime_ns])
    if image is not None:
        builder.add(IMAGE, ["c-2-mp4"], [image.size_bytes], [image.mtime_ns], extensions=["png"])
    builder.close_folder("v")
    builder.add_frames(FrameRange("w/e.mp4", ["e-0-mp4"], Stamp(5, 5)))
    builder.close_folder("w")
    return builder.finish()


def test_each_frame_is_a_unit() -> None:
    """Frames have their video and number, across folders, and share a unit with the image of their name."""
    listing = frames_listing(image=Stamp(3, 4))
    rows = {
        stem: (listing.videos[video] if video >= 0 else None, number, ending)
        for stem, video, number, ending in zip(
            listing.stems.to_pylist(),
            listing.frame_video.tolist(),
            listing.frame_number.tolist(),
            listing.extensions.to_pylist(),
            strict=True,
        )
    }
    assert rows == {
        "a/z": (None, -1, "jpg"),
        "v/c-0-mp4": ("v/c.mp4", 0, ""),
        "v/c-1-mp4": ("v/c.mp4", 1, ""),
        "v/c-2-mp4": ("v/c.mp4", 2, "png"),
        "v/d-0-mp4": ("v/d.mp4", 0, ""),
        "w/e-0-mp4": ("w/e.mp4", 0, ""),
    }
    assert listing.has_sample.all()


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({}, set()),
        ({"video": Stamp(10, 21)}, {"v/c-0-mp4", "v/c-1-mp4", "v/c-2-mp4"}),
        ({"metadata": Stamp(7, 8)}, {"v/c-0-mp4", "v/c-2-mp4"}),
        ({"own": Stamp(1, 3)}, {"v/c-1-mp4"}),
        ({"image": Stamp(1, 3)}, {"v/c-2-mp4"}),
    ],
)
def test_frames_change_with_what_they_depend_on(changes: dict[str, Stamp], changed: set[str]) -> None:
    """A video changes all its frames, its metadata those that have none of their own, a frame's file that frame."""
    before = prints(frames_listing(own=Stamp(1, 2), metadata=Stamp(7, 7), image=Stamp(1, 2)))
    values = {"own": Stamp(1, 2), "metadata": Stamp(7, 7), "image": Stamp(1, 2)} | changes
    after = prints(frames_listing(**values))
    assert {stem for stem in before if before[stem] != after[stem]} == changed


def test_a_frame_differs_from_an_image_of_its_stamp() -> None:
    """The slots of a fingerprint are told apart."""
    assert len({salt(IMAGE, "jpg"), salt(IMAGE, "png"), salt(FRAME), salt(METADATA), salt(task_slot("image"))}) == 5
