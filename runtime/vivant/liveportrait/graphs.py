"""Graphs of LivePortrait in a folder of the user's: loaded, checked, and run for several faces at once."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vivant.errors import InputError
from vivant.liveportrait.keypoints import N_NUMBERS, N_POINTS, Posture
from vivant.providers import Network, Provider, available, load_network
from vivant.types import Float32Array

LOOK_PX, DRAWN_PX = 256, 512
"""Sides of what the extractors look at, and of what is drawn."""
VOLUME = (32, 16, 64, 64)
INPUTS: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "appearance_feature_extractor": {"img": (3, LOOK_PX, LOOK_PX)},
    "motion_extractor": {"img": (3, LOOK_PX, LOOK_PX)},
    "warping_spade": {"feature_3d": VOLUME, "kp_driving": (N_POINTS, 3), "kp_source": (N_POINTS, 3)},
    "stitching": {"input": (2 * N_NUMBERS,)},
}
"""Files (``.onnx``) and their inputs behind the batch."""
MOST_AT_ONCE = 8
"""Faces of one run; chosen."""


@dataclass(frozen=True)
class _Asked:
    volume: Float32Array
    driving: Float32Array
    source: Float32Array
    answer: Future[Float32Array] = field(default_factory=Future)


class Graphs:
    """The four networks; shared by faces and threads."""

    def __init__(self, folder: Path, provider: Provider) -> None:
        """Raises InputError for a folder without them, or with others, and UnavailableError where they cannot run."""
        missing = missing_graphs(folder)
        if missing:
            raise InputError(f"{missing[0]} is not in {folder}")
        self.networks = {name: _loaded(folder / f"{name}.onnx", shapes, provider) for name, shapes in INPUTS.items()}
        self.provider = self.networks["warping_spade"].provider
        self.fingerprint = _fingerprint([folder / f"{name}.onnx" for name in INPUTS])
        """Hex digest of the files."""
        self._batches = not isinstance(self._warping.runner.get_inputs()[0].shape[0], int)
        self._waiting: list[_Asked] = []
        self._queue, self._drawing = threading.Lock(), threading.Lock()

    @property
    def _warping(self) -> Network:
        return self.networks["warping_spade"]

    def volume(self, picture: Float32Array) -> Float32Array:
        """Appearance (1, 32, 16, 64, 64) of a picture (1, 3, 256, 256), RGB 0..1."""
        return self.networks["appearance_feature_extractor"].run(picture)[0]

    def posture(self, picture: Float32Array) -> Posture:
        network = self.networks["motion_extractor"]
        names = [node.name for node in network.runner.get_outputs()]
        return Posture.of(dict(zip(names, network.run(picture), strict=True)))

    def stitched(self, source: Float32Array, driving: Float32Array) -> Float32Array:
        """(21, 3) driving points such that shoulders stay where they are."""
        moves = self.networks["stitching"].run(np.concatenate([source.ravel(), driving.ravel()])[None])[0][0]
        out: Float32Array = driving + moves[:N_NUMBERS].reshape(N_POINTS, 3)
        out[:, :2] += moves[N_NUMBERS : N_NUMBERS + 2]
        return out

    def draw(self, volume: Float32Array, driving: Float32Array, source: Float32Array) -> Float32Array:
        """(3, 512, 512) RGB 0..1. Threads that come meanwhile wait, and whoever is next draws for all of them at once."""
        asked = _Asked(volume, driving, source)
        with self._queue:
            self._waiting.append(asked)
        with self._drawing:
            while not asked.answer.done():  # others may have come before
                self._draw_waiting()
        return asked.answer.result()

    def _draw_waiting(self) -> None:
        with self._queue:
            most = MOST_AT_ONCE if self._batches else 1
            batch, self._waiting = self._waiting[:most], self._waiting[most:]
        try:
            drawn = self._warping.run(*_stacked(batch))[0]
        except Exception as error:  # of the runtime; whoever waits must hear it
            for asked in batch:
                asked.answer.set_exception(error)
            return
        for asked, picture in zip(batch, drawn, strict=True):
            asked.answer.set_result(picture)


def _stacked(batch: Sequence[_Asked]) -> tuple[Float32Array, Float32Array, Float32Array]:
    return (
        np.concatenate([asked.volume for asked in batch]),
        np.stack([asked.driving for asked in batch]),
        np.stack([asked.source for asked in batch]),
    )


def _fingerprint(paths: Sequence[Path]) -> str:
    digests = []
    for path in paths:
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _loaded(path: Path, shapes: Mapping[str, tuple[int, ...]], provider: Provider) -> Network:
    network = load_network(path.read_bytes(), provider)
    found = {node.name: tuple(node.shape[1:]) for node in network.runner.get_inputs()}
    if found != shapes:
        raise InputError(f"{path.name} takes {found}, not {dict(shapes)}; it is another export than that of FasterLivePortrait")
    return network


def missing_graphs(folder: Path) -> list[str]:
    """Names of files that the folder lacks."""
    return [f"{name}.onnx" for name in INPUTS if not (folder / f"{name}.onnx").is_file()]


def best_provider() -> Provider:
    """A graphics card where onnxruntime knows one."""
    return Provider.CUDA if Provider.CUDA in available() else Provider.CPU
