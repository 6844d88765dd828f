"""Does the mouth in the picture move as mouths do? ``python -m benchmarks.mouth_motion [--voices FOLDER ...] [--jaw FOLDER]``

Voices are folders of recordings (WAV, FLAC) with their English text beside them (``NAME.txt``); the bundled voice is always
measured. Everything is read from rendered pixels: by mediapipe where this environment has it (a yardstick, see
`benchmarks.yardstick`), else by our own analyser. The times of the phones come from pocketsphinx, where it is installed.
Lengths are in outer-eye distances; the targets were measured on people who talk to a camera.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.first_light import first_light_weights
from benchmarks.lipsync import OPENING, WIDTH, phone_curve
from benchmarks.report import PORTRAITS, Row, analyser, quiet, show, voice
from benchmarks.voice import drive, energy_curve, read_voice
from benchmarks.yardstick import Mediapipe
from training.speech.align import align_english
from training.speech.voices import Phones
from vivant.capture import FaceTracker
from vivant.face import RigFace
from vivant.media import load_image
from vivant.portrait import PortraitAnalyser
from vivant.rig import canonical as c
from vivant.rig.build import build_rig
from vivant.speech.phones import PHONE_INDEX
from vivant.speech.resample import RATE_HZ, Resampler
from vivant.types import ARKIT_INDEX, Float32Array, MotionFrame

FPS = Fraction(25)
SIZE_PX = 512
UPPER, LOWER = (13, 82, 312), (14, 87, 317)
"""Landmarks of the inner lips about the middle."""
PARTED, TOUCHING = 0.03, 0.015
"""Gaps; what is smaller than the second is within the trackers' noise."""
LIPS, TONGUE = (tuple(PHONE_INDEX[phone] for phone in group) for group in (("p", "m"), ("t", "k", "s", "n", "l")))
CURVES_S = 30.0
"""Of each file with recorded curves."""

Curve = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Said:
    """A voice: (n,) samples at 16 kHz, and its phones where they are known."""

    name: str
    samples: Float32Array
    phones: Phones


@dataclass(frozen=True, slots=True)
class Seen:
    """(n,) what a tracker sees in every frame: inner-lip gap, width of the mouth, chin below the nose."""

    gap: Curve
    width: Curve
    chin: Curve


def voices(folders: Sequence[Path], seconds: float) -> Iterator[Said]:
    """The bundled voice, then one of each folder, at most ``seconds`` long."""
    yield Said("bundled voice", _at_16_khz(*voice()), [])
    for folder in folders:
        samples, phones, n = [], Phones(), 0
        for path in sorted(p for p in folder.iterdir() if p.suffix in (".wav", ".flac")):
            if n >= seconds * RATE_HZ:
                break
            piece, text = _at_16_khz(*read_voice(path)), path.with_suffix(".txt").read_text()
            found = align_english(piece, text) if find_spec("pocketsphinx") else []
            if found or not find_spec("pocketsphinx"):
                phones += [(phone, a + n / RATE_HZ, b + n / RATE_HZ) for phone, a, b in found]
                samples.append(piece)
                n += len(piece)
        yield Said(folder.name, np.concatenate(samples), phones)


def _at_16_khz(samples: Float32Array, rate_hz: int) -> Float32Array:
    return np.concatenate(Resampler(rate_hz).push(samples))


def seen(frames: Sequence[MotionFrame], face: RigFace, tracker: PortraitAnalyser) -> Seen:
    """Rendered and looked at, frame by frame."""
    renderer, found = face.open(SIZE_PX), []
    for frame in frames:
        faces = tracker.faces(np.ascontiguousarray(renderer.render(frame).pixels[..., :3]))
        points = faces[0].landmarks[:, :2] if faces else np.full((478, 2), np.nan)
        eyes = np.linalg.norm(points[c.RIGHT_OUTER_EYE] - points[c.LEFT_OUTER_EYE])
        gap = np.linalg.norm(points[list(UPPER)] - points[list(LOWER)], axis=1).mean()
        width = np.linalg.norm(points[c.MOUTH_RIGHT] - points[c.MOUTH_LEFT])
        chin = np.linalg.norm(points[c.CHIN] - points[c.NOSE_TIP])
        found.append((gap / eyes, width / eyes, chin / eyes))
    return Seen(*np.array(found, np.float64).T)


