"""Drivers: motion files read again, numbers that cannot be, and a driven face that never jumps."""

from __future__ import annotations

import asyncio
import io
import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import VOICE_RATE_HZ
from tests.examples import examples
from vivant import FaceStream, Output, Session, SessionConfig
from vivant.avatars import all_weights
from vivant.drive.checks import FACE_AND_TURN, seen_by_phone, seen_of
from vivant.drive.choose import choose_driver
from vivant.drive.driver import GAP_US, N_VALUES, N_WEIGHTS, Drive, Seen, vector_of
from vivant.drive.recorded import RecordedDrive, motion_file
from vivant.errors import InputError
from vivant.face import default_motion
from vivant.motion.driven import FACE, HOLD_US, LIPS, SMILE, DrivenMotion, DrivenState, Lips
from vivant.motion_files import READERS, read_motion, write_motion
from vivant.motion_files.live_link_csv import COLUMNS
from vivant.testing import PlainFace
from vivant.types import (
    ARKIT_INDEX,
    AudioChunk,
    Controls,
    Emotion,
    Float32Array,
    MotionFrame,
    Pose,
    arkit_weights,
    frame_pts_us,
)

pytestmark = pytest.mark.unit

FPS = Fraction(30)
JAW, CLOSE, SMILE_LEFT, BROW = (ARKIT_INDEX[name] for name in ("jawOpen", "mouthClose", "mouthSmileLeft", "browInnerUp"))


def nodding(n: int = 90, fps: Fraction = FPS) -> list[MotionFrame]:
    """A face that nods, smiles, blinks and looks about."""
    return [
        MotionFrame(
            i,
            frame_pts_us(i, fps),
            arkit_weights(
                mouthSmileLeft=0.5 + 0.5 * math.sin(i / 7), eyeBlinkLeft=float(i % 20 < 3), jawOpen=0.5 + 0.5 * math.cos(i / 5)
            ),
            pose=Pose(8 * math.sin(i / 9), 5 * math.cos(i / 11), 4 * math.sin(i / 13)),
            gaze=(10 * math.sin(i / 17), -6.0),
        )
        for i in range(n)
    ]


def sight(time_us: int, motion: MotionFrame | None, *, mouth_hidden: bool = False) -> Seen:
    return Seen(time_us, motion, mouth_hidden)


class Script(Drive):
    """A drive that a test wrote."""

    def __init__(self, seen: dict[int, Seen | None], default: Seen | None = None) -> None:
        self._seen, self._default = seen, default

    def at(self, pts_us: int) -> Seen | None:
        return self._seen.get(pts_us, self._default)


def driven(voice: Float32Array, drive: Drive, lips: Lips, controls: Controls | None = None) -> list[MotionFrame]:
    state = DrivenState(default_motion().open(FPS, 5), drive, lips)
    chunk = AudioChunk(voice, VOICE_RATE_HZ)
    return [*state.push(chunk, controls or Controls()), *state.flush(controls or Controls())]


def spoken(voice: Float32Array) -> list[MotionFrame]:
    state = default_motion().open(FPS, 5)
    return [*state.push(AudioChunk(voice, VOICE_RATE_HZ), Controls()), *state.flush(Controls())]


def matrix(frames: list[MotionFrame]) -> Float32Array:
    return np.array([vector_of(frame) for frame in frames])


# Files


@pytest.mark.parametrize("suffix", READERS)
def test_a_motion_file_reads_as_it_was_written(tmp_path: Path, suffix: str) -> None:
    written = nodding()
    write_motion(tmp_path / f"a{suffix}", written, FPS)
    sights, n_dropped = read_motion(tmp_path / f"a{suffix}")
    assert n_dropped == 0 and len(sights) == 90
    for frame, seen in zip(written, sights, strict=True):
        assert seen.motion is not None and seen.time_us == pytest.approx(frame.pts_us, abs=1)
        assert all_weights(seen.motion) == pytest.approx(all_weights(frame), abs=2e-5)
        assert (*seen.motion.gaze, seen.motion.pose.yaw_deg) == pytest.approx((*frame.gaze, frame.pose.yaw_deg), abs=1e-3)
    assert motion_file(tmp_path / f"a{suffix}").length_us == pytest.approx(3_000_000, abs=2)


