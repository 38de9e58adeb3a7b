"""Pseudo-random numbers that belong to sample keys."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.selection.embeddings import Floats


def random_weights(seed: int, keys: Sequence[str]) -> Floats:
    """Return a number in [0, 1) for each sample, from its key and the seed alone, on every machine the same.

    New samples change no old number. 53 bits of blake2b over seed and key.

    Args:
        seed: another seed, other numbers.
        keys: the samples' keys.

    Returns:
        (n,) numbers.

    >>> random_weights(0, ["a.jpg", "b.jpg"]).round(6).tolist()
    [0.869709, 0.307108]
    """
    start = f"{seed}\0".encode()
    digests = b"".join(
        [blake2b(start + key.encode("utf-8", "surrogateescape"), digest_size=8).digest() for key in keys]
    )
    return (np.frombuffer(digests, "<u8") >> np.uint64(11)).astype(np.float64) * 2.0**-53
