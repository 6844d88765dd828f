"""Files changed at random and read in a process of their own: ``python -m tests.wild_media FOLDER SEED COUNT``.

Each seed changes one file of the folder and reads it as what it is. Anything but a result or an InputError of one line ends the
process; the seed and the file are the last thing it said. At the end it counts both.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from vivant.errors import InputError
from vivant.media import load_image
from vivant.media.audio import read_sound
from vivant.provenance.verify import verify

WORDS = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\1", b"\xff\xff\xff\x7f", bytes(16))
SOUNDS = {".wav", ".flac", ".mp3", ".ogg"}


def changed(data: bytes, chance: random.Random) -> bytes:
    """Bits turned, words replaced, parts left out or put in, the end cut off; headers as often as all the rest."""
    wild = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16, 64))):
        at = chance.randrange(len(wild) if chance.random() < 0.5 else min(len(wild), 400))
        part = chance.randrange(1, 200)
        change = chance.choice(("bit", "bit", "word", "out", "in", "end"))
        if change == "bit":
            wild[at] ^= 1 << chance.randrange(8)
        elif change == "word":
            word = chance.choice(WORDS)
            wild[at : at + len(word)] = word
        elif change == "in":
            wild[at:at] = chance.randbytes(part)
        else:
            del wild[at + 1 : at + 1 + part if change == "out" else None]
    return bytes(wild)


def read(path: Path, chance: random.Random) -> None:
    """As a voice, as a portrait, or as something whose origin is asked for."""
    if path.suffix in SOUNDS:
        read_sound(path)
    elif path.suffix == ".mp4" or chance.random() < 0.2:
        verify(path)
    else:
        load_image(path.read_bytes())


def main(folder: str, seed: str, count: str) -> None:
    """Every file gets its turn."""
    files, results = sorted(Path(folder).iterdir()), Counter[str]()
    with tempfile.TemporaryDirectory() as work:
        for number in range(int(seed), int(seed) + int(count)):
            chance, source = random.Random(number), files[number % len(files)]
            print(f"seed {number}, {source.name}", flush=True)
            path = Path(work) / f"wild{source.suffix}"
            path.write_bytes(changed(source.read_bytes(), chance))
            try:
                read(path, chance)
                results["read"] += 1
            except InputError as error:
                assert "\n" not in str(error)
                results["refused"] += 1
    print(dict(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
