"""How human is the voice? ``python -m benchmarks.voice [--plot FILE.png]`` prints each figure beside its target.

The targets were measured on people who talk to a camera. Lengths are in outer-eye distances; the gap of
the lips is estimated from the weights by ``lip_gap``.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import welch

from benchmarks.report import VOICE, Row
from vivant.media import open_audio
from vivant.motion.articulatory import ArticulatoryMotion
from vivant.motion.model import SpeechMotion
from vivant.types import ARKIT_INDEX, AudioChunk, Controls, Float32Array, MotionFrame

FPS = Fraction(25)
SENTENCES = (
    "My mother bought five fresh mushrooms and a bottle of apple juice. Bob and Pam popped up above the big black boat. "
    "She sees the sea, and he feels the breeze. You who knew the moon should soon move to the blue room. "
    "Father saw the car park far beyond the farm. Maybe we should meet more people before summer."
)
# How far the lips part in each phone, for the lag against phones; consonants of the tongue leave them a little apart.
OPENING = {
    phone: opening
    for phones, opening in (("aa ae aw ay", 0.95), ("ah ao eh oy ey", 0.65), ("ax er ow ih hh l", 0.42),
                            ("iy uh uw r k g ng y", 0.28), ("m b p pau", 0.0), ("f v s z", 0.1))
    for phone in phones.split()
}  # fmt: skip
OTHER_PHONE = 0.18

Curve = NDArray[np.float64]


def lip_gap(weights: NDArray[np.float32]) -> Curve:
    """(n,) inner-lip gap in eye distances from (n, 52) weights, with the gains of the rig: the mean of three pairs."""
    bounded = weights.copy()
    close, jaw = ARKIT_INDEX["mouthClose"], ARKIT_INDEX["jawOpen"]
    bounded[:, close] = np.minimum(bounded[:, close], bounded[:, jaw])  # as the renderer does
    gains = {"jawOpen": 0.36, "mouthClose": -0.42, "mouthLowerDown": 0.07, "mouthUpperUp": 0.078, "mouthFunnel": 0.133,
             "mouthPucker": -0.014, "mouthPress": -0.026, "mouthRollLower": -0.023}  # fmt: skip
    return np.maximum(_sum(bounded, gains), 0.0)


def mouth_width(weights: NDArray[np.float32]) -> Curve:
    """(n,) mouth width relative to rest, likewise."""
    gains = {"jawOpen": -0.11, "mouthStretch": 0.26, "mouthSmile": 0.28, "mouthPucker": -0.18, "mouthFunnel": -0.13}
    return 1 + _sum(weights, gains)


def _sum(weights: NDArray[np.float32], gains: dict[str, float]) -> Curve:
    """Weighted sum by name; shapes with a left and a right count by their mean."""
    total = np.zeros(len(weights))
    for name, gain in gains.items():
        sides = [name] if name in ARKIT_INDEX else [f"{name}Left", f"{name}Right"]
        total += gain * weights[:, [ARKIT_INDEX[side] for side in sides]].mean(1)
    return total


def drive(
    samples: Float32Array,
    rate_hz: int,
    fps: Fraction = FPS,
    seed: int = 1,
    motion: SpeechMotion | None = None,
    controls: Controls | None = None,
) -> tuple[list[MotionFrame], float]:
    """Every frame of a sound, pushed in pieces of 20 ms, and the processor's seconds; by the rules unless said."""
    state = (motion or ArticulatoryMotion()).open(fps, seed)
    controls = controls or Controls()
    began = time.process_time()
    frames: list[MotionFrame] = []
    for start in range(0, len(samples), rate_hz // 50):
        frames += state.push(AudioChunk(samples[start : start + rate_hz // 50], rate_hz, start), controls)
    return frames + state.flush(controls), time.process_time() - began


def read_voice(path: Path) -> tuple[Float32Array, int]:
    with open_audio(path) as audio:
        return np.concatenate([chunk.samples for chunk in audio.chunks()]), audio.sample_rate_hz


def mouth_rows(frames: list[MotionFrame], talking: NDArray[np.bool_]) -> list[Row]:
    weights = np.stack([frame.weights for frame in frames])
    gap, width = lip_gap(weights), mouth_width(weights)
    speed = np.diff(gap)[talking[1:]] * float(FPS)
    relative = width[talking] / np.median(width[talking])
    gap = gap[talking]
    return [
        Row("lip gap 10/50/90/99 %", ".002/.079/.150/.215", _join(np.percentile(gap, [10, 50, 90, 99]), 3)),
        Row("lips closed while talking", "about 10 %", f"{np.mean(gap < 0.005):.0%}"),
        Row("opening/closing speed 99 %, 1/s", "1.6/-1.5 (1.0 to 2.4)", _join(np.percentile(speed, [99, 1]), 2)),
        Row("mouth width 5/95 %", ".87/1.18", _join(np.percentile(relative, [5, 95]), 2)),
        Row("opening with width, r", ".46 (.35 to .73)", f"{np.corrcoef(gap, width[talking])[0, 1]:.2f}"),
    ]


def head_rows(frames: list[MotionFrame], label: str, target: tuple[str, str, str, str]) -> list[Row]:
    angles = np.array([[f.pose.yaw_deg, f.pose.pitch_deg, f.pose.roll_deg] for f in frames])
    speed = np.abs(np.diff(angles, axis=0)) * float(FPS)
    frequency, power = welch(angles, float(FPS), nperseg=512, axis=0)
    share = np.cumsum(power.sum(1)[1:]) / power.sum(1)[1:].sum()
    below = [frequency[1:][np.searchsorted(share, part)] for part in (0.5, 0.9)]
    return [
        Row(f"head std yaw/pitch/roll, {label}", target[0], _join(angles.std(0), 1)),
        Row("  speed median, deg/s", target[1], _join(np.median(speed, 0), 1)),
        Row("  speed 95 %, deg/s", target[2], _join(np.percentile(speed, 95, 0), 0)),
        Row("  half / 90 % of power below, Hz", target[3], _join(below, 2)),
    ]


def eye_rows(frames: list[MotionFrame], label: str, blink_target: str) -> list[Row]:
    blink = np.array([frame.weights[ARKIT_INDEX["eyeBlinkLeft"]] for frame in frames])
    gaze = np.array([frame.gaze for frame in frames])
    brows = np.array([frame.weights[ARKIT_INDEX["browInnerUp"]] for frame in frames])
    shut = blink > 0.5
    count = int(np.sum(shut[1:] & ~shut[:-1]))
    minutes = len(frames) / float(FPS) / 60
    return [
        Row(f"blinks per minute, {label}", blink_target, f"{count / minutes:.1f}"),
        Row("  lid closed, s", ".14 (.12 to .16)", f"{shut.sum() / float(FPS) / max(count, 1):.2f}"),
        Row("  gaze std yaw/pitch, deg", "about 1 to 5", _join(gaze.std(0), 1)),
        Row("  browInnerUp std / max", "judged in the picture: benchmarks eyes", _join([brows.std(), brows.max()], 2)),
    ]


def best_lag_ms(curve: Curve, reference: Curve, step_ms: float) -> tuple[float, float]:
    """(lag, r): how long ``curve`` comes after ``reference`` (negative: it leads), within 0.2 s."""
    reach = int(200 / step_ms)
    inside = slice(reach, len(curve) - reach)
    r = [np.corrcoef(np.roll(curve, -lag)[inside], reference[inside])[0, 1] for lag in range(-reach, reach + 1)]
    best = int(np.argmax(r))
    return (best - reach) * step_ms, float(r[best])


def energy_curve(samples: Float32Array, rate_hz: int, n: int) -> Curve:
    """(n,) loudness every 10 ms, 0 to 1 over the top 30 dB, smoothed over 60 ms."""
    padded = np.concatenate([np.zeros(rate_hz // 100), samples.astype(np.float64), np.zeros(rate_hz)])
    ends = np.cumsum(padded**2)
    at = np.arange(n) * rate_hz // 100
    level_db = 10 * np.log10(ends[at + rate_hz // 50] - ends[at] + 1e-9)
    loud = np.clip((level_db - np.percentile(level_db, 95) + 30) / 30, 0, 1.2)
    return gaussian_filter1d(loud, 2.5)


def sync_rows(samples: Float32Array, rate_hz: int) -> list[Row]:
    frames, _ = drive(samples, rate_hz, Fraction(50))
    gap = _per_10_ms(lip_gap(np.stack([frame.weights for frame in frames])), 50)
    lag_ms, r = best_lag_ms(gap, energy_curve(samples, rate_hz, len(gap)), 10)
    angles = np.array([[f.pose.yaw_deg, f.pose.pitch_deg, f.pose.roll_deg] for f in frames])
    speed = _per_10_ms(np.linalg.norm(np.gradient(angles, 0.02, axis=0), axis=1), 50)
    head_ms, head_r = best_lag_ms(gaussian_filter1d(speed, 4), energy_curve(samples, rate_hz, len(gap)), 10)
    return [
        Row("mouth behind energy, ms (r)", "-45 to +15", f"{lag_ms:+.0f} ({r:.2f})"),
        Row("head speed behind energy, ms (r)", "within 80", f"{head_ms:+.0f} ({head_r:.2f})"),
    ]


def phone_rows(voice: str) -> list[Row]:
    """Against the phone times that flite prints for the speech that it makes."""
    samples, rate_hz, phones = _speak(voice)
    frames, _ = drive(samples, rate_hz, Fraction(50))
    gap = _per_10_ms(lip_gap(np.stack([frame.weights for frame in frames])), 50)
    wanted = np.zeros(len(gap))
    for phone, start_s, end_s in phones:
        wanted[int(start_s * 100) : int(end_s * 100)] = OPENING.get(phone, OTHER_PHONE)
    lag_ms, r = best_lag_ms(gap, gaussian_filter1d(wanted, 3.4), 10)
    sealed = {
        kind: [gap[int(a * 100) : int(b * 100) + 2].min() < 0.01 for phone, a, b in phones if phone in kind]
        for kind in (("p", "b"), ("m",), ("t", "d", "k", "g", "s", "z"))
    }
    shares = " ".join(f"{''.join(kind)} {np.mean(hits):.0%}" for kind, hits in sealed.items())
    return [
        Row(f"mouth behind phones ({voice}), ms (r)", "-40 to +40", f"{lag_ms:+.0f} ({r:.2f})"),
        Row("  lips sealed in", "high, high, low", shares),
    ]


def _speak(voice: str) -> tuple[Float32Array, int, list[tuple[str, float, float]]]:
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "speech.wav"
        command = ["flite", "-voice", voice, "-psdur", "-t", SENTENCES, "-o", str(wav)]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        samples, rate_hz = read_voice(wav)
    phones, offset_s, last_s = [], 0.0, 0.0
    for phone, end in re.findall(r"([a-z]+):([\d.]+)", printed):
        if float(end) < last_s:  # every sentence starts at zero
            offset_s, last_s = offset_s + last_s, 0.0
        phones.append((phone, offset_s + last_s, offset_s + float(end)))
        last_s = float(end)
    return samples, rate_hz, phones


def measure(voice: Path) -> list[Row]:
    samples, rate_hz = read_voice(voice)
    talk = np.tile(samples, max(1, int(300 * rate_hz / len(samples))))
    frames, cost_s = drive(talk, rate_hz)
    # The energy of the last 0.2 s tells where somebody talks, pauses between words included.
    energy = energy_curve(talk, rate_hz, len(frames) * 4)
    talking = np.array([energy[max(0, 4 * k - 10) : 4 * k + 10].max() > 0.1 for k in range(len(frames))])
    idle, _ = drive(np.zeros(300 * 16_000, np.float32), 16_000)
    rows = [
        Row("look-ahead, ms", "at most 120", str(ArticulatoryMotion.look_ahead_ms)),
        Row("cost, share of one core", "at most 10 %", f"{cost_s * rate_hz / len(talk):.1%}"),
        *mouth_rows(frames, talking),
        *sync_rows(samples, rate_hz),
        *head_rows(frames, "talking", ("6.4/2.9/3.8", "16/7/5", "60/28/19", "0.66/1.6")),
        *eye_rows(frames, "talking", "26 (10 to 32)"),
        *head_rows(idle, "idle", ("much smaller", "", "", "below 2")),
        *eye_rows(idle, "idle", "17"),
    ]
    if shutil.which("flite"):
        rows += [row for voice_name in ("slt", "rms", "awb") for row in phone_rows(voice_name)]
    return rows


def plot(voice: Path, picture: Path) -> None:
    """Mouth, lids, brows, head and gaze over the voice."""
    import matplotlib.pyplot as plt  # only here: an optional tool

    samples, rate_hz = read_voice(voice)
    frames, _ = drive(samples, rate_hz, Fraction(50))
    weights = np.stack([frame.weights for frame in frames])
    time_s = np.array([frame.pts_us for frame in frames]) / 1e6
    figure, axes = plt.subplots(5, 1, figsize=(22, 18), sharex=True)
    axes[0].plot(np.arange(len(samples)) / rate_hz, samples, lw=0.3)
    axes[1].plot(time_s, lip_gap(weights), "k", label="lip gap")
    axes[1].plot(time_s, mouth_width(weights) - 1, "g", label="width - 1")
    for axis, names in ((axes[2], ("mouthPucker", "mouthPressLeft", "mouthRollLower", "mouthShrugUpper", "mouthStretchLeft")),
                        (axes[3], ("eyeBlinkLeft", "browInnerUp", "eyeWideLeft"))):  # fmt: skip
        for name in names:
            axis.plot(time_s, weights[:, ARKIT_INDEX[name]], label=name)
    for name in ("yaw_deg", "pitch_deg", "roll_deg"):
        axes[4].plot(time_s, [getattr(frame.pose, name) for frame in frames], label=name)
    axes[4].plot(time_s, [frame.gaze[0] for frame in frames], "k:", label="gaze yaw")
    for axis in axes:
        axis.grid(alpha=0.3)
    for axis in axes[1:]:
        axis.legend(loc="upper right")
    figure.tight_layout()
    figure.savefig(picture, dpi=60)


def _per_10_ms(curve: Curve, fps: int) -> Curve:
    return np.interp(np.arange(len(curve) * 100 // fps) / 100, np.arange(len(curve)) / fps, curve)


def _join(values: NDArray[np.float64] | list[float], digits: int) -> str:
    return "/".join(f"{value:.{digits}f}" for value in values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voice", type=Path, default=VOICE)
    parser.add_argument("--plot", type=Path, metavar="FILE.png")
    options = parser.parse_args()
    for row in measure(options.voice):
        sys.stdout.write(f"{row.what:42} {row.measured:32} {row.target}\n")
    if options.plot:
        plot(options.voice, options.plot)


if __name__ == "__main__":
    main()
