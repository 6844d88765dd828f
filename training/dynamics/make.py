"""Makes what the dynamics learn from:

``python -m training.dynamics.make --voices FOLDER ... --motion FOLDER --out DATA``

MOTION holds the recordings of people that the card names, as `RECORDED` says. Voices are folders of recordings of one speaker
each. Every conversation is heard once and lived through by several teachers. It goes on where it stopped.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.dynamics.heard import conversations, voices
from training.dynamics.looks import Looks, Onlooker, onlookers
from training.dynamics.parts import faces_alone, heads_alone, lids_alone, recorded_blinks
from training.dynamics.teacher import Teacher
from vivant.motion.learned.channels import CHUNK_TICKS, N_SLOW
from vivant.motion.learned.recorded import Clip, Heard, Lived, clip_of, save_clips, told_nothing
from vivant.motion.noise import TICK_S
from vivant.speech.articulation import CHANNELS
from vivant.speech.prosody import Prosody
from vivant.types import Attention

CONVERSATION_S = 150.0
RECORDED = {
    "gaze": "gaze_dialogue/fixations.npz",
    "lids": "blink_openness/openness.npz",
    "face": "arkit_rom/*.csv.gz",
    "head": "head_acts/head.npz",
}


@dataclass(frozen=True)
class People:
    """Whose eyes and lids the teachers have."""

    onlookers: Sequence[Onlooker]
    blinks: NDArray[np.float64]

    def live(self, heard: Heard, rng: np.random.Generator, n: int) -> list[Clip]:
        """Through a conversation, ``n`` teachers."""
        chosen = [(self.onlookers[int(rng.integers(len(self.onlookers)))], int(rng.integers(2**31))) for _ in range(n)]
        return [Teacher(person, self.blinks, seed).live(heard) for person, seed in chosen]


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


def parts(motion: Path, people: Sequence[Onlooker]) -> dict[str, list[Clip]]:
    """What holds a part of a face, by the name of its file."""
    eyes = [
        gaze_alone(looks, state, person.speaking.contact)
        for person in people
        for looks, state in ((person.speaking, Attention.SPEAKING), (person.listening, Attention.LISTENING))
    ]
    return {
        "gaze": eyes,
        "lids": lids_alone(motion / RECORDED["lids"]),
        "face": faces_alone(sorted(motion.glob(RECORDED["face"]))),
        "head": heads_alone(motion / RECORDED["head"]),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voices", type=Path, nargs="*", default=[], metavar="FOLDER")
    parser.add_argument("--skip", type=int, default=0, help="first recordings of every folder that are left out")
    parser.add_argument("--motion", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--teachers", type=int, default=6, help="who live through each conversation")
    parser.add_argument("--silence", type=float, default=40.0, metavar="MINUTES", help="of faces at rest")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    people = People(onlookers(args.motion / RECORDED["gaze"]), recorded_blinks(args.motion / RECORDED["lids"]))
    for name, clips in parts(args.motion, people.onlookers).items():
        _save(args.out / f"{name}.npz", clips)
    rest = args.out / "silence.npz"
    if args.silence and not rest.exists():
        rng = np.random.Generator(np.random.PCG64(24))
        _save(rest, people.live(silence(CONVERSATION_S), rng, round(args.silence * 60 / CONVERSATION_S)))
    for number, voice in enumerate(voices(args.voices, args.skip)):
        path = args.out / f"{voice.name}.npz"
        if not path.exists():
            rng = np.random.Generator(np.random.PCG64([number, 24]))
            heard = conversations(voice, rng, CONVERSATION_S)
            _save(path, [clip for one in heard for clip in people.live(one, rng, args.teachers)])


def _save(path: Path, clips: Sequence[Clip]) -> None:
    if clips:
        save_clips(path, clips)
        print(f"{path.stem}: {sum(len(clip.told) for clip in clips) * CHUNK_TICKS * TICK_S / 60:.1f} min", flush=True)


if __name__ == "__main__":
    main()
