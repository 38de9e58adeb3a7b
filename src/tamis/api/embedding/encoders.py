"""Which encoder a call means, and which one made a set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tamis.errors import DatasourceError, UsageError
from tamis.media.visual import VisualEncoder

if TYPE_CHECKING:
    from tamis.api.embedding.jobs import Encoder
    from tamis.index import SetSpec


def encoder_of(
    model: str | Path | None = None, preprocessing: str | Path | None = None, *, name: str | None = None
) -> Encoder:
    """Return the encoder that a call means: the built-in descriptor, or the model of a file.

    Raises:
        UsageError: when the file is no image encoder, or onnxruntime is not installed.
        DatasourceError: when the file cannot be read.
        EncoderError: when the model fails.
    """
    if model is None:
        if preprocessing is not None:
            raise UsageError("Preprocessing is for a model", hint="give `--model FILE`, or leave it out")
        return VisualEncoder(name=name or VisualEncoder().name)
    from tamis.media.onnx_encoder import open_encoder, read_preprocessing  # noqa: PLC0415 (for models only)

    if preprocessing is not None and not Path(preprocessing).exists():
        raise UsageError(f"There is no file `{preprocessing}`")
    steps = None if preprocessing is None else read_preprocessing(Path(preprocessing))
    return open_encoder(Path(model), steps, name=name)


def encoder_of_set(spec: SetSpec) -> Encoder:
    """Return the encoder that made a set, for pictures that are not in the index.

    Raises:
        UsageError: when the vectors were brought by the user, or the model changed since.
        DatasourceError: when its model is gone.
    """
    if spec.file is not None:
        raise UsageError(
            f"The embeddings `{spec.name}` are from a file: other pictures cannot be compared with them",
            hint="name a sample of the datasource, or embeddings that `tamis embed` made",
        )
    try:
        encoder = _made_by(spec)
    except DatasourceError as error:
        raise DatasourceError(
            error.message,
            hint=f"it made the embeddings `{spec.name}`: put it back, or name a sample of the datasource",
        ) from None
    if encoder.identity != spec.encoder:
        raise UsageError(
            f"`{spec.model or spec.name}` is not what made the embeddings `{spec.name}` any more",
            hint=f"make them again: `{spec.command} --full`{_forgotten(spec)}",
        )
    return encoder


def _forgotten(spec: SetSpec) -> str:
    is_old = spec.model is not None and spec.steps is None
    return (
        "; if they had a `--preprocessing`, that command with it and without `--full` is enough" if is_old else ""
    )


def _made_by(spec: SetSpec) -> Encoder:
    """Open the model of a set with the preprocessing that the set was made with, whatever became of its file."""
    if spec.model is None or spec.steps is None:
        return encoder_of(spec.model, name=spec.name)
    from tamis.media.onnx_encoder import Preprocessing, open_encoder  # noqa: PLC0415 (for models only)

    return open_encoder(Path(spec.model), msgspec.convert(spec.steps, Preprocessing), name=spec.name)


def steps_of(encoder: Encoder) -> dict[str, Any] | None:
    """Return how an encoder prepares pictures, to be kept with its sets; `None` for the built-in descriptor."""
    if isinstance(encoder, VisualEncoder):
        return None
    from tamis.media.onnx_encoder import OnnxEncoder  # noqa: PLC0415 (for models only)

    return msgspec.to_builtins(encoder.steps) if isinstance(encoder, OnnxEncoder) else None
