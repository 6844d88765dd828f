"""How long a sound is felt in its neighbours, by a simulated vocal tract: ``python -m training.speech.tract``

Needs vocaltractlab-cython (GPL-3) in an environment of its own; nothing of it is in Vivant, which keeps two figures:
``_MOVES`` and ``_ROUNDS`` of `vivant.speech.articulation`. Random syllables become gestural scores, these become trajectories
of jaw angle, lip distance and lip protrusion. Each phone's target and the width of one Hann window are fitted to the first
syllables by least squares; printed is the correlation on the others.
"""

from __future__ import annotations

import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

VOWELS, CONSONANTS = (
    ["a", "e", "i", "o", "u", "y", "@", "I"],
    ["p", "m", "f", "t", "n", "l", "s", "S", "k", "N", "x", "j", "b", "d", "v", "z", "g"],
)
SOUNDS = ["", *VOWELS, *CONSONANTS]
CURVES = {"jaw angle": "JA", "lip distance": "LD", "protrusion": "LP"}
N_SCORES, SYLLABLES, FITTED_SHARE = 40, 14, 0.7
STEP_S = 110 / 44_100
"""Of VocalTractLab's trajectories."""
HALVES = (3, 5, 7, 9, 11, 13, 16, 20)
"""Half widths, ticks of 10 ms."""

Floats = NDArray[np.float64]


def score(rng: np.random.Generator) -> list[tuple[str, float]]:
    """(sound, seconds) of a row of syllables between silences; lengths are log-normal."""
    sounds = [("", 0.1)]
    for _ in range(SYLLABLES):
        for chance in (0.9, 0.15):
            if rng.random() < chance:
                sounds.append((str(rng.choice(CONSONANTS)), float(np.clip(rng.lognormal(np.log(0.075), 0.3), 0.035, 0.2))))
        sounds.append((str(rng.choice(VOWELS)), float(np.clip(rng.lognormal(np.log(0.1), 0.4), 0.04, 0.3))))
    return [*sounds, ("", 0.1)]


def trajectories(sounds: list[tuple[str, float]]) -> tuple[Floats, Floats]:
    """(n, sounds) which sound is spoken and (n, 3) curves, every 10 ms."""
    tract: Any = import_module("vocaltractlab_cython")

    names = [parameter["name"] for parameter in tract.get_param_info("tract")]
    with tempfile.TemporaryDirectory() as folder:
        phones, gestures, motor = (str(Path(folder) / name) for name in ("a.seg", "a.ges", "a.tract"))
        Path(phones).write_text("".join(f"name = {sound}; duration_s = {seconds:.6f};\n" for sound, seconds in sounds))
        tract.phoneme_file_to_gesture_file(phones, gestures)
        tract.gesture_file_to_motor_file(gestures, motor)
        lines = [line.split() for line in Path(motor).read_text().splitlines() if not line.startswith("#")]
    states = np.array([[float(x) for x in line] for line in lines if len(line) == len(names)])
    at = np.arange(0, (len(states) - 1) * STEP_S, 0.01)
    curves = [np.interp(at, np.arange(len(states)) * STEP_S, states[:, names.index(name)]) for name in CURVES.values()]
    ends = np.cumsum([seconds for _, seconds in sounds])
    spoken = [SOUNDS.index(sounds[min(k, len(sounds) - 1)][0]) for k in np.searchsorted(ends, at, side="right")]
    return np.eye(len(SOUNDS))[spoken], np.column_stack(curves)


def smoothed(spoken: Floats, half: int) -> Floats:
    """(n, sounds) under a Hann window of ``half`` ticks to both sides."""
    lag = np.arange(-half, half + 1)
    window = 0.5 + 0.5 * np.cos(np.pi * lag / (half + 1))
    padded = np.pad(spoken, ((half, half), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, window / window.sum(), "valid") for column in padded.T], 1)


def main() -> None:
    rng = np.random.default_rng(1)
    made = [trajectories(score(rng)) for _ in range(N_SCORES)]
    truth = np.concatenate([curves for _, curves in made])
    fitted = np.arange(len(truth)) < FITTED_SHARE * len(truth)
    for half in HALVES:
        given = np.concatenate([smoothed(spoken, half) for spoken, _ in made])
        targets = np.linalg.lstsq(given[fitted], truth[fitted], rcond=1e-6)[0]
        told = given[~fitted] @ targets
        r = [np.corrcoef(told[:, k], truth[~fitted][:, k])[0, 1] for k in range(len(CURVES))]
        figures = ", ".join(f"{name} {value:.3f}" for name, value in zip(CURVES, r, strict=True))
        sys.stdout.write(f"{10 * half:3} ms to both sides: r {figures}\n")


if __name__ == "__main__":
    main()
