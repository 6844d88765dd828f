"""Head, eyes and brows against the figures of people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import welch

from benchmarks.eyes import fixations
from vivant.motion.acts import ACTS, MOST_PULSES, Acts
from vivant.motion.attention import gaze_habit
from vivant.motion.expression import EMOTIONS
from vivant.motion.eyes import Gaze
from vivant.motion.nonverbal import NonverbalMotion
from vivant.speech.prosody import Prosody
from vivant.types import ARKIT_INDEX, Act, Attention, Controls, Emotion

pytestmark = pytest.mark.unit

IDLE = Prosody(talking=False, stress=0, phrase_start=False, phrase_end=False, energy=0, arousal=0, valence=0)
YAW, PITCH, SCALE, GAZE = 52, 53, 57, slice(58, 60)
MINUTES = 2
BLINK = ARKIT_INDEX["eyeBlinkLeft"]
AWAY_DEG = 5
"""From the partner; as it was measured."""


def talk(tick: int) -> Prosody:
    """Phrases of 2.4 s with a stress every 0.6 s."""
    in_phrase = tick % 240
    return Prosody(
        talking=in_phrase < 210,
        stress=0.6 if in_phrase < 210 and tick % 60 == 10 else 0.0,
        phrase_start=in_phrase == 0,
        phrase_end=in_phrase == 210,
        energy=(0.5 + 0.4 * np.sin(2 * np.pi * tick / 30)) * (in_phrase < 210),
        arousal=0.3,
        valence=0.0,
    )


def live(talking: bool, controls: Controls | None = None, seed: int = 3, minutes: float = MINUTES) -> NDArray[np.float64]:
    life = NonverbalMotion(seed)
    return np.array([life.step(talk(k) if talking else IDLE, controls or Controls()) for k in range(int(minutes * 6000))])


@pytest.fixture(scope="module")
def talking() -> NDArray[np.float64]:
    return live(True)


@pytest.fixture(scope="module")
def idle() -> NDArray[np.float64]:
    return live(False)


@pytest.mark.full
def test_both_lids_move_together(talking: NDArray[np.float64]) -> None:
    np.testing.assert_array_equal(talking[:, BLINK], talking[:, ARKIT_INDEX["eyeBlinkRight"]])


def blinks_per_minute(rows: NDArray[np.float64]) -> float:
    shut = rows[:, BLINK] > 0.5
    return float(np.sum(shut[1:] & ~shut[:-1])) / MINUTES


@pytest.mark.full
def test_blinks(talking: NDArray[np.float64], idle: NDArray[np.float64]) -> None:
    assert 12 <= blinks_per_minute(idle) <= 22
    assert 20 <= blinks_per_minute(talking) <= 32
    assert idle[:, BLINK].max() == 1.0
    shut_s = np.sum(idle[:, BLINK] > 0.5) / 100 / (blinks_per_minute(idle) * MINUTES)
    assert 0.11 <= shut_s <= 0.17


@pytest.mark.full
def test_gaps_between_blinks_are_irregular(idle: NDArray[np.float64]) -> None:
    shut = idle[:, BLINK] > 0.5
    gaps = np.diff(np.flatnonzero(shut[1:] & ~shut[:-1]))
    assert 0.35 < gaps.std() / gaps.mean() < 0.9


@pytest.mark.full
def test_the_head_is_slow_and_alive(talking: NDArray[np.float64], idle: NDArray[np.float64]) -> None:
    for rows, std_deg in ((talking, (2.5, 6.0)), (idle, (0.3, 2.0))):
        frequency, power = welch(rows[:, YAW : YAW + 3], 100, nperseg=2048, axis=0)
        share = np.cumsum(power[1:].sum(1)) / power[1:].sum()
        assert frequency[1:][np.searchsorted(share, 0.9)] < 2.0
        assert std_deg[0] < rows[:, YAW].std() < std_deg[1]
    assert np.all(np.abs(talking[:, YAW : YAW + 3]).max(0) < [15, 10, 10])
    assert 5 < np.median(np.abs(np.diff(talking[:, YAW])) * 100) < 20


def test_the_head_moves_with_the_voice(talking: NDArray[np.float64]) -> None:
    speed = np.linalg.norm(np.diff(talking[:, YAW : YAW + 3], axis=0), axis=1)
    energy = np.array([talk(k).energy for k in range(1, len(talking))])
    r = [np.corrcoef(np.roll(speed, -lag)[100:-100], energy[100:-100])[0, 1] for lag in range(-12, 13)]
    assert max(r) > 0.15 and abs(int(np.argmax(r)) - 12) <= 8


def looks(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 2) in degrees from the camera: what the eyes meet, whatever the head does."""
    return rows[:, GAZE] + rows[:, [YAW, PITCH]]


