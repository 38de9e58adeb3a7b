"""Any image encoder in an ONNX file: how pictures become its input, and its output vectors.

onnxruntime is an extra (`pip install 'tamis[onnx]'`) and is loaded by the first picture.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np

from tamis.errors import DatasourceError, TamisError, UsageError
from tamis.media.decoding import as_pixels

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL import Image

_IMAGE_RANK = 4
_DEFAULT_SIDE_PX = 224
_COLOURS = 3
_INPUT_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}


class Preprocessing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a picture becomes the input of an encoder; a JSON file beside the model may say it.

    Attributes:
        width: of the input in pixels; `None`: as the model says, or 224.
        height: likewise.
        layout: order of the input's dimensions; `None`: by where the model has 3 channels.
        fit: `squeeze` to the input's shape, `crop` its middle, or `pad` with grey.
        mean: of red, green and blue from 0 to 1, taken off; ImageNet's by default.
        std: what is then divided by.
        bgr: whether blue comes first.
        output: name of the output; `None`: the first one.
        pool: how an output of more than one vector a picture becomes one: their `mean`, or the `first`.
        batch_size: pictures a run.
    """

    width: int | None = None
    height: int | None = None
    layout: Literal["NCHW", "NHWC"] | None = None
    fit: Literal["squeeze", "crop", "pad"] = "squeeze"
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    bgr: bool = False
    output: str | None = None
    pool: Literal["mean", "first"] = "mean"
    batch_size: int = 8


class EncoderError(TamisError):
    """A model cannot be run, or gives what is no embedding."""


@dataclass(frozen=True, slots=True)
class OnnxEncoder:
    """An encoder of a file; make it with `open_encoder`.

    Attributes:
        path: of the ONNX file.
        name: what sets of it are called.
        identity: digest of the file and the preprocessing.
        n_dims: length of its vectors.
        width: of its input in pixels.
        height: of its input in pixels.
        channels_first: whether its input is (n, 3, height, width).
        steps: how a picture becomes its input.
    """

    path: Path
    name: str
    identity: str
    n_dims: int
    width: int
    height: int
    channels_first: bool
    steps: Preprocessing

    @property
    def batch_size(self) -> int:
        """How many pictures are encoded at once."""
        return self.steps.batch_size

    @property
    def side_px(self) -> int:
        """Pictures may be decoded in a coarser grid, as long as their sides stay above this."""
        return max(self.width, self.height)

    def prepare(self, image: Image.Image) -> NDArray[Any]:
        """Return a picture as uint8 of the input's height and width and 3 colours."""
        return _fitted(image, self.width, self.height, self.steps.fit)

    def encode(self, inputs: NDArray[Any]) -> NDArray[np.float32]:
        """Return the vectors of prepared pictures, shape (n, d); a row of NaN where the model gives no number.

        Raises:
            EncoderError: when the model fails, or gives another shape than at first.
        """
        vectors = _run(self.path, self.steps, _as_input(inputs, self))
        if vectors.shape != (len(inputs), self.n_dims):
            raise EncoderError(
                f"`{self.path}`: expected an output of shape {(len(inputs), self.n_dims)}, got {vectors.shape}"
            )
        return vectors


def open_encoder(path: Path, steps: Preprocessing | None = None, *, name: str | None = None) -> OnnxEncoder:
    """Open an ONNX file, and try it on a grey picture.

    Args:
        path: of the file.
        steps: how pictures become its input; those of `<path without ending>.json` where there is one, by default.
        name: what sets of its embeddings are called; the file's name without ending by default.

    Raises:
        DatasourceError: when a file cannot be read.
        UsageError: when it is no image encoder, its preprocessing cannot be, or onnxruntime is not installed.
        EncoderError: when the model fails.
    """
    chosen = read_preprocessing(path.with_suffix(".json")) if steps is None else steps
    try:
        digest = hashlib.blake2b(path.read_bytes(), digest_size=12)
    except OSError as error:
        raise DatasourceError(f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}") from None
    digest.update(msgspec.json.encode(chosen))
    width, height, channels_first = _input_shape(path, chosen)
    grey = np.full((1, height, width, _COLOURS), 127, np.uint8)
    trial = OnnxEncoder(
        path=path.absolute(),
        name=name or path.stem,
        identity=f"onnx {digest.hexdigest()}",
        n_dims=0,
        width=width,
        height=height,
        channels_first=channels_first,
        steps=chosen,
    )
    output = _run(trial.path, chosen, _as_input(grey, trial))
    values = {field: getattr(trial, field) for field in OnnxEncoder.__slots__}
    return OnnxEncoder(**{**values, "n_dims": output.shape[1]})


def read_preprocessing(path: Path) -> Preprocessing:
    """Read how pictures become the input of a model; the usual where there is no such file.

    Raises:
        DatasourceError: when it cannot be read.
        UsageError: when it says something that cannot be.
    """
    try:
        steps = msgspec.json.decode(path.read_bytes(), type=Preprocessing)
    except FileNotFoundError:
        return Preprocessing()
    except OSError as error:
        raise DatasourceError(f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}") from None
    except msgspec.MsgspecError as error:
        raise UsageError(
            f"`{path}` does not say how to prepare pictures: {str(error)[:1].lower()}{str(error)[1:]}",
            hint=f"it may have {', '.join(f'`{field}`' for field in Preprocessing.__struct_fields__)}",
        ) from None
    sizes = [steps.width, steps.height, steps.batch_size]
    if any(size is not None and size < 1 for size in sizes) or min(steps.std) <= 0.0:
        raise UsageError(f"`{path}`: expected sizes >= 1, and `std` above 0")
    return steps


