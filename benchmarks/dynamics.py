"""Learned motion beside the rules: ``python -m benchmarks dynamics --voice FOLDER [--manners] [--hours 2] [--card FILE]``

FOLDER holds recordings of a natural voice that nothing learnt from (``NAME.wav``, for p, b and m with ``NAME.txt``). Everything
is measured on both models alike. Targets are the ranges over people where docs/dynamics.md says so, else what was asked for.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import welch

from benchmarks import synthetic_people
from benchmarks.dynamics_kit import (
    FPS,
    Curve,
    Line,
    Talk,
    angles_of,
    blinks,
    both,
    correlation,
    joined,
    moved,
    natural_talk,
    silence,
    weights_of,
)
from benchmarks.eyes import habit, looks
from benchmarks.report import markdown, put
from benchmarks.synthetic_people import Person
from benchmarks.voice import best_lag_ms, drive, energy_curve, lip_gap, mouth_width, read_voice
from vivant.learn.manner import learn_manner
from vivant.learn.recordings import recordings
from vivant.motion.articulatory import ArticulatoryMotion
from vivant.motion.learned.manner import keep_manner
from vivant.motion.learned.model import LearnedMotion
from vivant.motion.learned.network import WEIGHTS, shipped
from vivant.motion.learned.recorded import Heard
from vivant.motion.model import SpeechMotion
from vivant.types import ARKIT_INDEX, Attention, AudioChunk, Controls, Emotion, Float32Array, MotionFrame

HEAD = ("what", "target", "learned", "rules")
INNER = ARKIT_INDEX["browInnerUp"]
MODELS: dict[str, Callable[[], SpeechMotion]] = {"learned": LearnedMotion, "rules": ArticulatoryMotion}


def lip_lines(talk: Talk) -> list[Line]:
    """Lips against the teacher's."""
    gap = {name: lip_gap(weights_of(frames)) for name, frames in talk.frames.items()}
    width = {name: mouth_width(weights_of(frames)) for name, frames in talk.frames.items()}
    return [
        Line(
            "lips against the rules: opening, width, r",
            ">= .97",
            f"{correlation(gap['learned'], gap['rules']):.3f}, {correlation(width['learned'], width['rules']):.3f}",
            "1, 1",
        ),
        both(
            "lip gap while talking, 10/50/90/99 %",
            "p50 .05-.12, p99 .13-.30",
            lambda m: joined(np.percentile(gap[m][talk.talks], (10, 50, 90, 99)), 3),
        ),
        both(
            "fastest opening and closing (99 %), 1/s",
            "1.0-2.4, 0.9-2.4",
            lambda m: joined(np.abs(np.percentile(np.diff(gap[m][talk.talks]) * float(FPS), (99, 1))), 2),
        ),
        both(
            "mouth width, 5 and 95 % over its median",
            ".84-.93, 1.08-1.26",
            lambda m: joined(np.percentile(width[m][talk.talks], (5, 95)) / np.median(width[m][talk.talks]), 2),
        ),
        both("opening with width, r", ".35-.73", lambda m: f"{correlation(gap[m][talk.talks], width[m][talk.talks]):.2f}"),
    ]


def touch_lines(folder: Path, models: dict[str, SpeechMotion], seconds: float) -> list[Line]:
    """Do lips touch in p, b and m? Times by pocketsphinx, where it is."""
    if find_spec("pocketsphinx") is None:
        return []
    from training.speech.align import align_english
    from vivant.speech.phones import PHONE_INDEX
    from vivant.speech.resample import RATE_HZ, Resampler

    hits: dict[str, list[bool]] = {name: [] for name in models}
    n = 0
    for path in sorted(p for p in folder.iterdir() if p.suffix in (".wav", ".flac") and p.with_suffix(".txt").is_file()):
        samples, rate_hz = read_voice(path)
        samples = np.concatenate(Resampler(rate_hz).push(samples))
        phones = align_english(samples, path.with_suffix(".txt").read_text())
        spans = [(a, b) for phone, a, b in phones if phone in (PHONE_INDEX["p"], PHONE_INDEX["m"])]
        if n > seconds * RATE_HZ:
            break
        n += len(samples)
        for name, model in models.items():
            gap = lip_gap(weights_of(drive(samples, RATE_HZ, Fraction(50), motion=model)[0]))
            hits[name] += [bool(gap[int(a * 50) : int(b * 50) + 2].min() < 0.01) for a, b in spans if b * 50 < len(gap)]
    return [both(f"lips touch in p b m ({len(hits['rules'])} of them)", ">= 95 %", lambda m: f"{np.mean(hits[m]):.0%}")]


