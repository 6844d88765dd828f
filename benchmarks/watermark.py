"""Does the mark survive? ``python -m benchmarks.watermark [--clean 20000]``

Two seconds of speech on 20 portraits (the bundled five, and of each a mirror image, a warmer, darker one on a busy background
and a paler one nearer to the camera), every attack by the real encoder, and then the blind detector. Clean frames, for false
positives, are unmarked frames of the same 20: a moment at random through an attack at random, cropped at a random place.
"""

from __future__ import annotations

import argparse
import io
import itertools
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame as Picture
from av.video.stream import VideoStream
from PIL import Image, ImageEnhance
from scipy.ndimage import gaussian_filter

from benchmarks.report import PORTRAITS, markdown, voice
from vivant.face import open_portrait
from vivant.honest.code import session_pattern
from vivant.honest.detect import detect_in_luma, likely_places, mean_luma
from vivant.render._kernel import Watermark
from vivant.talker import Talker
from vivant.types import Controls, UInt8Array

SIZE_PX, FPS, SECONDS = 512, 30, 2.0
CALL_BIT_RATE = 500_000
Clip = list[UInt8Array]
Attack = Callable[[Clip], Clip]


@dataclass(frozen=True)
class Subject:
    """A portrait speaking for two seconds, unmarked."""

    name: str
    frames: Clip


def subjects(n: int) -> Iterator[Subject]:
    """Bundled portraits first, then their variants."""
    for number in range(n):
        path, variant = PORTRAITS[number % len(PORTRAITS)], number // len(PORTRAITS)
        yield Subject(f"{path.stem}/{variant}", speaking(path, variant, seed=number))


def speaking(path: Path, variant: int, seed: int) -> Clip:
    """512x512 RGB frames; the variant changes what a codec and a detector see, not only the file."""
    face = open_portrait(path, transparent=variant == 2)
    samples, rate_hz = voice()
    start = rate_hz * (seed % 4)
    with Talker(face, fps=FPS, size_px=SIZE_PX, seed=seed, controls=Controls(distance=0.85 if variant == 3 else 1.0)) as talker:
        rgba = [frame.pixels for frame in talker.push(samples[start : start + int(rate_hz * (SECONDS + 0.2))], rate_hz)]
    return [_varied(pixels, variant, seed) for pixels in rgba[: int(FPS * SECONDS)]]


def _varied(pixels: UInt8Array, variant: int, seed: int) -> UInt8Array:
    if variant == 1:
        return np.ascontiguousarray(pixels[:, ::-1, :3])
    if variant == 2:
        alpha = pixels[..., 3:].astype(np.uint16)
        mixed = (pixels[..., :3] * alpha + busy_background(seed) * (255 - alpha) + 127) // 255
        warm = mixed * np.array((0.85, 0.72, 0.6))
        return np.asarray(warm, np.uint8)
    if variant == 3:
        return np.asarray(
            ImageEnhance.Brightness(ImageEnhance.Color(Image.fromarray(pixels[..., :3])).enhance(0.6)).enhance(1.2)
        )
    return np.ascontiguousarray(pixels[..., :3])


@cache
def busy_background(seed: int) -> UInt8Array:
    """(512, 512, 3) coarse and fine texture like foliage: what hides a mark from a detector best."""
    random = np.random.default_rng(seed)
    layers = [gaussian_filter(random.standard_normal((SIZE_PX, SIZE_PX, 3)), (s, s, 0)) * s for s in (1.5, 4.0, 12.0)]
    return np.asarray(np.clip(110 + 55 * np.sum(layers, axis=0), 0, 255), np.uint8)


def marked(frames: Clip, session_id: int) -> Clip:
    copies = [frame.copy() for frame in frames]
    watermark = Watermark(session_pattern(session_id), SIZE_PX, SIZE_PX, 3)
    for copy in copies:
        watermark.apply(copy)
    return copies


