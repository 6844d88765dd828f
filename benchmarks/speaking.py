"""The README's moving picture: ``python -m benchmarks.speaking`` draws docs/pictures/speaking.webp from what is bundled."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain

import numpy as np
from PIL import Image

import vivant
from benchmarks.pictures import FOLDER
from benchmarks.report import ASSETS
from vivant.commands.demo import FRIENDLY
from vivant.media import read_sound
from vivant.types import UInt8Array

SPEAKERS = (("mona_lisa", "painting"), ("noor", "person"), ("lady_agnew", "person"), ("gogol", "painting"))
CELL_PX, FPS = 256, Fraction(15)
SPOKEN_S, REST_S = 7.0, 1.0
"""Of the speeches' beginnings, and of silence after them: the loop closes where the faces rest. Chosen by eye."""
QUALITY, METHOD = 80, 4
"""Of WebP; chosen by eye at under 3 MB, and by its time."""
NO_LABEL = "a picture of documentation, said beside it"


def main() -> None:
    strips = [list(_frames(name, voice, seed)) for seed, (name, voice) in enumerate(SPEAKERS)]
    frames = [Image.fromarray(np.concatenate(cells, axis=1)) for cells in zip(*strips, strict=True)]
    path = FOLDER / "speaking.webp"
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=round(1000 / FPS), loop=0, quality=QUALITY, method=METHOD
    )
    print(f"{path.name}: {len(frames)} frames, {path.stat().st_size / 1e6:.2f} MB")


def _frames(name: str, voice: str, seed: int) -> Iterator[UInt8Array]:
    """(CELL_PX, CELL_PX, 3) each, from the voice's beginning."""
    face = vivant.open_portrait(name)
    speech = ASSETS / "speech" / voice
    samples, rate_hz = read_sound(speech.with_suffix(".ogg"))
    rest = np.zeros(round(REST_S * rate_hz), np.float32)
    heard = np.concatenate([samples[: round(SPOKEN_S * rate_hz)], rest])
    presenter = vivant.Presenter(face, size_px=CELL_PX, label_off_reason=NO_LABEL)
    with vivant.FaceStream(face, fps=FPS, sample_rate_hz=rate_hz, seed=seed, controls=FRIENDLY, presenter=presenter) as stream:
        stream.begin("", speech.with_suffix(".txt").read_text(encoding="utf-8"), "en")
        for item in chain(stream.push(heard), stream.finish()):
            if isinstance(item, vivant.Output) and item.picture is not None:
                yield item.picture.pixels[..., :3]


if __name__ == "__main__":
    main()
