"""Graph of the finish network, without weights: ``python -m training.finish.graph runtime/vivant/weights/finish.onnx``.

`vivant.finish.network` puts the arrays of a rig's file into it; `vivant.learn.network` has the same layers for training.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

from vivant.finish.network import N_MOTION, SHAPES, SLOPE, STRIDES

OPSET, IR_VERSION = 18, 9
"""That onnxruntime 1.18 runs."""


def graph() -> onnx.ModelProto:
    """The model: ``patch`` (n, 4, h, w) and ``motion`` (n, N_MOTION) to ``painted`` (n, 4, h, w)."""
    nodes: list[onnx.NodeProto] = []

    def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:  # noqa: ANN401
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def convolved(layer: str, value: str) -> str:
        weights = [value, f"{layer}.weight", f"{layer}.bias"]
        return node("Conv", weights, f"{layer}.sum", strides=[STRIDES.get(layer, 1)] * 2, pads=[1] * 4)

    def told(layer: str, value: str) -> str:
        """With what the motion says, the same everywhere."""
        said = node("Gemm", ["motion", f"{layer}.weight", f"{layer}.bias"], f"{layer}.said", transB=1)
        return node("Add", [value, node("Unsqueeze", [said, "axes"], f"{layer}.wide")], f"{layer}.told")

    def bent(value: str) -> str:
        return node("LeakyRelu", [value], f"{value}.bent", alpha=SLOPE)

    def larger(value: str, beside: str) -> str:
        twice = node(
            "Resize", [value, "", "twice"], f"{value}.twice", mode="nearest", coordinate_transformation_mode="asymmetric"
        )
        return node("Concat", [twice, beside], f"{value}.joined", axis=1)

    fine = bent(convolved("enter", "patch"))
    middle = bent(told("motion_middle", convolved("down_middle", fine)))
    middle = bent(convolved("middle", middle))
    coarse = bent(told("motion_coarse", convolved("down_coarse", middle)))
    deeper = convolved("coarse_out", bent(convolved("coarse_in", coarse)))
    coarse = bent(node("Add", [coarse, deeper], "coarse"))
    middle = bent(convolved("up_middle", larger(coarse, middle)))
    fine = bent(convolved("up_fine", larger(middle, fine)))
    leaves = node("DepthToSpace", [convolved("leave", fine)], "leaves", blocksize=2, mode="CRD")
    node("Split", [leaves, "parts"], "change", axis=1)
    nodes[-1].output.append("unbounded")
    node("Split", ["patch", "parts"], "colours", axis=1)
    nodes[-1].output.append("mask")
    colour = node("Clip", [node("Add", ["colours", "change"], "wanted"), "zero", "one"], "colour")
    opacity = node("Mul", [node("Sigmoid", ["unbounded"], "bounded"), "mask"], "opacity")
    node("Concat", [colour, opacity], "painted", axis=1)

    numbers = [
        helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3]),
        helper.make_tensor("parts", TensorProto.INT64, [2], [3, 1]),
        helper.make_tensor("twice", TensorProto.FLOAT, [4], [1, 1, 2, 2]),
        helper.make_tensor("zero", TensorProto.FLOAT, [], [0]),
        helper.make_tensor("one", TensorProto.FLOAT, [], [1]),
    ]
    patch = helper.make_tensor_value_info("patch", TensorProto.FLOAT, ["n", 4, "h", "w"])
    motion = helper.make_tensor_value_info("motion", TensorProto.FLOAT, ["n", N_MOTION])
    painted = helper.make_tensor_value_info("painted", TensorProto.FLOAT, ["n", 4, "h", "w"])
    whole = helper.make_graph(nodes, "finish", [patch, motion], [painted], [*numbers, *map(_open, SHAPES.items())])
    return helper.make_model(whole, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _open(named: tuple[str, tuple[int, ...]]) -> onnx.TensorProto:
    """An array that whoever loads the graph brings."""
    name, shape = named
    tensor = onnx.TensorProto(name=name, dims=shape, data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="brought")
    return tensor


def main() -> None:
    """Command line."""
    Path(sys.argv[1]).write_bytes(graph().SerializeToString())


if __name__ == "__main__":
    main()