def test_a_phones_recording_begins_in_the_middle_of_a_day_and_may_lose_its_face(tmp_path: Path) -> None:
    """As the app writes it: the time of day, frames with parts, a byte order mark, and no curves where there is no face."""
    curves = ",".join(["0.25"] * 52 + ["0.1"] * 9)
    rows = [f"23:59:59:58.500,61,{curves}", "23:59:59:59.500,0" + "," * 61, f"00:00:00:00.500,61,{curves}"]
    (tmp_path / "a.csv").write_text("\ufeff" + "\r\n".join([",".join(COLUMNS), *rows]), encoding="utf-8")
    sights, n_dropped = read_motion(tmp_path / "a.csv")
    assert n_dropped == 0 and [seen.motion is None for seen in sights] == [False, True, False]
    assert [seen.time_us for seen in sights] == pytest.approx([0, 16_667, 33_333], abs=1)
    assert sights[0].motion is not None and sights[0].motion.pose.yaw_deg == pytest.approx(math.degrees(0.1), abs=1e-4)


def test_a_recording_of_one_sight_has_a_length(tmp_path: Path) -> None:
    write_motion(tmp_path / "a.csv", nodding(1), FPS)
    assert motion_file(tmp_path / "a.csv").length_us == GAP_US


def test_a_row_before_the_first_costs_no_other_row(tmp_path: Path) -> None:
    curves = ",".join(["0.25"] * 61)
    codes = ["10:00:00:00", "09:59:59:00", "10:00:01:00", "10:00:02:00"]
    (tmp_path / "a.csv").write_text("\n".join([",".join(COLUMNS), *(f"{code},61,{curves}" for code in codes)]))
    sights, n_dropped = read_motion(tmp_path / "a.csv")
    assert ([seen.time_us for seen in sights], n_dropped) == ([0, 1_000_000, 2_000_000], 1)


@pytest.mark.parametrize("bad", ["nan", "inf", "1e40", "-3", "7", "", "x", "1e999"])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_lines_that_cannot_be_are_left_out_and_counted(tmp_path: Path, suffix: str, bad: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_motion(path, nodding(9), FPS)
    lines = path.read_text().splitlines()
    if suffix == ".csv":
        cells = lines[4].split(",")
        lines[4] = ",".join([*cells[:9], bad, *cells[10:]])
    else:
        lines[4] = lines[4].replace('"weights":[0.0', f'"weights":[{bad or "null"}')
        lines[4] = lines[4].replace('"weights":[1.0', f'"weights":[{bad or "null"}')
    path.write_text("\n".join(lines))
    sights, n_dropped = read_motion(path)
    assert (len(sights), n_dropped) == (8, 1)
    assert f"1 entries of {path.name}" in motion_file(path).note


@given(st.binary(max_size=400))
@examples(30)
def test_bytes_that_are_no_motion_are_a_sentence_or_nothing(data: bytes) -> None:
    for read in READERS.values():
        head = io.BytesIO()
        head.write((",".join(COLUMNS) + "\n").encode() + data if read is READERS[".csv"] else data)
        head.seek(0)
        try:
            assert all(seen is None or seen.motion is None for seen in read(head, "a file"))
        except InputError as error:
            assert "a file" in str(error)


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("a.csv", "Time,Value\n0,1\n", "no column 'timecode'"),
        ("a.jsonl", '{"frames": 3}\n', "does not name the 52 weights"),
        ("a.jsonl", json.dumps({"weights": list(ARKIT_INDEX)}) + "\n{}\n", "holds no motion"),
        ("a.csv", "", "is empty"),
        ("a.csv", "x" * 200_000 + "\n", "is no table"),
        ("a.jsonl", "[" * 200_000 + "\n", "does not name the 52 weights"),
    ],
)
def test_other_files_are_refused_in_a_sentence(tmp_path: Path, name: str, text: str, word: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=word):
        choose_driver(str(tmp_path / name))


# Numbers


@given(st.lists(st.floats(width=32), min_size=N_VALUES, max_size=N_VALUES))
@examples(40)
def test_what_passes_moves_a_face_within_its_range(numbers: list[float]) -> None:
    for seen in (seen_of(0, np.array(numbers, np.float32)), seen_by_phone(0, numbers[:52], numbers[52:55])):
        if seen is not None:
            assert seen.motion is not None and np.isfinite(vector_of(seen.motion)).all()
            assert 0 <= seen.motion.weights.min() <= seen.motion.weights.max() <= 1


