"""Which sample each prediction is of, found among the samples of its own shard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tamis.index.browse.samples import SampleTable
    from tamis.index.samples import SampleColumns


class Owners:
    """Numbers of the samples that rows of a shard name.

    A scan writes a sample and what is predicted of it into one shard, so that a few thousand keys are looked at;
    all others are asked only where that does not hold.

    Args:
        samples: of the snapshot.
        table: the same, with the shard of each.
    """

    def __init__(self, samples: SampleColumns, table: SampleTable) -> None:
        self._samples = samples
        self._keys = table.keys
        shard = table.table["shard"].to_numpy()
        self._numbers = np.argsort(shard, kind="stable")
        self._starts = np.searchsorted(shard[self._numbers], np.arange(len(samples.snapshot.manifest.shards) + 1))

    def of_task(self, task: str, shard: int) -> NDArray[np.int32]:
        """Return the sample of each row of a task's predictions in a shard, which has some, in the rows' order."""
        snapshot = self._samples.snapshot
        table = snapshot.shard_table(snapshot.manifest.shards[shard], f"predictions:{task}", ["sample"])
        words = table["sample"].combine_chunks()
        if not len(words):
            return np.zeros(0, np.int32)
        own = self._numbers[self._starts[shard] : self._starts[shard + 1]]
        names = words.dictionary.cast(self._keys.type)
        found = pc.index_in(names, value_set=self._keys.take(own))
        if found.null_count:
            numbers = self._samples.positions(words.dictionary)
        else:
            numbers = own[found.to_numpy(zero_copy_only=False)]
        return np.asarray(numbers[words.indices.to_numpy(zero_copy_only=False)], np.int32)