def head_lines(talk: Talk) -> list[Line]:
    """Head and brows against people's."""
    angles = {name: angles_of(frames) for name, frames in talk.frames.items()}
    speed = {name: np.abs(np.diff(turn, axis=0)) * float(FPS) for name, turn in angles.items()}
    brows = {name: weights_of(frames)[:, INNER].astype(float) for name, frames in talk.frames.items()}
    return [
        both(
            "head yaw, pitch, roll, standard deviation, deg", "1.7-16, 0.8-4.1, 0.9-14", lambda m: joined(angles[m].std(0), 1)
        ),
        both("  speed, median, deg/s", "5-32, 2-12, 2-7", lambda m: joined(np.median(speed[m], 0), 1)),
        both("  speed, 95 %, deg/s", "33-156, 12-42, 7-30", lambda m: joined(np.percentile(speed[m], 95, 0), 0)),
        both("  half and 90 % of its power below, Hz", "0.25-1.0, 0.9-3.0", lambda m: joined(_below(angles[m]), 2)),
        both(
            "  head speed behind the voice, frames (r)", "within 2", lambda m: _timing(talk, np.linalg.norm(speed[m], axis=1))
        ),
        both(
            "  brow speed behind the voice, frames (r)", "within 2", lambda m: _timing(talk, np.maximum(np.diff(brows[m]), 0))
        ),
        both("brows, standard deviation of browInnerUp", "", lambda m: f"{brows[m].std():.3f}"),
    ]


def _below(angles: Curve) -> list[float]:
    frequency, power = welch(angles, float(FPS), nperseg=512, axis=0)
    share = np.cumsum(power.sum(1)[1:]) / power.sum(1)[1:].sum()
    return [float(frequency[1:][np.searchsorted(share, part)]) for part in (0.5, 0.9)]


def _timing(talk: Talk, curve: Curve) -> str:
    """The lag at which a curve follows the loudness best, in frames."""
    n = round(len(curve) * 100 / float(FPS))
    fine = np.interp(np.arange(n) / 100, (np.arange(len(curve)) + 0.5) / float(FPS), curve)
    lag_ms, r = best_lag_ms(gaussian_filter1d(fine, 4), energy_curve(talk.samples, talk.rate_hz, n), 10)
    return f"{lag_ms * float(FPS) / 1000:+.1f} ({r:.2f})"


def lid_lines(talk: Talk, idle: dict[str, list[MotionFrame]]) -> list[Line]:
    """Blinks and gaze."""
    eyes = {name: np.array([frame.gaze for frame in frames]).std(0) / 30 for name, frames in talk.frames.items()}
    return [
        both("blinks a minute, talking", "26 (0-75)", lambda m: f"{blinks(talk.frames[m])[0]:.0f}"),
        both("  at rest", "17", lambda m: f"{blinks(idle[m])[0]:.0f}"),
        both("  lids closed, s", ".12-.16", lambda m: f"{blinks(talk.frames[m])[1]:.2f}"),
        both("iris offset, standard deviation, of 30 degrees", "", lambda m: joined(eyes[m], 2)),
    ]


