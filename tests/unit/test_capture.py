"""Capture: what is solved from landmarks, what is rest, how it is smoothed, and what can be read as a video."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivant.capture import facts_of, open_frames
from vivant.capture.calibration import ACT_US, ACTS, LENGTH_US, Calibration
from vivant.capture.gaze import SHOWN as SHOWN_GAZE
from vivant.capture.gaze import gaze_of
from vivant.capture.rest import Rest
from vivant.capture.smoothing import OneEuro
from vivant.capture.solver import SHOWN, SOLVED, FaceSolver, Floats, Learning, Placement, identity_modes
from vivant.capture.tracker import STILL_WEIGHTS, FaceTracker
from vivant.capture.video import _packets
from vivant.errors import InputError, UnavailableError
from vivant.portrait import Cutout, DetectedFace
from vivant.rig import canonical as c
from vivant.types import ARKIT_INDEX, ARKIT_NAMES, Float32Array, Pose, UInt8Array, arkit_weights

pytestmark = pytest.mark.unit

UNIT_PX = 120.0
ERROR = 0.008
"""Of every landmark, outer-eye distances."""


def turn(yaw_deg: float, pitch_deg: float, roll_deg: float) -> Floats:
    """Head to view: about the roll, then the pitch, then the yaw axis, signs as `Pose`."""
    y, p, r = np.radians([yaw_deg, -pitch_deg, -roll_deg])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    out: Floats = about_y @ about_x @ about_z
    return out


def filmed(weights: Float32Array, rotation: Floats, scores: Floats, distance: float = 8.0) -> DetectedFace:
    """A person as the network shows her, by a pinhole camera so many outer-eye distances away."""
    face = c.canonical_face()
    share = np.array([next((s for start, s in SHOWN.items() if name.startswith(start)), 1.0) for name in ARKIT_NAMES])
    modes = identity_modes()[: len(scores)]
    points = face.points + np.tensordot(scores, modes, 1) + np.tensordot(weights * share, face.fields, 1)
    x, y, z = rotation @ points.T
    nearness = distance / (distance - z)
    seen = np.column_stack([320 + UNIT_PX * nearness * x, 240 - UNIT_PX * nearness * y, UNIT_PX * z]).astype(np.float32)
    error = np.full(478, ERROR * UNIT_PX, np.float32)
    return DetectedFace(seen, error, np.ones(478, np.float32), Pose(), np.zeros((2, 2), np.float32), arkit_weights())


part = st.floats(0.0, 0.8)


@settings(max_examples=4, deadline=None, derandomize=True)
@given(
    jaw=part, smile=part, brows=part, left=part, right=part,
    yaw=st.floats(-25, 25), pitch=st.floats(-15, 15), roll=st.floats(-15, 15), person=st.integers(0, 1000),
    distance=st.sampled_from((5.0, 7.0, 11.0)),
)  # fmt: skip
def test_known_weights_and_turns_are_found_again(
    jaw: float, smile: float, brows: float, left: float, right: float, yaw: float, pitch: float, roll: float, person: int,
    distance: float,
) -> None:  # fmt: skip
    """At any distance of the camera."""
    scores = np.random.default_rng(person).normal(0, 0.5, 10)
    known = arkit_weights(
        jawOpen=jaw, mouthSmileLeft=smile, mouthSmileRight=smile, browInnerUp=brows, browOuterUpLeft=brows,
        browOuterUpRight=brows, eyeBlinkLeft=left, eyeBlinkRight=right,
    )  # fmt: skip
    solver = FaceSolver()
    solver.solve(filmed(arkit_weights(), np.eye(3), scores, distance), 0, 0.0, Learning.A_FACE)
    for k in range(8):
        found = solver.solve(
            filmed(known, turn(yaw, pitch, roll), scores, distance), 2_000_000 + 33_333 * k, 0.0, Learning.NOTHING
        )
    assert solver.placement is not None
    assert solver.placement.angles_deg() == pytest.approx((yaw, pitch, roll), abs=1.5)
    names = ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "browOuterUpLeft", "browOuterUpRight")
    assert [found[ARKIT_INDEX[name]] for name in names] == pytest.approx([jaw, smile, smile, brows, brows], abs=0.15)
    lids = [found[ARKIT_INDEX[name]] * solver.person.lid_ratio[name[8:]] for name in ("eyeBlinkLeft", "eyeBlinkRight")]
    assert lids == pytest.approx([left, right], abs=0.15)


def test_points_that_may_err_are_believed_less() -> None:
    """A hand that pulls the lips' points aside moves them the less the more error the network itself expects."""
    face, found = filmed(arkit_weights(), np.eye(3), np.zeros(1)), []
    rest = FaceSolver().solve(face, 0, 0.0, Learning.NOTHING)
    face.landmarks[list(c.LOWER_INNER_LIP), 1] += 0.05 * UNIT_PX
    for more in (1.0, 10.0):
        solver, error = FaceSolver(), face.error_px.copy()
        error[list(c.LOWER_INNER_LIP)] *= more
        found.append(np.abs(solver.solve(replace(face, error_px=error), 0, 0.0, Learning.NOTHING) - rest).max())
    assert found[1] < 0.3 * found[0]


