"""LivePortrait's published graphs, tried once: ``python -m benchmarks.liveportrait FOLDER PORTRAIT OUT.png``

Prints what they run on and how long a picture takes, of one session and of four at once. OUT.png shows the portrait at rest,
the jaw, a smile, pursed lips, a blink and a turned head, as our motion asks for them, above the rig's: look at it before you
trust the fit. Needs the graphs (docs/finish.md), so nothing runs it by itself.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from vivant.face import RigFace, open_portrait
from vivant.liveportrait.face import open_liveportrait
from vivant.types import MotionFrame, Pose, arkit_weights

SIZE_PX, N_TIMED, N_SESSIONS = 512, 20, 4
MOTIONS = (
    MotionFrame(0, 0, arkit_weights()),
    MotionFrame(0, 0, arkit_weights(jawOpen=0.6)),
    MotionFrame(0, 0, arkit_weights(mouthSmileLeft=0.8, mouthSmileRight=0.8)),
    MotionFrame(0, 0, arkit_weights(mouthPucker=0.8)),
    MotionFrame(0, 0, arkit_weights(eyeBlinkLeft=1.0, eyeBlinkRight=1.0)),
    MotionFrame(0, 0, arkit_weights(), pose=Pose(yaw_deg=12.0, pitch_deg=5.0)),
)


def main() -> None:
    """Command line."""
    folder, portrait, out = (Path(argument) for argument in sys.argv[1:4])
    os.environ["VIVANT_LIVEPORTRAIT"] = str(folder)
    face, rig = open_liveportrait(portrait, consent="agreed"), open_portrait(portrait, consent="agreed")
    if isinstance(face, RigFace):
        raise SystemExit(face.notes[-1])
    print(f"runs on {face.graphs.provider}")
    rows = [[each.open(SIZE_PX).render(motion).pixels[..., :3] for motion in MOTIONS] for each in (face, rig)]
    Image.fromarray(np.concatenate([np.concatenate(row, 1) for row in rows])).save(out)
    renderers = [face.open(SIZE_PX) for _ in range(N_SESSIONS)]
    began = time.perf_counter()
    for _ in range(N_TIMED):
        renderers[0].render(MOTIONS[1])
    print(f"one session: {1000 * (time.perf_counter() - began) / N_TIMED:.1f} ms a picture")
    with ThreadPoolExecutor(N_SESSIONS) as pool:
        began = time.perf_counter()
        list(pool.map(lambda renderer: [renderer.render(MOTIONS[1]) for _ in range(N_TIMED)], renderers))
    print(f"{N_SESSIONS} sessions: {1000 * (time.perf_counter() - began) / (N_TIMED * N_SESSIONS):.1f} ms a picture")


if __name__ == "__main__":
    main()
