"""Networks on onnxruntime: which processor runs them, said honestly."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from vivant.errors import UnavailableError
from vivant.sealed import onnx
from vivant.types import Float32Array

log = logging.getLogger(__name__)


class Provider(StrEnum):
    """What a network may run on. ``auto`` is the CPU: three small networks per portrait are not worth a GPU's start."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    TENSORRT = "tensorrt"
    DIRECTML = "directml"
    COREML = "coreml"


EXECUTION_PROVIDERS = {
    Provider.AUTO: "CPUExecutionProvider",
    Provider.CPU: "CPUExecutionProvider",
    Provider.CUDA: "CUDAExecutionProvider",
    Provider.TENSORRT: "TensorrtExecutionProvider",
    Provider.DIRECTML: "DmlExecutionProvider",
    Provider.COREML: "CoreMLExecutionProvider",
}
ERRORS_ONLY = 3
"""onnxruntime's log level: its warnings are not for users."""


@dataclass(frozen=True)
class Network:
    """A loaded network. Calls from several threads are safe."""

    runner: Any
    provider: str
    """What it really runs on."""
    kept: tuple[Any, ...] = ()
    """Memory that it reads its weights from."""

    def run(self, *inputs: Float32Array) -> list[Float32Array]:
        """All outputs for its inputs, in its own order."""
        named = {node.name: value for node, value in zip(self.runner.get_inputs(), inputs, strict=True)}
        outputs: list[Float32Array] = self.runner.run(None, named)
        return outputs


def available() -> list[Provider]:
    """What ``--provider`` can name here; empty without onnxruntime. Other providers of its are never used."""
    try:
        built_in = onnx.load().get_available_providers()
    except ImportError:
        return []
    return [provider for provider, name in EXECUTION_PROVIDERS.items() if name in built_in and provider != Provider.AUTO]


def load_network(
    model: bytes, provider: Provider, threads: int = 1, initializers: Mapping[str, Float32Array] | None = None
) -> Network:
    """Load a network; ``initializers`` are the arrays that its file leaves open (external data).

    Raises UnavailableError rather than run on something else than was asked for.
    """
    try:
        onnxruntime = onnx.load()
    except ImportError as error:
        raise UnavailableError("onnxruntime is not installed; `vivant setup --no-gpu` brings it") from error
    wanted = EXECUTION_PROVIDERS[provider]
    if wanted not in onnxruntime.get_available_providers():
        raise UnavailableError(
            f"provider {provider} is not in the installed onnxruntime; use cpu; `vivant setup --gpu` brings cuda and tensorrt"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, ERRORS_ONLY
    kept = {name: onnxruntime.OrtValue.ortvalue_from_numpy(array) for name, array in (initializers or {}).items()}
    if kept:
        options.add_external_initializers(list(kept), list(kept.values()))
    try:
        runner = onnxruntime.InferenceSession(model, options, providers=[wanted])
    except Exception as error:  # its own classes depend on the version
        raise UnavailableError(f"provider {provider} does not start here: {str(error).splitlines()[0]}") from error
    if runner.get_providers()[0] != wanted:  # it falls back on its own
        raise UnavailableError(f"provider {provider} does not start here (a driver or library is missing); use cpu")
    log.info("a network runs on %s, in %d threads", wanted, threads)
    ran_on = next(p.value for p, name in EXECUTION_PROVIDERS.items() if name == wanted and p != Provider.AUTO)
    return Network(runner, ran_on, tuple(kept.values()))