def test_a_lower_lip_that_moves_alone_is_no_jaw() -> None:
    """The chin's outline stays where it was."""
    shown = filmed(arkit_weights(mouthLowerDownLeft=1.0, mouthLowerDownRight=1.0), np.eye(3), np.zeros(1))
    assert FaceSolver().solve(shown, 0, 0.0, Learning.NOTHING)[ARKIT_INDEX["jawOpen"]] < 0.06


@pytest.mark.parametrize("gaze", [(0.0, 0.0), (12.0, 0.0), (-8.0, 6.0)])
def test_the_irises_tell_where_the_eyes_look(gaze: tuple[float, float]) -> None:
    face, rotation = c.canonical_face(), turn(10.0, 5.0, 0.0)
    points = face.points.astype(np.float64)
    for eye, irises in enumerate((c.IRISES[1], c.IRISES[0])):
        centre = face.eyes[eye, :3]
        points[list(irises)] = (points[list(irises)] - centre) @ turn(*gaze, 0.0).T + centre
    seen = (UNIT_PX * points @ rotation.T * (1, -1, 1)).astype(np.float32)
    says = np.array([gaze, gaze], np.float32)
    scaled = tuple(angle / SHOWN_GAZE for angle in gaze)
    detected = DetectedFace(seen, np.ones(478, np.float32), np.ones(478, np.float32), Pose(), says, arkit_weights())
    assert gaze_of(detected, Placement(rotation, UNIT_PX, np.zeros(2))) == pytest.approx(scaled, abs=1.5)


class Canned:
    """`PortraitAnalyser` that sees faces that are given."""

    name, provider = "canned", "cpu"

    def __init__(self, faces: list[DetectedFace]) -> None:
        self._faces = iter(faces)

    def faces(self, pixels: UInt8Array) -> list[DetectedFace]:
        return [filmed(arkit_weights(), np.eye(3), np.zeros(1))]

    def follow(self, pixels: UInt8Array, face: DetectedFace) -> DetectedFace:
        return next(self._faces)

    def cutout(self, pixels: UInt8Array, face: DetectedFace) -> Cutout:
        raise NotImplementedError


def test_eyes_look_where_they_looked_while_lids_hide_them() -> None:
    """What shows of an iris below a lid says that it looks down."""
    closed = arkit_weights(eyeBlinkLeft=1.0, eyeBlinkRight=1.0)
    seen = [
        replace(filmed(weights, np.eye(3), np.zeros(1)), gaze_deg=np.full((2, 2), says, np.float32))
        for weights, says in [(arkit_weights(), 8.0)] * 12 + [(closed, -20.0)] * 4
    ]
    tracker, picture = FaceTracker(10, Canned(seen)), np.zeros((480, 640, 3), np.uint8)
    shown = [tracker.track(picture, k * 100_000).motion for k in range(16)]
    open_eyes, in_blink = shown[11], shown[15]
    assert open_eyes is not None and in_blink is not None
    assert in_blink.weights[ARKIT_INDEX["eyeBlinkLeft"]] > 0.7
    assert in_blink.gaze[1] == pytest.approx(open_eyes.gaze[1], abs=0.5) and open_eyes.gaze[1] > 2


