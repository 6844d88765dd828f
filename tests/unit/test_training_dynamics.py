"""What the dynamics learn from: each recording trains the channels that it holds, and none other."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.dynamics.parts import faces_alone, heads_alone, lids_alone, recorded_blinks
from vivant.motion.learned.channels import ASIDE, FACE, LIDS, N_HEAD, STATE, STATES
from vivant.motion.learned.recorded import PER_CHUNK, Clip
from vivant.types import Attention

pytestmark = pytest.mark.unit


def lids(folder: Path) -> Path:
    """Twenty seconds in which eyes of 9 mm shut to a third ten times."""
    seconds = np.arange(0, 20, 1 / 120)
    openness = 9 - 6 * np.exp(-(((seconds % 2 - 1) / 0.06) ** 2))
    path = folder / "openness.npz"
    np.savez(path, P1_partial_blinks=np.stack([seconds, openness, openness], 1))
    return path


def acts(folder: Path) -> Path:
    """Ten seconds of a head that turns, and as much of one that thinks."""
    seconds = np.arange(0, 10, 0.03)
    turning, still = 20 * np.sin(seconds), np.zeros(len(seconds))
    path = folder / "head.npz"
    np.savez(
        path,
        no1=np.stack([seconds, still, still, turning], 1),
        thoughtful1=np.stack([seconds, still, turning, still], 1),
    )
    return path


def face(folder: Path) -> Path:
    """Ten seconds of brows that go up."""
    names = ["Timecode", *(name[0].upper() + name[1:] for name in FACE)]
    rows = [["00", *(f"{0.5 * (1 + np.sin(k / 10)) * name.startswith('Brow'):.4f}" for name in names[1:])] for k in range(300)]
    path = folder / "rom.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write("\n".join(",".join(row) for row in [names, *rows]))
    return path


def test_partial_blinks_give_depth_and_length(tmp_path: Path) -> None:
    blinks = recorded_blinks(lids(tmp_path))
    assert len(blinks) == 10
    np.testing.assert_allclose(blinks[:, 0], 2 / 3, atol=0.05)


def test_an_act_says_what_it_is_about_where_its_name_does(tmp_path: Path) -> None:
    clips = heads_alone(acts(tmp_path))
    said = [[STATES[k] for k in np.flatnonzero(clip.told[0, STATE])] for clip in clips]
    assert said == [[], [Attention.THINKING]]
    assert clips[0].curves[:, 0, 0].std() > 10 and clips[1].curves[:, 0, 0].std() == 0


@pytest.mark.slow  # loads torch
def test_each_recording_trains_only_what_it_holds(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    yaw, brow = [0, 1], 2 * (N_HEAD + FACE.index("browInnerUp"))
    assert set(np.flatnonzero(trained(lids_alone(lids(tmp_path))))) == set(range(LIDS.start, LIDS.stop))
    assert set(np.flatnonzero(trained(heads_alone(acts(tmp_path))[:1]))) == set(yaw)
    of_face = trained(faces_alone([face(tmp_path)]))
    assert of_face[brow] and not of_face[: 2 * N_HEAD].any() and not of_face[ASIDE].any() and not of_face[LIDS].any()


def trained(clips: list[Clip]) -> np.ndarray:
    """(n_drawn,) which numbers of all that is drawn count in the loss; rates of events never do here."""
    from training.dynamics import train
    from vivant.motion.learned.network import shipped

    long = [replace(c, **{part: np.concatenate([getattr(c, part)] * 2) for part in PER_CHUNK}) for c in clips]
    batch = train.Stretches([train.Source(long, 1.0, shipped().colour)], 0).batch(4)
    assert not batch.events_mask.any()
    return np.asarray(batch.mask.numpy().any((0, 1)))
