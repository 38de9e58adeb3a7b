"""What made the embeddings of a set, and what may take its place."""

from __future__ import annotations

import shlex
from typing import Any

import msgspec

from tamis.errors import UsageError

_FILE = "file "


class SetSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What made the embeddings of a set: two sets of one spec can be compared.

    Attributes:
        name: of the set.
        task: whose objects they are of; `None`: of images and frames.
        encoder: what made the vectors, e.g. `visual 1`, `onnx <digest>` or `file clip.npz`.
        source: the same in words, for people.
        n_dims: length of the vectors.
        padding: by which part boxes were widened before objects were cut out.
        model: path of the ONNX file, where one made them.
        preprocessing: path of the JSON file that was given with it, if one was.
        steps: how pictures became the model's input, as that file says it; `None` for sets of before it was kept.
        created: UTC time, ISO 8601.
    """

    name: str
    task: str | None
    encoder: str
    source: str
    n_dims: int
    padding: float = 0.0
    model: str | None = None
    preprocessing: str | None = None
    steps: dict[str, Any] | None = None
    created: str = ""

    @property
    def file(self) -> str | None:
        """Name of the user's file that they were taken over from, `None` where tamis made them."""
        return self.encoder.removeprefix(_FILE) if self.encoder.startswith(_FILE) else None

    @property
    def command(self) -> str:
        """What makes them, or takes them over, for people to type."""
        given = {
            "--task": self.task,
            "--model": self.model,
            "--preprocessing": self.preprocessing,
            "--file": self.file,
            "--name": self.name,
        }
        words = [word for option, value in given.items() if value is not None for word in (option, value)]
        return shlex.join(["tamis", "embed", "SRC", *words])


def encoder_of_file(name: str) -> str:
    """Return what a set of a user's file has as its encoder."""
    return f"{_FILE}{name}"


def what_made(spec: SetSpec) -> tuple[object, ...]:
    """Return what two sets have in common whose vectors can be mixed."""
    return spec.encoder, spec.n_dims, spec.padding


def check_replacing(there: SetSpec, new: SetSpec, *, anew: bool) -> None:
    """Refuse to lose the vectors of a set to others that nobody asked to have in their place.

    A file takes the place of a file only, and the built-in descriptor that of itself only: neither can make again
    what a model made. The descriptor's own name is given back to it, though. Rows join what the same encoder made.

    Args:
        there: what made the set that has the name.
        new: what is to have it.
        anew: whether the user asked for the old ones to be replaced.

    Raises:
        UsageError: with how to keep both.
    """
    if new.file is not None:
        allowed = there.file is not None
    elif new.model is None:
        mine = _has_own_name(new) or (there.model is None and there.file is None)
        allowed = mine and (anew or what_made(there) == what_made(new))
    else:
        allowed = anew or what_made(there) == what_made(new)
    if allowed:
        return
    padding = f", with a padding of {there.padding:g}" if there.task is not None and there.file is None else ""
    raise UsageError(
        f"The embeddings `{there.name}` were made otherwise: {there.source}{padding}", hint=_how(there, new)
    )


def _has_own_name(spec: SetSpec) -> bool:
    """Whether a set is called as the encoder that made it, as `visual` is by default."""
    return spec.encoder.partition(" ")[0] == spec.name


def _how(there: SetSpec, new: SetSpec) -> str:
    """Say what to do with embeddings whose name others have."""
    other = "give the new ones another name with `--name`"
    if new.file is not None:
        return other
    if _has_own_name(new):
        return f"make them anew: `{new.command} --full`"
    if there.file is None and (new.model is not None or there.model is None):
        return f"{other}, or replace the old ones: `{new.command} --full`"
    return f"{other}; the old ones are brought up to date by `{there.command}`"