def test_what_a_face_always_shows_is_its_rest() -> None:
    """Brows that sit high or low are at rest; a smile that never ends stays one."""
    rest, brow, smile = Rest(SOLVED), SOLVED.index("browInnerUp"), SOLVED.index("mouthSmileLeft")
    shown = np.zeros(len(SOLVED))

    def follow(seconds: tuple[int, int], brow_at: float) -> float:
        shown[[brow, smile]] = brow_at, 0.5
        for frame in range(30 * seconds[0], 30 * seconds[1]):
            rest.follow(shown - rest.weights, frame * 33_333)
        return float(rest.weights[brow])

    assert follow((0, 2), 0.3) == pytest.approx(0.3, abs=0.01)
    assert follow((2, 3), 0.8) == pytest.approx(0.3, abs=0.03), "a raised brow is raised"
    assert follow((3, 9), -0.2) == pytest.approx(-0.2, abs=0.01), "one that comes down was not at rest before"
    assert rest.weights[smile] == 0.0


def test_a_brow_that_sits_low_rises_from_there() -> None:
    """By as much as it is raised, not by what is above the average face's."""
    low = np.zeros(1)
    down = {"browDownLeft": 0.6, "browDownRight": 0.6}
    up = {"browOuterUpLeft": 0.5, "browOuterUpRight": 0.5}
    solver = FaceSolver()
    for k in range(60):
        solver.solve(filmed(arkit_weights(**down), np.eye(3), low), 33_333 * k, 0.0, Learning(k < 30))
    raised = [solver.solve(filmed(arkit_weights(**down, **up), np.eye(3), low), 2_000_000 + 33_333 * k, 0.0, Learning.NOTHING)
              for k in range(8)][-1]  # fmt: skip
    assert raised[ARKIT_INDEX["browOuterUpLeft"]] == pytest.approx(0.5, abs=0.1)


def test_lips_that_rest_closed_open_as_far_as_the_jaw_says() -> None:
    """On another portrait, what closes somebody's at rest would keep the lips closer."""
    solver, close, jaw = FaceSolver(), ARKIT_INDEX["mouthClose"], ARKIT_INDEX["jawOpen"]
    for k in range(40):
        weights = arkit_weights(mouthClose=0.1, jawOpen=0.4 if k > 20 else 0.0)
        learning = Learning.A_FACE if k < 10 else Learning.NOTHING
        found = solver.solve(filmed(weights, np.eye(3), np.zeros(1)), 100_000 * k, 0.0, learning)
    assert found[close] < 0.02 and found[jaw] == pytest.approx(0.4, abs=0.06)