def gaze_lines(talk: Talk, listening: dict[str, list[MotionFrame]]) -> list[Line]:
    """Where the eyes go."""
    speak = {name: habit(looks(frames), talk.talks, float(FPS)) for name, frames in talk.frames.items()}
    listen = {name: habit(looks(frames), np.ones(len(frames), bool), float(FPS)) for name, frames in listening.items()}
    sides = {name: (h.left, h.right, h.up, h.down) for name, h in speak.items()}
    return [
        both("away from the partner, speaking", ".41 (.07-.82)", lambda m: f"{speak[m].away:.2f}"),
        both("  listening", ".06 (0-.24)", lambda m: f"{listen[m].away:.2f}"),
        both("  of it left, right, up, down", ".54, .32, .50, .22", lambda m: joined(sides[m], 2)),
        both("fixation to fixation, 10/50/90 %, s, speaking", ".19/.48/1.5", lambda m: joined(speak[m].fixation_s, 2)),
        both("  listening", ".20/.53/1.6", lambda m: joined(listen[m].fixation_s, 2)),
    ]


def listening_line(listening: dict[str, list[MotionFrame]]) -> Line:
    """While it hears its partner."""
    gap = {name: lip_gap(weights_of(frames)).max() for name, frames in listening.items()}
    pitch = {name: angles_of(frames)[:, 1].std() for name, frames in listening.items()}
    what = "listening to a voice: widest lip gap; head pitch, standard deviation, deg"
    return both(what, "0; > 0", lambda m: f"{gap[m]:.3f}; {pitch[m]:.1f}")


def diversity_line(talk: Talk, models: dict[str, SpeechMotion]) -> Line:
    """Two seeds on one sentence, ten times."""

    def figure(name: str) -> str:
        lips, heads = [], []
        for k in range(10):
            said = talk.part(6 * k, 6 * k + 6)
            one, other = (moved(models[name], said, seed) for seed in (2 * k + 1, 2 * k + 2))
            lips.append(correlation(lip_gap(weights_of(one)), lip_gap(weights_of(other))))
            heads.append(np.mean([correlation(a, b) for a, b in zip(angles_of(one).T, angles_of(other).T, strict=True)]))
        return f"{np.mean(lips):.3f}, {np.mean(heads):+.2f}"

    return Line("two seeds on one sentence: lips r, head r", ">= .95, <= .5", figure("learned"), figure("rules"))


ASKED: dict[str, tuple[str, Sequence[float]]] = {
    "gaze": ("gaze yaw", (-20, -8, 0, 15)),
    "distance": ("distance", (0.8, 0.9, 1.0, 1.25)),
    "emotion": ("happy, intensity", (0.0, 0.5, 1.0, 1.5)),
    "contact": ("eye contact", (0.2, 0.45, 0.6, 0.8, 1.0)),
}


def control_lines(talk: Talk, models: dict[str, SpeechMotion], minutes: float) -> list[Line]:
    """Asked against found, and how far the statistics of everything else move."""
    said = talk.part(0, 60 * minutes)

    def line(kind: str) -> Line:
        what = f"asked against found: {ASKED[kind][0]}, r (most that else moves)"
        return both(what, ">= .95 (<= 10 %)", lambda m: _control(said, models[m], kind))

    return [line(kind) for kind in ASKED]


