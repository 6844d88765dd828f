"""What is heard of several channels: one voice for the lips, two sides for the ears."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from vivant.errors import InputError
from vivant.types import Float32Array

_Matrix = NDArray[np.float64]

_HOP_MS = 100
_REACH = 10
"""Hops of past and of future that a mix looks at."""

_AS_IT_IS, _BEHIND, _FAR = 1.0, 0.5**0.5, 0.5
_WEIGHTS = dict.fromkeys(("FL", "FR", "FLC", "FRC", "DL", "DR", "BIL", "BIR"), _AS_IT_IS) | dict.fromkeys(
    ("BC", "TC", "TFC", "TBC"), _FAR
)
"""ITU-R BS.775: the front as it is, centre and surround 3 dB less, what is in the middle of the back 6 dB less."""

_OPPOSITE = -0.4
"""Correlation from which a channel counts as connected the wrong way round."""
_SAME, _LOST, _QUIET_OCTAVE = 0.7, 0.2, 1e-4
"""Mean likeness of the octaves from which two channels carry the same, how much of it their sum may lose before one alone is
the voice, and the share of all power from which an octave counts."""
_LOWEST_HZ = 62.5
_ONE_SIDED_DB, _TWO_SIDED_DB = -30.0, -20.0
"""How much quieter one side may be before it carries nothing of its own."""


def mix(pieces: Iterator[Float32Array], channels: Sequence[str], rate_hz: int) -> Iterator[Float32Array]:
    """(channels, n) pieces in [-1, 1] to (3, n): the voice, the left and the right side, within [-1, 1] and as long.

    ``channels`` are FFmpeg's names (FL, FC, LFE, ...); those without a known name count alike. Sides are folded after ITU-R
    BS.775 without LFE. A channel in opposite phase is turned, and one whose phase differs from octave to octave is left out of
    the voice, which is always as loud as the loudest channel; the sides
    of stereo stay as they are, unless one of them is empty: then both get what the other has. Where the channels change
    their relation the mix moves in a tenth of a second. It depends on the samples alone, never on how they are cut. One
    channel passes unchanged. An InputError of ``pieces`` is raised after all that came before it.
    """
    if len(channels) == 1:
        yield from (np.broadcast_to(piece, (3, piece.shape[1])) for piece in pieces)
        return
    desk = _Desk(channels)
    nothing = _Hop.of(np.zeros((len(channels), 0), np.float32), rate_hz)
    around = deque(repeat(nothing, 2 * _REACH), 2 * _REACH)
    before = desk.set(around)
    hops = (_Hop.of(samples, rate_hz) for samples in regroup(pieces, max(1, rate_hz * _HOP_MS // 1000)))
    for hop in _followed(hops, repeat(nothing, _REACH)):
        around.append(hop)
        desk.push(hop)
        after = desk.set(around)
        if (present := around[_REACH - 1]) is not nothing:
            yield _faded(present.samples, before, after)
        before = after


def regroup(pieces: Iterator[Float32Array], block: int) -> Iterator[Float32Array]:
    """The same (..., n) samples in arrays of ``block``; what came before an InputError is given out before it is raised."""
    pending: Float32Array | None = None
    end: Exception | None = None
    while end is None:
        try:
            piece = next(pieces)
            pending = piece if pending is None else np.concatenate((pending, piece), axis=-1)
        except (StopIteration, InputError) as error:
            end = error
        if pending is not None:
            n_whole = pending.shape[-1] // block * block
            yield from (pending[..., start : start + block] for start in range(0, n_whole, block))
            pending = pending[..., n_whole:]
    if pending is not None and pending.shape[-1]:
        yield pending
    if isinstance(end, InputError):
        raise end


def _followed(hops: Iterator[_Hop], last: Iterator[_Hop]) -> Iterator[_Hop]:
    try:
        yield from hops
    except InputError as error:
        yield from last
        raise error
    yield from last


@dataclass(frozen=True, slots=True, eq=False)
class _Hop:
    """A tenth of a second."""

    samples: Float32Array
    """(channels, n)"""
    covariance: _Matrix
    """(channels, channels), summed over the samples; a constant offset is no sound."""
    octaves: NDArray[np.complex128]
    """(octaves, channels, channels) cross-spectra from `_LOWEST_HZ` on."""

    @classmethod
    def of(cls, samples: Float32Array, rate_hz: int) -> _Hop:
        sound = samples.astype(np.float64)
        sound -= sound.mean(axis=1, keepdims=True) if sound.size else 0.0
        return cls(samples, sound @ sound.T, _octaves(sound, rate_hz))


class _Desk:
    """The mixing desk: its settings are (3, channels) weights for voice, left and right at the boundary of two hops."""

    def __init__(self, channels: Sequence[str]) -> None:
        self._sides = np.array([_sides(name, len(channels), index) for index, name in enumerate(channels)]).T
        self._audible = self._sides.any(axis=0)
        self._signs = np.ones(len(channels))
        self._spoken = np.ones(len(channels))
        self._heard = np.zeros((len(channels), len(channels)))

    def push(self, hop: _Hop) -> None:
        self._heard = self._heard + hop.covariance

    def set(self, around: deque[_Hop]) -> _Matrix:
        """For the boundary in the middle of ``around``. What turns and levels the voice is near; the sides, which ears would
        hear move, follow all that was heard so far."""
        near: _Matrix = sum((hop.covariance for hop in around), np.zeros_like(self._heard))
        self._turn(near)
        self._leave_out(near, np.sum([hop.octaves for hop in around], axis=0))
        sides = self._sides * self._signs
        voice = sides.sum(axis=0) * self._spoken
        rows = np.stack([voice * self._gain([voice], near), *self._filled(sides * self._gain(sides, self._heard))])
        peaks = np.max([_peaks(rows, around[middle].samples) for middle in (_REACH - 1, _REACH)], axis=0)
        peaks[1:] = peaks[1:].max()
        limited: _Matrix = rows / np.maximum(peaks, 1.0)[:, np.newaxis]
        return limited

    def _turn(self, near: _Matrix) -> None:
        """Turn the channels that are in opposite phase to the loudest; the others keep their sign."""
        power = near.diagonal() * self._audible
        loudest = int(power.argmax())
        scale = np.sqrt(power * power[loudest])
        likeness = self._signs * self._signs[loudest] * near[loudest] / np.where(scale > 0, scale, 1.0)
        self._signs = np.where(self._audible & (likeness < _OPPOSITE), -self._signs, self._signs)

    def _leave_out(self, near: _Matrix, octaves: NDArray[np.complex128]) -> None:
        """Of channels that carry the same with another phase in every octave the loudest is the voice, lest octaves cancel."""
        power = octaves.diagonal(axis1=1, axis2=2).real * self._audible
        loudest = int((near.diagonal() * self._audible * (1 + self._spoken)).argmax())  # of equals, the one that was heard
        scale = np.sqrt(power * power[:, [loudest]])
        cross = octaves[:, loudest] * self._signs * self._signs[loudest] / np.where(scale > 0, scale, np.inf)
        heard = power[:, loudest] > _QUIET_OCTAVE * power[:, loudest].sum()
        same, kept = (part[heard].sum(axis=0) / max(1, heard.sum()) for part in (np.abs(cross), cross.real))
        self._spoken = np.where((same > _SAME) & (same - kept > _LOST), 0.0, 1.0)

    def _gain(self, rows: Sequence[_Matrix] | _Matrix, covariance: _Matrix) -> float:
        """What makes the louder of the ``rows`` as loud as the loudest channel; in silence, what cannot overflow."""
        loudest = (covariance.diagonal() * self._audible).max()
        mixed = max(float(row @ covariance @ row) for row in rows)
        if mixed > 0:
            return float(np.sqrt(loudest / mixed))
        return 1.0 / max(max(float(np.abs(row).sum()) for row in rows), 1e-9)

    def _filled(self, sides: _Matrix) -> _Matrix:
        """An empty side gets what the other has."""
        quiet, loud = sorted(float(side @ self._heard @ side) for side in sides)
        level_db = 10 * np.log10(max(quiet / loud, 1e-9)) if loud > 0 else 0.0
        share = float(np.clip((_TWO_SIDED_DB - level_db) / (_TWO_SIDED_DB - _ONE_SIDED_DB), 0.0, 1.0))
        filled: _Matrix = sides + share * sides[::-1]
        return filled


def _octaves(sound: _Matrix, rate_hz: int) -> NDArray[np.complex128]:
    """Cross-spectra of (channels, n) samples in the octaves from `_LOWEST_HZ` to half the rate."""
    spectra = np.fft.rfft(sound) if sound.size else np.zeros((len(sound), 1), np.complex128)
    n_octaves = math.ceil(math.log2(rate_hz / 2 / _LOWEST_HZ))
    edges = np.rint(_LOWEST_HZ * 2.0 ** np.arange(n_octaves + 1) * sound.shape[1] / rate_hz).astype(int)
    parts = [spectra[:, low:high] for low, high in itertools.pairwise(edges)]
    return np.stack([part @ part.conj().T for part in parts])


def _sides(name: str, n_channels: int, index: int) -> tuple[float, float]:
    """How much of a channel each side gets; two channels are left and right, whatever they are called."""
    if n_channels == 2:
        return (_AS_IT_IS, 0.0) if index == 0 else (0.0, _AS_IT_IS)
    if name.startswith("LFE") or (name.startswith("AMBI") and name != "AMBI0"):
        return 0.0, 0.0
    weight, place = _WEIGHTS.get(name, _BEHIND), name.rstrip("C")
    return (0.0 if place.endswith("R") else weight), (0.0 if place.endswith("L") else weight)


def _peaks(rows: _Matrix, samples: Float32Array) -> _Matrix:
    """(3,) bounds of what ``rows``, or any lesser weights, make of the samples."""
    bounds: _Matrix = (np.abs(rows) @ np.abs(samples)).max(axis=1, initial=0.0)
    return bounds


def _faded(samples: Float32Array, before: _Matrix, after: _Matrix) -> Float32Array:
    """(3, n) from the setting at its beginning to the one at its end."""
    mixed = before @ samples
    if not np.array_equal(before, after):
        mixed += (after - before) @ samples * (np.arange(samples.shape[1]) / samples.shape[1])
    return np.clip(mixed, -1.0, 1.0).astype(np.float32)
