"""Which encoder a call means, and which one made a set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tamis.errors import UsageError
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
    encoder = encoder_of(spec.model, name=spec.name)
    if encoder.identity != spec.encoder:
        raise UsageError(
            f"`{spec.model or spec.name}` is not what made the embeddings `{spec.name}` any more",
            hint=f"make them again: `{spec.command} --full`",
        )
    return encoder
