"""What to embed, and how."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from tamis.api.engines import on_ray
from tamis.engine import EngineName
from tamis.errors import UsageError
from tamis.media.visual import VisualEncoder

DEFAULT_PADDING = 0.1
PREDICTIONS = "predictions"
"""No set may have this name: it stands for the vectors that are made from predictions when they are needed."""

BUILT_IN = VisualEncoder().name
"""No set of a model or a file may have this name: near-duplicates are found by the built-in descriptor."""

_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedOptions:
    """What to embed, and how.

    Attributes:
        task: whose objects; `None` for images and frames.
        model: an image encoder in an ONNX file; the built-in descriptor by default.
        preprocessing: JSON file that says how pictures become the model's input; the one beside it by default.
        file: embeddings of the user's to take over instead, see `read_embeddings`.
        name: what the set is called; `visual`, or the name of the model or file, by default.
        padding: by which part the boxes of objects are widened, see `crop_area`; .1 by default.
        full: whether everything is encoded again, and a set that another model made replaced.
        workers: processes that decode and encode; `None` is one for each processor that this process may use, or
            that the cluster has.
        engine: `local`, or `ray`: on a cluster.
        ray_address: of the cluster, see `RaySession`.
    """

    task: str | None = None
    model: str | Path | None = None
    preprocessing: str | Path | None = None
    file: str | Path | None = None
    name: str | None = None
    padding: float | None = None
    full: bool = False
    workers: int | None = None
    engine: str = EngineName.LOCAL
    ray_address: str | None = None


def check_options(options: EmbedOptions) -> None:
    """Refuse options that contradict each other, or cannot be.

    Raises:
        UsageError: with what to do.
    """
    on_ray(options)
    if options.model is not None and options.file is not None:
        raise UsageError("A model and a file of embeddings exclude each other", hint="give one of them")
    if options.padding is not None and options.task is None:
        raise UsageError("Padding is for objects", hint="give `--task TASK`, or leave it out")
    if options.padding is not None and not 0.0 <= options.padding <= 10.0:  # noqa: PLR2004 (a box of 11 times the size)
        raise UsageError(f"Expected a padding from 0 to 10, got {options.padding:g}")
    set_name(options)


def set_name(options: EmbedOptions) -> str:
    """Return what the set of a call is called: as the user says, or as the model or file.

    Raises:
        UsageError: when the name is reserved, or that of the file holds no letter that names may have.
    """
    path = options.file if options.model is None else options.model
    name = options.name or (BUILT_IN if path is None else _name_like(Path(path)))
    if name == PREDICTIONS:
        raise UsageError(
            f"Embeddings cannot be called `{PREDICTIONS}`: that stands for vectors made from predictions",
            hint="give another `--name`",
        )
    if name == BUILT_IN and path is not None:
        raise UsageError(
            f"Embeddings of a model or a file cannot be called `{BUILT_IN}`: that is the built-in descriptor",
            hint="give another `--name`",
        )
    return name


def _name_like(path: Path) -> str:
    """Return a name that is like that of a file, in the letters that names of sets may have.

    >>> _name_like(Path("models/ViT-B 32 (opénai).onnx"))
    'ViT-B-32-openai'
    """
    plain = unicodedata.normalize("NFKD", path.stem).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", plain).strip("-_.")[:_LONGEST_NAME]
    if not name:
        raise UsageError(
            f"`{path.name}` has no letters that embeddings can be called by", hint="give a name with `--name`"
        )
    return name