def is_away(rows: NDArray[np.float64]) -> NDArray[np.bool_]:
    yaw, pitch = looks(rows).T
    away: NDArray[np.bool_] = np.hypot(yaw, pitch) > AWAY_DEG
    return away


@pytest.mark.full
def test_eyes_hold_their_target_against_the_head() -> None:
    world = looks(live(True, Controls(eye_contact=1.0)))
    assert np.all(world.std(0) < 1.8) and np.all(np.abs(world).max(0) < 6)
    assert np.median(np.abs(np.diff(world[:, 0]))) == 0  # fixations, not drift


def gaze(talking: bool, controls: Controls | None = None, minutes: float = 20) -> NDArray[np.float64]:
    """(n, 2) in degrees from the camera, of the gaze by itself: the head changes nothing about it."""
    eyes, steer = Gaze(np.random.default_rng(3)), controls or Controls()
    speaking, silent = (gaze_habit(steer.attention, talks) for talks in (True, False))
    return np.array([eyes.look(speaking if talking and k % 240 < 210 else silent, steer) for k in range(int(minutes * 6000))])


def share_away(where: NDArray[np.float64]) -> float:
    return float(np.mean(np.hypot(where[:, 0], where[:, 1]) > AWAY_DEG))


@pytest.mark.full
def test_people_look_away_while_they_speak_and_hardly_while_they_listen() -> None:
    """Dembinsky et al. 2024: 41 % and 6 %; left .54, right .32, up .50, down .22; 92 fixations a minute."""
    speaking, listening = gaze(True), gaze(False)
    assert 0.35 < share_away(speaking) < 0.47 and 0.02 < share_away(listening) < 0.10
    aside, up = speaking[np.hypot(speaking[:, 0], speaking[:, 1]) > AWAY_DEG].T
    shares = [np.mean(part) for part in (aside > 2, aside < -2, up > 2, up < -2)]
    np.testing.assert_allclose(shares, [0.54, 0.32, 0.50, 0.22], atol=0.12)
    assert np.hypot(aside, up).max() < 22
    moves = np.flatnonzero(np.linalg.norm(np.diff(speaking, axis=0), axis=1) > 0.02)
    assert 85 < np.sum(np.diff(moves) > 3) / 20 < 125  # fixations a minute
    assert 0.43 < np.median(np.diff(fixations(speaking))) / 100 < 0.65  # .48 s, where places less than a degree apart are one


@pytest.mark.parametrize("share", [0.3, 0.59, 0.85, 1.0])
def test_eye_contact_is_the_share_of_the_time_that_is_asked_for(share: float) -> None:
    assert 1 - share_away(gaze(True, Controls(eye_contact=share), minutes=10)) == pytest.approx(share, abs=0.09)


@pytest.mark.full
def test_what_a_face_is_about_shows() -> None:
    rows = {attention: live(False, Controls(attention=attention), minutes=1) for attention in Attention}
    away = {attention: is_away(row).mean() for attention, row in rows.items()}
    assert away[Attention.LISTENING] < 0.15 < 0.3 < away[Attention.SPEAKING] < away[Attention.THINKING]
    assert looks(rows[Attention.THINKING])[:, 1].mean() > 2 and looks(rows[Attention.WORKING])[:, 1].mean() < -4
    nods = rows[Attention.LISTENING][:, PITCH] - rows[Attention.AUTO][:, PITCH]
    assert 5 < np.sum((nods[1:] < -2.2) & (nods[:-1] >= -2.2)) < 30