def voice_rows(said: Said, faces: Sequence[RigFace], tracker: PortraitAnalyser) -> list[Row]:
    """The figures of one voice, each portrait's in turn; behind each that of the first release's mouth on the same rig."""
    frames, _ = drive(said.samples, RATE_HZ, FPS)
    looks = [(seen(frames, face, tracker), seen(first_release(said, len(frames)), face, tracker)) for face in faces]
    energy = energy_curve(said.samples, RATE_HZ, len(frames) * 4)
    talks = np.array([energy[max(0, 4 * k - 20) : 4 * k + 20].max() > 0.1 for k in range(len(frames))])

    def row(what: str, target: str, digits: int, figure: Callable[[Seen], float]) -> Row:
        figures = [f"{figure(now):.{digits}f} ({figure(before):.{digits}f})" for now, before in looks]
        return Row(f"{said.name}: {what}", target, " / ".join(figures))

    rows = [
        row("frames parted", ".55-.85", 2, lambda look: float(np.mean(look.gap[talks] >= PARTED))),
        row("gap, median", ".05-.12", 3, lambda look: float(np.median(look.gap[talks]))),
        row("gap, 95th percentile", ".12-.22", 3, lambda look: float(np.percentile(look.gap[talks], 95))),
        row("width, standard deviation", ".025-.063", 3, lambda look: float(look.width[talks].std())),
        row("gap with width, r", ".35-.73", 2, lambda look: _r(look.gap[talks], look.width[talks])),
    ]
    if said.phones:
        opening, width = (phone_curve(said.phones, 4 * len(frames), curve)[::4] for curve in (OPENING, WIDTH))
        rows += [
            row("gap with phones, r", "", 2, lambda look: _r(look.gap, opening)),
            row("width with phones, r", "", 2, lambda look: _r(look.width, width)),
            row("lips touch in p b m", ">= .95", 2, lambda look: _touch(look.gap, said.phones, LIPS)),
            row("lips touch in t d k s n l", "few", 2, lambda look: _touch(look.gap, said.phones, TONGUE)),
        ]
    return rows


def first_release(said: Said, n_frames: int) -> list[MotionFrame]:
    """The mouth as version 0.1.0 would have moved it."""
    weights = first_light_weights(said.samples, RATE_HZ).astype(np.float32)[:: round(100 / FPS)]
    return [MotionFrame(k, 0, weights[min(k, len(weights) - 1)]) for k in range(n_frames)]


def _touch(gap: Curve, phones: Phones, kinds: Sequence[int]) -> float:
    """Share of phones within which, a frame more or less, the lips touch."""
    spans = [(int(a * float(FPS)), int(b * float(FPS)) + 2) for phone, a, b in phones if phone in kinds]
    return float(np.mean([gap[a:b].min() < TOUCHING for a, b in spans if b <= len(gap)]))


def _r(a: Curve, b: Curve) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def jaw_row(folder: Path, face: RigFace, tracker: PortraitAnalyser) -> Row:
    """Against the jaw of a filmed speaker, ``weights.npz`` and FLAC: a yardstick, nothing is fitted on it. Without the
    frames in which it is exactly zero, a habit of key-framing; and with them."""
    found = []
    with np.load(folder / "weights.npz", allow_pickle=False) as data:
        column = data["names"].tolist().index("mouth_stretch_c")
        for path in sorted(folder.glob("*.flac")):
            samples = _at_16_khz(*read_voice(path))[: int(CURVES_S * RATE_HZ)]
            frames, _ = drive(samples, RATE_HZ, FPS)
            look = seen(frames, face, tracker)
            jaw = data[f"w_{path.stem[-4:]}"][:, column]
            jaw = np.interp(np.arange(len(frames)) / float(FPS), np.arange(len(jaw)) / 30, jaw)
            curves = (captured_jaw(frames, face), look.gap, look.chin)
            found.append([[_r(curve[some], jaw[some]) for curve in curves] for some in (jaw > 0, np.isfinite(jaw))])
    moving, all_frames = (" / ".join(f"{r:.2f}" for r in row) for row in np.median(found, axis=0))
    return Row("filmed jaw: r with captured jaw, gap, chin", "", f"{moving}; its zeros too: {all_frames}")


def captured_jaw(frames: Sequence[MotionFrame], face: RigFace) -> Curve:
    """(n,) ``jawOpen`` as our own capture solves it from the pixels."""
    renderer, tracker, jaw = face.open(SIZE_PX), FaceTracker(float(FPS)), [0.0]
    for frame in frames:
        motion = tracker.track(np.ascontiguousarray(renderer.render(frame).pixels[..., :3]), frame.pts_us).motion
        jaw.append(jaw[-1] if motion is None else float(motion.weights[ARKIT_INDEX["jawOpen"]]))
    return np.array(jaw[1:])


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voices", type=Path, nargs="*", default=[], metavar="FOLDER")
    parser.add_argument("--jaw", type=Path, metavar="FOLDER", help="recorded curves with their sound")
    parser.add_argument("--portraits", nargs="*", default=["ada", "bram", "lena"])
    parser.add_argument("--seconds", type=float, default=30.0, help="of each voice")
    args = parser.parse_args(argv)
    with quiet():
        tracker: PortraitAnalyser = Mediapipe() if find_spec("mediapipe") else analyser()
        chosen = [path for path in PORTRAITS if path.stem in args.portraits]
        faces = [RigFace(build_rig(load_image(path), analyser())) for path in chosen]
        rows = [row for said in voices(args.voices, args.seconds) for row in voice_rows(said, faces, tracker)]
        rows += [jaw_row(args.jaw, faces[0], tracker)] if args.jaw else []
    print(f"{' / '.join(path.stem for path in chosen)}, seen by {tracker.name}\n")
    show(rows)


if __name__ == "__main__":
    main()
