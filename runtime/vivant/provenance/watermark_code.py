"""Watermark code: 60 bits as five words of 2048 chips, and chips that say where the frame lies.

A frame is a square of 128 x 128 cells. Every cell carries one chip, +1 or -1. 6144 cells, chosen at random but always the same,
carry chips that never change: by them a detector finds the place and the size of the frame. Each of five groups of 2048 cells
carries one word of a bi-orthogonal code (a row of a Hadamard matrix or its negative, 12 bits), for little power per bit.
The 60 bits are the product, the session and a check over both. All chips together pass a band of 16 to 52 cycles per frame: low
enough for video codecs and small copies, high enough to hide in a picture.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from vivant.errors import InputError
from vivant.render._kernel import MARK_CELLS as CELLS
from vivant.types import Float32Array, FloatArray

PRODUCT = 0x56
"""Vivant's own number; 8 bits."""
LOW_CYCLES, HIGH_CYCLES = 16.0, 52.0
N_WORDS, WORD_BITS, WORD_CHIPS = 5, 12, 2048
CHECK_BITS = 20
_WORD_MASK, _CHECK_MASK = (1 << WORD_BITS) - 1, (1 << CHECK_BITS) - 1
_LAYOUT_SEED = 20_260_802


@dataclass(frozen=True, slots=True)
class Layout:
    """Which cell carries what; the same for every session."""

    sync_cells: NDArray[np.intp]
    """(6144,) flat numbers of cells."""
    sync_chips: Float32Array
    """(6144,) +1 or -1."""
    word_cells: NDArray[np.intp]
    """(5, 2048)."""
    word_signs: Float32Array
    """(5, 2048) scramble each word, so that no word is a regular stripe."""


@cache
def layout() -> Layout:
    """Drawn once from a fixed seed by PCG64, whose numbers never change between versions of NumPy."""
    random = np.random.Generator(np.random.PCG64(_LAYOUT_SEED)).bytes(CELLS * CELLS * 9)
    keys = np.frombuffer(random, "<u8", CELLS * CELLS)
    signs = np.where(np.frombuffer(random, np.uint8)[-CELLS * CELLS :] & 1, np.float32(1), np.float32(-1))
    order = np.argsort(keys, kind="stable")
    words, sync = order[: N_WORDS * WORD_CHIPS].reshape(N_WORDS, WORD_CHIPS), order[N_WORDS * WORD_CHIPS :]
    return Layout(sync, signs[sync], words, signs[words])


@cache
def code_book() -> Float32Array:
    """(2048, 2048) rows of +1 and -1, orthogonal to each other."""
    book = np.ones((1, 1), np.float32)
    while len(book) < WORD_CHIPS:  # Sylvester's, of powers of two
        book = np.block([[book, book], [book, -book]])
    return book


@cache
def band(height: int = CELLS, width: int = CELLS) -> Float32Array:
    """(height, width // 2 + 1) transmission of the band for a real transform, with soft edges; a cell is one step."""
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]) * CELLS
    low = 1 / (1 + np.exp(-(radius - LOW_CYCLES) / 0.8))
    high = 1 / (1 + np.exp((radius - HIGH_CYCLES) / 0.8))
    passed: Float32Array = (low * high).astype(np.float32)
    return passed


def filtered(chips: FloatArray) -> Float32Array:
    """(128, 128) chips through the band, on a torus."""
    passed: Float32Array = np.fft.irfft2(np.fft.rfft2(chips) * band(), (CELLS, CELLS)).astype(np.float32)
    return passed


@cache
def sync_pattern() -> Float32Array:
    """(128, 128) the part that is the same in every session."""
    chips = np.zeros(CELLS * CELLS, np.float32)
    chips[layout().sync_cells] = layout().sync_chips
    return filtered(chips.reshape(CELLS, CELLS))


@lru_cache(maxsize=64)  # a session that changes its portrait asks again
def session_pattern(session_id: int, product: int = PRODUCT) -> Float32Array:
    """(128, 128) what the kernel adds to the frames of a session, mean square 1. Raises InputError beyond 32 and 8 bits."""
    if not 0 <= session_id < 2**32 or not 0 <= product < 2**8:
        raise InputError(f"a session id has 32 bits and a product 8, got {session_id} and {product}")
    chips = np.zeros(CELLS * CELLS, np.float32)
    chips[layout().sync_cells] = layout().sync_chips
    for word, cells, signs in zip(_words(session_id, product), layout().word_cells, layout().word_signs, strict=True):
        chips[cells] = signs * code_book()[word >> 1] * (1 - 2 * (word & 1))
    pattern = filtered(chips.reshape(CELLS, CELLS))
    unit: Float32Array = (pattern / np.sqrt(np.mean(pattern**2))).astype(np.float32)
    unit.flags.writeable = False
    return unit


def parse_words(words: tuple[int, ...]) -> tuple[int, int] | None:
    """(product, session id) of five words of 12 bits, or None when their check does not hold."""
    bits = sum(word << (WORD_BITS * position) for position, word in enumerate(words))
    check, said = bits & _CHECK_MASK, bits >> CHECK_BITS
    return (said >> 32, said & 0xFFFFFFFF) if check == _check(said) else None


def _words(session_id: int, product: int) -> list[int]:
    said = product << 32 | session_id
    bits = said << CHECK_BITS | _check(said)
    return [bits >> (WORD_BITS * position) & _WORD_MASK for position in range(N_WORDS)]


def _check(said: int) -> int:
    return int(zlib.crc32(said.to_bytes(5, "big"))) & _CHECK_MASK
