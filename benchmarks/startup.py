"""How soon does it speak? ``python -m benchmarks.startup``"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.report import PORTRAITS, VOICE, Row, quiet, show, voice
from vivant.face import Face, open_portrait
from vivant.motion.articulatory import ArticulatoryMotion
from vivant.offline import RenderReport, render_file
from vivant.session.session import Session, SessionConfig
from vivant.session.stream import FaceStream
from vivant.types import Output

REPEATS = 7
_FRESH = """
import time
began = time.monotonic_ns()
import sys, numpy, vivant
with vivant.FaceStream(vivant.open_portrait(sys.argv[1])) as stream:
    next(item for item in stream.push(numpy.zeros(16000, numpy.float32)) if isinstance(item, vivant.Output))
print((time.monotonic_ns() - began) / 1e6)
"""


def first_frame_ms(portrait: Path) -> float:
    """Work from a kept rig's portrait to the first frame: open, hear as much as a frame needs, render."""
    samples, rate_hz = voice()
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        with FaceStream(open_portrait(portrait), sample_rate_hz=rate_hz) as stream:
            for start in range(0, rate_hz, rate_hz // 50):
                if any(isinstance(item, Output) for item in stream.push(samples[start : start + rate_hz // 50])):
                    break
        times.append(time.perf_counter() - began)
    return 1000 * float(np.median(times))


def fresh_process_ms(portrait: Path) -> float:
    """The same in a new interpreter, imports included."""
    command = [sys.executable, "-c", _FRESH, str(portrait)]
    runs = [subprocess.run(command, check=True, capture_output=True, text=True) for _ in range(3)]
    return float(np.median([float(run.stdout) for run in runs]))


def import_ms(*program: str) -> float:
    """A new interpreter that does that little, from its start to its end; the middle of several."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", *program], check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return 1000 * float(np.median(times))


async def live_ms(face: Face) -> float:
    """From the first sound pushed into a live session to its first frame."""
    samples, rate_hz = voice()
    async with Session(face, SessionConfig(sample_rate_hz=rate_hz)) as session:
        began = time.perf_counter()
        await session.push(samples[:rate_hz])
        async for item in session:
            if isinstance(item, Output):
                return 1000 * (time.perf_counter() - began)
    raise RuntimeError("the session ended without a frame")


def demo_report(face: Face) -> RenderReport:
    """What ``vivant demo`` does: the bundled voice to an mp4, 512x512, 30 frames per second, encoding included."""
    with tempfile.TemporaryDirectory() as folder:
        return render_file(face, VOICE, Path(folder) / "demo.mp4", fps=Fraction(30))


def rows() -> list[Row]:
    """All of this module."""
    portrait = PORTRAITS[0]
    face = open_portrait(portrait)
    report = demo_report(face)
    live = [asyncio.run(live_ms(face)) for _ in range(3)]
    return [
        Row("import numpy, ms, for comparison", "", f"{import_ms('import numpy'):.0f}"),
        Row("import vivant, ms", "< 400", f"{import_ms('import vivant'):.0f}"),
        Row("vivant --help, ms", "< 600", f"{import_ms('import vivant.cli; vivant.cli.main()', '--help'):.0f}"),
        Row("kept rig to first frame, ms of work", "", f"{first_frame_ms(portrait):.0f}"),
        Row("the same in a fresh process, imports included, ms", "", f"{fresh_process_ms(portrait):.0f}"),
        Row("look-ahead of the voice, ms", "<= 120", str(ArticulatoryMotion.look_ahead_ms)),
        Row("live: first sound to its frame, ms", "", f"{np.median(live):.0f}"),
        Row(f"demo.mp4: real-time factor on {os.cpu_count()} cores", "< 1", f"{report.real_time_factor:.2f}"),
        Row("demo.mp4: frames per second, encoding included", "", f"{report.frames_per_s:.0f}"),
    ]


if __name__ == "__main__":
    with quiet():
        found = rows()
    show(found)