def coded(frames: Clip, codec: str, options: dict[str, str], bit_rate: int = CALL_BIT_RATE, fps: int = FPS) -> Clip:
    """Through a real encoder and back."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as out:
        stream = out.add_stream(codec, rate=Fraction(fps))
        assert isinstance(stream, VideoStream)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.bit_rate, stream.options = "yuv420p", bit_rate, dict(options)
        stream.codec_context.thread_count = 1
        for frame in frames:
            out.mux(stream.encode(Picture.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as made:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in made.decode(video=0)]


def h264(frames: Clip) -> Clip:
    """As a call does: one pass, no look-ahead, one key frame."""
    return coded(
        frames, "libx264", {"preset": "veryfast", "tune": "zerolatency", "g": "300", "maxrate": "500k", "bufsize": "500k"}
    )


def vp8(frames: Clip) -> Clip:
    return coded(frames, "libvpx", {"deadline": "realtime", "cpu-used": "6", "maxrate": "500k", "minrate": "500k", "g": "300"})


def jpeg(frames: Clip) -> Clip:
    made = []
    for frame in frames:
        file = io.BytesIO()
        Image.fromarray(frame).save(file, "JPEG", quality=50)
        made.append(np.asarray(Image.open(file)))
    return made


def resized(side_px: int) -> Attack:
    return lambda frames: [
        np.asarray(Image.fromarray(frame).resize((side_px, side_px), Image.Resampling.BICUBIC)) for frame in frames
    ]


def cropped(left: float, top: float) -> Attack:
    """A fifth of each side goes, by these shares on the left and on top; the rest on the other side."""
    x, y, side = round(SIZE_PX * left), round(SIZE_PX * top), round(SIZE_PX * 0.8)
    return lambda frames: [np.ascontiguousarray(frame[y : y + side, x : x + side]) for frame in frames]


def mirrored(frames: Clip) -> Clip:
    return [np.ascontiguousarray(frame[:, ::-1]) for frame in frames]


def letterboxed(frames: Clip) -> Clip:
    made = []
    for frame in frames:
        screen = np.zeros((720, 1280, 3), np.uint8)
        screen[:, 280:1000] = np.asarray(Image.fromarray(frame).resize((720, 720), Image.Resampling.BILINEAR))
        made.append(screen)
    return made


def screenshot(frames: Clip) -> Clip:
    """One frame in a window on a bright desktop of 1366x768, 11 % larger, saved as JPEG 85."""
    desktop = np.full((768, 1366, 3), 236, np.uint8)
    desktop[:40], desktop[60:740, 40:300] = 60, 250
    window = Image.fromarray(frames[len(frames) // 2]).resize((568, 568), Image.Resampling.BILINEAR)
    desktop[93 : 93 + 568, 401 : 401 + 568] = np.asarray(window)
    file = io.BytesIO()
    Image.fromarray(desktop).save(file, "JPEG", quality=85)
    return [np.asarray(Image.open(file))]


def rate_changed(frames: Clip) -> Clip:
    """30 to 24 frames per second by blending neighbours, then a call's H.264."""
    made = []
    for number in range(int(len(frames) * 24 / FPS)):
        at = number * FPS / 24
        first, share = int(at), at - int(at)
        second = frames[min(first + 1, len(frames) - 1)]
        made.append((frames[first] * (1 - share) + second * share).round().astype(np.uint8))
    return coded(made, "libx264", {"preset": "veryfast", "tune": "zerolatency", "g": "300"}, fps=24)


ATTACKS: dict[str, Attack] = {
    "none": lambda frames: frames,
    "H.264, 500 kbit/s": h264,
    "VP8, 500 kbit/s": vp8,
    "JPEG 50": jpeg,
    "resized to 50 %": resized(256),
    "resized to 73 %": resized(374),
    "resized to 200 %": resized(1024),
    "cropped by 20 %, middle": cropped(0.1, 0.1),
    "cropped by 20 %, corner": cropped(0.0, 0.2),
    "mirrored": mirrored,
    "letterbox in 720p": letterboxed,
    "screenshot (one frame)": screenshot,
    "24 fps, H.264 500 kbit/s": rate_changed,
    "one frame": lambda frames: frames[30:31],
    "one frame, JPEG 50": lambda frames: jpeg(frames[30:31]),
    "mirrored, letterbox, H.264 500 kbit/s": lambda frames: h264(letterboxed(mirrored(frames))),
    "cropped, 70 %, VP8 500 kbit/s": lambda frames: vp8(resized(288)(cropped(0.1, 0.1)(frames))),
}
PROMISED = tuple(ATTACKS)[:13]


def psnr_db(before: UInt8Array, after: UInt8Array) -> float:
    return float(10 * np.log10(255**2 / np.mean((before.astype(np.float32) - after) ** 2)))