def test_calibration_makes_the_fullest_one() -> None:
    """Of a person whose brows show half of what others' do; what was not done, or by far not, is left as it is."""
    calibration, brows, smile = Calibration(), ARKIT_INDEX["browInnerUp"], ARKIT_INDEX["mouthSmileLeft"]
    shown = (arkit_weights(), arkit_weights(mouthSmileLeft=0.1), arkit_weights(jawOpen=1.1),
             arkit_weights(browInnerUp=0.7, browOuterUpLeft=0.7, browOuterUpRight=0.7))  # fmt: skip
    for at_us in range(0, LENGTH_US, 33_333):
        assert calibration.asks(at_us) == ACTS[at_us // ACT_US].asked
        calibration.scaled(shown[at_us // ACT_US], at_us)
    after = calibration.scaled(arkit_weights(browInnerUp=0.35, mouthSmileLeft=0.5, jawOpen=0.55), LENGTH_US)
    assert after[[brows, smile]] == pytest.approx([0.5, 0.5]) and after[ARKIT_INDEX["jawOpen"]] == pytest.approx(0.5)
    assert calibration.asks(LENGTH_US) == ""


def test_a_blink_passes_the_filter_whole_and_noise_does_not() -> None:
    filtered, chance = OneEuro(*STILL_WEIGHTS), np.random.default_rng(0)
    still = np.array([filtered(np.array([0.2 + noise]), 33_333 * k)[0] for k, noise in enumerate(chance.normal(0, 0.01, 200))])
    assert still[20:].std() < 0.007 and still.mean() == pytest.approx(0.2, abs=0.01)
    closing = [filtered(np.array([value]), 33_333 * (200 + k))[0] for k, value in enumerate((0.6, 1.0, 1.0, 0.3))]
    assert closing[2] > 0.95 and closing[3] < 0.45


def write_video(path: Path, times: list[int], size: tuple[int, int] = (64, 48), rotation: int = 0) -> Path:
    """Frames at these times (ms), brighter and brighter; the upper left quarter is white."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for k, at_ms in enumerate(times):
            pixels = np.full((size[1], size[0], 3), 20 * k, np.uint8)
            pixels[: size[1] // 2, : size[0] // 2] = 255
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = k, Fraction(1, 1000)
            for packet in stream.encode(frame):  # one for each; the encoder would refuse times that are far apart
                packet.pts = packet.dts = at_ms
                container.mux(packet)
        container.mux(stream.encode(None))
    return path


def test_a_variable_rate_keeps_its_times(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", [0, 40, 50, 300])
    frames = list(open_frames(path))
    assert [pts_us for _, pts_us in frames] == [0, 40_000, 50_000, 300_000]
    assert all(picture.shape == (48, 64, 3) and picture.dtype == np.uint8 for picture, _ in frames)
    assert facts_of(path).duration_s == pytest.approx(0.3, abs=0.1)


def test_times_that_no_recording_has_are_refused(tmp_path: Path) -> None:
    """Instead of idling through the years between two pictures."""
    path = write_video(tmp_path / "a.mkv", [0, 40, 100 * 3_600_000])
    assert facts_of(path).duration_s is None
    with pytest.raises(InputError, match="more than a day apart"):
        list(open_frames(path))


def test_a_film_without_times_has_its_rate(tmp_path: Path) -> None:
    """Raw H.264 says no times."""
    path = tmp_path / "a.h264"
    with av.open(str(path), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for k in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 20 * k, np.uint8), format="rgb24")))
        container.mux(stream.encode(None))
    assert [pts_us for _, pts_us in open_frames(path)] == [0, 40_000, 80_000, 120_000, 160_000]


def test_what_is_no_film_is_a_sentence(tmp_path: Path) -> None:
    text = tmp_path / "a.mp4"
    text.write_text("no film")
    for source, word in ((tmp_path / "none.mp4", "does not exist"), (text, "no video that can be read")):
        with pytest.raises(InputError, match=word):
            list(open_frames(source))
    with pytest.raises(InputError, match="holds no video"):
        list(open_frames(Path(__file__).parents[2] / "runtime" / "vivant" / "assets" / "voice.flac"))


class Unplugged:
    """FFmpeg's side of a camera that gives one packet and goes, with an error that is none of the system's."""

    def demux(self, stream: object) -> Iterator[object]:
        yield stream
        raise av.error.ExternalError(1, "unplugged")


def test_a_camera_that_goes_is_a_sentence_and_a_film_that_breaks_off_an_end() -> None:
    camera: Any = Unplugged()
    packets = _packets("webcam", camera, camera)
    assert [next(packets)] == [camera]
    with pytest.raises(UnavailableError, match="the camera webcam has gone"):
        next(packets)
    assert len(list(_packets(Path("a.mp4"), camera, cast(Any, None)))) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="names of devices")
def test_a_camera_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(UnavailableError, match="there is no camera /dev/video999"):
        next(iter(open_frames("webcam:999")))
