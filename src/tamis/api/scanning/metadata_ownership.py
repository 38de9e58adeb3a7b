"""Which sample a metadata file speaks of: what it names, else what its path and its `type` leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tamis.api.scanning.disputes import collision, taken
from tamis.model import CODES, Drops, Problem, SampleKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tamis.formats import Metadata


class Whose(NamedTuple):
    """What a metadata file means to those that it may speak of.

    Attributes:
        owner: the sample or video that has its values, `None` where that cannot be told.
        unknown: those that may have them, so that theirs are not known; all others have none.
        problems: why the path alone does not tell.
    """

    owner: str | None
    unknown: Collection[str]
    problems: list[Problem]


def whose_metadata(
    kinds: Mapping[str, SampleKind], said: Metadata, *, file: str, left_out: Collection[str] = ()
) -> Whose:
    """Decide which of the images, frames and videos of one stem a metadata file speaks of.

    Args:
        kinds: what has the stem, at least one.
        said: what the file says.
        file: its key.
        left_out: those of them that are no samples.
    """
    if any(CODES[problem.code].drops is Drops.FILE for problem in said.problems):
        return Whose(None, list(kinds), [])
    owners = _owners(kinds, said, left_out)
    samples = [key for key in kinds if key not in left_out]
    if len(owners) > 1:
        return Whose(None, owners, [collision(owners, said.file_name, task=None, file=file)])
    owner = owners[0]
    problems = taken(samples, owner, task=None, file=file)
    if owner in samples:
        problems += _disagreements(owner, kinds[owner], said, file)
    return Whose(owner, [], problems)


def _owners(kinds: Mapping[str, SampleKind], said: Metadata, left_out: Collection[str]) -> list[str]:
    """Return those that the file may speak of: one, or samples that it does not tell apart."""
    if said.file_name is not None and said.file_name in kinds:
        return [said.file_name]
    likely = list(kinds)
    if said.kind is not None:
        exactly = [key for key in kinds if kinds[key] is said.kind]
        likely = exactly or [key for key in kinds if _is_alike(kinds[key], said.kind)] or likely
    return [key for key in likely if key not in left_out] or likely[:1]


def _is_alike(kind: SampleKind, said: SampleKind) -> bool:
    """Whether one kind may be called the other: frames are often stored, and described, as images."""
    return (kind is SampleKind.VIDEO) == (said is SampleKind.VIDEO)


def _disagreements(owner: str, kind: SampleKind, said: Metadata, file: str) -> list[Problem]:
    problems = []
    if said.file_name not in {None, owner}:
        message = f"expected `{owner}`, got `{said.file_name}`"
        problems.append(Problem(code="metadata-file-name", file=file, path="$.file_name", message=message))
    if said.kind is not None and not _is_alike(kind, said.kind):
        message = f"expected `{kind}`, as `{owner}` is one, got `{said.kind}`"
        problems.append(Problem(code="metadata-sample-type", file=file, path="$.type", message=message))
    return problems
