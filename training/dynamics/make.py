"""Makes what the dynamics learn from: ``python -m training.dynamics.make --voices FOLDER ... --gaze fixations.npz --out DATA``

Voices are folders of recordings of one speaker each. Every conversation is heard once and lived through by several teachers. It
goes on where it stopped.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.dynamics.heard import conversations, voices
from training.dynamics.looks import Looks, Onlooker, onlookers
from training.dynamics.teacher import Teacher
from vivant.motion.learned.channels import CHUNK_TICKS, N_SLOW
from vivant.motion.learned.recorded import Clip, Heard, Lived, clip_of, save_clips, told_nothing
from vivant.motion.noise import TICK_S
from vivant.speech.articulation import CHANNELS
from vivant.speech.prosody import Prosody
from vivant.types import Attention

CONVERSATION_S = 150.0


def lived_through(heard: Heard, people: Sequence[Onlooker], rng: np.random.Generator, n: int) -> list[Clip]:
    """By ``n`` teachers."""
    return [Teacher(people[int(rng.integers(len(people)))], int(rng.integers(2**31))).live(heard) for _ in range(n)]


def silence(seconds: float) -> Heard:
    """What is heard of nothing."""
    n, quiet = round(100 * seconds), Prosody(False, 0.0, False, False, 0.0, 0.0, 0.0)
    return Heard(np.zeros((n, len(CHANNELS))), [quiet] * n)


def gaze_alone(looks: Looks, state: Attention, contact: float) -> Clip:
    """Eyes without a voice or a head: the other channels are masked, the voice is not told."""
    starts = np.concatenate([[0], np.cumsum(looks.lasts_s)[:-1]])
    n = int(looks.lasts_s.sum() / TICK_S)
    where = looks.where_deg[np.searchsorted(starts, (np.arange(n) + 0.5) * TICK_S, side="right") - 1]
    jumps = np.zeros(n, bool)
    jumps[np.minimum((starts / TICK_S).astype(int), n - 1)] = True
    no_blinks = np.zeros(n, bool)
    lived = Lived(np.zeros((n, N_SLOW)), where, jumps, no_blinks, np.ones((n, 2)), np.array([0, 0, 1, 0], np.float32))
    return clip_of(told_nothing(n // CHUNK_TICKS, state, contact), lived)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voices", type=Path, nargs="*", default=[], metavar="FOLDER")
    parser.add_argument("--skip", type=int, default=0, help="first recordings of every folder that are left out")
    parser.add_argument("--gaze", type=Path, required=True, metavar="fixations.npz")
    parser.add_argument("--teachers", type=int, default=6, help="who live through each conversation")
    parser.add_argument("--silence", type=float, default=40.0, metavar="MINUTES", help="of faces at rest")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    people = onlookers(args.gaze)
    eyes = [
        gaze_alone(looks, state, person.speaking.contact)
        for person in people
        for looks, state in ((person.speaking, Attention.SPEAKING), (person.listening, Attention.LISTENING))
    ]
    save_clips(args.out / "gaze.npz", eyes)
    rest = args.out / "silence.npz"
    if args.silence and not rest.exists():
        rng = np.random.Generator(np.random.PCG64(24))
        save_clips(rest, lived_through(silence(CONVERSATION_S), people, rng, round(args.silence * 60 / CONVERSATION_S)))
    for number, voice in enumerate(voices(args.voices, args.skip)):
        path = args.out / f"{voice.name}.npz"
        if path.exists():
            continue
        rng = np.random.Generator(np.random.PCG64([number, 24]))
        heard = conversations(voice, rng, CONVERSATION_S)
        clips = [clip for one in heard for clip in lived_through(one, people, rng, args.teachers)]
        if clips:
            save_clips(path, clips)
            print(f"{voice.name}: {sum(len(clip.told) for clip in clips) * CHUNK_TICKS * TICK_S / 60:.0f} min", flush=True)


if __name__ == "__main__":
    main()