def _control(said: Heard, model: SpeechMotion, kind: str) -> str:
    asked = ASKED[kind][1]
    shown = [moved(model, said, 5, _asks(kind, value)) for value in asked]
    found = [_found(kind, frames) for frames in shown]
    others = np.array([_others(kind, frames) for frames in shown])
    most = np.abs(others / np.maximum(np.abs(others[len(asked) // 2]), 1e-6) - 1).max()
    return f"{correlation(np.array(asked), np.array(found)):.3f} ({most:.0%})"


def _asks(kind: str, value: float) -> Controls:
    if kind == "gaze":
        return Controls(gaze=(value, 0.0))
    if kind == "distance":
        return Controls(distance=value)
    return Controls(emotion=Emotion.HAPPY, intensity=value) if kind == "emotion" else Controls(eye_contact=value)


def _found(kind: str, frames: Sequence[MotionFrame]) -> float:
    if kind == "gaze":
        return float(np.median(looks(frames)[:, 0]))
    if kind == "distance":
        return float(np.median([1 / frame.pose.scale for frame in frames]))
    if kind == "emotion":
        return float(weights_of(frames)[:, ARKIT_INDEX["mouthSmileLeft"]].mean())
    return 1 - float(np.mean(np.hypot(*looks(frames).T) > 5))


def _others(kind: str, frames: Sequence[MotionFrame]) -> list[float]:
    """Spreads and rates of what was not asked for."""
    weights, turn = weights_of(frames), angles_of(frames)
    figures = {
        "lips": float(lip_gap(weights).mean()),
        "roll": float(turn[:, 2].std()),
        "pitch": float(turn[:, 1].std()),
        "yaw": float(turn[:, 0].std()),
        "brows": float(weights[:, INNER].std()),
        "blinks": blinks(frames)[0],
    }
    own = {"gaze": {"yaw"}, "emotion": {"brows", "lips"}, "contact": {"yaw", "pitch"}}.get(kind, set())
    return [value for name, value in figures.items() if name not in own]


def manner_lines(talk: Talk, minutes: float) -> list[Line]:
    """Three synthetic people, written down as captured motion and learned from."""
    samples, said = talk.samples[: round(minutes * 60 * talk.rate_hz)], talk.part(0, 60 * minutes)
    test = talk.part(60 * minutes, 60 * minutes + 180)
    default = statistics(moved(LearnedMotion(), test, 3))
    return [_manner_line(person, samples, talk.rate_hz, said, test, default) for person in synthetic_people.PEOPLE]


def _manner_line(person: Person, samples: Float32Array, rate_hz: int, said: Heard, test: Heard, default: Curve) -> Line:
    rules = ArticulatoryMotion()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synthetic_people.record(person, moved(rules, said, 7), samples, rate_hz, folder)
        runs = [run for _, found in recordings([folder]) for run in found]
        path = folder / "person.manner"
        keep_manner(learn_manner("person", runs, shipped()), path)
        size_kb = path.stat().st_size / 1000
        learned = statistics(moved(LearnedMotion(str(path)), test, 3))
    theirs = statistics(synthetic_people.changed(person, moved(rules, test, 9), 9))
    near, far = _distance(learned, theirs), _distance(default, theirs)
    what = f"manner of {person.name} ({size_kb:.0f} KB): distance to them, learned over default"
    return Line(what, "<= .4", f"{near / far:.2f} ({near:.2f} / {far:.2f})", "-")


def statistics(frames: Sequence[MotionFrame]) -> Curve:
    """How somebody moves: logarithms of spreads, speeds and rates, and means in units of an ordinary spread."""
    weights, turn = weights_of(frames), angles_of(frames)
    gap, where = lip_gap(weights), looks(frames)
    rate, shut_s = blinks(frames)
    logarithms = [
        *turn.std(0), *np.median(np.abs(np.diff(turn, axis=0)), 0) * float(FPS), weights[:, INNER].std(), gap.mean(),
        np.percentile(gap, 95), mouth_width(weights).std(), rate / 20, shut_s,
        np.hypot(*(where - np.median(where, 0)).T).mean(),
    ]  # fmt: skip
    smile = weights[:, [ARKIT_INDEX["mouthSmileLeft"], ARKIT_INDEX["mouthSmileRight"]]].mean(0) / 0.1
    return np.array([*np.log(np.maximum(logarithms, 1e-3)), turn[:, 2].mean() / 3.0, *smile, weights[:, INNER].mean() / 0.1])


def _distance(one: Curve, other: Curve) -> float:
    return float(np.sqrt(np.mean((one - other) ** 2)))


def cost_lines(talk: Talk, models: dict[str, SpeechMotion], hours: float) -> list[Line]:
    """Processor time, the long run, and bits."""
    said = talk.samples[: 60 * talk.rate_hz]
    length_s = len(said) / talk.rate_hz
    lines = [
        both("one core at 30 fps", "<= 8 %", lambda m: f"{drive(said, talk.rate_hz, FPS, motion=models[m])[1] / length_s:.1%}")
    ]
    learned = models["learned"]
    lines.append(
        Line(
            "streaming against offline",
            "same bits",
            "same" if _same_bits(said[: 20 * talk.rate_hz], talk.rate_hz, learned) else "differ",
            "same",
        )
    )
    if hours:
        off, grown_mb, drift = long_run(talk, learned, hours)
        lines.append(
            Line(
                f"{hours:g} h: frames off, memory, spread of the head in the last tenth over the first",
                "0, constant, no drift",
                f"{off}, {grown_mb:+.1f} MB, {drift:.2f}",
                "-",
            )
        )
    size_mb = (Path(__file__).parents[1] / "runtime" / "vivant" / "weights" / WEIGHTS).stat().st_size / 1e6
    lines.append(
        Line(
            "look-ahead, ms; weights shipped, MB",
            "<= 120; <= 12",
            f"{learned.look_ahead_ms}; {size_mb:.1f}",
            f"{models['rules'].look_ahead_ms}; 0",
        )
    )
    return lines


def _same_bits(said: Float32Array, rate_hz: int, model: SpeechMotion) -> bool:
    pieces = drive(said, rate_hz, FPS, 4, model)[0]
    state = model.open(FPS, 4)
    whole = state.push(AudioChunk(said, rate_hz), Controls()) + state.flush(Controls())
    return len(pieces) == len(whole) and all(
        a.weights.tobytes() == b.weights.tobytes() and (a.pose, a.gaze, a.tongue) == (b.pose, b.gaze, b.tongue)
        for a, b in zip(pieces, whole, strict=True)
    )


def long_run(talk: Talk, model: SpeechMotion, hours: float) -> tuple[int, float, float]:
    """(frames off, megabytes grown after the first five minutes, spread of the head in the last tenth over the first)."""
    state, total, start, grown_from = model.open(FPS, 1), round(hours * 3600 * talk.rate_hz), 0, 0.0
    turned: list[Curve] = []
    while start < total:
        at = start % len(talk.samples)
        piece = talk.samples[at : at + min(10 * talk.rate_hz, total - start)]
        turned.append(_turned(state.push(AudioChunk(piece, talk.rate_hz, start), Controls())))
        start += len(piece)
        if not grown_from and start > 300 * talk.rate_hz:
            grown_from = _most_mb()
    turned.append(_turned(state.flush(Controls())))
    turn = np.concatenate(turned)
    tenth, off = len(turn) // 10, len(turn) - round(hours * 3600 * float(FPS))
    return off, _most_mb() - grown_from, float((turn[-tenth:].std(0) / turn[:tenth].std(0)).mean())


def _turned(frames: Sequence[MotionFrame]) -> Curve:
    """(n, 3), also of none."""
    return angles_of(frames) if frames else np.zeros((0, 3))


def _most_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def measure(args: argparse.Namespace) -> list[Line]:
    """All lines."""
    models = {name: make() for name, make in MODELS.items()}
    talk = natural_talk(args.voice, args.minutes + (3 if args.manners else 0), models)
    idle = {name: moved(model, silence(args.minutes)) for name, model in models.items()}
    listens = Controls(attention=Attention.LISTENING)
    listening = {name: moved(model, talk.part(0, 60 * args.minutes), 2, listens) for name, model in models.items()}
    lines = [*lip_lines(talk), *touch_lines(args.voice, models, 60.0), *head_lines(talk), *lid_lines(talk, idle)]
    lines += [*gaze_lines(talk, listening), listening_line(listening), diversity_line(talk, models)]
    lines += control_lines(talk, models, min(args.minutes, 1.5))
    lines += manner_lines(talk, min(args.minutes, 5)) if args.manners else []
    return [*lines, *cost_lines(talk, models, args.hours)]


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voice", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--hours", type=float, default=0.0, help="of the long run; 2 for the table")
    parser.add_argument("--manners", action="store_true", help="learn those of three synthetic people, too")
    parser.add_argument("--card", type=Path, help="page whose table is replaced")
    args = parser.parse_args(words)
    table = markdown([HEAD, *((line.what, line.target, line.learned, line.rules) for line in measure(args))])
    print(table)
    if args.card:
        put(args.card, "dynamics", table)


if __name__ == "__main__":
    main()