def test_a_recording_is_followed_between_its_sights_and_ends() -> None:
    drive = RecordedDrive([sight(0, nodding(1)[0]), sight(100_000, nodding(2)[1]), sight(900_000, nodding(3)[2])])
    half = drive.at(50_000)
    assert half is not None and half.motion is not None
    middle = (vector_of(nodding(1)[0]) + vector_of(nodding(2)[1])) / 2
    assert vector_of(half.motion) == pytest.approx(middle, abs=1e-5)
    far = drive.at(500_000)
    assert far is not None and far.time_us == 100_000, "nothing is invented across a gap"
    assert drive.at(1_000_000) is not None and drive.at(1_200_000) is None


# A driven face


def test_a_driver_moves_the_face_and_the_voice_the_lips(voice: Float32Array) -> None:
    voice = voice[: 2 * VOICE_RATE_HZ]
    frames = {frame.pts_us: sight(frame.pts_us, frame) for frame in nodding()}
    shown, alone = matrix(driven(voice, Script(dict(frames)), Lips.VOICE)), matrix(spoken(voice))
    source = matrix(nodding())[: len(shown)]
    turned = slice(N_WEIGHTS + 2, N_WEIGHTS + 5)
    assert shown[:, turned] == pytest.approx(source[:, turned], abs=1e-4)
    assert shown[:, BROW] == pytest.approx(source[:, BROW], abs=1e-6)
    assert shown[:, LIPS] == pytest.approx(alone[:, LIPS], abs=1e-6)
    assert shown[:, SMILE_LEFT] == pytest.approx(np.maximum(source, alone)[:, SMILE_LEFT], abs=1e-6)
    assert matrix(driven(voice, Script(dict(frames)), Lips.CAMERA))[:, LIPS] == pytest.approx(source[:, LIPS], abs=1e-6)


def test_a_session_drives_as_a_stream_does_to_the_bit(voice: Float32Array, tmp_path: Path) -> None:
    write_motion(tmp_path / "a.jsonl", nodding(), FPS)
    motion = DrivenMotion(default_motion(), motion_file(tmp_path / "a.jsonl"), Lips.BOTH)
    sound, nobody = voice[: 2 * VOICE_RATE_HZ], PlainFace()

    async def live() -> list[MotionFrame]:
        config = SessionConfig(sample_rate_hz=VOICE_RATE_HZ, seed=5, paced=False, pictures=False)
        async with Session(nobody, config, motion=motion) as session:
            for start in range(0, len(sound), 777):
                await session.push(sound[start : start + 777])
            await session.finish()
            return [item.motion async for item in session if isinstance(item, Output)]

    with FaceStream(nobody, sample_rate_hz=VOICE_RATE_HZ, seed=5, motion=motion, pictures=False) as stream:
        items = [*stream.push(sound), *stream.finish()]
    offline = [item.motion for item in items if isinstance(item, Output)]
    here = asyncio.run(live())
    assert len(here) == len(offline) == 60
    assert np.array_equal(matrix(here), matrix(offline))


def test_both_shut_the_lips_where_the_sound_says_so(voice: Float32Array) -> None:
    """The camera sees an open mouth all the time, and the voice says m, b and p."""
    gaping = sight(0, MotionFrame(0, 0, arkit_weights(jawOpen=0.5, mouthLowerDownLeft=0.4)))
    shown, alone = matrix(driven(voice, Script({}, gaping), Lips.BOTH)), matrix(spoken(voice))
    sealed = alone[:, ARKIT_INDEX["mouthRollUpper"]] > 0.17
    loose = alone[:, ARKIT_INDEX["mouthRollUpper"]] == 0
    gap = shown[:, JAW] - shown[:, CLOSE]
    assert sealed.sum() > 3 and loose.sum() > 20
    assert gap[sealed].max() < 0.02 and gap[loose].min() == pytest.approx(0.5)
    assert (alone[loose][:, JAW]).std() > 0.03, "and otherwise the camera is believed"


def test_a_hidden_mouth_is_the_voices(voice: Float32Array) -> None:
    hidden = sight(0, MotionFrame(0, 0, arkit_weights(jawOpen=0.5)), mouth_hidden=True)
    voice = voice[: 2 * VOICE_RATE_HZ]
    assert matrix(driven(voice, Script({}, hidden), Lips.BOTH))[:, LIPS] == pytest.approx(
        matrix(spoken(voice))[:, LIPS], abs=1e-6
    )


