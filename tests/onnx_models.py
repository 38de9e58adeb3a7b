"""Small ONNX files for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

onnx = pytest.importorskip("onnx", reason="the package `onnx` is not installed")
pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")

if TYPE_CHECKING:
    from pathlib import Path

_FLOAT = 1  # TensorProto.FLOAT


def channel_means(path: Path, *, layout: str = "NCHW", add: float = 0.0) -> Path:
    """Write a model that gives the mean of each channel of a picture of 16 x 16, plus a number."""
    axes = [2, 3] if layout == "NCHW" else [1, 2]
    shape = ["n", 3, 16, 16] if layout == "NCHW" else ["n", 16, 16, 3]
    nodes = [
        onnx.helper.make_node("ReduceMean", ["x"], ["means"], axes=axes, keepdims=0),
        onnx.helper.make_node("Add", ["means", "more"], ["y"]),
    ]
    return _save(path, nodes, shape, ["n", 3], [onnx.helper.make_tensor("more", _FLOAT, [1], [add])])


def save_model(path: Path, *, input_rank: int = 4, output: int = 2) -> Path:
    """Write a model with an input, or an output, of some rank."""
    shape = ["n", 3, 8, 8][:input_rank]
    if output == 0:
        nodes = [onnx.helper.make_node("ReduceSum", ["x"], ["y"], keepdims=0)]
        return _save(path, nodes, shape, [], [])
    if output == 3:
        nodes = [onnx.helper.make_node("ReduceMean", ["x"], ["y"], axes=[2], keepdims=0)]
        return _save(path, nodes, shape, ["n", 3, 8], [])
    nodes = [onnx.helper.make_node("Identity", ["x"], ["y"])]
    return _save(path, nodes, shape, shape, [])


def _save(
    path: Path, nodes: list[object], shape: list[object], output: list[object], constants: list[object]
) -> Path:
    graph = onnx.helper.make_graph(
        nodes,
        "g",
        [onnx.helper.make_tensor_value_info("x", _FLOAT, shape)],
        [onnx.helper.make_tensor_value_info("y", _FLOAT, output)],
        constants,
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path
