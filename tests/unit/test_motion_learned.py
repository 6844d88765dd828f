"""Learned motion as a stream: the same however it is cut, lips of the rules, and each control moves what it should."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from benchmarks.report import voice
from vivant.errors import InputError
from vivant.motion.articulatory import ArticulatoryMotion
from vivant.motion.learned.channels import N_CONDITIONS, N_DRAWN, N_EVENTS, N_PAST
from vivant.motion.learned.conditions import Ears, pace
from vivant.motion.learned.life import _Contact
from vivant.motion.learned.manner import keep_manner, manner_path, named_manner, usual
from vivant.motion.learned.model import LearnedMotion
from vivant.motion.learned.network import Memory, load_dynamics, shipped, weight_shapes
from vivant.registry import motion_model
from vivant.speech.articulation import CHANNELS
from vivant.speech.prosody import Prosody
from vivant.types import (
    ARKIT_INDEX,
    ARKIT_NAMES,
    NATURAL_EYE_CONTACT,
    Act,
    Attention,
    AudioChunk,
    Controls,
    Emotion,
    Float32Array,
    MotionFrame,
)

pytestmark = pytest.mark.unit

FPS = Fraction(30)
LIPS = [i for i, name in enumerate(ARKIT_NAMES) if name.startswith(("jaw", "mouth")) and not name.startswith("mouthSmile")]
SMILE, BLINK = ARKIT_INDEX["mouthSmileLeft"], ARKIT_INDEX["eyeBlinkLeft"]
SHUT = [i for i, name in enumerate(ARKIT_NAMES) if name.startswith(("jawOpen", "mouthLowerDown", "mouthUpperUp"))]


@cache
def said() -> tuple[Float32Array, int]:
    """A second and a half."""
    samples, rate_hz = voice()
    return samples[: 3 * rate_hz // 2], rate_hz


def moved(
    controls: Controls | None = None, seed: int = 1, manner: str = "default", piece: int | None = None
) -> list[MotionFrame]:
    samples, rate_hz = said()
    state, frames = LearnedMotion(manner).open(FPS, seed), []
    step = piece or len(samples)
    for start in range(0, len(samples), step):
        frames += state.push(AudioChunk(samples[start : start + step], rate_hz, start), controls or Controls())
    return frames + state.flush(controls or Controls())


@cache
def usual_frames() -> list[MotionFrame]:
    return moved()


def bits(frames: list[MotionFrame]) -> list[object]:
    return [(f.index, f.weights.tobytes(), f.pose, f.gaze, f.tongue) for f in frames]


def weights(frames: list[MotionFrame], indices: list[int]) -> np.ndarray:
    return np.stack([frame.weights[indices] for frame in frames])


def heads(frames: list[MotionFrame]) -> np.ndarray:
    return np.array([(f.pose.yaw_deg, f.pose.pitch_deg, f.pose.roll_deg) for f in frames])


@pytest.mark.parametrize("piece", [480, 7001])
def test_streaming_equals_offline_to_the_bit(piece: int) -> None:
    assert bits(moved(piece=piece)) == bits(usual_frames())


def test_a_seed_decides_the_head_and_leaves_the_lips() -> None:
    other = moved(seed=2)
    assert bits(moved(seed=1)) == bits(usual_frames())
    assert np.abs(heads(other) - heads(usual_frames())).max() > 0.5
    np.testing.assert_allclose(weights(other, SHUT), weights(usual_frames(), SHUT), atol=1e-6)


def test_the_lips_are_those_of_the_rules() -> None:
    samples, rate_hz = said()
    state = ArticulatoryMotion().open(FPS, 1)
    rules = state.push(AudioChunk(samples, rate_hz), Controls()) + state.flush(Controls())
    np.testing.assert_allclose(weights(usual_frames(), SHUT), weights(rules, SHUT), atol=1e-6)


def test_gaze_moves_eyes_and_a_part_of_the_head_and_nothing_else() -> None:
    aside = moved(Controls(gaze=(15, 0)))
    assert np.mean([f.gaze[0] + f.pose.yaw_deg for f in aside]) - np.mean(
        [f.gaze[0] + f.pose.yaw_deg for f in usual_frames()]
    ) == pytest.approx(15, abs=1)
    np.testing.assert_array_equal(weights(aside, [*range(52)]), weights(usual_frames(), [*range(52)]))
    np.testing.assert_array_equal(heads(aside)[:, 1:], heads(usual_frames())[:, 1:])


def test_distance_moves_the_size_alone() -> None:
    far = moved(Controls(distance=1.25))
    assert np.allclose([f.pose.scale * 1.25 for f in far], [f.pose.scale for f in usual_frames()], atol=1e-5)
    assert [(f.weights.tobytes(), f.gaze) for f in far] == [(f.weights.tobytes(), f.gaze) for f in usual_frames()]


def test_an_emotion_colours_the_face_and_leaves_head_and_gaze() -> None:
    happy = moved(Controls(emotion=Emotion.HAPPY))
    assert weights(happy, [SMILE]).mean() > weights(usual_frames(), [SMILE]).mean() + 0.15
    assert [(f.pose, f.gaze) for f in happy] == [(f.pose, f.gaze) for f in usual_frames()]


def test_a_listener_never_moves_the_lips() -> None:
    listens = moved(Controls(attention=Attention.LISTENING))
    assert weights(usual_frames(), SHUT).max() > 0.2
    np.testing.assert_array_equal(weights(listens, SHUT), 0)


def test_an_act_comes_on_top() -> None:
    samples, rate_hz = said()
    state = LearnedMotion().open(FPS, 1)
    state.act(Act.NOD)
    nods = state.push(AudioChunk(samples, rate_hz), Controls()) + state.flush(Controls())
    assert (heads(nods)[:, 1] - heads(usual_frames())[:, 1]).min() < -3


def test_eye_contact_of_one_never_looks_away() -> None:
    stays = moved(Controls(eye_contact=1.0))
    assert max(np.hypot(f.gaze[0] + f.pose.yaw_deg, f.gaze[1] + f.pose.pitch_deg) for f in stays) < 5


@pytest.mark.parametrize("share", [0.2, 0.59, 0.8])
def test_eye_contact_leaves_out_visits_until_its_share_comes_out(share: float) -> None:
    rng, contact, away = np.random.default_rng(2), _Contact(), []
    for k in range(4000):  # of ten jumps four go away, four at a time
        to = (8.0, 0.0) if k % 10 < 4 else (1.0, 0.5)
        away.append(np.hypot(*contact.shown(to, share, rng.random())) > 5)
    assert 1 - np.mean(away) == pytest.approx(share, abs=0.06)


def test_eye_contact_moves_the_eyes_alone() -> None:
    stays = moved(Controls(eye_contact=0.3))
    np.testing.assert_array_equal(heads(stays), heads(usual_frames()))
    np.testing.assert_array_equal(weights(stays, [*range(52)]), weights(usual_frames(), [*range(52)]))


def test_a_head_moves_with_its_own_voice_and_not_with_its_partners() -> None:
    quiet, loud = (pace_of(energy, Attention.SPEAKING) for energy in (0.0, 0.8))
    partners = pace_of(0.8, Attention.LISTENING)
    yaw = [float(shipped().colour.surprises(p)[0, 0]) for p in (quiet, loud, partners)]
    assert yaw[1] > 2 * yaw[0] and yaw[2] <= yaw[0]


def pace_of(loudness: float, state: Attention) -> np.ndarray:
    ears = Ears()
    for _ in range(12):
        ears.hear(Prosody(True, 0.0, False, False, loudness, 0.0, 0.0, soon=loudness), np.zeros(len(CHANNELS)))
    return pace(ears.conditions(state, NATURAL_EYE_CONTACT))


def test_a_manner_moves_open_lips_and_leaves_closures_exact(tmp_path: Path) -> None:
    lips = np.zeros((len(CHANNELS) + 1, len(ARKIT_NAMES)), np.float32)
    lips[:, ARKIT_INDEX["jawOpen"]] = 0.1
    path = tmp_path / "wide.manner"
    keep_manner(replace(usual(shipped()), lips=lips), path)
    wide, plain = moved(manner=str(path)), usual_frames()
    assert weights(wide, [ARKIT_INDEX["jawOpen"]]).max() > weights(plain, [ARKIT_INDEX["jawOpen"]]).max() + 0.05
    shut = [k for k, f in enumerate(plain) if f.weights[ARKIT_INDEX["mouthRollUpper"]] > 0.18 - 1e-6]
    assert shut  # the sentence has a p, b or m
    np.testing.assert_array_equal(weights([wide[k] for k in shut], LIPS), weights([plain[k] for k in shut], LIPS))


def test_a_manner_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VIVANT_CONFIG_DIR", str(tmp_path))
    keep_manner(replace(usual(shipped()), name="anna"), manner_path("anna"))
    assert manner_path("anna").stat().st_size <= 1_000_000
    assert motion_model("learned:anna").name == "vivant learned 1, in a manner of its own"
    with pytest.raises(InputError, match="no manner 'otto'; known are default, anna"):
        motion_model("learned:otto")
    with pytest.raises(InputError, match="letters, digits"):
        named_manner("../anna", shipped())


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def _not_a_number(path: Path) -> None:
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["told"][0, 0] = np.nan
    np.savez(path, **arrays)


def _another_shape(path: Path) -> None:
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    np.savez(path, **(arrays | {"told": arrays["told"][1:]}))


@pytest.mark.parametrize("damage", [_cut, _flip, _not_a_number, _another_shape])
def test_damaged_weights_are_refused(damage: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "dynamics.npz"
    path.write_bytes((files("vivant") / "weights" / "dynamics.npz").read_bytes())
    load_dynamics(path)
    damage(path)
    with pytest.raises(InputError, match="damaged"):
        load_dynamics(path)


def test_what_the_network_is_told_has_its_size() -> None:
    told = Ears().conditions(Attention.AUTO, 0.5)
    assert told.shape == (N_CONDITIONS,) and told.dtype == np.float32


@pytest.mark.slow  # loads torch
def test_torch_gives_the_same_sums() -> None:
    torch = pytest.importorskip("torch")
    from training.dynamics.network import DynamicsNetwork, times_of
    from vivant.motion.learned.network import time_features

    rng, dynamics, model = np.random.default_rng(0), shipped(), DynamicsNetwork()
    model.state_of(dynamics.weights)
    told, past = (rng.standard_normal((60, n)).astype(np.float32) for n in (N_CONDITIONS, N_PAST))
    memory = Memory(1)
    ours = np.concatenate([dynamics.listen(memory, told[k : k + 1], past[k : k + 1]) for k in range(60)])
    with torch.no_grad():
        theirs = model.listen(torch.from_numpy(told)[None], torch.from_numpy(past)[None])[0]
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-3)
        np.testing.assert_allclose(times_of(torch.tensor([0.25]))[0].numpy(), time_features(0.25), atol=1e-6)
    assert set(model.exported()) == set(weight_shapes()) and N_DRAWN > 2 * N_EVENTS