def lost_between(first: int, last: int, motion: MotionFrame, back: MotionFrame | None = None) -> Script:
    """A face that is away in some frames, and back with another look."""
    seen: dict[int, Seen | None] = {frame_pts_us(i, FPS): None for i in range(first, last)}
    seen |= {frame_pts_us(i, FPS): sight(frame_pts_us(i, FPS), back or motion) for i in range(last, 400)}
    return Script(seen, sight(0, motion))


def test_a_lost_face_is_held_then_eases_into_idle_life_and_back(voice: Float32Array) -> None:
    turned = MotionFrame(0, 0, arkit_weights(browInnerUp=1.0), pose=Pose(yaw_deg=10.0, pitch_deg=-7.0))
    other = MotionFrame(0, 0, arkit_weights(), pose=Pose(yaw_deg=-10.0))
    voice = voice[: 5 * VOICE_RATE_HZ]
    shown, alone = matrix(driven(voice, lost_between(30, 90, turned, other), Lips.VOICE)), matrix(spoken(voice))
    yaw = N_WEIGHTS + 2
    held = 29 + HOLD_US * 30 // 1_000_000
    assert shown[29:held, yaw] == pytest.approx(10.0, abs=1e-5)
    assert shown[held + 25 : 90, FACE] == pytest.approx(alone[held + 25 : 90, FACE], abs=1e-6), "life, in under a second"
    assert shown[116:, yaw] == pytest.approx(-10.0, abs=1e-5)
    steps, own = (np.abs(np.diff(motion[:, yaw])) for motion in (shown, alone))
    assert (steps - own)[held - 1 :].max() < 20 * 1.5 / 24, "20 degrees in .8 s beside what the voice does, and never a jump"


@pytest.mark.full
@given(st.lists(st.sampled_from(["face", "other", "lost", "hidden"]), min_size=90, max_size=90), st.sampled_from(Lips))
@examples(15)
def test_however_a_driver_comes_and_goes_nothing_jumps(kinds: list[str], lips: Lips) -> None:
    """Two looks a long way apart; whatever changes, from frame to frame, does so by less than an eased way can."""
    look = MotionFrame(0, 0, arkit_weights(jawOpen=0.4, browInnerUp=1.0), pose=Pose(10.0, 5.0, 5.0))
    seen: dict[int, Seen | None] = {}
    for i, kind in enumerate(kinds):
        motion = None if kind == "lost" else look
        seen[frame_pts_us(i, FPS)] = sight(frame_pts_us(i, FPS), motion, mouth_hidden=kind == "hidden")
    shown = matrix(driven(np.zeros(3 * VOICE_RATE_HZ, np.float32), Script(seen), lips))
    steps = np.abs(np.diff(shown, axis=0))
    assert np.isfinite(shown).all()
    assert steps[:, N_WEIGHTS + 2 : N_WEIGHTS + 5].max() < 10 * 1.5 * 1.4 / 24 + 0.7
    assert steps[:, BROW].max() < 1.5 * 1.4 / 24 + 0.02 and steps[:, JAW].max() < 0.4 * 1.5 * 1.4 / 7.5 + 0.02


def test_what_a_driver_does_not_know_is_the_voices(voice: Float32Array) -> None:
    voice = voice[: 2 * VOICE_RATE_HZ]
    known = FACE_AND_TURN.copy()
    known[BROW] = False
    seen = Seen(0, MotionFrame(0, 0, arkit_weights(), pose=Pose(yaw_deg=10.0)), known=known)
    shown, alone = matrix(driven(voice, Script({}, seen), Lips.VOICE)), matrix(spoken(voice))
    assert shown[:, BROW] == pytest.approx(alone[:, BROW]) and alone[:, BROW].max() > 0.01
    assert shown[:, N_WEIGHTS + 5] == pytest.approx(0.1), "a turned head moves, though no phone says where to"


def test_moods_and_amounts_are_on_top_of_the_driver() -> None:
    still = sight(0, MotionFrame(0, 0, arkit_weights(), pose=Pose(yaw_deg=5.0)))
    silence = np.zeros(2 * VOICE_RATE_HZ, np.float32)
    controls = Controls(gaze=(10.0, 0.0), distance=0.8, emotion=Emotion.HAPPY, head_motion=0.5)
    last = driven(silence, Script({}, still), Lips.BOTH, controls)[-1]
    assert last.weights[SMILE].max() == pytest.approx(0.38, abs=0.01)
    assert (last.pose.yaw_deg, last.pose.scale, last.gaze[0]) == pytest.approx((2.5, 1.25, 10.0), abs=0.05)
