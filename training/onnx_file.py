"""Networks as ONNX files: exported from torch, kept small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

OPSET = 18
LARGE = 1024
"""Weights with at least so many numbers are stored small."""


def write(model: nn.Module, inputs: Mapping[str, Tensor], outputs: Sequence[str], path: Path) -> None:
    """Export for inputs of exactly these shapes."""
    program = torch.onnx.export(
        model, tuple(inputs.values()), dynamo=True, opset_version=OPSET, external_data=False,
        input_names=list(inputs), output_names=list(outputs), verbose=False,
    )  # fmt: skip
    if program is None:
        raise RuntimeError("torch gave no ONNX program")
    program.save(str(path), external_data=False)


def shrink(path: Path, bytes_from: int) -> None:
    """Keep large weights small in the file and widen them when it is loaded; the arithmetic stays float32.

    Convolutions with at least `bytes_from` inputs become int8 with a scale per output channel, the rest of the large float16.
    """
    model = onnx.load(path)
    graph, widen = model.graph, []
    for weight in list(graph.initializer):
        if weight.data_type != onnx.TensorProto.FLOAT or np.prod(weight.dims) < LARGE:
            continue
        values, name = onnx.numpy_helper.to_array(weight), weight.name
        if values.ndim == 4 and values[0].size >= bytes_from:
            scale = np.abs(values).reshape(len(values), -1).max(1).reshape(-1, *[1] * (values.ndim - 1)) / 127
            scale = np.maximum(scale, 1e-12).astype(np.float32)
            small = np.round(values / scale).astype(np.int8)
            graph.initializer.append(onnx.numpy_helper.from_array(scale, f"{name}_scale"))
            widen.append(onnx.helper.make_node("Cast", [f"{name}_small"], [f"{name}_wide"], to=onnx.TensorProto.FLOAT))
            widen.append(onnx.helper.make_node("Mul", [f"{name}_wide", f"{name}_scale"], [name]))
        else:
            small = values.astype(np.float16)
            widen.append(onnx.helper.make_node("Cast", [f"{name}_small"], [name], to=onnx.TensorProto.FLOAT))
        weight.CopyFrom(onnx.numpy_helper.from_array(small, f"{name}_small"))
    nodes = [*widen, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.metadata_props[:]
    for node in graph.node:  # torch leaves its call stacks, with the paths of this machine
        del node.metadata_props[:]
        node.doc_string = ""
    onnx.checker.check_model(model)
    onnx.save(model, path)
