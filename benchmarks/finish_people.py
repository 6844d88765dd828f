"""Films of rendered people for `benchmarks.finish`: somebody who does not exist says a minute, and a portrait of them at rest.

python -m benchmarks.finish_people --people HEADS --voice VOICE.wav --data DIR [--numbers 0 1 2] [--seconds 60]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
from PIL import Image

from vivant.offline import motion_of
from vivant.types import MotionFrame, UInt8Array

if TYPE_CHECKING:
    from training.synthetic_faces.people import Studio
    from training.synthetic_faces.plan import Plan

FPS = Fraction(12)
"""Frames a second, few, for each takes a third of a second of a processor."""
FILM_PX, PORTRAIT_PX = 304, 640
FACE_IN_FILM, FACE_IN_PORTRAIT = 0.72, 0.5
"""Height of the face, brow to chin, in shares of the picture."""
NOISE = 2.0
"""Of the camera: standard deviation, of 255."""
SEED = 2311
CRF = 14
"""Of H.264: hardly lossy, as a telephone's film at thrice the size."""


def film_of(data: Path, number: int) -> tuple[Path, Path]:
    """Where a person's film and portrait lie."""
    return data / f"person_{number}.mp4", data / f"person_{number}.png"


def person(studio: Studio, number: int) -> Plan:
    """Somebody without things before the face, at rest, from the front."""
    plan = studio.plan(SEED, number)
    face = replace(plan.face, weights=np.zeros_like(plan.face.weights), gaze=np.zeros_like(plan.face.gaze))
    hair = replace(plan.hair, strands=0, fuzz=0.0)
    wear = replace(plan.wear, object="", hat="", glasses=None)
    view = replace(
        plan.view, pose=(0.0, 0.0, 0.0), body=(0.0, 0.0, 0.0), face=FACE_IN_PORTRAIT, centre=(0.5, 0.5), distance=90.0
    )
    return replace(plan, face=face, hair=hair, wear=wear, view=view, film=replace(plan.film, filters=()))


def moved(plan: Plan, frame: MotionFrame) -> Plan:
    """The same person in one frame of a motion."""
    from training.synthetic_faces.rig import gaze_weights

    gaze = np.array([frame.gaze, frame.gaze], np.float32)
    weights = frame.weights.copy()
    weights[-1] = max(weights[-1], frame.tongue[0])
    face = replace(plan.face, weights=gaze_weights(weights, gaze), gaze=gaze)
    turn = (frame.pose.yaw_deg, frame.pose.pitch_deg, frame.pose.roll_deg)
    return replace(plan, face=face, view=replace(plan.view, pose=turn, face=FACE_IN_FILM))


def render(heads: Path, voice: Path, data: Path, number: int, seconds: float, share: tuple[int, int]) -> None:
    """Film and portrait, unless they are there; or only every so many-th of the film's pictures, from that one on."""
    from training.synthetic_faces.assets import Assets
    from training.synthetic_faces.people import Studio

    film, portrait = film_of(data, number)
    assets = Assets(heads, "test")
    if not portrait.exists():
        studio = Studio(assets, PORTRAIT_PX)
        Image.fromarray(studio.sample(person(studio, number), 0).image).save(portrait)
    if not film.exists():
        studio = Studio(assets, FILM_PX)
        plan = person(studio, number)
        motion = islice(motion_of(voice, FPS, seed=number), share[0], int(seconds * FPS), share[1])
        pictures = _drawn(studio, plan, motion, film.with_suffix(""))
        if share == (0, 1):
            write(film, pictures)
        else:
            for _ in pictures:
                pass


def _drawn(studio: Studio, plan: Plan, motion: Iterable[MotionFrame], folder: Path) -> Iterator[UInt8Array]:
    """Each picture; what is in the folder from a run before is not drawn again."""
    folder.mkdir(exist_ok=True)
    for frame in motion:
        kept = folder / f"{frame.index:05d}.png"
        if not kept.exists():
            Image.fromarray(studio.sample(moved(plan, frame), frame.index).image).save(kept)
        yield np.asarray(Image.open(kept))


def write(film: Path, pictures: Iterable[UInt8Array]) -> None:
    """An H.264 file with a camera's noise in it; appears when it is whole."""
    chance, draft = np.random.default_rng(0), film.with_suffix(".part.mp4")
    with av.open(str(draft), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": str(CRF)})
        stream.width, stream.height, stream.pix_fmt = FILM_PX, FILM_PX, "yuv444p"
        for picture in pictures:
            noisy = np.clip(picture + chance.normal(0, NOISE, picture.shape), 0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noisy, "rgb24")))
        container.mux(stream.encode())
    draft.replace(film)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=Path, metavar="HEADS", required=True)
    parser.add_argument("--voice", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--numbers", type=int, nargs="*", default=[0, 1, 2], help="which people")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--share", default="0/1", help="2/4: every fourth picture from the third on; the film is made without")
    args = parser.parse_args(argv)
    first, _, step = args.share.partition("/")
    for number in args.numbers:
        render(args.people, args.voice, args.data, number, args.seconds, (int(first), int(step)))


if __name__ == "__main__":
    main()
