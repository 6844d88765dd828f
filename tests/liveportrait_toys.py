"""Toy graphs with the names and shapes of LivePortrait's ONNX export and weights from chance.

They draw no face, and prove only that ours can host graphs of that form. The published weights were never run here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from vivant.types import FloatArray

BINS = {"pitch": 66, "yaw": 66, "roll": 66, "t": 3, "exp": 63, "scale": 1, "kp": 63}


def write_toys(folder: Path, batch: int | str = "n", leave_out: str = "") -> Path:
    """All four, with a batch of any size or of one."""
    for make in (_appearance, _motion, _warping, _stitching):
        name, model = make(batch)
        if name != leave_out:
            onnx.save(model, str(folder / f"{name}.onnx"))
    return folder


def _numbers(name: str, seed: int, shape: tuple[int, ...], size: float) -> onnx.TensorProto:
    return numpy_helper.from_array(np.random.default_rng(seed).normal(0, size, shape).astype(np.float32), name)


def _whole(name: str, values: list[int]) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), name)


def _model(nodes: list[onnx.NodeProto], inputs: dict[str, list[int | str]], outputs: dict[str, list[int | str]],
           held: list[onnx.TensorProto]) -> onnx.ModelProto:  # fmt: skip
    ends = [[helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in side.items()] for side in (inputs, outputs)]
    graph = helper.make_graph(nodes, "toy", ends[0], ends[1], held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)


def _appearance(batch: int | str) -> tuple[str, onnx.ModelProto]:
    nodes = [
        helper.make_node("AveragePool", ["img"], ["small"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Conv", ["small", "mix"], ["flat"]),
        helper.make_node("Reshape", ["flat", "volume"], ["output"]),
    ]
    held = [_numbers("mix", 0, (512, 3, 1, 1), 0.3), _whole("volume", [-1, 32, 16, 64, 64])]
    return "appearance_feature_extractor", _model(
        nodes, {"img": [batch, 3, 256, 256]}, {"output": [batch, 32, 16, 64, 64]}, held
    )


def _motion(batch: int | str) -> tuple[str, onnx.ModelProto]:
    nodes = [
        helper.make_node("AveragePool", ["img"], ["small"], kernel_shape=[16, 16], strides=[16, 16]),
        helper.make_node("Flatten", ["small"], ["flat"]),
    ]
    held = []
    for seed, (name, width) in enumerate(BINS.items()):
        held.append(_numbers(f"w_{name}", seed, (768, width), 0.03))
        nodes.append(helper.make_node("MatMul", ["flat", f"w_{name}"], [name]))
    return "motion_extractor", _model(
        nodes, {"img": [batch, 3, 256, 256]}, {name: [batch, width] for name, width in BINS.items()}, held
    )


def _warping(batch: int | str) -> tuple[str, onnx.ModelProto]:
    nodes = [
        helper.make_node("Reshape", ["feature_3d", "plane"], ["flat"]),
        helper.make_node("Conv", ["flat", "mix"], ["colours"]),
        helper.make_node("Sub", ["kp_driving", "kp_source"], ["moved"]),
        helper.make_node("ReduceMean", ["moved"], ["shift"], axes=[1, 2], keepdims=1),
        helper.make_node("Unsqueeze", ["shift", "last"], ["wide"]),
        helper.make_node("Add", ["colours", "wide"], ["lit"]),
        helper.make_node("Resize", ["lit", "", "eight"], ["larger"], mode="nearest"),
        helper.make_node("Sigmoid", ["larger"], ["out"]),
    ]
    eight = numpy_helper.from_array(np.array([1, 1, 8, 8], np.float32), "eight")
    held = [_numbers("mix", 9, (3, 512, 1, 1), 0.05), _whole("plane", [-1, 512, 64, 64]), _whole("last", [3]), eight]
    points: list[int | str] = [batch, 21, 3]
    inputs: dict[str, list[int | str]] = {"feature_3d": [batch, 32, 16, 64, 64], "kp_driving": points, "kp_source": points}
    return "warping_spade", _model(nodes, inputs, {"out": [batch, 3, 512, 512]}, held)


def _stitching(batch: int | str) -> tuple[str, onnx.ModelProto]:
    still: FloatArray = np.zeros((126, 65), np.float32)
    nodes = [helper.make_node("MatMul", ["input", "still"], ["output"])]
    held = [numpy_helper.from_array(still, "still")]
    return "stitching", _model(nodes, {"input": [batch, 126]}, {"output": [batch, 65]}, held)