def _fitted(image: Image.Image, width: int, height: int, fit: str) -> NDArray[Any]:
    if fit == "squeeze":
        return as_pixels(image, width, height)
    scales = (width / image.width, height / image.height)
    scale = max(scales) if fit == "crop" else min(scales)
    size = (max(round(image.width * scale), 1), max(round(image.height * scale), 1))
    pixels = as_pixels(image, *size)
    if fit == "crop":
        top, left = max(size[1] - height, 0) // 2, max(size[0] - width, 0) // 2
        pixels = pixels[top : top + height, left : left + width]
    fitted = np.full((height, width, _COLOURS), 127, np.uint8)
    top, left = (height - pixels.shape[0]) // 2, (width - pixels.shape[1]) // 2
    fitted[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return fitted


def _as_input(pixels: NDArray[Any], encoder: OnnxEncoder) -> NDArray[Any]:
    steps = encoder.steps
    if _session(encoder.path).get_inputs()[0].type == "tensor(uint8)":
        values = pixels
    else:
        # x / 255 - mean, over std, as one product and one sum.
        std = np.array(steps.std, np.float32)
        values = pixels.astype(np.float32) * (1.0 / 255.0 / std) - np.array(steps.mean, np.float32) / std
    if steps.bgr:
        values = values[..., ::-1]
    return np.ascontiguousarray(np.moveaxis(values, -1, 1) if encoder.channels_first else values)


@lru_cache(maxsize=4)
def _session(path: Path) -> Any:  # noqa: ANN401 (onnxruntime ships no types)
    """Return the model, loaded once a process. One thread each: the workers are the parallelism."""
    try:
        import onnxruntime  # noqa: PLC0415 (an extra, and 100 ms that only models need)
    except ModuleNotFoundError:
        raise UsageError(
            "Encoders in ONNX files need onnxruntime, which is not installed",
            hint="install it with `pip install 'tamis[onnx]'`, or leave `--model` out for the built-in descriptor",
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 (its errors have no common base but RuntimeError and ValueError)
        raise UsageError(f"`{path}` cannot be loaded as an ONNX model: {_first_line(error)}") from None


def _input_shape(path: Path, steps: Preprocessing) -> tuple[int, int, bool]:
    """Return width and height of the input, and whether its channels come first."""
    inputs = _session(path.absolute()).get_inputs()
    shape = list(inputs[0].shape) if len(inputs) == 1 else []
    expected = "expected one input of shape (n, 3, height, width) or (n, height, width, 3)"
    if len(shape) != _IMAGE_RANK or inputs[0].type not in _INPUT_TYPES:
        got = ", ".join(f"{i.type} {tuple(i.shape)}" for i in inputs)
        raise UsageError(f"`{path}` is no image encoder: {expected}, got {got}")
    first = steps.layout == "NCHW" if steps.layout is not None else shape[1] == _COLOURS or shape[3] != _COLOURS
    channels, high, wide = (shape[1], shape[2], shape[3]) if first else (shape[3], shape[1], shape[2])
    if isinstance(channels, int) and channels != _COLOURS:
        raise UsageError(f"`{path}` is no image encoder: {expected}, got {tuple(shape)}")
    width, height = _side(steps.width, wide, "width"), _side(steps.height, high, "height")
    return width, height, first


def _side(wanted: int | None, of_model: object, what: str) -> int:
    if not isinstance(of_model, int):
        return wanted or _DEFAULT_SIDE_PX
    if wanted not in {None, of_model}:
        raise UsageError(f"The {what} is given as {wanted} pixels, but the model takes {of_model}")
    return of_model


def _run(path: Path, steps: Preprocessing, inputs: NDArray[Any]) -> NDArray[np.float32]:
    """Return one vector a picture, whatever the model gives."""
    session = _session(path)
    first = session.get_inputs()[0]
    names = [output.name for output in session.get_outputs()]
    if steps.output is not None and steps.output not in names:
        raise UsageError(f"`{path}` has no output `{steps.output}`", hint=f"it has {', '.join(names)}")
    at_once = first.shape[0] if isinstance(first.shape[0], int) else len(inputs)
    if at_once not in {1, len(inputs)}:
        raise UsageError(f"`{path}` takes {at_once} pictures at once only: export it for any number")
    try:
        parts = [
            session.run([steps.output or names[0]], {first.name: batch.astype(_INPUT_TYPES[first.type])})[0]
            for batch in np.split(inputs, len(inputs) // at_once)
        ]
    except Exception as error:  # noqa: BLE001 (see above)
        raise EncoderError(f"`{path}` cannot encode pictures: {_first_line(error)}") from None
    return _one_each(np.concatenate([np.atleast_1d(part) for part in parts]), steps, len(inputs), path)


def _one_each(output: NDArray[Any], steps: Preprocessing, n: int, path: Path) -> NDArray[np.float32]:
    if output.ndim < 2 or len(output) != n:  # noqa: PLR2004 (a vector each)
        raise UsageError(
            f"`{path}` gives no vector a picture: expected an output of shape (n, d), got {output.shape}"
        )
    if output.ndim == _IMAGE_RANK:  # maps of features, channels first as convolutions give them
        output = output.reshape(n, output.shape[1], -1).swapaxes(1, 2)
    if output.ndim > 2:  # noqa: PLR2004 (several vectors each: (n, tokens, d))
        output = output.mean(axis=1) if steps.pool == "mean" else output[:, 0]
    return np.asarray(output, np.float32).reshape(n, -1)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]
