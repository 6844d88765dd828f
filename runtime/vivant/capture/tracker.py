"""Face tracker: pictures of a person in, motion out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vivant.arguments import real_number
from vivant.capture.calibration import ACT_US, Calibration
from vivant.capture.following import FollowedFace
from vivant.capture.gaze import gaze_of
from vivant.capture.smoothing import OneEuro
from vivant.capture.solver import LIDS, LIPS, FaceSolver, Floats, Learning, Placement
from vivant.portrait import DetectedFace, PortraitAnalyser, default_analyser
from vivant.rig import canonical as c
from vivant.types import ARKIT_INDEX, Float32Array, MotionFrame, Pose, UInt8Array

CLEAR_DOUBT, LOST_DOUBT = 0.006, 0.03
"""`DetectedFace.doubt` at which confidence is 1 and 0; photographs have .0043 to .0088, what is no face .016 and more."""
HIDDEN_LIPS = 1.05
"""Expected error of the lips over that of the lids, from which on the mouth is hidden: it is .93 to 1.02 in portraits and
rendered people, in the dark too, and 1.07 to 1.26 behind fingers and a mask. The chance that lips show says less."""
LEARN_US = 1_000_000
"""The person's own shape is learnt in the first second that she is seen, and where her head is then is where it rests."""
BLINKS = [ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]
HIDING_BLINK = 0.2
"""Weight of a blink from which on lids hide how high the irises are, and gaze stays as high as it was; `benchmarks.capture`."""
STILL_WEIGHTS, STILL_TURNS, STILL_PLACE, STILL_GAZE = (4.0, 18.0), (3.0, 0.4), (1.5, 16.0), (3.0, 0.3)
"""Least cut-off in Hz and what it gains per unit a second (weights, degrees, outer-eye distances, degrees): the stillest with
which the figures of `benchmarks.capture` are those without a filter, but for a hundredth."""


@dataclass(frozen=True, slots=True)
class TrackedFace:
    """What one picture shows of the person."""

    motion: MotionFrame | None
    """None while no face is seen. Turns are those towards the camera, the place is that beside the first second's."""
    confidence: float
    """How clearly the face is seen, 0 to 1."""
    mouth_hidden: bool
    """By a hand, a cup, a microphone; the weights of the mouth are guesses then."""
    landmarks: Float32Array | None = None
    """(478, 3) as `DetectedFace` has them."""


LOST = TrackedFace(None, 0.0, False)


class FaceTracker:
    """Pictures to motion. One thread at a time; the analyser may be shared."""

    def __init__(
        self, fps: float, analyser: PortraitAnalyser | None = None, face: int | None = None, *, calibrate: bool = False
    ) -> None:
        """``fps`` numbers the frames; pictures may come at any rate. ``face`` counts from 1, the largest; None is that one.
        ``calibrate`` says that the person begins with the acts of `vivant.capture.calibration`.

        Raises InputError, and UnavailableError without onnxruntime.
        """
        self._fps = real_number("fps", fps, 1, 1000)
        self._face = FollowedFace(analyser or default_analyser(), 1 if face is None else face)
        self._solver = FaceSolver()
        self._home: tuple[Floats, int] | None = None
        """Where the head rests in the picture and how large it is there, and the frames that say so."""
        self._first_us: int | None = None
        self._calibration = Calibration() if calibrate else None
        self._seen_pitch_deg = self._gaze_pitch_deg = 0.0
        """Of the gaze, as it was last seen and as it is shown."""
        self._filters = tuple(OneEuro(*still) for still in (STILL_WEIGHTS, STILL_TURNS, STILL_PLACE, STILL_GAZE))

    def track(self, picture: UInt8Array, pts_us: int) -> TrackedFace:
        """The person in an RGB picture (height, width, 3), later than the last one."""
        seen = self._face.look(picture, pts_us)
        if seen is None:
            self._solver.lose()
            return LOST
        lips, lids = (float(seen.error_px[list(points)].mean()) for points in (LIPS, LIDS))
        hidden = lips > HIDDEN_LIPS * lids
        return TrackedFace(self._motion(seen, pts_us), _confidence(seen), hidden, seen.landmarks)

    def asks(self, pts_us: int) -> str:
        """What a person who is calibrated should do at that time; empty when there is nothing more to do."""
        if self._calibration is None:
            return ""
        return self._calibration.asks(0 if self._first_us is None else pts_us - self._first_us)

    def _motion(self, seen: DetectedFace, pts_us: int) -> MotionFrame:
        self._first_us = pts_us if self._first_us is None else self._first_us
        since_us = pts_us - self._first_us
        learning = self._learning(since_us)
        weights = self._solver.solve(seen, pts_us, self._gaze_pitch_deg, learning)
        if self._calibration is not None:
            weights = self._calibration.scaled(weights, since_us)
        placement = self._solver.placement
        assert placement is not None
        gaze_yaw, gaze_pitch = gaze_of(seen, placement)
        if weights[BLINKS].mean() < HIDING_BLINK:
            self._seen_pitch_deg = gaze_pitch
        values = (
            weights,
            np.array(placement.angles_deg()),
            self._place(placement, learning=learning is not Learning.NOTHING),
            (gaze_yaw, self._seen_pitch_deg),
        )
        smooth = [one(np.asarray(value), pts_us) for one, value in zip(self._filters, values, strict=True)]
        (yaw, pitch, roll), (x, y, log_scale), (gaze_yaw, gaze_pitch) = (part.tolist() for part in smooth[1:])
        self._gaze_pitch_deg = gaze_pitch
        return MotionFrame(
            round(pts_us * self._fps / 1e6),
            pts_us,
            np.clip(smooth[0], 0, 1).astype(np.float32),
            pose=Pose(yaw, pitch, roll, x, y, float(np.exp(log_scale))),
            gaze=(gaze_yaw, gaze_pitch),
        )

    def _learning(self, since_us: int) -> Learning:
        if self._calibration is not None:
            return Learning.A_RESTING_FACE if since_us < ACT_US else Learning.NOTHING
        return Learning.A_FACE if since_us < LEARN_US else Learning.NOTHING

    def _place(self, placement: Placement, *, learning: bool) -> Floats:
        """(3,) shift to the right and up in outer-eye distances, and log scale, of the point that the head turns about."""
        at = placement.origin_px + placement.unit_px * placement.rotation[:2] @ _pivot()
        here = np.append(at, np.log(placement.unit_px))
        home, frames = self._home or (here, 0)
        if learning or self._home is None:
            home = home + (here - home) / (frames + 1)
            self._home = home, frames + 1
        moved: Floats = here - home
        moved[:2] /= np.exp(home[2])
        return moved


def _pivot() -> Floats:
    """(3,) in the canonical frame, as the rig's."""
    points = c.canonical_face().points.astype(np.float64)
    ears, jaw = points[[c.RIGHT_EAR, c.LEFT_EAR]].mean(axis=0), points[[c.RIGHT_JAW, c.LEFT_JAW]].mean(axis=0)
    return np.array([ears[0], 0.4 * ears[1] + 0.6 * jaw[1], ears[2] - 0.1])


def _confidence(seen: DetectedFace) -> float:
    return float(np.clip((LOST_DOUBT - seen.doubt) / (LOST_DOUBT - CLEAR_DOUBT), 0.0, 1.0))