@pytest.mark.parametrize("act", list(Act))
def test_acts_come_once_on_top_of_all_else_and_end(act: Act) -> None:
    with_act, without = NonverbalMotion(1), NonverbalMotion(1)
    with_act.act(act)
    moved = np.array([with_act.step(talk(k), Controls()) - without.step(talk(k), Controls()) for k in range(300)])
    turned = np.abs(moved[:, YAW : YAW + 3]).max(0)
    assert turned.argmax() == {Act.NOD: 1, Act.SHAKE: 0, Act.TILT: 2, Act.THINK: 1, Act.LAUGH: 1}[act]
    assert 2 < turned.max() < 10 and np.abs(np.diff(moved[:, YAW : YAW + 3], axis=0)).max() < 1.0  # degrees a tick
    np.testing.assert_allclose(moved[-1], 0, atol=1e-9)


def test_however_many_acts_come_few_run_and_then_they_end() -> None:
    acts = Acts()
    for _ in range(1000):
        acts.start(Act.LAUGH)
        acts.step()
    assert 0 < len(acts._pulses) + len(acts._due) < MOST_PULSES + len(ACTS[Act.LAUGH])
    for _ in range(400):
        turned, weights = acts.step()
    assert turned == (0, 0, 0) and not weights.any()


def test_gaze_distance_and_head_motion_are_obeyed() -> None:
    rows = live(False, Controls(gaze=(20.0, -10.0), distance=1.25, head_motion=0.0, eye_contact=1.0), minutes=0.2)[-200:]
    world = rows[:, GAZE] + rows[:, [YAW, PITCH]]
    np.testing.assert_allclose(world.mean(0), [20, -10], atol=1.5)
    np.testing.assert_allclose(rows[:, SCALE], 0.8)
    assert rows[:, YAW].std() < 1e-3


@pytest.mark.parametrize("emotion", list(Emotion))
def test_emotions_ease_in_and_scale_with_intensity(emotion: Emotion) -> None:
    life = NonverbalMotion(0)
    life.step(IDLE, Controls())
    rows = np.array([life.step(IDLE, Controls(emotion=emotion, intensity=0.5)) for _ in range(300)])
    shapes: list[int] = np.flatnonzero(EMOTIONS[emotion]).tolist()
    still = [
        i for i in shapes if i not in (BLINK, ARKIT_INDEX["browInnerUp"]) and "Wide" not in _name(i) and "brow" not in _name(i)
    ]
    np.testing.assert_allclose(rows[-1, still], 0.5 * EMOTIONS[emotion][still], atol=1e-3)
    assert np.abs(np.diff(rows[:, still], axis=0)).max(initial=0.0) < 0.03


@pytest.mark.full
def test_a_friendly_voice_makes_a_friendly_face_and_none_a_stern_one() -> None:
    smile, cheek, down, inner = (ARKIT_INDEX[n] for n in ("mouthSmileLeft", "cheekSquintLeft", "browDownLeft", "browInnerUp"))
    faces = {}
    for valence in (-1.0, 0.0, 1.0):
        life = NonverbalMotion(2)
        rows = [life.step(replace(talk(k), valence=valence), Controls()) for k in range(3000)]
        faces[valence] = np.array(rows)[500:, :52]
    smiles = [faces[valence][:, smile].mean() for valence in (-1.0, 0.0, 1.0)]
    assert smiles[0] < 0.02 < 0.05 < smiles[1] < smiles[2] < 0.25
    assert faces[1.0][:, cheek].mean() > 1.5 * faces[0.0][:, cheek].mean()
    assert faces[-1.0][:, inner].mean() > faces[0.0][:, inner].mean() + 0.03
    assert max(face[:, down].max() for face in faces.values()) < 0.12


def test_an_emotion_that_is_asked_for_takes_the_voices_place() -> None:
    life = NonverbalMotion(2)
    rows = np.array([life.step(replace(talk(k), valence=1.0), Controls(emotion=Emotion.SAD)) for k in range(1000)])
    assert rows[-200:, ARKIT_INDEX["mouthSmileLeft"]].max() < 0.01


def test_seeds_decide() -> None:
    assert np.array_equal(live(True, seed=5, minutes=0.1), live(True, seed=5, minutes=0.1))
    assert not np.allclose(live(True, seed=5, minutes=0.1), live(True, seed=6, minutes=0.1))


def _name(index: int) -> str:
    return next(name for name, i in ARKIT_INDEX.items() if i == index)
