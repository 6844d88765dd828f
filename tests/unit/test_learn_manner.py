"""A manner is learnt from captured motion with its sound: what is read of it, what is refused, and that it comes nearer."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.dynamics import statistics
from benchmarks.dynamics_kit import moved
from benchmarks.report import voice
from benchmarks.synthetic_people import PEOPLE, changed, record
from vivant.cli import build_app
from vivant.errors import InputError
from vivant.learn.manner import learn_manner, lips_of
from vivant.learn.recordings import Run, recordings
from vivant.motion.articulatory import ArticulatoryMotion
from vivant.motion.learned.channels import SLOW
from vivant.motion.learned.manner import keep_manner, named_manner
from vivant.motion.learned.model import LearnedMotion
from vivant.motion.learned.network import shipped
from vivant.motion.learned.recorded import Heard, hear
from vivant.motion_files import write_motion
from vivant.speech.articulation import JAW, MOUTH_TO_ARKIT
from vivant.types import ARKIT_INDEX, Float32Array, MotionFrame, Pose, frame_pts_us

pytestmark = pytest.mark.unit

FPS = Fraction(30)


def captured(folder: Path, frames: Sequence[MotionFrame], samples: Float32Array, rate_hz: int) -> None:
    write_motion(folder / "take.jsonl", frames, FPS)
    with wave.open(str(folder / "take.wav"), "wb") as out:
        out.setparams((1, 2, rate_hz, 0, "NONE", ""))
        out.writeframes((samples * 32767).astype("<i2").tobytes())


def nodding(seconds: float) -> list[MotionFrame]:
    """Nods by 4 degrees, blinks at each second, smiles, and looks 8 degrees aside in every other second."""
    frames = []
    for k in range(round(seconds * 30)):
        weights = np.zeros(52, np.float32)
        weights[[ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]] = float(k % 30 in (10, 11, 12, 13))
        weights[[ARKIT_INDEX["mouthSmileLeft"], ARKIT_INDEX["mouthSmileRight"]]] = 0.3
        aside = 8.0 if k // 30 % 2 else 0.0
        pitch = 4 * float(np.sin(2 * np.pi * k / 60))
        frames.append(MotionFrame(k, frame_pts_us(k, FPS), weights, pose=Pose(pitch_deg=pitch), gaze=(aside, -pitch)))
    return frames


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """What is read of six seconds."""
    folder = tmp_path_factory.mktemp("talk")
    captured(folder, nodding(6), np.zeros(6 * 16_000, np.float32), 16_000)
    ((_, (only,)),) = recordings([folder])
    return only


def test_a_recording_becomes_curves_blinks_and_looks(run: Run) -> None:
    pitch, smile = run.lived.slow[:, SLOW.index("pitch")], run.lived.slow[:, SLOW.index("mouthSmileLeft")]
    assert pitch.std() == pytest.approx(4 / np.sqrt(2), rel=0.1)
    assert smile.mean() == pytest.approx(0.3, abs=1e-3)
    assert np.count_nonzero(run.lived.blinks) == 6
    assert np.ptp(run.lived.aside_deg[:, 0]) == pytest.approx(8, abs=0.5)
    assert np.count_nonzero(run.lived.jumps) == 5


def test_what_a_recording_does_not_hold_is_masked(tmp_path: Path) -> None:
    still = [MotionFrame(f.index, f.pts_us, f.weights) for f in nodding(5)]
    captured(tmp_path, still, np.zeros(5 * 16_000, np.float32), 16_000)
    ((_, (only,)),) = recordings([tmp_path])
    assert only.lived.known.tolist() == [0, 1, 0, 1]


@pytest.mark.full
def test_a_sound_that_is_late_is_put_in_step(tmp_path: Path) -> None:
    samples, rate_hz = voice()
    samples = samples[: 6 * rate_hz]
    frames = moved(ArticulatoryMotion(), hear(samples, rate_hz))
    late = np.concatenate([np.zeros(round(0.12 * rate_hz), np.float32), samples])
    captured(tmp_path, frames, late, rate_hz)
    ((_, (only,)),) = recordings([tmp_path])
    jaw = ARKIT_INDEX["jawOpen"]
    assert np.corrcoef(only.weights[:, jaw], only.heard.mouths[:, 0])[0, 1] > 0.9


def test_lips_that_open_wider_are_learnt(run: Run) -> None:
    samples, rate_hz = voice()
    heard = hear(samples[: 5 * rate_hz], rate_hz)
    weights, jaw = heard.mouths @ MOUTH_TO_ARKIT, ARKIT_INDEX["jawOpen"]
    weights[:, jaw] *= 1.3
    lips = lips_of([replace(run, heard=heard, weights=weights)])
    wanted = 0.3 * heard.mouths[:, JAW] * MOUTH_TO_ARKIT[JAW, jaw]
    added = np.append(heard.mouths, np.ones((len(wanted), 1)), 1) @ lips[:, jaw]
    assert np.corrcoef(added, wanted)[0, 1] > 0.9 and added.mean() == pytest.approx(wanted.mean(), rel=0.3)
    assert not lips[:, [ARKIT_INDEX["mouthClose"], ARKIT_INDEX["mouthSmileLeft"]]].any()


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        ((), "holds no captured motion"),
        (("take.jsonl",), "holds no captured motion"),
        (("take.jsonl", "take.wav"), "at least 1 minute"),
    ],
)
def test_what_is_too_little_is_refused(made: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    captured(tmp_path, nodding(5), np.zeros(5 * 16_000, np.float32), 16_000)
    for path in tmp_path.iterdir():
        if path.name not in made:
            path.unlink()
    with pytest.raises(InputError, match=sentence):
        learn_manner("me", [run for _, runs in recordings([tmp_path]) for run in runs], shipped())


def test_motion_without_its_sound_is_refused(tmp_path: Path) -> None:
    captured(tmp_path, nodding(5), np.zeros(5 * 16_000, np.float32), 16_000)
    (tmp_path / "take.wav").unlink()
    with pytest.raises(InputError, match="no sound of the same name"):
        list(recordings([tmp_path / "take.jsonl"]))


@pytest.mark.slow  # a minute: pytest -m slow tests/unit/test_learn_manner.py
def test_a_taught_manner_is_nearer_to_its_person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VIVANT_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("VIVANT_CACHE_DIR", str(tmp_path / "cache"))
    samples, rate_hz = voice()
    talk = np.tile(samples, round(75 * rate_hz / len(samples)))
    heard, person, rules = hear(talk, rate_hz), PEOPLE[1], ArticulatoryMotion()
    (tmp_path / "talk").mkdir()
    record(person, moved(rules, heard, 7), talk, rate_hz, tmp_path / "talk")
    words = ["learn", "--manner", str(tmp_path / "talk"), "--name", "calm"]
    refused = CliRunner().invoke(build_app(), words)
    assert refused.exit_code != 0 and "has not been said" not in refused.output
    done = CliRunner().invoke(build_app(), [*words, "--consent", "synthetic"])
    assert done.exit_code == 0, done.output
    theirs = statistics(changed(person, moved(rules, heard, 9), 9))
    default, taught = (statistics(moved(LearnedMotion(name), heard, 3)) for name in ("default", "calm"))
    assert np.linalg.norm(taught - theirs) < 0.5 * np.linalg.norm(default - theirs)
    again = tmp_path / "again.manner"
    keep_manner(learn_manner("calm", [run for _, runs in recordings([tmp_path / "talk"]) for run in runs], shipped()), again)
    assert np.array_equal(named_manner(str(again), shipped()).lips, named_manner("calm", shipped()).lips)


def test_a_heard_voice_has_a_tick_for_every_ten_milliseconds() -> None:
    heard = hear(np.zeros(16_000, np.float32), 16_000)
    assert isinstance(heard, Heard) and len(heard.prosody) == len(heard.mouths) == 100