def quality_of(subject: Subject, after: Clip) -> tuple[float, float]:
    """The lowest PSNR of any frame, and the mean change of the mark itself from frame to frame, in grey levels."""
    deltas = [a.astype(np.float32) - b for a, b in zip(after, subject.frames, strict=True)]
    lowest = min(psnr_db(b, a) for b, a in zip(subject.frames, after, strict=True))
    return lowest, float(np.mean([np.abs(b - a).mean() for a, b in itertools.pairwise(deltas)]))


def survival(n: int) -> Iterator[list[list[str]]]:
    """Lines of the table after each portrait: attack, found, wrong ids, weakest peak."""
    hits: dict[str, list[bool]] = {name: [] for name in ATTACKS}
    wrong, weakest = dict.fromkeys(ATTACKS, 0), dict.fromkeys(ATTACKS, float("inf"))
    lowest_db, flicker = float("inf"), 0.0
    for number, subject in enumerate(subjects(n)):
        session_id = int(np.random.default_rng(number).integers(2**32))
        after = marked(subject.frames, session_id)
        quality = quality_of(subject, after)
        lowest_db, flicker = min(lowest_db, quality[0]), max(flicker, quality[1])
        for name, attack in ATTACKS.items():
            luma = mean_luma(attack(after))
            assert luma is not None
            found = detect_in_luma(luma)
            weakest[name] = min(weakest[name], found.sync if found else likely_places(luma)[0].sync)
            hits[name].append(found is not None and found.session_id == session_id)
            wrong[name] += found is not None and not hits[name][-1]
        yield [
            ["lowest PSNR of a frame, dB", f"{lowest_db:.2f}", "", ""],
            ["the mark's change from frame to frame, grey levels", f"{flicker:.3f}", "", ""],
            *([name, f"{sum(h)} of {len(h)}", str(wrong[name]), f"{weakest[name]:.1f}"] for name, h in hits.items()),
        ]


def null_statistic(n: int) -> Iterator[tuple[float, bool]]:
    """Of unmarked frames: the highest peak of the search, and whether a mark was reported."""
    random = np.random.default_rng(7)
    people = list(subjects(20))
    attacks = list(ATTACKS.values())
    for number in range(n):
        frames = people[number % len(people)].frames
        at = int(random.integers(len(frames)))
        frame = attacks[int(random.integers(len(attacks)))]([frames[at]] * 31)[0]
        x, y = (int(random.integers(0, extent // 4)) for extent in frame.shape[1::-1])
        cut = np.ascontiguousarray(frame[y : y + frame.shape[0] * 3 // 4, x : x + frame.shape[1] * 3 // 4])
        luma = mean_luma([cut])
        assert luma is not None
        yield likely_places(luma)[0].sync, detect_in_luma(luma) is not None


def tail_fit(peaks: Sequence[float]) -> tuple[float, float]:
    """Location and scale of the Gumbel law of the highest of many correlations, by its moments."""
    scale = float(np.std(peaks)) * np.sqrt(6) / np.pi
    return float(np.mean(peaks)) - 0.5772 * scale, scale


def cost_ms() -> float:
    """Median of one 512x512 RGBA frame on one core, in time of this thread's processor."""
    pixels = np.random.default_rng(0).integers(0, 256, (SIZE_PX, SIZE_PX, 4), np.uint8)
    watermark, taken = Watermark(session_pattern(1), SIZE_PX, SIZE_PX, 4), []
    for _ in range(300):
        began = time.thread_time_ns()
        watermark.apply(pixels)
        taken.append((time.thread_time_ns() - began) / 1e6)
    return float(np.median(taken))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=int, default=20)
    parser.add_argument(
        "--clean", type=int, default=0, help="Unmarked frames instead; the issue asks for 20000, which takes hours."
    )
    arguments = parser.parse_args()
    if arguments.clean:
        found = []
        for peak, reported in null_statistic(arguments.clean):
            found.append((peak, reported))
            location, scale = tail_fit([p for p, _ in found]) if len(found) > 1 else (0.0, 0.0)
            line = f"{len(found)} clean frames, {sum(r for _, r in found)} reported, highest peak {max(found)[0]:.2f}"
            sys.stdout.write(f"{line}, Gumbel location {location:.2f} scale {scale:.2f}\n")
            sys.stdout.flush()
        return
    sys.stdout.write(f"one 512x512 RGBA frame on one core: {cost_ms():.2f} ms\n")
    for table in survival(arguments.portraits):
        head = ["attack", "found with its id", "wrong id", "weakest peak"]
        sys.stdout.write(markdown([head, *table]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
