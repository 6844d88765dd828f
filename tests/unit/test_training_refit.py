"""What the last layers are given is what the network gives them, and the shipped file comes back whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import vivant
from vivant.speech.phones import PHONES
from vivant.types import Float32Array

pytestmark = pytest.mark.unit

torch = pytest.importorskip("torch", reason="training needs torch")

from training.speech.export import check  # noqa: E402 - only where torch is
from training.speech.network import shipped  # noqa: E402
from training.speech.refit import EVERY, WARM_TICKS, LastBlock, heard  # noqa: E402
from training.speech.train import TICKS  # noqa: E402
from vivant.speech.encoder import DELAY_TICKS, GUESSES  # noqa: E402

WEIGHTS = Path(vivant.__file__).parent / "weights" / "encoder.npz"


def levels(n: int) -> Float32Array:
    return np.random.default_rng(0).normal(0, 1, (n, 41)).astype(np.float32)


def test_the_shipped_network_comes_back_from_its_file() -> None:
    gap, _ = check(shipped(WEIGHTS), WEIGHTS, levels(200))
    assert gap < 1e-3


def test_ticks_are_heard_one_by_one_as_in_the_stream() -> None:
    encoder = shipped(WEIGHTS)
    batch = torch.from_numpy(levels(TICKS)[None])
    phone = torch.arange(TICKS)[None] % len(PHONES)
    given, seen, wanted = heard(encoder, iter([(batch, phone)]))
    with torch.no_grad():
        whole = encoder(batch)[0][0, WARM_TICKS::EVERY]
        alone = LastBlock(encoder)(given.float(), seen.float())
    assert (whole.softmax(-1) - alone.softmax(-1)).abs().max() < 0.06  # bfloat16
    late = DELAY_TICKS - torch.arange(1 + GUESSES)
    assert torch.equal(wanted, (torch.arange(WARM_TICKS, TICKS, EVERY)[:, None] - late) % len(PHONES))
