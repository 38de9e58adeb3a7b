"""What `find_changes` says, against dictionaries."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from strategies_index import Unit, make_manifest, write_shard
from tamis.index import Changes, Index, Listing, Snapshot, all_units, find_changes

if TYPE_CHECKING:
    from pathlib import Path

State = dict[str, int]  # stem -> fingerprint


def listing_of(state: State) -> Listing:
    n = len(state)
    return Listing(
        stems=pa.array(list(state), pa.string()),
        fingerprints=np.array(list(state.values()), np.uint64),
        extensions=pa.array(["jpg"] * n, pa.string()),
        frame_video=np.full(n, -1, np.int32),
        frame_number=np.full(n, -1, np.int32),
        present={},
        videos=[],
    )


def living(snapshot: Snapshot) -> State:
    """Return the units of a snapshot that count, one after the other."""
    state: State = {}
    for shard, table in snapshot.units():
        for number, unit in enumerate(table.to_pylist()):
            if number not in snapshot.manifest.dead.get(shard.id, ()):
                assert unit["stem"] not in state
                state[unit["stem"]] = unit["fingerprint"]
    return state


def apply(index: Index, changes: Changes, state: State, step: int, shard_size: int) -> Snapshot:
    """Do what a scan does with the changes: read what is to be read into new shards."""
    items = list(state.items())
    units = [Unit(*items[i]) for i in changes.to_read.tolist()]
    parts = [units[i : i + shard_size] for i in range(0, len(units), shard_size)]
    new = [write_shard(index, f"s{step}/{i:06d}", part) for i, part in enumerate(parts)]
    return index.commit(make_manifest(f"s{step}", [*changes.shards, *new], dead=changes.dead))


def edited(state: State, rng: random.Random) -> State:
    """Change, remove and add some units, anything from none to most of them, and list them in another order."""
    share = rng.choice([0.0, 0.02, 0.2, 0.9])
    new = {stem: print_ for stem, print_ in state.items() if rng.random() >= share / 3}
    for stem in new:
        if rng.random() < share / 2:
            new[stem] = rng.getrandbits(64)
    for _ in range(rng.choice([0, 1, 12])):
        new[f"{rng.choice('abc')}/{rng.randrange(200)}"] = rng.getrandbits(64)
    items = list(new.items())
    rng.shuffle(items)
    return dict(items)


@pytest.mark.parametrize("seed", range(6))
def test_a_sequence_of_edits_leaves_exactly_the_files(seed: int, tmp_path: Path) -> None:
    """After each of many edits, what is reused and what is to be read together are the listing, each unit once."""
    rng = random.Random(seed)  # noqa: S311 (no secret)
    index, state = Index(tmp_path), {f"a/{i}": rng.getrandbits(64) for i in range(60)}
    snapshot = apply(index, all_units(listing_of(state)), state, 0, shard_size=20)
    for step in range(1, 14):
        before, state = living(snapshot), edited(state, rng)
        changes = find_changes(listing_of(state), snapshot)
        stems = list(state)
        must_read = {stem for stem in stems if before.get(stem) != state[stem]}
        read = [stems[i] for i in changes.to_read.tolist()]
        assert read == sorted(read, key=stems.index)
        assert must_read <= set(read)
        assert changes.n_removed == len(before.keys() - state.keys())
        kept = living(Snapshot(tmp_path, make_manifest("x", changes.shards, dead=changes.dead)))
        assert kept == {stem: state[stem] for stem in stems if stem not in set(read)}
        # What is read without need is from shards that are given up.
        dropped = {shard.id for shard in snapshot.manifest.shards} - {shard.id for shard in changes.shards}
        given_up = {
            stem for shard, table in snapshot.units() if shard.id in dropped for stem in table["stem"].to_pylist()
        }
        assert set(read) - must_read <= given_up
        snapshot = apply(index, changes, state, step, shard_size=20)
        assert living(snapshot) == state
        assert len(snapshot.manifest.shards) < 16 + 4


@pytest.mark.parametrize("n_units", [0, 1, 50])
def test_no_edit_is_no_change(n_units: int, tmp_path: Path) -> None:
    """A listing that is what the snapshot was made from asks for nothing, in any order."""
    state = {f"{i}": i * 7 for i in range(n_units)}
    snapshot = apply(Index(tmp_path), all_units(listing_of(state)), state, 0, shard_size=20)
    again = dict(reversed(state.items()))
    changes = find_changes(listing_of(again), snapshot)
    assert (changes.to_read.tolist(), changes.dead, changes.n_removed) == ([], {}, 0)
    assert changes.shards == snapshot.manifest.shards


def test_from_nothing_everything_is_read() -> None:
    """Without a snapshot all units are to be read, and nothing is kept."""
    changes = all_units(listing_of({"a": 1, "b": 2}))
    assert (changes.to_read.tolist(), changes.shards, changes.dead, changes.n_removed) == ([0, 1], (), {}, 0)


def test_a_shard_that_is_mostly_dead_is_given_up(tmp_path: Path) -> None:
    """When half of a shard has changed, the rest of it is read anew; other shards stay."""
    state = {f"{i}": 1 for i in range(40)}
    snapshot = apply(Index(tmp_path), all_units(listing_of(state)), state, 0, shard_size=20)
    less, more = state | {f"{i}": 2 for i in range(9)}, state | {f"{i}": 2 for i in range(10)}
    assert len(find_changes(listing_of(less), snapshot).to_read) == 9
    changes = find_changes(listing_of(more), snapshot)
    assert changes.to_read.tolist() == list(range(20))
    assert changes.shards == snapshot.manifest.shards[1:]


def test_many_small_shards_become_few(tmp_path: Path) -> None:
    """Scans that each add a little do not leave ever more shards."""
    index, state = Index(tmp_path), {"0": 0}
    snapshot = apply(index, all_units(listing_of(state)), state, 0, shard_size=20)
    most = 0
    for step in range(1, 40):
        state[f"{step}"] = step
        snapshot = apply(index, find_changes(listing_of(state), snapshot), state, step, shard_size=20)
        most = max(most, len(snapshot.manifest.shards))
        assert living(snapshot) == state
    assert most <= 17
